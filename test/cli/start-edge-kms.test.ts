// The server as a program starts it.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { cli, health, isAlive, temporaryFolder } from "./command.ts";

const { startEdgeKms } = (await import(
  pathToFileURL(cli).href
)) as typeof import("../../src/cli/main.ts");

test("a program starts and stops a server", async () => {
  const folder = temporaryFolder();
  const server = await startEdgeKms({ port: 0, data: folder });
  onTestFinished(() => server.stop());
  expect(await health(server.url)).toEqual({ status: "ok" });
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
  expect(await server.ended).toBe("code 0");
  expect(readdirSync(folder)).toEqual(["state"]);
  await server.stop();
});

test("a program runs several, each in a folder of its own", async () => {
  const folder = temporaryFolder();
  const first = await startEdgeKms({ port: 0, data: join(folder, "first") });
  onTestFinished(() => first.stop());
  const second = await startEdgeKms({ port: 0, memory: true });
  onTestFinished(() => second.stop());
  expect(first.url).not.toBe(second.url);
  await expect(startEdgeKms({ port: 0, data: join(folder, "first") })).rejects.toThrow(
    `${join(folder, "first")} is in use by pid ${process.pid}`,
  );
});
