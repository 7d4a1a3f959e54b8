import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, onTestFinished, test } from "vitest";
import { acquireLock, LockedError } from "../../src/cli/folder-lock.ts";
import { endProcess, identify } from "../../src/cli/process-identity.ts";
import { freeze, isAlive, temporaryFolder } from "./command.ts";
import { until } from "./until.ts";

const newPath = () => join(temporaryFolder(), "lock");
const self = () => identify(process.pid);

/** A process that would go on for ever; killed when the test ends. */
function bystander(): ChildProcess {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Writes a lock as a holder would have left it. */
function leave(path: string, holder: { launcher?: unknown; workerd?: unknown }): void {
  writeFileSync(path, JSON.stringify({ id: "left", launcher: null, workerd: null, ...holder }));
}

describe("a lock", () => {
  test("is refused while its holder lives, naming it", async () => {
    const path = newPath();
    await acquireLock(path);
    await expect(acquireLock(path)).rejects.toEqual(new LockedError(process.pid));
  });

  test("is free after its release, and leaves nothing behind", async () => {
    const path = newPath();
    for (let round = 0; round < 3; round++) {
      const lock = await acquireLock(path);
      lock.recordWorker(process.pid);
      expect(readdirSync(join(path, ".."))).toEqual(["lock"]);
      lock.release();
      expect(readdirSync(join(path, ".."))).toEqual([]);
    }
  });

  test("says which processes work in the folder", async () => {
    const path = newPath();
    const lock = await acquireLock(path);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({
      launcher: self(),
      workerd: null,
    });
    const child = bystander();
    lock.recordWorker(child.pid as number);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({
      launcher: self(),
      workerd: identify(child.pid as number),
    });
  });
});

describe("the lock of a dead holder is taken over", () => {
  test("when its pid now belongs to another process", async () => {
    const path = newPath();
    leave(path, { launcher: { pid: process.pid, started: "another time" } });
    await acquireLock(path);
    expect(JSON.parse(readFileSync(path, "utf8")).launcher).toEqual(self());
    expect(readdirSync(join(path, ".."))).toEqual(["lock"]);
  });

  test("after its worker has been ended", async () => {
    const path = newPath();
    const worker = bystander();
    leave(path, { workerd: identify(worker.pid as number) });
    await acquireLock(path);
    expect(isAlive(worker.pid as number)).toBe(false);
  });

  test("but who now has the pid of its worker is left alone", async () => {
    const path = newPath();
    const other = bystander();
    leave(path, { workerd: { pid: other.pid, started: "another time" } });
    await acquireLock(path);
    expect(isAlive(other.pid as number)).toBe(true);
  });

  test.each(["", "{", "null", "[]"])("when its file holds %j", async (content) => {
    const path = newPath();
    writeFileSync(path, content);
    await acquireLock(path);
    expect(JSON.parse(readFileSync(path, "utf8")).launcher).toEqual(self());
  });

  test("and with it goes what others left when they died on their way", async () => {
    const path = newPath();
    for (const name of ["lock", "lock.a", "lock.a.b", "lock.c.new"]) {
      writeFileSync(join(path, "..", name), "{}");
    }
    await acquireLock(path);
    expect(readdirSync(join(path, ".."))).toEqual(["lock"]);
  });

  test("even if another died while it was taking it over", async () => {
    const path = newPath();
    leave(path, {});
    writeFileSync(`${path}.left`, JSON.stringify({ id: "turn", launcher: null, workerd: null }));
    await acquireLock(path);
    expect(readdirSync(join(path, ".."))).toEqual(["lock"]);
  });
});

describe("of several processes that try at once, one gets it:", () => {
  const contenders = 4;

  test("a lock that is free, then one whose holder was killed, again and again", async () => {
    const path = newPath();
    const script = await bundledContender();
    for (let round = 0; round < 8; round++) {
      const outcomes = await contend(script, path);
      const winners = outcomes.filter(({ said }) => said === "held");
      expect(outcomes.map(({ said }) => said.split(" ")[0]).sort()).toEqual([
        "held",
        ...Array(contenders - 1).fill("refused"),
      ]);
      expect(winners).toHaveLength(1);
      for (const { child } of outcomes) await killed(child);
      expect(existsSync(path)).toBe(true);
    }
  });

  /** Node 20 runs no TypeScript. */
  async function bundledContender(): Promise<string> {
    const outfile = join(temporaryFolder(), "contender.mjs");
    const source = fileURLToPath(new URL("lock-contender.ts", import.meta.url));
    await build({ entryPoints: [source], outfile, bundle: true, platform: "node", format: "esm" });
    return outfile;
  }

  async function contend(script: string, path: string) {
    const children = Array.from({ length: contenders }, () => startContender(script, path));
    await until("all wait", () => children.every(({ lines }) => lines.length === 1));
    for (const { child } of children) child.stdin?.write("go\n");
    await until("all have tried", () => children.every(({ lines }) => lines.length === 2));
    return children.map(({ child, lines }) => ({ child, said: lines[1] as string }));
  }

  function startContender(script: string, path: string) {
    const child = spawn(process.execPath, [script, path], { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const lines: string[] = [];
    child.stdout
      .setEncoding("utf8")
      .on("data", (text: string) => lines.push(...text.trim().split("\n")));
    return { child, lines };
  }

  async function killed(child: ChildProcess): Promise<void> {
    child.kill("SIGKILL");
    await until("it is gone", () => !isAlive(child.pid as number));
  }
});

describe("ending a process", () => {
  test("uses force on one that does not react", async () => {
    const child = bystander();
    const identity = await until("it runs", () => identify(child.pid as number));
    await freeze(identity.pid);
    await endProcess(identity, 50);
    await until("its end is noticed", () => child.signalCode);
    expect(child.signalCode).toBe("SIGKILL");
  });

  test("that has ended is no failure", async () => {
    await endProcess({ pid: process.pid, started: "another time" });
  });
});
