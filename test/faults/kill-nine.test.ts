// `kill -9` of a server under a load of writes, again and again, on one folder: whatever it has
// acknowledged is there afterwards, once, and what was under way comes to its end.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { Command, childrenOf, cli, isAlive, repository, temporaryFolder } from "../cli/command.ts";
import { until } from "../cli/until.ts";
import { Client, LostError } from "./client.ts";
import { Inspection } from "./inspection.ts";
import { Load } from "./load.ts";

const KILLS = 10;
const WRITES = 5200;
const CONNECTIONS = 24;

/** The server that is killed is the one of the sources that are here. */
beforeAll(() => {
  const newest = Math.max(
    ...readdirSync(join(repository, "src"), { recursive: true, encoding: "utf8" }).map(
      (file) => statSync(join(repository, "src", file)).mtimeMs,
    ),
  );
  if (existsSync(cli) && statSync(cli).mtimeMs > newest) return;
  execFileSync(process.execPath, [join(repository, "tools/build.mjs")]);
});

class Server {
  readonly #command: Command;
  client!: Client;
  #workerd = 0;

  constructor(folder: string) {
    this.#command = new Command(["--port", "0", "--data", folder, "--movable-clock"]);
  }

  async ready(): Promise<this> {
    const { url, workerd } = await this.#command.ready();
    this.#workerd = workerd;
    this.client = new Client(url, CONNECTIONS + 8);
    return this;
  }

  /** Kills every process of the server; the one that serves first, so that it gets no warning. */
  async kill(): Promise<void> {
    const guards = childrenOf(this.#workerd);
    const pids = [this.#workerd, this.#command.pid, ...guards];
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended because the one before it did.
      }
    }
    await this.#command.exit;
    await until("all of the server is gone", () => !pids.some(isAlive));
    this.client.close();
    // workerd may mention an alarm that a kill has parted from its object; edge-kms logs failures.
    const { stdout, stderr } = this.#command;
    expect(stdout + stderr).not.toMatch(/"event"|"requestId"|exception/);
  }
}

/** What happens to the clock in a round: all of it, or the kill comes in the midst of it, or nothing. */
const moves = ["none", "moved", "moving"] as const;

test("ten kills under load lose nothing that was acknowledged", { timeout: 240_000 }, async () => {
  const folder = temporaryFolder();
  const load = new Load();
  const seconds = { load: 0, restart: 0, inspection: 0 };
  const timed = async <T>(part: keyof typeof seconds, run: () => Promise<T>) => {
    const started = performance.now();
    const result = await run();
    seconds[part] += (performance.now() - started) / 1000;
    return result;
  };
  let server = await new Server(folder).ready();
  let movedTo = 0;

  for (let kill = 1; kill <= KILLS; kill += 1) {
    const { client } = server;
    const move = moves[kill % moves.length];
    const running = load.run(client, CONNECTIONS);
    await timed("load", async () => {
      const enough = (WRITES * kill) / KILLS;
      await Promise.race([
        running,
        until("enough was written", () => load.writes >= enough, 60_000),
      ]);
      await load.beginUpdate(client);
      if (move === "moved") movedTo = await client.clock("P8D");
      load.expectLoss();
      const moving = move === "moving" ? client.clock("P8D") : null;
      const lost = moving?.catch((error) => expect(error).toBeInstanceOf(LostError));
      if (moving) await Promise.race([lost, moment(Math.random() * 200)]);
      await server.kill();
      await lost;
      await running;
    });

    server = await timed("restart", () => new Server(folder).ready());
    await timed("inspection", async () => {
      const now = await server.client.clock();
      expect(now).toBeGreaterThanOrEqual(movedTo);
      const inspection = new Inspection(server.client, load.entries, load.lostCreates);
      // A move whose answer was lost may have been saved and not told yet; the alarm tells it.
      if (move === "moving") {
        await until("all were told the time", () => inspection.areDeletionsDone(now), 60_000);
      }
      await inspection.run(now);
    });
  }

  const { writes, refused, lost, acknowledged, entries } = load;
  console.log(
    JSON.stringify({
      ...{ kills: KILLS, writes, refused, lost, ...Object.fromEntries(acknowledged) },
      ...{ keys: entries.length, gone: entries.filter(({ gone }) => gone).length, seconds },
    }),
  );
  expect(writes).toBeGreaterThanOrEqual(5000);
  expect([...acknowledged.keys()].sort()).toEqual([
    "CreateAlias",
    "CreateKey",
    "ReplicateKey",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "TagResource",
    "UpdateKeyDescription",
    "UpdatePrimaryRegion",
  ]);
  await server.kill();
});

/** A random instant at which to kill; nothing is waited for. */
const moment = (ms: number) => new Promise((passed) => setTimeout(passed, ms));
