// The two envelopes that keys travel in: SubjectPublicKeyInfo (RFC 5280, 4.1) for public keys and
// PKCS #8 (RFC 5958) for private keys. Each holds an AlgorithmIdentifier and the key's own bytes.

import { toHex } from "./base64.ts";
import type { Bytes } from "./bytes.ts";
import {
  derBitString,
  derInteger,
  derObjectIdentifier,
  derOctetString,
  derSequence,
  readDer,
} from "./der.ts";

/** An envelope, opened. */
interface KeyContent {
  /** The AlgorithmIdentifier in DER, as hex. */
  readonly algorithm: string;
  readonly key: Uint8Array;
}

interface PrivateKeyContent extends KeyContent {
  /** The public key that may come along (RFC 5958, version 2). */
  readonly publicKey: Uint8Array | null;
}

/** The AlgorithmIdentifier of an algorithm, by its OID and with its parameters in DER, if any. */
export const algorithmIdentifier = (name: string, ...parameters: readonly Uint8Array[]): Bytes =>
  derSequence(derObjectIdentifier(name), ...parameters);

export const encodeSpki = (algorithm: Uint8Array, key: Uint8Array): Bytes =>
  derSequence(algorithm, derBitString(key));

export const encodePkcs8 = (algorithm: Uint8Array, key: Uint8Array): Bytes =>
  derSequence(derInteger(new Uint8Array(1)), algorithm, derOctetString(key));

/** Null for anything but a SubjectPublicKeyInfo. */
export const decodeSpki = (der: Uint8Array): KeyContent | null =>
  readDer(der, (input) =>
    input.sequence((info) => ({
      algorithm: toHex(info.encodedSequence()),
      key: info.bitString(),
    })),
  );

const ATTRIBUTES = 0xa0;
const PUBLIC_KEY = 0x81;

/** Null for anything but a private key in PKCS #8. */
export const decodePkcs8 = (der: Uint8Array): PrivateKeyContent | null =>
  readDer(der, (input) =>
    input.sequence((info) => {
      info.unsigned(); // The version, which says no more than what follows.
      const algorithm = toHex(info.encodedSequence());
      const key = info.octetString();
      info.optional(ATTRIBUTES);
      return { algorithm, key, publicKey: info.optionalBits(PUBLIC_KEY) };
    }),
  );
