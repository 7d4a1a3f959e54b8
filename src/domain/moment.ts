// The inputs of the pure core that are neither state nor request: the time, chance, and how long
// AWS's own processes take here.

import type { KeyPair } from "../crypto/key.ts";
import type { KeyPairSpec } from "../crypto/key-pair.ts";
import type { Quotas } from "./quota.ts";

/** The moment at which something happens; the core asks nothing else of its surroundings. */
export interface Moment {
  /** Milliseconds since the epoch, by the tenant's clock. */
  readonly now: number;
  /** Bytes that nobody can predict. */
  readonly random: (length: number) => Uint8Array<ArrayBuffer>;
  readonly delays: Delays;
  readonly newKeyPair: NewKeyPair;
  /** AWS's own where they are left out. */
  readonly quotas?: Quotas;
  /** How many keys there are in the Region in which one is to be made, where it has no room. */
  readonly keysWithoutRoom?: number | null;
}

/** Where fresh key pairs come from: chance, too, but it takes time. */
export type NewKeyPair = (spec: KeyPairSpec) => Promise<KeyPair>;

/** Durations in milliseconds of what AWS does in the background. */
export interface Delays {
  readonly creatingMs: number;
  readonly updatingMs: number;
  readonly rotatingMs: number;
}

export const DAY_MS = 86_400_000;
