// Waiting for a condition instead of for a time: as fast as the machine, and never too fast.

import { setTimeout as sleep } from "node:timers/promises";

/** Returns what `look` finds; fails when it has found nothing by the deadline. */
export async function until<T>(
  what: string,
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  deadlineMs = 15_000,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`gave up waiting until ${what}`);
    await sleep(10);
  }
}
