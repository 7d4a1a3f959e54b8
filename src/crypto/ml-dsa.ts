// ML-DSA (FIPS 204) with an empty context, hedged signatures, and keys as seeds (RFC 9881). The
// platform signs messages where it has ML-DSA; it has no external mu, so there it is noble.

import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import { assert } from "../assert.ts";
import type { SigningAlgorithm } from "./algorithm.ts";
import type { Bytes } from "./bytes.ts";
import type { PrivateKey, PublicKey } from "./key.ts";
import { algorithmIdentifier } from "./key-encoding.ts";
import { importNative, modernSubtle, nativePublicKey } from "./modern-webcrypto.ts";
import { oncePerKey, oncePerKeyAsync } from "./once-per-key.ts";
import { openPublicKey, openSeed, type SeedKeys, seedKeys } from "./seed-keys.ts";

interface ParameterSet extends SeedKeys {
  readonly name: string;
  readonly noble: typeof ml_dsa44;
  readonly signatureBytes: number;
}

const parameterSet = (
  name: string,
  objectIdentifier: string,
  noble: typeof ml_dsa44,
  signatureBytes: number,
): ParameterSet => ({
  name,
  noble,
  signatureBytes,
  algorithm: algorithmIdentifier(objectIdentifier),
  seedTag: 0x80,
  seedBytes: 32,
  publicKey: async (seed, pkcs8) =>
    (await nativePublicKey(pkcs8, name, { privateKey: "sign", publicKey: "verify" })) ??
    noble.keygen(seed).publicKey,
});

const mlDsa44 = parameterSet("ML-DSA-44", "2.16.840.1.101.3.4.3.17", ml_dsa44, 2420);
const mlDsa65 = parameterSet("ML-DSA-65", "2.16.840.1.101.3.4.3.18", ml_dsa65, 3309);
const mlDsa87 = parameterSet("ML-DSA-87", "2.16.840.1.101.3.4.3.19", ml_dsa87, 4627);
const parameterSets = [mlDsa44, mlDsa65, mlDsa87];

export const mlDsa44Keys = seedKeys(mlDsa44);
export const mlDsa65Keys = seedKeys(mlDsa65);
export const mlDsa87Keys = seedKeys(mlDsa87);

/** ML_DSA_SHAKE_256, with the parameter set of the key. */
export const mlDsa: SigningAlgorithm = {
  messageBytes: { RAW: null, EXTERNAL_MU: 64 },
  refusesBy: "key spec",
  async sign(key, message) {
    const { name, noble } = privateKey(key).keys;
    if (message.type === "EXTERNAL_MU") {
      const signed = noble.internal.sign(message.bytes, expanded(key).secretKey, {
        externalMu: true,
      });
      return new Uint8Array(signed);
    }
    const { native } = await signingKey(key);
    if (native) return new Uint8Array(await modernSubtle.sign(name, native, message.bytes));
    return new Uint8Array(noble.sign(message.bytes, expanded(key).secretKey));
  },
  async verify(key, message, signature) {
    const { keys, raw } = publicKey(key);
    const { name, noble, signatureBytes } = keys;
    if (signature.length !== signatureBytes) return false;
    if (message.type === "EXTERNAL_MU") {
      return noble.internal.verify(signature, message.bytes, raw, { externalMu: true });
    }
    const { native } = await verifyingKey(key);
    if (native) return modernSubtle.verify(name, native, signature, message.bytes);
    return noble.verify(signature, message.bytes, raw);
  },
};

const privateKey = oncePerKey((key: PrivateKey) => {
  const opened = openSeed(parameterSets, key);
  assert(opened, "the key is an ML-DSA key");
  return opened;
});

const publicKey = oncePerKey((key: PublicKey) => {
  const opened = openPublicKey(parameterSets, key);
  assert(opened, "the key is an ML-DSA key");
  return opened;
});

/** What noble signs with. */
const expanded = oncePerKey((key: PrivateKey): { readonly secretKey: Bytes } => {
  const { keys, seed } = privateKey(key);
  return { secretKey: new Uint8Array(keys.noble.keygen(seed).secretKey) };
});

const signingKey = oncePerKeyAsync((key: PrivateKey) => {
  const { keys, pkcs8 } = privateKey(key);
  return importNative("pkcs8", pkcs8, keys.name, "sign");
});

const verifyingKey = oncePerKeyAsync((key: PublicKey) => {
  const { keys, spki } = publicKey(key);
  return importNative("spki", spki, keys.name, "verify");
});
