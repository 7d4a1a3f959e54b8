// The load of a fixed rate: each request is sent at its own instant, whether or not the others are
// answered. Arguments: URL, target, Region, file of bodies, seconds, requests a second. Prints one
// line of JSON; `late` is how late the generator itself was at the 99th percentile, in ms.

import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { headersOf } from "./load.mjs";

const [url, target, region, file, seconds, rate] = process.argv.slice(2);
const bodies = readFileSync(file, "utf8").trimEnd().split("\n");
const agent = new Agent({ keepAlive: true, maxSockets: 512 });
const total = Math.floor(Number(seconds) * Number(rate));
const latencies = [];
const lateness = [];
let refused = 0;

function send(body, intendedAt) {
  lateness.push(performance.now() - intendedAt);
  return new Promise((resolve, reject) => {
    const headers = { ...headersOf(target, region), "content-length": Buffer.byteLength(body) };
    const sending = request(url, { method: "POST", agent, headers }, (response) => {
      if (response.statusCode !== 200) refused++;
      response.resume().on("end", () => resolve(latencies.push(performance.now() - intendedAt)));
    });
    sending.on("error", reject).end(body);
  });
}

const percentile = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))];

const started = performance.now();
const sending = [];
while (sending.length < total) {
  const intendedAt = started + (1000 * sending.length) / Number(rate);
  // Spinning, since a timer is a millisecond late or two.
  while (performance.now() < intendedAt) await turn();
  sending.push(send(bodies[sending.length % bodies.length], intendedAt));
}
await Promise.all(sending);
console.log(
  JSON.stringify({
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    max: percentile(latencies, 1),
    late: percentile(lateness, 0.99),
    refused,
  }),
);
process.exit();
