// What edge-kms gives out and takes back later: sealed with AES-256-GCM under a secret of its own.
// By node:crypto, at once, so that it can be opened between a check and a write.

import { createCipheriv, createDecipheriv } from "node:crypto";
import { attempt } from "./attempt.ts";
import { type Bytes, concat } from "./bytes.ts";

const CIPHER = "aes-256-gcm";
const TAG_BYTES = 16;

/** Bytes of the secret that seals. */
export const SEAL_SECRET_BYTES = 32;
/** Bytes of chance in each seal. */
export const SEAL_IV_BYTES = 12;

/** The sealed bytes: the IV, the ciphertext, its tag. `purpose` has to be named again to open it. */
export function seal(
  secret: Uint8Array,
  purpose: Uint8Array,
  iv: Uint8Array,
  plaintext: Uint8Array,
): Bytes {
  const cipher = createCipheriv(CIPHER, secret, iv);
  cipher.setAAD(purpose);
  const ciphertext = concat(cipher.update(plaintext), cipher.final());
  return concat(iv, ciphertext, cipher.getAuthTag());
}

/** What was sealed for this purpose, or null for anything else. */
export function unseal(secret: Uint8Array, purpose: Uint8Array, sealed: Uint8Array): Bytes | null {
  if (sealed.length < SEAL_IV_BYTES + TAG_BYTES) return null;
  const cipher = createDecipheriv(CIPHER, secret, sealed.subarray(0, SEAL_IV_BYTES));
  cipher.setAAD(purpose);
  cipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const opened = cipher.update(sealed.subarray(SEAL_IV_BYTES, -TAG_BYTES));
  return attempt(() => concat(opened, cipher.final()));
}
