// Encrypt at half the rate that the server can do, with and without RSA_2048 keys being created.
// A request's latency counts from when it was meant to be sent: what piles up behind a stall of the
// server counts in full, as it does for clients who do not wait for each other.

import { call } from "./cases.mjs";
import { load, runNode } from "./load.mjs";

/** Keys created a second, in the runs that have them. */
const CREATED_PER_SECOND = 2;

/** What `half the maximum` is, then alternating runs of so many seconds; p99s in ms. */
export async function fixedRate({ row, keys, url, folder, seconds, rounds }) {
  const bodies = await row.bodies(keys);
  const { rate } = await load({ url, target: row.target, bodies, seconds: 2, folder });
  const half = Math.round(rate / 2);
  const run = () => runNode("constant-rate.mjs", { ...row, url, bodies, seconds, folder }, half);
  const runs = [];
  for (let round = 0; round < rounds; round++) {
    runs.push({ without: await run(), ...(await whileCreating(url, run)) });
  }
  return { rate: half, runs };
}

/** Runs while keys are created, at a fixed rate as well. */
async function whileCreating(url, run) {
  const creating = [];
  const create = () => {
    const input = { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" };
    creating.push(call(url, "CreateKey", input).then(() => 1));
  };
  const timer = setInterval(create, 1000 / CREATED_PER_SECOND);
  try {
    const result = await run();
    clearInterval(timer);
    return { with: result, created: (await Promise.all(creating)).length };
  } finally {
    clearInterval(timer);
  }
}
