// The places that a directory keeps for keys on their way, so that two keys made at once do not both
// take the last one. In memory alone: a place that is lost or never filled does no lasting harm.

import type { Quotas } from "../domain/quota.ts";

/** Longer than any key is on its way, its alarm's second attempt to tell the directory included. */
const KEPT_MS = 60_000;

export class KeyRoom {
  readonly #limit: number;
  /** Until when a place is kept for the key of an ID. */
  readonly #kept = new Map<string, number>();

  constructor({ KEYS }: Pick<Quotas, "KEYS"> = { KEYS: Number.POSITIVE_INFINITY }) {
    this.#limit = KEYS;
  }

  /** The IDs of the keys that a place is kept for. */
  kept(now: number): readonly string[] {
    for (const [other, until] of this.#kept) if (until <= now) this.#kept.delete(other);
    return [...this.#kept.keys()];
  }

  /** Takes a place where `present` keys are; null, or how many there are where none is left. */
  take(keyId: string, present: number, now: number, limit = this.#limit): number | null {
    const used = present + this.kept(now).filter((other) => other !== keyId).length;
    this.#kept.delete(keyId);
    if (used >= limit) return used;
    this.#kept.set(keyId, now + KEPT_MS);
    return null;
  }

  leave(keyId: string): void {
    this.#kept.delete(keyId);
  }
}
