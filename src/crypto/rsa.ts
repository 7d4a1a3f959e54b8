// RSA's encryption and signatures (RFC 8017): OAEP with MGF1 of the same hash and no label,
// PKCS #1 v1.5, and PSS.

import { constants, privateDecrypt, publicEncrypt } from "node:crypto";
import { digestOf, type EncryptionAlgorithm, type SigningAlgorithm } from "./algorithm.ts";
import { attempt } from "./attempt.ts";
import { type Emsa, type EmsaHash, pkcs1, pss } from "./emsa.ts";
import { digestBytes, type HashName } from "./hash.ts";
import { privateKeyObject, publicKeyObject } from "./key.ts";
import { modulusBytes, rawPrivate, rawPublic } from "./rsa-raw.ts";

const OAEP = constants.RSA_PKCS1_OAEP_PADDING;

export const rsaesOaep = (oaepHash: HashName): EncryptionAlgorithm => ({
  libraries: [],
  maxPlaintextBytes: (key) => modulusBytes(publicKeyObject(key)) - 2 * digestBytes[oaepHash] - 2,
  encrypt: (key, plaintext) =>
    new Uint8Array(
      publicEncrypt({ key: publicKeyObject(key), padding: OAEP, oaepHash }, plaintext),
    ),
  decrypt(key, ciphertext) {
    const privateKey = privateKeyObject(key);
    if (ciphertext.length !== modulusBytes(privateKey)) return null;
    return attempt(
      () =>
        new Uint8Array(privateDecrypt({ key: privateKey, padding: OAEP, oaepHash }, ciphertext)),
    );
  },
});

export const rsassaPkcs1 = (name: EmsaHash) => rsassa(name, pkcs1(name));

export const rsassaPss = (name: EmsaHash) => rsassa(name, pss(name));

/** A signature is the private function of the digest's block; RAW messages are hashed first. */
const rsassa = (name: EmsaHash, emsa: Emsa): SigningAlgorithm => ({
  messageBytes: { RAW: null, DIGEST: digestBytes[name] },
  sign(key, message) {
    const privateKey = privateKeyObject(key);
    const block = emsa.encode(digestOf(name, message), modulusBytes(privateKey));
    return rawPrivate(privateKey, block);
  },
  verify(key, message, signature) {
    const block = rawPublic(publicKeyObject(key), signature);
    return block !== null && emsa.matches(digestOf(name, message), block);
  },
});
