// The load where wrk is not installed: one process, as many connections, each answer read whole.
// Arguments: URL, target, Region, file of bodies, seconds, `once` or `round`. Prints one line of JSON.

import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { CONNECTIONS, headersOf } from "./load.mjs";

const [url, target, region, file, seconds, mode, own] = process.argv.slice(2);
const bodies = readFileSync(file, "utf8").trimEnd().split("\n");
const headers = own ? JSON.parse(own) : headersOf(target, region);
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const latencies = [];
let refused = 0;
let sent = 0;
const started = performance.now();
const end = started + 1000 * Number(seconds);

function send(body) {
  const sentAt = performance.now();
  return new Promise((resolve, reject) => {
    const length = Buffer.byteLength(body);
    const options = { method: "POST", agent, headers: { ...headers, "content-length": length } };
    const sending = request(url, options, (response) => {
      if (response.statusCode !== 200) refused++;
      response.resume().on("end", () => resolve(latencies.push(performance.now() - sentAt)));
    });
    sending.on("error", reject).end(body);
  });
}

async function connection() {
  while (performance.now() < end && (mode === "round" || sent < bodies.length)) {
    await send(bodies[sent++ % bodies.length]);
  }
}

await Promise.all(Array.from({ length: CONNECTIONS }, connection));
const elapsed = performance.now() - started;
latencies.sort((a, b) => a - b);
const percentile = (share) => latencies[Math.floor(share * (latencies.length - 1))];
console.log(
  JSON.stringify({
    rate: (1000 * latencies.length) / elapsed,
    p50: percentile(0.5),
    p99: percentile(0.99),
    refused,
  }),
);
process.exit();
