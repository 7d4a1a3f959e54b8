// ML-KEM (FIPS 203) with keys as seeds (RFC 9935): the platform's where it has the parameter set,
// noble's where it does not.

import { assert } from "../assert.ts";
import type { KeyEncapsulationAlgorithm } from "./algorithm.ts";
import type { PrivateKey, PublicKey } from "./key.ts";
import { algorithmIdentifier } from "./key-encoding.ts";
import { nobleMlKem } from "./libraries.ts";
import { importNative, modernSubtle, nativePublicKey } from "./modern-webcrypto.ts";
import { oncePerKey, oncePerKeyAsync } from "./once-per-key.ts";
import { openPublicKey, openSeed, type SeedKeys, seedKeys } from "./seed-keys.ts";

/** What noble has of a parameter set. */
type Noble = typeof import("@noble/post-quantum/ml-kem.js").ml_kem512;

interface ParameterSet extends SeedKeys {
  readonly name: string;
  noble(): Promise<Noble>;
  readonly ciphertextBytes: number;
}

const parameterSet = (
  name: string,
  objectIdentifier: string,
  noble: () => Promise<Noble>,
  ciphertextBytes: number,
): ParameterSet => ({
  name,
  noble,
  ciphertextBytes,
  algorithm: algorithmIdentifier(objectIdentifier),
  seedTag: 0x80,
  seedBytes: 64,
  publicKey: async (seed, pkcs8) =>
    (await nativePublicKey(pkcs8, name, usages)) ?? (await noble()).keygen(seed).publicKey,
});

const usages = { privateKey: "decapsulateBits", publicKey: "encapsulateBits" } as const;

const noble512 = async () => (await nobleMlKem.load()).ml_kem512;
const noble768 = async () => (await nobleMlKem.load()).ml_kem768;
const noble1024 = async () => (await nobleMlKem.load()).ml_kem1024;

const mlKem512 = parameterSet("ML-KEM-512", "2.16.840.1.101.3.4.4.1", noble512, 768);
const mlKem768 = parameterSet("ML-KEM-768", "2.16.840.1.101.3.4.4.2", noble768, 1088);
const mlKem1024 = parameterSet("ML-KEM-1024", "2.16.840.1.101.3.4.4.3", noble1024, 1568);
const parameterSets = [mlKem512, mlKem768, mlKem1024];

export const mlKem512Keys = seedKeys(mlKem512);
export const mlKem768Keys = seedKeys(mlKem768);
export const mlKem1024Keys = seedKeys(mlKem1024);

/** ML_KEM, with the parameter set of the key. */
export const mlKem: KeyEncapsulationAlgorithm = {
  async encapsulate(key) {
    const { keys, raw } = publicKey(key);
    const { native } = await encapsulationKey(key);
    if (!native) {
      const { sharedSecret, cipherText } = (await keys.noble()).encapsulate(raw);
      return {
        sharedSecret: new Uint8Array(sharedSecret),
        ciphertext: new Uint8Array(cipherText),
      };
    }
    const { sharedKey, ciphertext } = await modernSubtle.encapsulateBits(keys.name, native);
    return { sharedSecret: new Uint8Array(sharedKey), ciphertext: new Uint8Array(ciphertext) };
  },
  async decapsulate(key, ciphertext) {
    const { keys } = privateKey(key);
    if (ciphertext.length !== keys.ciphertextBytes) return null;
    const { native } = await decapsulationKey(key);
    if (!native) {
      const { noble, secretKey } = await expanded(key);
      return new Uint8Array(noble.decapsulate(ciphertext, secretKey));
    }
    return new Uint8Array(await modernSubtle.decapsulateBits(keys.name, native, ciphertext));
  },
};

const privateKey = oncePerKey((key: PrivateKey) => {
  const opened = openSeed(parameterSets, key);
  assert(opened, "the key is an ML-KEM key");
  return opened;
});

const publicKey = oncePerKey((key: PublicKey) => {
  const opened = openPublicKey(parameterSets, key);
  assert(opened, "the key is an ML-KEM key");
  return opened;
});

/** What noble decapsulates with. */
const expanded = oncePerKeyAsync(async (key: PrivateKey) => {
  const { keys, seed } = privateKey(key);
  const noble = await keys.noble();
  return { noble, secretKey: new Uint8Array(noble.keygen(seed).secretKey) };
});

const decapsulationKey = oncePerKeyAsync((key: PrivateKey) => {
  const { keys, pkcs8 } = privateKey(key);
  return importNative("pkcs8", pkcs8, keys.name, "decapsulateBits");
});

const encapsulationKey = oncePerKeyAsync((key: PublicKey) => {
  const { keys, spki } = publicKey(key);
  return importNative("spki", spki, keys.name, "encapsulateBits");
});
