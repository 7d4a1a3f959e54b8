// `npm run bench`: what the real server does in a second beside an echo, a bare Worker on the same
// binary that parses a body and returns it. Rounds alternate, so that a machine whose speed drifts
// slows both alike; quote the ratios. Server and load run on a core each where there are two.
//
//   npm run bench                      everything
//   npm run bench -- Encrypt alias     only the rows whose name has one of these words
//   npm run bench -- RSA_4096 pool     a key spec; what finds a filled pool of key pairs
//   npm run bench -- half              at a fixed rate, with and without keys being created
//   BENCH_ROUNDS=9 BENCH_SECONDS=2     more rounds, longer ones
//   BENCH_FIXED_SECONDS=30             how long each run of a fixed rate is

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { bodiesOf, prepare, rows } from "./bench/cases.mjs";
import { fixedRate } from "./bench/fixed-rate.mjs";
import { keySpecRows, poolRows } from "./bench/key-spec-cases.mjs";
import { load } from "./bench/load.mjs";
import { paced } from "./bench/paced.mjs";
import { startEcho, startMs, startServer } from "./bench/servers.mjs";
import { callSigned, signedHeaders, startSignedServer } from "./bench/signed.mjs";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 2);
const FIXED_SECONDS = Number(process.env.BENCH_FIXED_SECONDS ?? 30);
/** Requests to a filled pool in a round. */
const PACED = 5;
const SIGNED = "Encrypt 1 KiB by key ID, signed and evaluated";
const HALF = "Encrypt 1 KiB at half the maximum rate";
/** A generator busier than this measures itself. */
const MAX_GENERATOR_SHARE = 0.9;

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const folder = mkdtempSync(join(tmpdir(), "edge-kms-bench-"));
const echo = await startEcho(folder);
const start = await startMs(folder);
const server = await startServer(folder);
try {
  console.log(
    `${SECONDS} s a round, ${ROUNDS} rounds, ${availableParallelism()} cores; ` +
      `first answer after ${start} ms, idle ${server.memoryMb} MB (launcher and workerd)\n`,
  );
  const keys = await prepare(server.url);
  const words = process.argv.slice(2);
  const isChosen = (name) => words.every((word) => !word) || words.some((w) => name.includes(w));
  const results = [];
  for (const row of [...rows, ...keySpecRows].filter(({ name }) => isChosen(name))) {
    results.push(await measure(row, keys));
  }
  if (isChosen(SIGNED)) results.push(await measureSigned());
  print(results);
  const fromPool = [];
  for (const row of poolRows.filter(({ name }) => isChosen(`${name} one by one, pool filled`))) {
    fromPool.push(await measurePool(row, keys));
  }
  print(fromPool);
  if (isChosen(HALF)) print(await measureHalf(keys));
} finally {
  await server.stop();
  echo.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** One request after another, each finding the pool filled. */
async function measurePool(row, keys) {
  const { latencies, refused } = await paced(row, keys, server.url, ROUNDS * PACED);
  return {
    operation: `${row.name} one by one, pool filled`,
    requests: latencies.length,
    "p50 ms": median(latencies).toFixed(2),
    "max ms": latencies.at(-1).toFixed(2),
    refused,
  };
}

/** Encrypt at half the maximum, with and without RSA_2048 keys being created. */
async function measureHalf(keys) {
  const { rate, runs } = await fixedRate({
    ...{ row: rows[0], keys, url: server.url, folder, rounds: Math.ceil(ROUNDS / 2) },
    seconds: FIXED_SECONDS,
  });
  const line = (name, results) => ({
    operation: `${HALF} (${rate}/s), ${name}`,
    "p50 ms": median(results.map(({ p50 }) => p50)).toFixed(2),
    "p99 ms": median(results.map(({ p99 }) => p99)).toFixed(2),
    "max ms": Math.max(...results.map(({ max }) => max)).toFixed(2),
    "generator late ms": median(results.map(({ late }) => late)).toFixed(2),
    refused: results.reduce((sum, { refused }) => sum + refused, 0),
  });
  const ratio = median(runs.map((run) => run.with.p99 / run.without.p99)).toFixed(2);
  const created = runs.reduce((sum, run) => sum + run.created, 0);
  return [
    {
      ...line(
        "alone",
        runs.map((run) => run.without),
      ),
      "p99 ratio": "1.00",
    },
    {
      ...line(
        `and ${created} RSA_2048 keys`,
        runs.map((run) => run.with),
      ),
      "p99 ratio": ratio,
    },
  ];
}

/** The first row on a server that verifies signatures and evaluates a user's policies. */
async function measureSigned() {
  const signing = await startSignedServer(folder);
  try {
    const { KeyMetadata } = await callSigned(signing.url, "CreateKey", {});
    const row = { ...rows[0], name: SIGNED, headersOf: signedHeaders, url: signing.url };
    return await measure(row, { keyId: KeyMetadata.KeyId });
  } finally {
    await signing.stop();
  }
}

/** Alternating rounds of a row and of the echo with the same bodies. */
async function measure(row, keys) {
  const url = row.url ?? server.url;
  const bodies = await bodiesOf(row, keys, url, ROUNDS * SECONDS);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const sent = { target: row.target, region: row.region, seconds: SECONDS, folder };
    const echoed = await load({ ...sent, url: echo.url, bodies: bodies.slice(0, 64) });
    const share = Math.ceil(bodies.length / ROUNDS);
    const mine = row.once ? bodies.slice(round * share, (round + 1) * share) : bodies;
    const headers = row.headersOf?.(url, row.target, mine[0]);
    const served = await load({ ...sent, url, bodies: mine, once: row.once, headers });
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
  if (results.length === 0) return;
  const columns = Object.keys(results[0]);
  console.log(`| ${columns.join(" | ")} |`);
  console.log(`|${columns.map((_, index) => (index ? " ---: |" : " --- |")).join("")}`);
  for (const result of results) console.log(`| ${columns.map((c) => result[c]).join(" | ")} |`);
  console.log();
}
