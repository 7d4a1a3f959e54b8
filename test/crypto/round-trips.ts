// Every algorithm with every key spec that has it: what one half of a fresh pair does, the other
// undoes, and nothing else passes. Runs in Node and in workerd alike.

import "./all-libraries.ts";
import { expect } from "vitest";
import type { Message, MessageType } from "../../src/crypto/algorithm.ts";
import {
  type EncryptionAlgorithmName,
  encryptionAlgorithms,
  keyAgreementAlgorithms,
  keyEncapsulationAlgorithms,
  type MacAlgorithmName,
  macAlgorithms,
  type SigningAlgorithmName,
  signingAlgorithms,
} from "../../src/crypto/algorithms.ts";
import { toBase64 } from "../../src/crypto/base64.ts";
import { type HashName, hash } from "../../src/crypto/hash.ts";
import type { PrivateKey, PublicKey } from "../../src/crypto/key.ts";
import { generateKeyPair, type KeyPairSpec } from "../../src/crypto/key-pair.ts";

interface RoundTrip {
  readonly title: string;
  run(): Promise<void>;
}

type Pair = PrivateKey & PublicKey;

const made = new Map<KeyPairSpec, Promise<Pair>>();

/** A pair of a spec as key sets hold it, the same one at each call. */
export function pairOf(spec: KeyPairSpec): Promise<Pair> {
  const known = made.get(spec);
  if (known) return known;
  const fresh = generateKeyPair(spec).then(({ privateKey, publicKey }) => ({
    bytes: toBase64(privateKey),
    publicKey: toBase64(publicKey),
  }));
  made.set(spec, fresh);
  return fresh;
}

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** The same bytes with one bit of the last one turned. */
const altered = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
  const copy = new Uint8Array(bytes);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
};

const rsaSpecs = ["RSA_2048", "RSA_3072", "RSA_4096"] as const;
const mlDsaSpecs = ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"] as const;

/** Bytes of the signatures of a fixed length. */
const signatureBytes: { readonly [Spec in KeyPairSpec]?: number } = {
  RSA_2048: 256,
  RSA_3072: 384,
  RSA_4096: 512,
  ECC_NIST_EDWARDS25519: 64,
  ML_DSA_44: 2420,
  ML_DSA_65: 3309,
  ML_DSA_87: 4627,
};

const signing = (
  algorithm: SigningAlgorithmName,
  specs: readonly KeyPairSpec[],
  digest?: HashName,
): readonly RoundTrip[] =>
  specs.map((spec) => ({
    title: `${algorithm} with ${spec}`,
    async run() {
      const key = await pairOf(spec);
      const { sign, verify, messageBytes } = signingAlgorithms[algorithm];
      for (const [type, length] of Object.entries(messageBytes)) {
        const message: Message = { type: type as MessageType, bytes: random(length ?? 1000) };
        const signature = await sign(key, message);
        const bytes = signatureBytes[spec];
        if (bytes) expect(signature).toHaveLength(bytes);
        expect(await verify(key, message, signature)).toBe(true);
        const other = { ...message, bytes: altered(message.bytes) };
        expect(await verify(key, other, signature)).toBe(false);
        for (const wrong of [altered(signature), signature.slice(1), random(0), random(64)]) {
          expect(await verify(key, message, wrong)).toBe(false);
        }
        const foreign = await generateForeign(spec);
        if (foreign) expect(await verify(foreign, message, signature)).toBe(false);
      }
      if (!digest) return;
      const message: Message = { type: "RAW", bytes: random(4096) };
      const hashed: Message = { type: "DIGEST", bytes: hash(digest, message.bytes) };
      expect(await verify(key, hashed, await sign(key, message))).toBe(true);
      expect(await verify(key, message, await sign(key, hashed))).toBe(true);
    },
  }));

/** Another pair of the spec, where making it is quick. */
const generateForeign = async (spec: KeyPairSpec): Promise<PublicKey | null> => {
  if (spec.startsWith("RSA")) return null;
  return { publicKey: toBase64((await generateKeyPair(spec)).publicKey) };
};

const encrypting = (
  algorithm: EncryptionAlgorithmName,
  spec: KeyPairSpec,
  maxPlaintextBytes: number,
): RoundTrip => ({
  title: `${algorithm} with ${spec}`,
  async run() {
    const key = await pairOf(spec);
    const { encrypt, decrypt, ...row } = encryptionAlgorithms[algorithm];
    expect(row.maxPlaintextBytes(key)).toBe(maxPlaintextBytes);
    for (const length of [1, 32, maxPlaintextBytes]) {
      const plaintext = random(length);
      const ciphertext = encrypt(key, plaintext);
      expect(decrypt(key, ciphertext)).toEqual(plaintext);
      expect(encrypt(key, plaintext)).not.toEqual(ciphertext);
      for (const wrong of [altered(ciphertext), ciphertext.slice(1), random(0), random(256)]) {
        expect(decrypt(key, wrong)).toBe(null);
      }
    }
  },
});

