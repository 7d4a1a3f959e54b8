// The load of a fixed rate: each request is meant to be sent at its own instant, whether or not the
// others are answered, over as many connections as the other loads have; what finds none free waits
// here. Latencies count from that instant. HTTP is spoken on bare sockets, as wrk does it: with
// node:http the generator would be busier than the server. Arguments: URL, target, Region, file of
// bodies, seconds, requests a second. Prints one line of JSON; `late` is how late the generator itself
// was at the 99th percentile, in ms.

import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { CONNECTIONS, headersOf } from "./load.mjs";

const [url, target, region, file, seconds, rate] = process.argv.slice(2);
const { hostname, port, host } = new URL(url);
const head = Object.entries({ host, ...headersOf(target, region) })
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join("");
const requests = readFileSync(file, "utf8")
  .trimEnd()
  .split("\n")
  .map((body) =>
    Buffer.from(
      `POST / HTTP/1.1\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  );
const total = Math.floor(Number(seconds) * Number(rate));
const latencies = [];
const lateness = [];
/** When those were to be sent that no connection was free for, first come first. */
const waiting = [];
const free = [];
let refused = 0;
let sent = 0;
let finish;
const finished = new Promise((resolve) => {
  finish = resolve;
});

/** A connection that sends a request at a time. */
function open() {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let intendedAt = 0;
  let text = "";
  const connection = {
    send(at) {
      intendedAt = at;
      socket.write(requests[sent++ % requests.length]);
    },
  };
  socket.setEncoding("latin1").on("data", (data) => {
    text += data;
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return;
    const [, length] = /content-length: (\d+)/i.exec(text) ?? [];
    if (length === undefined) throw new Error(`an answer without its length: ${text}`);
    if (text.length < end + 4 + Number(length)) return;
    if (!text.startsWith("HTTP/1.1 200")) refused++;
    text = "";
    latencies.push(performance.now() - intendedAt);
    if (latencies.length === total) return finish();
    const next = waiting.shift();
    if (next === undefined) free.push(connection);
    else connection.send(next);
  });
  return new Promise((resolve) => socket.once("connect", () => resolve(connection)));
}

const percentile = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))];

free.push(...(await Promise.all(Array.from({ length: CONNECTIONS }, open))));
const started = performance.now();
for (let count = 0; count < total; count++) {
  const intendedAt = started + (1000 * count) / Number(rate);
  // Spinning, since a timer is a millisecond late or two.
  while (performance.now() < intendedAt) await turn();
  lateness.push(performance.now() - intendedAt);
  const connection = free.pop();
  if (connection) connection.send(intendedAt);
  else waiting.push(intendedAt);
}
await finished;
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
