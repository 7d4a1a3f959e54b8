// `npm run bench`: what the real server does in a second beside an echo, a bare Worker on the same
// binary that parses a body and returns it. Rounds alternate, so that a machine whose speed drifts
// slows both alike; quote the ratios. Server and load run on a core each where there are two.
//
//   npm run bench                      everything
//   npm run bench -- Encrypt alias     only the rows whose name has one of these words
//   BENCH_ROUNDS=9 BENCH_SECONDS=2     more rounds, longer ones

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { bodiesOf, prepare, rows } from "./bench/cases.mjs";
import { load } from "./bench/load.mjs";
import { startEcho, startServer } from "./bench/servers.mjs";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 2);
/** A generator busier than this measures itself. */
const MAX_GENERATOR_SHARE = 0.9;

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const folder = mkdtempSync(join(tmpdir(), "edge-kms-bench-"));
const echo = await startEcho(folder);
const server = await startServer(folder);
try {
  console.log(
    `${SECONDS} s a round, ${ROUNDS} rounds, ${availableParallelism()} cores; ` +
      `ready after ${server.startMs} ms, idle ${server.memoryMb} MB (launcher and workerd)\n`,
  );
  const keys = await prepare(server.url);
  const words = process.argv.slice(2);
  const chosen = rows.filter(
    ({ name }) => words.every((word) => !word) || words.some((w) => name.includes(w)),
  );
  const results = [];
  for (const row of chosen) results.push(await measure(row, keys));
  print(results);
} finally {
  server.stop();
  echo.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Alternating rounds of a row and of the echo with the same bodies. */
async function measure(row, keys) {
  const bodies = await bodiesOf(row, keys, server.url, ROUNDS * SECONDS);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const sent = { target: row.target, seconds: SECONDS, folder };
    const echoed = await load({ ...sent, url: echo.url, bodies: bodies.slice(0, 64) });
    const share = Math.ceil(bodies.length / ROUNDS);
    const mine = row.once ? bodies.slice(round * share, (round + 1) * share) : bodies;
    const served = await load({ ...sent, url: server.url, bodies: mine, once: row.once });
    rounds.push({ echoed, served, ratio: served.rate / echoed.rate });
  }
  const of = (pick) => median(rounds.map(pick));
  return {
    operation: row.name,
    "req/s": Math.round(of((r) => r.served.rate)),
    "echo req/s": Math.round(of((r) => r.echoed.rate)),
    ratio: of((r) => r.ratio).toFixed(2),
    "p50 ms": of((r) => r.served.p50).toFixed(2),
    "p99 ms": of((r) => r.served.p99).toFixed(2),
    refused: rounds.reduce((sum, r) => sum + r.served.refused, 0),
    generator: rounds.some((r) => Math.max(r.served.share, r.echoed.share) > MAX_GENERATOR_SHARE)
      ? "void: too busy"
      : `${Math.round(100 * of((r) => Math.max(r.served.share, r.echoed.share)))} %`,
  };
}

function print(results) {
  const columns = Object.keys(results[0] ?? {});
  console.log(`| ${columns.join(" | ")} |`);
  console.log(`|${columns.map((_, index) => (index ? " ---: |" : " --- |")).join("")}`);
  for (const result of results) console.log(`| ${columns.map((c) => result[c]).join(" | ")} |`);
}
