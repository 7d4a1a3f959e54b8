// The load: 32 connections that send a body as soon as the last answer is there. wrk where it is
// installed, else a process of Node's own, which is busier for the same load.

import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onCore } from "./servers.mjs";

export const CONNECTIONS = 32;
const REGION = "us-east-1";
const authorization = (region) =>
  `AWS4-HMAC-SHA256 Credential=000000000000/20261122/${region}/kms/aws4_request, ` +
  `SignedHeaders=host;x-amz-date;x-amz-target, Signature=${"0123456789abcdef".repeat(4)}`;

/** What every request carries besides its body. */
export const headersOf = (target, region = REGION) => ({
  "content-type": "application/x-amz-json-1.1",
  "x-amz-target": `TrentService.${target}`,
  authorization: authorization(region),
});

const hasWrk = spawnSync("wrk", ["-v"]).error === undefined;

/**
 * Sends bodies for so many seconds; each once and no more where `once` is set.
 * Returns requests a second, latencies in ms, refusals, and the generator's share of its core.
 */
export async function load(job) {
  return hasWrk
    ? withWrk(job, fileOf(job))
    : runNode("generator.mjs", job, job.once ? "once" : "round");
}

/** The bodies of a job, a line each. */
function fileOf({ folder, bodies }) {
  const file = join(folder, "bodies.txt");
  writeFileSync(file, `${bodies.join("\n")}\n`);
  return file;
}

const script = (file, { target, region, once, headers = headersOf(target, region) }) => `
local bodies = {}
for line in io.lines(${JSON.stringify(file)}) do bodies[#bodies + 1] = line end
wrk.method = "POST"
${Object.entries(headers)
  .map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`)
  .join("\n")}
local sent = 0
function request()
  sent = sent + 1
  ${once ? "if sent > #bodies then wrk.thread:stop() end" : ""}
  return wrk.format(nil, nil, nil, bodies[(sent - 1) % #bodies + 1])
end
if #bodies == 1 then
  wrk.body = bodies[1]
  request = nil
end
function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %f %f %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.status))
end`;

async function withWrk(job, file) {
  const path = join(job.folder, "load.lua");
  writeFileSync(path, script(file, job));
  const args = ["-t1", `-c${CONNECTIONS}`, `-d${job.seconds}s`, "-s", path, job.url];
  const { text, share } = await run(...onCore(1, "wrk", args));
  const numbers = /RESULT (.*)/.exec(text)?.[1]?.split(" ").map(Number);
  if (!numbers) throw new Error(`wrk said: ${text}`);
  const [requests, microseconds, p50, p99, refused] = numbers;
  return {
    rate: (requests * 1e6) / microseconds,
    p50: p50 / 1000,
    p99: p99 / 1000,
    refused,
    share,
  };
}

/** Has a generator of this folder send a job; `how` is the last argument but for headers of its own. */
export async function runNode(generator, job, how) {
  const path = fileURLToPath(new URL(generator, import.meta.url));
  const { url, target, region = REGION, seconds, headers } = job;
  const own = headers ? [JSON.stringify(headers)] : [];
  const args = [path, url, target, region, fileOf(job), seconds, how, ...own].map(String);
  const { text, share } = await run(...onCore(1, process.execPath, args));
  return { ...JSON.parse(text.split("\n")[0]), share };
}

/** Runs a command; its share of a core is what the shell accounts to it. */
function run(command, args) {
  const started = performance.now();
  const child = spawn("sh", ["-c", '"$@"; times', "sh", command, ...args]);
  let text = "";
  child.stdout.on("data", (data) => {
    text += data;
  });
  return new Promise((resolve) => {
    child.on("close", () => {
      const times = [...text.matchAll(/(\d+)m([\d.]+)s/g)].slice(-2);
      const seconds = times.reduce((sum, [, m, s]) => sum + 60 * Number(m) + Number(s), 0);
      resolve({ text, share: (1000 * seconds) / (performance.now() - started) });
    });
  });
}
