// Starts edge-kms in each of the ways it can be run, for tests that talk to it over HTTP. Every
// server is a process of its own on a free port, with its state in a folder of its own; both are
// gone after `stop`, and also when the test run itself is killed.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
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
  /** A file with authorities that external key store proxies are trusted by; the launcher's alone. */
  readonly xksCa?: string;
  /** A file of principals; the launcher's alone. */
  readonly config?: string;
}

export type StartServer = (options?: ServerOptions) => Promise<Server>;

/** What `npm start` runs: the launcher, with workerd and nothing else. */
export const startRaw: StartServer = (options = {}) =>
  startServer(options, (data) => ({
    command: [
      ...["dist/edge-kms.cjs", "--port", "0", "--data", data],
      ...(options.xksCa === undefined ? [] : ["--xks-ca", options.xksCa]),
      ...(options.config === undefined ? [] : ["--config", options.config]),
    ],
    environment: variablesOf(options),
  }));

/** Miniflare's API on the built bundle. A setting that is left out is no variable either. */
export const startMiniflare: StartServer = (options = {}) =>
  startServer(options, (data) => {
    const setup = { stateFolder: data, variables: variablesOf(options) };
    return { command: ["test/support/miniflare.mjs", JSON.stringify(setup)] };
  });

/** `npm run dev`: wrangler, which bundles the sources itself and reads wrangler.toml. */
export const startWrangler: StartServer = (options = {}) =>
  startServer(options, (data) => {
    const ports = ["--port", "0", "--inspector-port", "0"];
    const vars = Object.entries(variablesOf(options)).map(([name, value]) => `${name}:${value}`);
    const command = ["tools/node22.mjs", "wrangler", "dev", ...ports, "--persist-to", data];
    return { command: [...command, ...vars.flatMap((pair) => ["--var", pair])] };
  });

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A Node script with its arguments, run in the repository's folder. */
interface Launch {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** How long a server may take to start, and to end before it is killed. */
const patienceMs = 30_000;

async function startServer(
  options: ServerOptions,
  launch: (data: string) => Launch,
): Promise<Server> {
  await built();
  const folder = temporaryFolder();
  const { command, environment } = launch(options.data ?? join(folder, "data"));
  const child = spawn(process.execPath, [...command], {
    cwd: root,
    detached: true,
    env: { ...cleanEnvironment(), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((done) => child.once("close", () => done()));
  const endWatch = watch(child, folder);
  const stop = onlyOnce(async () => {
    await endGroup(child, ended);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    endWatch();
  });
  const { output, ready } = printed(child);
  const url = await Promise.race([ready, ended, sleep(patienceMs, undefined, { ref: false })]);
  if (url) return { url, output, stop };
  await stop();
  throw new Error(`${command.join(" ")} did not start:\n${output()}`);
}

/** In memory where there is room: on a disk, every write of a server waits for it. */
function temporaryFolder(): string {
  const prefix = "edge-kms-test-";
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    if (bavail * bsize > 512 * 1024 * 1024) return mkdtempSync(join("/dev/shm", prefix));
  } catch {
    // Not there, or not for us.
  }
  return mkdtempSync(join(tmpdir(), prefix));
}

/** What a server prints, and the URL it says it is ready at. */
function printed({ stdout, stderr }: ChildProcess) {
  let text = "";
  const ready = new Promise<string>((found) => {
    for (const stream of [stdout, stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        const [, url] = /ready (?:at|on) (http:\/\/\S+)/i.exec(text) ?? [];
        if (url) found(url);
      });
    }
  });
  return { output: () => text, ready };
}

/** The Worker's variables for the settings that are given. */
function variablesOf({
  data: _data,
  xksCa: _file,
  config: _principals,
  ...settings
}: ServerOptions): Record<string, string> {
  const names = Object.keys(settings) as (keyof WorkerSettings)[];
  return Object.fromEntries(
    names.map((name) => [workerSettings[name].variable, String(settings[name])]),
  );
}

/** Our own environment without settings, which would reach the launcher. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const settings = new Set(Object.values(workerSettings).map((row) => row.variable));
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !settings.has(name)));
}

function onlyOnce<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  return () => {
    running ??= run();
    return running;
  };
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
kill -s TERM -- "-$1"
rounds=0
while [ $rounds -lt 50 ] && kill -s 0 -- "-$1"; do
  rounds=$((rounds + 1))
  if [ $rounds -eq 40 ]; then kill -s KILL -- "-$1"; fi
  sleep 0.1
done
rm -rf -- "$2"
`;

/** Has the server ended when this process is killed; the function returned calls that off. */
function watch({ pid }: ChildProcess, folder: string): () => void {
  const watcher = spawn("/bin/sh", ["-c", watchScript, "edge-kms-watch", String(pid), folder], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watcher.stdin.on("error", () => {});
  watcher.unref();
  return () => watcher.stdin.end("ended\n");
}

// Building. dist has to be newer than what it is made of.

const buildLock = join(root, "dist", ".building");

/** Test files run in processes of their own: one of them builds, the others wait for it. */
const built = onlyOnce(async () => {
  mkdirSync(join(root, "dist"), { recursive: true });
  while (!lockBuild()) await sleep(50);
  try {
    if (!isBuilt()) {
      await promisify(execFile)(process.execPath, ["tools/build.mjs"], { cwd: root });
    }
  } finally {
    rmdirSync(buildLock);
  }
});

function isBuilt(): boolean {
  const made = Math.min(...["dist/worker.mjs", "dist/edge-kms.cjs"].map(modifiedAt));
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
  const lockedAt = statSync(buildLock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  try {
    if (Date.now() - lockedAt > 60_000) rmdirSync(buildLock);
    mkdirSync(buildLock);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || code === "ENOENT") return false;
    throw error;
  }
}
