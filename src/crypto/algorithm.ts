// What an algorithm of AWS KMS is to its callers: an object that does its work with a key. The
// table of all of them is algorithms.ts.

import type { Bytes } from "./bytes.ts";
import { type HashName, hash } from "./hash.ts";
import type { PrivateKey, PublicKey, SecretKey } from "./key.ts";

/** RAW is yet to be hashed, DIGEST is hashed, EXTERNAL_MU is FIPS 204's message representative. */
export type MessageType = "RAW" | "DIGEST" | "EXTERNAL_MU";

export interface Message {
  readonly type: MessageType;
  readonly bytes: Uint8Array;
}

export interface SigningAlgorithm {
  /** The message types it takes, each with the bytes it must have; null where any number will do. */
  readonly messageBytes: { readonly [Type in MessageType]?: number | null };
  /** What AWS calls incompatible with a message type that it does not take, where not its own name. */
  readonly refusesBy?: "key spec";
  /** Signs a message of a type and length it takes. */
  sign(key: PrivateKey, message: Message): Bytes | Promise<Bytes>;
  /** Whether the signature, any bytes at all, is one of the message. */
  verify(key: PublicKey, message: Message, signature: Uint8Array): boolean | Promise<boolean>;
}

export interface EncryptionAlgorithm {
  /** The longest plaintext that the key encrypts. */
  maxPlaintextBytes(key: PublicKey): number;
  /** Encrypts a plaintext of at least 1 and at most `maxPlaintextBytes`. */
  encrypt(key: PublicKey, plaintext: Uint8Array): Bytes;
  /** The plaintext, or null for what was not encrypted for the key. */
  decrypt(key: PrivateKey, ciphertext: Uint8Array): Bytes | null;
}

export interface MacAlgorithm {
  generate(key: SecretKey, message: Uint8Array): Bytes;
  /** Whether `mac`, any bytes at all, is that of the message. */
  verify(key: SecretKey, message: Uint8Array, mac: Uint8Array): boolean;
}

export interface KeyAgreementAlgorithm {
  /** The shared secret, or null where `peer` is no public key (SPKI, DER) of the key's own curve. */
  deriveSharedSecret(key: PrivateKey, peer: Uint8Array): Promise<Bytes | null>;
}

/** Both 32 bytes of secret and what it can be had from again by the private key. */
export interface Encapsulation {
  readonly sharedSecret: Bytes;
  readonly ciphertext: Bytes;
}

export interface KeyEncapsulationAlgorithm {
  encapsulate(key: PublicKey): Promise<Encapsulation>;
  /** The secret, another one for a foreign ciphertext, or null for one of the wrong length. */
  decapsulate(key: PrivateKey, ciphertext: Uint8Array): Promise<Bytes | null>;
}

/** How key material is wrapped on its way into ImportKeyMaterial. */
export interface WrappingAlgorithm {
  /** How long everything that is wrapped for the key is; left out where that depends on it. */
  wrappedBytes?(key: PrivateKey): number;
  /** The key material, or null for what was not wrapped for the key. */
  unwrap(key: PrivateKey, wrapped: Uint8Array): Bytes | null;
}

/** What is signed of a message: itself where it is hashed already. */
export const digestOf = (name: HashName, message: Message): Uint8Array =>
  message.type === "RAW" ? hash(name, message.bytes) : message.bytes;
