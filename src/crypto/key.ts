// Key material as key sets hold it, and what the platform makes of it once.

import { createPrivateKey, createPublicKey } from "node:crypto";
import type { Bytes } from "./bytes.ts";
import type { Library } from "./libraries.ts";
import { oncePerKey } from "./once-per-key.ts";

/** The raw bytes of a secret, in base64. */
export interface SecretKey {
  readonly bytes: string;
}

/** A private key as `generateKeyPair` gives it: PKCS #8 (DER), in base64. */
export interface PrivateKey {
  readonly bytes: string;
}

/** A public key as `generateKeyPair` gives it: SubjectPublicKeyInfo (DER), in base64. */
export interface PublicKey {
  readonly publicKey: string;
}

/** A key pair as AWS KMS gives it out, both halves in DER. */
export interface KeyPair {
  /** PKCS #8. */
  readonly privateKey: Bytes;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Bytes;
}

/** How the key pairs of a key spec are made and read. */
export interface KeyPairKind {
  /** Of RSA alone: bits of the modulus, two primes that have to be looked for. */
  readonly modulusLength?: number;
  /** To be loaded before `generate` or `read` is called. */
  readonly library?: Library<unknown>;
  generate(): KeyPair | Promise<KeyPair>;
  /** The pair of a private key in PKCS #8, encoded as `generate` does; null for any other bytes. */
  read(pkcs8: Uint8Array): KeyPair | null | Promise<KeyPair | null>;
}

/** The private key in node:crypto; throws where it has no such keys, or where the bytes are none. */
export const privateKeyObject = oncePerKey((key: PrivateKey) =>
  createPrivateKey(pem("PRIVATE KEY", key.bytes)),
);

/** The same for a public key. */
export const publicKeyObject = oncePerKey((key: PublicKey) =>
  createPublicKey(pem("PUBLIC KEY", key.publicKey)),
);

/** RFC 7468. DER would have to be a Buffer, by Node's types, which the Workers types do not know. */
const pem = (label: string, base64: string) =>
  `-----BEGIN ${label}-----\n${base64.replace(/.{64}(?=.)/g, "$&\n")}\n-----END ${label}-----\n`;
