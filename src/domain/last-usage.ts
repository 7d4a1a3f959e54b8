// When a key was last used. A use changes nothing that has to outlive the moment, so it is only noted
// in memory; what is saved of it may be an hour behind, as AWS's own tracking may be.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html

import { type Key, type KeyLastUsage, type KeySet, keysOf, withKeys } from "./key-set.ts";
import type { Region } from "./region.ts";

/** KeyLastUsageTrackingOperation: what counts as a use of the key. */
const trackedOperations: ReadonlySet<string> = new Set([
  "Decapsulate",
  "Decrypt",
  "DeriveSharedSecret",
  "Encapsulate",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateMac",
  "ReEncrypt",
  "Sign",
  "Verify",
  "VerifyMac",
]);

export const isTracked = (operation: string) => trackedOperations.has(operation);

/** What is saved of a key's uses is no older than this beside the last one. */
const SAVED_EVERY_MS = 3_600_000;

/** What a successful call means for the tracking: a use, or that an earlier one was none after all. */
export type Usage =
  | { readonly kind: "used"; readonly usage: KeyLastUsage }
  | { readonly kind: "undone"; readonly requestId: string | null };

/** The last uses of a set's keys since it was loaded. The one thing that a use changes. */
export class LastUsages {
  readonly #noted = new Map<
    Region,
    { readonly last: KeyLastUsage; readonly before?: KeyLastUsage }
  >();

  note(region: Region, change: Usage): void {
    const noted = this.#noted.get(region);
    if (change.kind === "used") {
      // ReEncrypt may use one key twice.
      const again = noted?.last.requestId === change.usage.requestId;
      const before = again ? noted?.before : noted?.last;
      this.#noted.set(region, { last: change.usage, ...(before && { before }) });
    } else if (noted?.last.requestId === change.requestId) {
      if (noted.before) this.#noted.set(region, { last: noted.before });
      else this.#noted.delete(region);
    }
  }

  /** The last use of a key: noted since it was saved, or saved; null if it was never used. */
  of(key: Key): KeyLastUsage | null {
    const noted = this.#noted.get(key.region)?.last;
    // An earlier key of this Region may have been used, too.
    return noted && noted.at >= key.createdAt ? noted : (key.lastUsage ?? null);
  }

  /** Whether what is saved of a key's uses is too old. */
  isSaveDue(key: Key): boolean {
    const noted = this.#noted.get(key.region)?.last;
    return noted !== undefined && this.wouldBeDue(key, noted.at);
  }

  /** Whether it would be, were the key used at this instant. */
  wouldBeDue = (key: Key, at: number) =>
    at - (key.lastUsage?.at ?? Number.NEGATIVE_INFINITY) >= SAVED_EVERY_MS;

  /** The set as it is to be saved, with the last uses; the same where there are no newer ones. */
  in(set: KeySet): KeySet {
    const used = keysOf(set).filter((key) => this.of(key) !== (key.lastUsage ?? null));
    if (used.length === 0) return set;
    return withKeys(set, ...used.map((key) => ({ ...key, lastUsage: this.of(key) })));
  }
}
