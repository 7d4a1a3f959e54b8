// Starts edge-kms in each of the ways it can be run, for tests that talk to it over HTTP. Every
// server is a process of its own on a free port, with its state in a folder of its own; both are
// gone after `stop`, and also when the test run itself is killed.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type WorkerSettings, workerSettings } from "../../src/settings.ts";

export interface Server {
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  /** What the process has printed so far, errors included. */
  readonly output: () => string;
  /** Ends it and waits until it is gone; a folder that was given stays. Can be repeated. */
  readonly stop: () => Promise<void>;
}

/** Settings of edge-kms; one that is left out has the standard value of the way it is run. */
export interface ServerOptions extends Partial<WorkerSettings> {
  /** Folder for the state, to be used again by a later server; a temporary one if left out. */
  readonly data?: string;
}

export type StartServer = (options?: ServerOptions) => Promise<Server>;

/** What `npm start` runs: the launcher, with workerd and nothing else. */
export const startRaw: StartServer = (options = {}) =>
  startServer(options, (data) => {
    const given = Object.entries(givenSettings(options));
    const flags = given.flatMap(([name, value]) => flagOf(name as keyof WorkerSettings, value));
    return {
      command: ["dist/edge-kms.mjs", "--port", "0", "--data", data, ...flags],
      // Not every setting has a flag; every one has a variable.
      environment: variablesOf(options),
    };
  });

/** Miniflare's API on the built bundle. A setting that is left out is no variable either. */
export const startMiniflare: StartServer = (options = {}) =>
  startServer(options, (data) => {
    const setup = { stateFolder: data, variables: variablesOf(options) };
    return { command: ["test/support/miniflare.mjs", JSON.stringify(setup)], environment: {} };
  });

/** `npm run dev`: wrangler, which bundles the sources itself and reads wrangler.toml. */
export const startWrangler: StartServer = (options = {}) =>
  startServer(options, (data) => {
    const variables = Object.entries(variablesOf(options));
    const vars = variables.flatMap(([name, value]) => ["--var", `${name}:${value}`]);
    const ports = ["--port", "0", "--inspector-port", "0"];
    const quiet = "--show-interactive-dev-session=false";
    const wrangler = ["wrangler", "dev", ...ports, "--persist-to", data, quiet, ...vars];
    return { command: ["tools/node22.mjs", ...wrangler], environment: {} };
  });

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A Node script with its arguments, run in the repository's folder. */
interface Launch {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** How long a server may take to start, and to end before it is killed. */
const patienceMs = 30_000;

async function startServer(
  options: ServerOptions,
  launch: (data: string) => Launch,
): Promise<Server> {
  await (building ??= build());
  const folder = options.data === undefined ? mkdtempSync(join(tmpdir(), "edge-kms-test-")) : null;
  const { command, environment } = launch(options.data ?? join(folder ?? "", "data"));
  const child = spawn(process.execPath, [...command], {
    cwd: root,
    detached: true,
    env: { ...cleanEnvironment(), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((done) => child.once("close", () => done()));
  const endWatch = watch(child, folder);
  let stopping: Promise<void> | null = null;
  const stop = async () => {
    await endGroup(child, ended);
    if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    endWatch();
  };
  let text = "";
  const output = () => text;
  const url = new Promise<string>((found) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        const [, shown] = /ready (?:at|on) (http:\/\/\S+)/i.exec(text) ?? [];
        if (shown) found(shown);
      });
    }
  });
  const shown = await Promise.race([url, ended, sleep(patienceMs, null, { ref: false })]);
  if (!shown) {
    await stop();
    throw new Error(`${command.join(" ")} did not start:\n${text}`);
  }
  return { url: shown, output, stop: () => (stopping ??= stop()) };
}

/** The settings that are given, without what is no setting. */
function givenSettings(options: ServerOptions): Partial<WorkerSettings> {
  const { data: _data, ...settings } = options;
  return settings;
}

function variablesOf(options: ServerOptions): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(givenSettings(options))) {
    const { variable } = workerSettings[name as keyof WorkerSettings];
    if (variable !== null) variables[variable] = String(value);
  }
  return variables;
}

function flagOf(name: keyof WorkerSettings, value: string | number | boolean): string[] {
  const { flag, kind } = workerSettings[name];
  if (flag === null || value === false) return [];
  return kind.argument === null ? [`--${flag}`] : [`--${flag}`, String(value)];
}

/** Our own environment without settings, which would reach the launcher. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const { variable } of Object.values(workerSettings)) {
    if (variable !== null) delete environment[variable];
  }
  return environment;
}

// Ending. A server is a tree of processes in a group of its own.

async function endGroup(child: ChildProcess, ended: Promise<void>): Promise<void> {
  const pid = child.pid;
  if (pid === undefined) return;
  child.kill("SIGTERM");
  await Promise.race([ended, sleep(patienceMs, null, { ref: false })]);
  // Whoever did not follow its parent; usually there is nobody left.
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
  await ended;
}

/**
 * Reads a line, and all is well, or the end that comes however the test run died: then it ends the
 * group $1 and removes the folder $2.
 */
const watchScript = `
read -r line && exit
kill -TERM -- "-$1"
rounds=0
while [ $rounds -lt 50 ] && kill -0 -- "-$1"; do
  rounds=$((rounds + 1))
  if [ $rounds -eq 40 ]; then kill -KILL -- "-$1"; fi
  sleep 0.1
done
if [ -n "$2" ]; then rm -rf -- "$2"; fi
`;

/** Has the server ended when this process is killed; the function returned calls that off. */
function watch(child: ChildProcess, folder: string | null): () => void {
  const watcher = spawn("/bin/sh", ["-c", watchScript, "sh", String(child.pid), folder ?? ""], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watcher.stdin.on("error", () => {});
  watcher.unref();
  return () => watcher.stdin.end("ended\n");
}

// Building. dist has to be newer than what it is made of.

let building: Promise<void> | undefined;

const buildLock = join(root, "dist", ".building");

/** Test files run in processes of their own: one of them builds, the others wait for it. */
async function build(): Promise<void> {
  mkdirSync(join(root, "dist"), { recursive: true });
  while (!isBuilt()) {
    if (!lockBuild()) {
      await sleep(50);
      continue;
    }
    try {
      await promisify(execFile)(process.execPath, ["tools/build.mjs"], { cwd: root });
    } finally {
      rmdirSync(buildLock);
    }
  }
}

function isBuilt(): boolean {
  const made = Math.min(...["dist/worker.mjs", "dist/edge-kms.mjs"].map(modifiedAt));
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const inputs = ["tools/build.mjs", "package.json", "wrangler.toml"];
  return [...inputs, ...sources.map((name) => join("src", name))].every(
    (name) => modifiedAt(name) < made,
  );
}

/** Milliseconds since the epoch; 0 for a file that is not there. */
const modifiedAt = (name: string) =>
  statSync(join(root, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Whether this process is the one to build. A lock of a minute ago belongs to nobody any more. */
function lockBuild(): boolean {
  const lockedAt = statSync(buildLock, { throwIfNoEntry: false })?.mtimeMs;
  if (lockedAt !== undefined && Date.now() - lockedAt > 60_000) rmdirSync(buildLock);
  try {
    mkdirSync(buildLock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
