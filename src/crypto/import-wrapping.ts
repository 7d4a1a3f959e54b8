// How key material comes wrapped into ImportKeyMaterial.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-encrypt-key-material.html

import type { EncryptionAlgorithm, WrappingAlgorithm } from "./algorithm.ts";
import { attempt } from "./attempt.ts";
import type { Bytes } from "./bytes.ts";
import { privateKeyObject } from "./key.ts";
import { nobleAes } from "./libraries.ts";
import { modulusBytes } from "./rsa-raw.ts";

const AES_256_BYTES = 32;

/** The key material is the plaintext of an encryption. */
export const wrappedBy = (encryption: EncryptionAlgorithm): WrappingAlgorithm => ({
  libraries: encryption.libraries,
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
  libraries: [...rsaes.libraries, nobleAes],
  unwrap(key, wrapped) {
    const split = modulusBytes(privateKeyObject(key));
    const aesKey = rsaes.decrypt(key, wrapped.subarray(0, split));
    if (aesKey?.length !== AES_256_BYTES) return null;
    return unwrapPadded(aesKey, wrapped.subarray(split));
  },
});

/**
 * AES key wrap with padding (RFC 5649, 4.2), or null for what the key did not wrap. Wants `nobleAes`
 * loaded.
 */
export function unwrapPadded(aesKey: Uint8Array, wrapped: Uint8Array): Bytes | null {
  const { aeskwp } = nobleAes.loaded;
  return attempt(() => new Uint8Array(aeskwp(aesKey).decrypt(wrapped)));
}
