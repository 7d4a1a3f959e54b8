// How key material comes wrapped into ImportKeyMaterial.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-encrypt-key-material.html

import { assert } from "../assert.ts";
import type { EncryptionAlgorithm, WrappingAlgorithm } from "./algorithm.ts";
import { attempt } from "./attempt.ts";
import type { Bytes } from "./bytes.ts";
import { privateKeyObject } from "./key.ts";
import { modulusBytes } from "./rsa-raw.ts";

const AES_256_BYTES = 32;

let aeskwp: typeof import("@noble/ciphers/aes.js").aeskwp | undefined;

/** Has to have been awaited before anything is unwrapped: its tables take too long for every start. */
export async function loadKeyWrap(): Promise<void> {
  aeskwp ??= (await import("@noble/ciphers/aes.js")).aeskwp;
}

/** The key material is the plaintext of an encryption. */
export const wrappedBy = (encryption: EncryptionAlgorithm): WrappingAlgorithm => ({
  unwrap: (key, wrapped) => encryption.decrypt(key, wrapped),
});

/** The same of RSA's, which is as long as the modulus. */
export const wrappedByRsa = (encryption: EncryptionAlgorithm): WrappingAlgorithm => ({
  ...wrappedBy(encryption),
  wrappedBytes: (key) => modulusBytes(privateKeyObject(key)),
});

/**
 * RSA_AES_KEY_WRAP: an AES key of 256 bits under RSA's encryption, as long as the modulus, then the
 * key material under that AES key, by AES key wrap with padding (RFC 5649). It is PKCS #11's
 * CKM_RSA_AES_KEY_WRAP. Neither runtime has RFC 5649, so there it is noble.
 */
export const rsaAesKeyWrap = (rsaes: EncryptionAlgorithm): WrappingAlgorithm => ({
  unwrap(key, wrapped) {
    const split = modulusBytes(privateKeyObject(key));
    const aesKey = rsaes.decrypt(key, wrapped.subarray(0, split));
    if (aesKey?.length !== AES_256_BYTES) return null;
    return unwrapPadded(aesKey, wrapped.subarray(split));
  },
});

/** AES key wrap with padding (RFC 5649, 4.2), or null for what the key did not wrap. */
export function unwrapPadded(aesKey: Uint8Array, wrapped: Uint8Array): Bytes | null {
  const keyWrap = aeskwp;
  assert(keyWrap, "AES key wrap is loaded");
  return attempt(() => new Uint8Array(keyWrap(aesKey).decrypt(wrapped)));
}
