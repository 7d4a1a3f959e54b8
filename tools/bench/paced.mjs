// Requests one after another with pauses, for what a server has ready and has to make anew.

import { setTimeout as pause } from "node:timers/promises";
import { bodiesOf, call } from "./cases.mjs";

/** Sent first, so that the pool has as many ready as it ever has. */
const FIRST = 8;

/** The latencies of so many requests that found the pool filled, in ms, and how many were refused. */
export async function paced(row, keys, url, count) {
  const [body] = await bodiesOf(row, keys, url, 0);
  const send = () => call(url, row.target, JSON.parse(body), row.region);
  await Promise.all(Array.from({ length: FIRST }, send));
  await pause(FIRST * row.pauseMs);
  const latencies = [];
  let refused = 0;
  for (let sent = 0; sent < count; sent++) {
    const started = performance.now();
    await send().catch(() => refused++);
    latencies.push(performance.now() - started);
    await pause(row.pauseMs);
  }
  return { latencies: latencies.sort((a, b) => a - b), refused };
}
