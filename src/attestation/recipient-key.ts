// The RSA key that an enclave asks its answers to be encrypted under.

import { attemptAsync } from "../crypto/attempt.ts";
import type { Bytes } from "../crypto/bytes.ts";
import { invalidDocument } from "./refusal.ts";

const RSAES_OAEP_SHA_256 = { name: "RSA-OAEP", hash: "SHA-256" } as const;
const MIN_MODULUS_BITS = 2048;

/** The key in a SubjectPublicKeyInfo; throws ValidationException if KMS would not encrypt with it. */
export async function recipientKey(publicKey: Bytes): Promise<CryptoKey> {
  const key = await attemptAsync(
    crypto.subtle.importKey("spki", publicKey, RSAES_OAEP_SHA_256, false, ["encrypt"]),
  );
  if (!key) throw invalidDocument("its public_key is not an RSA key");
  const { modulusLength } = key.algorithm as unknown as { readonly modulusLength: number };
  if (modulusLength < MIN_MODULUS_BITS) {
    throw invalidDocument(`its public_key has fewer than ${MIN_MODULUS_BITS} bits`);
  }
  return key;
}
