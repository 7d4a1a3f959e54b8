// The two servers of the bench: edge-kms as `npm start` runs it, and a bare echo.

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ECHO = `export default { async fetch(request) {
  return new Response(JSON.stringify(await request.json()), {
    headers: { "content-type": "application/x-amz-json-1.1" } });
} };`;

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (compatibilityDate = "2026-10-23",
    modules = [(name = "echo.mjs", esModule = embed "echo.mjs")]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);`;

/** A command on the first core, where the machine has two and taskset. */
export const onCore = (core, command, args) =>
  process.platform === "linux" && availableParallelism() > 1
    ? ["taskset", ["-c", String(core), command, ...args]]
    : [command, args];

/** Starts the echo; fulfilled when it answers. */
export async function startEcho(folder) {
  writeFileSync(join(folder, "echo.mjs"), ECHO);
  writeFileSync(join(folder, "echo.capnp"), CONFIG);
  const binary = createRequire(import.meta.url)("workerd").default;
  const serve = ["serve", "--control-fd=3", join(folder, "echo.capnp")];
  const child = spawn(...onCore(0, binary, serve), {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  const port = await new Promise((resolve) => {
    child.stdio[3].on("data", (data) => resolve(JSON.parse(String(data).split("\n")[0]).port));
  });
  const url = `http://127.0.0.1:${port}/`;
  await fetch(url, { method: "POST", body: "{}" }); // Node's own first is not to be measured.
  return { url, stop: () => child.kill() };
}

/** The time from spawning the launcher to the first answer, on all cores: the median of a few, in ms. */
export async function startMs(folder, starts = 9) {
  const times = [];
  for (let start = 0; start < starts; start++) {
    const server = await startServer(join(folder, `start-${start}`), [], {}, onAnyCore);
    times.push(server.startMs);
    await server.stop();
  }
  return times.sort((a, b) => a - b)[starts >> 1];
}

const onAnyCore = (_core, command, args) => [command, args];

/** Starts edge-kms on a folder of its own; says how long it took to the first answer. */
export async function startServer(folder, more = [], environment = {}, placed = onCore) {
  const launcher = fileURLToPath(new URL("../../dist/edge-kms.cjs", import.meta.url));
  const args = [
    launcher,
    "--port",
    "0",
    "--data",
    join(folder, "data"),
    "--creating-ms",
    "0",
    ...more,
  ];
  const started = performance.now();
  const child = spawn(...placed(0, process.execPath, args), {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const url = await new Promise((resolve) => {
    let text = "";
    child.stdout.on("data", (data) => {
      text += data;
      const [found] = /http:\/\/[\d.]+:\d+/.exec(text) ?? [];
      if (found) resolve(`${found}/`);
    });
  });
  await fetch(`${url}health`);
  const startMs = Math.round(performance.now() - started);
  const stop = () => {
    child.kill();
    return ended;
  };
  return { url, startMs, memoryMb: memoryOf(child.pid), stop };
}

/** Resident memory of a process and all its children in MB; 0 where there is no /proc. */
function memoryOf(pid) {
  try {
    const kilobytes = Number(
      /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0,
    );
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    const below = children ? children.split(" ").map((child) => memoryOf(child)) : [];
    return Math.round(below.reduce((sum, each) => sum + each, kilobytes / 1024));
  } catch {
    return 0;
  }
}
