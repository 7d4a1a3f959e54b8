// ES384: ECDSA on P-384 with SHA-384, the one algorithm of Nitro's certificates and documents.

import { attemptAsync } from "../crypto/attempt.ts";
import { type Bytes, concat } from "../crypto/bytes.ts";
import { readDer } from "../crypto/der.ts";

const P384 = { name: "ECDSA", namedCurve: "P-384" } as const;
const ES384 = { name: "ECDSA", hash: "SHA-384" } as const;
const FIELD_BYTES = 48;
/** COSE and WebCrypto write r and s one after the other. */
export const SIGNATURE_BYTES = 2 * FIELD_BYTES;

/** The key in a SubjectPublicKeyInfo, or null if it is not a point of P-384. */
export const p384Key = (publicKey: Bytes): Promise<CryptoKey | null> =>
  attemptAsync(crypto.subtle.importKey("spki", publicKey, P384, false, ["verify"]));

export const verifyEs384 = (key: CryptoKey, signature: Bytes, signed: Bytes): Promise<boolean> =>
  crypto.subtle.verify(ES384, key, signature, signed);

/** A certificate's SEQUENCE of r and s as the 96 bytes that WebCrypto takes, or null. */
export const rawSignature = (der: Uint8Array): Bytes | null =>
  readDer(der, (input) =>
    input.sequence((parts) => concat(parts.positive(FIELD_BYTES), parts.positive(FIELD_BYTES))),
  );
