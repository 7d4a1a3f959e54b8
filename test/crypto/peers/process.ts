// A peer that runs as a program of its own: one request a line, one answer a line.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Peer } from "./peer.ts";

/** Starts a peer and waits until it is ready; null where it cannot run here. */
export async function processPeer(command: string, ...args: string[]): Promise<Peer | null> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
  const waiting: ((line: string | null) => void)[] = [];
  const nextLine = () => new Promise<string | null>((resolve) => void waiting.push(resolve));
  const gone = () => {
    for (const resolve of waiting.splice(0)) resolve(null);
  };
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(line));
  child.on("error", gone).on("exit", gone);
  child.stdin.on("error", gone);
  if ((await nextLine()) !== "ready") return null;
  child.unref();
  return {
    async ask(...words) {
      const answer = nextLine();
      child.stdin.write(`${words.join(" ")}\n`);
      return (await answer) ?? "error: it ended";
    },
    stop: () => child.stdin.end(),
  };
}
