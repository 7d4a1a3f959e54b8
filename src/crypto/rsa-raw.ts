// The RSA function itself, without any padding (RFC 8017, 5.1 and 5.2): node:crypto's, which is
// native in workerd and in Node, and takes the digests that WebCrypto insists on making itself.

import { constants, type KeyObject, privateEncrypt, publicDecrypt } from "node:crypto";
import { assert } from "../assert.ts";
import { attempt } from "./attempt.ts";
import type { Bytes } from "./bytes.ts";

const padding = constants.RSA_NO_PADDING;

/** The private function of a block of `modulusBytes` that is below the modulus. */
export const rawPrivate = (key: KeyObject, block: Uint8Array): Bytes =>
  new Uint8Array(privateEncrypt({ key, padding }, block));

/** The public function, or null for a block of another length or not below the modulus. */
export function rawPublic(key: KeyObject, block: Uint8Array): Bytes | null {
  if (block.length !== modulusBytes(key)) return null;
  return attempt(() => new Uint8Array(publicDecrypt({ key, padding }, block)));
}

/** Bytes of the modulus, which in KMS is always of whole bytes. */
export function modulusBytes(key: KeyObject): number {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  assert(bits, "an RSA key has a modulus");
  return bits / 8;
}