const authenticating = (algorithm: MacAlgorithmName, keyBytes: number): RoundTrip => ({
  title: algorithm,
  async run() {
    const { generate, verify } = macAlgorithms[algorithm];
    const key = { bytes: toBase64(random(keyBytes)) };
    const message = random(4096);
    const mac = generate(key, message);
    expect(mac).toHaveLength(keyBytes);
    expect(verify(key, message, mac)).toBe(true);
    expect(verify(key, altered(message), mac)).toBe(false);
    for (const wrong of [altered(mac), mac.slice(1), random(0)]) {
      expect(verify(key, message, wrong)).toBe(false);
    }
  },
});

const agreeing = (spec: KeyPairSpec, secretBytes: number): RoundTrip => ({
  title: `ECDH with ${spec}`,
  async run() {
    const { deriveSharedSecret } = keyAgreementAlgorithms.ECDH;
    const own = await pairOf(spec);
    const peer = await generateKeyPair(spec);
    const secret = await deriveSharedSecret(own, peer.publicKey);
    expect(secret).toHaveLength(secretBytes);
    const ownSpki = Uint8Array.from(atob(own.publicKey), (digit) => digit.charCodeAt(0));
    const peerKey = { bytes: toBase64(peer.privateKey) };
    expect(await deriveSharedSecret(peerKey, ownSpki)).toEqual(secret);
    const otherSpec = spec === "ECC_NIST_P256" ? "ECC_NIST_P384" : "ECC_NIST_P256";
    const other = await generateKeyPair(otherSpec);
    const compressed = peer.publicKey.slice(0, -secretBytes);
    for (const wrong of [other.publicKey, altered(peer.publicKey), compressed, random(0)]) {
      expect(await deriveSharedSecret(own, wrong)).toBe(null);
    }
  },
});

const encapsulating = (spec: KeyPairSpec, ciphertextBytes: number): RoundTrip => ({
  title: `ML_KEM with ${spec}`,
  async run() {
    const { encapsulate, decapsulate } = keyEncapsulationAlgorithms.ML_KEM;
    const key = await pairOf(spec);
    const { sharedSecret, ciphertext } = await encapsulate(key);
    expect(sharedSecret).toHaveLength(32);
    expect(ciphertext).toHaveLength(ciphertextBytes);
    expect(await decapsulate(key, ciphertext)).toEqual(sharedSecret);
    // Implicit rejection: another secret, always the same one.
    const rejected = await decapsulate(key, altered(ciphertext));
    expect(rejected).toHaveLength(32);
    expect(rejected).not.toEqual(sharedSecret);
    expect(await decapsulate(key, altered(ciphertext))).toEqual(rejected);
    for (const wrong of [ciphertext.slice(1), random(0), random(ciphertextBytes + 1)]) {
      expect(await decapsulate(key, wrong)).toBe(null);
    }
  },
});

export const roundTrips: readonly RoundTrip[] = [
  ...signing("RSASSA_PKCS1_V1_5_SHA_256", rsaSpecs, "sha256"),
  ...signing("RSASSA_PKCS1_V1_5_SHA_384", rsaSpecs, "sha384"),
  ...signing("RSASSA_PKCS1_V1_5_SHA_512", rsaSpecs, "sha512"),
  ...signing("RSASSA_PSS_SHA_256", rsaSpecs, "sha256"),
  ...signing("RSASSA_PSS_SHA_384", rsaSpecs, "sha384"),
  ...signing("RSASSA_PSS_SHA_512", rsaSpecs, "sha512"),
  ...signing("ECDSA_SHA_256", ["ECC_NIST_P256", "ECC_SECG_P256K1"], "sha256"),
  ...signing("ECDSA_SHA_384", ["ECC_NIST_P384"], "sha384"),
  ...signing("ECDSA_SHA_512", ["ECC_NIST_P521"], "sha512"),
  ...signing("ED25519_SHA_512", ["ECC_NIST_EDWARDS25519"]),
  ...signing("ED25519_PH_SHA_512", ["ECC_NIST_EDWARDS25519"]),
  ...signing("ML_DSA_SHAKE_256", mlDsaSpecs),
  ...signing("SM2DSA", ["SM2"]),
  encrypting("RSAES_OAEP_SHA_1", "RSA_2048", 214),
  encrypting("RSAES_OAEP_SHA_1", "RSA_3072", 342),
  encrypting("RSAES_OAEP_SHA_1", "RSA_4096", 470),
  encrypting("RSAES_OAEP_SHA_256", "RSA_2048", 190),
  encrypting("RSAES_OAEP_SHA_256", "RSA_3072", 318),
  encrypting("RSAES_OAEP_SHA_256", "RSA_4096", 446),
  encrypting("SM2PKE", "SM2", 1024),
  authenticating("HMAC_SHA_224", 28),
  authenticating("HMAC_SHA_256", 32),
  authenticating("HMAC_SHA_384", 48),
  authenticating("HMAC_SHA_512", 64),
  agreeing("ECC_NIST_P256", 32),
  agreeing("ECC_NIST_P384", 48),
  agreeing("ECC_NIST_P521", 66),
  agreeing("SM2", 32),
  encapsulating("ML_KEM_512", 768),
  encapsulating("ML_KEM_768", 1088),
  encapsulating("ML_KEM_1024", 1568),
];
