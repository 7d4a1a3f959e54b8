// The hash functions of FIPS 180-4, under the names that node:crypto has for them.

import { createHash } from "node:crypto";
import type { Bytes } from "./bytes.ts";

export type HashName = "sha1" | "sha224" | "sha256" | "sha384" | "sha512";

/** Bytes of a digest. */
export const digestBytes = {
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
} as const satisfies Record<HashName, number>;

/** The digest of all parts, one after the other. */
export function hash(name: HashName, ...parts: readonly Uint8Array[]): Bytes {
  const state = createHash(name);
  for (const part of parts) state.update(part);
  return new Uint8Array(state.digest());
}
