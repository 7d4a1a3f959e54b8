// Key pairs whose private key is a seed: Ed25519 (RFC 8410), ML-DSA (RFC 9881), ML-KEM (RFC 9935).
// PKCS #8 wraps the seed in one more element; the public key is raw.

import { fromBase64, toHex } from "./base64.ts";
import { type Bytes, sameBytes } from "./bytes.ts";
import { derElement, readDer } from "./der.ts";
import type { KeyPair, KeyPairKind, PrivateKey, PublicKey } from "./key.ts";
import { decodePkcs8, decodeSpki, encodePkcs8, encodeSpki } from "./key-encoding.ts";

/** One algorithm, or one parameter set of it. */
export interface SeedKeys {
  readonly algorithm: Bytes;
  /** The tag of the element that holds the seed. */
  readonly seedTag: number;
  readonly seedBytes: number;
  /** The raw public key; `pkcs8` is the same private key as `seed`. */
  publicKey(seed: Bytes, pkcs8: Bytes): Uint8Array | Promise<Uint8Array>;
}

export const seedKeys = (keys: SeedKeys): KeyPairKind => ({
  generate: () => pairOf(keys, crypto.getRandomValues(new Uint8Array(keys.seedBytes))),
  read: (pkcs8) => readPair(keys, pkcs8),
});

/** Which of some algorithms a private key is of, and its seed; null for a key of none of them. */
export function openSeed<Keys extends SeedKeys>(all: readonly Keys[], key: PrivateKey) {
  const pkcs8 = fromBase64(key.bytes);
  const content = decodePkcs8(pkcs8);
  const keys = all.find(({ algorithm }) => toHex(algorithm) === content?.algorithm);
  const seed = keys && content && seedIn(keys, content.key);
  return keys && seed ? { keys, seed, pkcs8 } : null;
}

/** Which of some algorithms a public key is of, and its raw bytes; null for a key of none. */
export function openPublicKey<Keys extends SeedKeys>(all: readonly Keys[], key: PublicKey) {
  const spki = fromBase64(key.publicKey);
  const content = decodeSpki(spki);
  const keys = all.find(({ algorithm }) => toHex(algorithm) === content?.algorithm);
  return keys && content ? { keys, raw: content.key, spki } : null;
}

/** At once where the public key is made at once. */
function pairOf(keys: SeedKeys, seed: Bytes): KeyPair | Promise<KeyPair> {
  const privateKey = encodePkcs8(keys.algorithm, derElement(keys.seedTag, seed));
  const pair = (raw: Uint8Array): KeyPair => ({
    privateKey,
    publicKey: encodeSpki(keys.algorithm, raw),
  });
  const raw = keys.publicKey(seed, privateKey);
  return raw instanceof Promise ? raw.then(pair) : pair(raw);
}

function readPair(keys: SeedKeys, pkcs8: Uint8Array): KeyPair | null | Promise<KeyPair | null> {
  const content = decodePkcs8(pkcs8);
  if (content?.algorithm !== toHex(keys.algorithm)) return null;
  const seed = seedIn(keys, content.key);
  if (!seed) return null;
  const stated = content.publicKey && encodeSpki(keys.algorithm, content.publicKey);
  const checked = (pair: KeyPair) =>
    stated === null || sameBytes(stated, pair.publicKey) ? pair : null;
  const pair = pairOf(keys, seed);
  return pair instanceof Promise ? pair.then(checked) : checked(pair);
}

function seedIn(keys: SeedKeys, der: Uint8Array): Bytes | null {
  const seed = readDer(der, (input) => input.element(keys.seedTag));
  return seed?.length === keys.seedBytes ? new Uint8Array(seed) : null;
}
