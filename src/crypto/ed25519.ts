// Ed25519 and Ed25519ph (RFC 8032) with an empty context. KMS hashes what it is given as a DIGEST
// once more, as FIPS 186-5 7.8.1 has it, so Ed25519ph's message is the digest.
// https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html

import { createPublicKey, sign, verify } from "node:crypto";
import { assert } from "../assert.ts";
import type { SigningAlgorithm } from "./algorithm.ts";
import { attempt } from "./attempt.ts";
import { toBase64 } from "./base64.ts";
import { privateKeyObject, publicKeyObject } from "./key.ts";
import { algorithmIdentifier, decodeSpki } from "./key-encoding.ts";
import { nobleEd25519 } from "./libraries.ts";
import { openPublicKey, openSeed, type SeedKeys, seedKeys } from "./seed-keys.ts";

const format: SeedKeys = {
  algorithm: algorithmIdentifier("1.3.101.112"),
  seedTag: 0x04,
  seedBytes: 32,
  publicKey(_seed, pkcs8) {
    const privateKey = privateKeyObject({ bytes: toBase64(pkcs8) });
    const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
    const content = decodeSpki(new Uint8Array(spki));
    assert(content, "the platform's public keys can be read");
    return content.key;
  },
};

export const ed25519Keys = seedKeys(format);

/** ED25519_SHA_512: pure Ed25519, of messages alone. */
export const pureEd25519: SigningAlgorithm = {
  messageBytes: { RAW: null },
  sign: (key, message) => new Uint8Array(sign(null, message.bytes, privateKeyObject(key))),
  verify: (key, message, signature) => verify(null, message.bytes, publicKeyObject(key), signature),
};

/** ED25519_PH_SHA_512, of SHA-512 digests alone. The platform does not have it. */
export const prehashedEd25519: SigningAlgorithm = {
  messageBytes: { DIGEST: 64 },
  async sign(key, message) {
    const opened = openSeed([format], key);
    assert(opened, "the key is an Ed25519 key");
    const { ed25519ph } = await nobleEd25519.load();
    return new Uint8Array(ed25519ph.sign(message.bytes, opened.seed));
  },
  async verify(key, message, signature) {
    const opened = openPublicKey([format], key);
    assert(opened, "the key is an Ed25519 key");
    const { ed25519ph } = await nobleEd25519.load();
    return attempt(() => ed25519ph.verify(signature, message.bytes, opened.raw)) ?? false;
  },
};
