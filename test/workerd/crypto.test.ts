// The cryptography where it is served from: keys made in workerd, published vectors, and that what
// workerd has itself is what does the work.

import { afterEach, describe, expect, it, vi } from "vitest";
import type { Message } from "../../src/crypto/algorithm.ts";
import {
  keyAgreementAlgorithms,
  keyEncapsulationAlgorithms,
  signingAlgorithms,
} from "../../src/crypto/algorithms.ts";
import { fromBase64, toBase64 } from "../../src/crypto/base64.ts";
import { curves } from "../../src/crypto/curves.ts";
import { generateKeyPair, type KeyPairSpec, readKeyPair } from "../../src/crypto/key-pair.ts";
import { nistExamples } from "../crypto/nist.ts";
import { pairOf, roundTrips } from "../crypto/round-trips.ts";
import { examples } from "../crypto/standards.ts";
import privateKeys from "../crypto/vectors/private-keys.json";
import { misjudged, trials, type VectorFile } from "../crypto/wycheproof.ts";

/** With the functions that its types do not know. */
const subtle = crypto.subtle as SubtleCrypto &
  Record<"getPublicKey" | "encapsulateBits" | "decapsulateBits", () => Promise<unknown>>;

describe("round trips", () => {
  it.each(roundTrips)("$title", ({ run }) => run(), 30_000);
});

describe("the standards' own examples", () => {
  it.each(examples)("$title", ({ run }) => run());
});

describe("NIST's samples", () => {
  it.each(nistExamples)("$title", ({ run }) => run());
});

describe("Wycheproof's selected vectors", () => {
  const selections = import.meta.glob<VectorFile>("../crypto/vectors/wycheproof/*.json", {
    eager: true,
    import: "default",
  });

  it.each(trials.map((trial) => [[trial.file, trial.of].join(" ").trim(), trial] as const))(
    "%s",
    async (_title, trial) => {
      const file = selections[`../crypto/vectors/wycheproof/${trial.file}`];
      if (!file) throw new Error(`${trial.file} is not there`);
      expect(await misjudged(trial, file)).toEqual([]);
    },
  );
});

describe("a private key made elsewhere", () => {
  it.each(privateKeys.keys)("$title: $spec", async ({ spec, privateKey, publicKey }) => {
    const read = await readKeyPair(spec as KeyPairSpec, fromBase64(privateKey));
    expect(read && toBase64(read.publicKey)).toBe(publicKey);
  });
});

describe("what workerd has itself does the work", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const raw: Message = { type: "RAW", bytes: new Uint8Array(100) };

  it.each([
    ["ECDSA_SHA_256", "ECC_NIST_P256", "P-256", 32],
    ["ECDSA_SHA_384", "ECC_NIST_P384", "P-384", 48],
    ["ECDSA_SHA_512", "ECC_NIST_P521", "P-521", 64],
  ] as const)("%s of a message; noble of a digest", async (algorithm, spec, name, length) => {
    const { sign, verify } = signingAlgorithms[algorithm];
    const key = await pairOf(spec);
    const curve: { ecdsa: unknown } = curves[name];
    const noble = curve.ecdsa;
    curve.ecdsa = () => null;
    try {
      expect(await verify(key, raw, await sign(key, raw))).toBe(true);
      const digest: Message = { type: "DIGEST", bytes: new Uint8Array(length) };
      await expect(async () => sign(key, digest)).rejects.toThrow(
        "the key's curve is one for ECDSA",
      );
    } finally {
      curve.ecdsa = noble;
    }
  });

  it.each(["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"] as const)("%s of a message", async (spec) => {
    const { sign, verify } = signingAlgorithms.ML_DSA_SHAKE_256;
    const getPublicKey = vi.spyOn(subtle, "getPublicKey");
    const nativeSign = vi.spyOn(subtle, "sign");
    const nativeVerify = vi.spyOn(subtle, "verify");
    const { privateKey, publicKey } = await generateKeyPair(spec);
    const key = { bytes: toBase64(privateKey), publicKey: toBase64(publicKey) };
    expect(await verify(key, raw, await sign(key, raw))).toBe(true);
    for (const native of [getPublicKey, nativeSign, nativeVerify]) {
      expect(native).toHaveBeenCalledOnce();
    }
    const mu: Message = { type: "EXTERNAL_MU", bytes: new Uint8Array(64) };
    expect(await verify(key, mu, await sign(key, mu))).toBe(true);
    expect(nativeSign).toHaveBeenCalledOnce();
    expect(nativeVerify).toHaveBeenCalledOnce();
  });

  // It does not have the smallest one.
  it.each([
    ["ML_KEM_512", 0],
    ["ML_KEM_768", 1],
    ["ML_KEM_1024", 1],
  ] as const)("%s", async (spec, times) => {
    const { encapsulate, decapsulate } = keyEncapsulationAlgorithms.ML_KEM;
    const nativeEncapsulate = vi.spyOn(subtle, "encapsulateBits");
    const nativeDecapsulate = vi.spyOn(subtle, "decapsulateBits");
    const { privateKey, publicKey } = await generateKeyPair(spec);
    const { ciphertext } = await encapsulate({ publicKey: toBase64(publicKey) });
    await decapsulate({ bytes: toBase64(privateKey) }, ciphertext);
    expect(nativeEncapsulate).toHaveBeenCalledTimes(times);
    expect(nativeDecapsulate).toHaveBeenCalledTimes(times);
  });

  it.each(["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"] as const)(
    "ECDH with %s",
    async (spec) => {
      const derive = vi.spyOn(crypto.subtle, "deriveBits");
      const { publicKey } = await generateKeyPair(spec);
      await keyAgreementAlgorithms.ECDH.deriveSharedSecret(await pairOf(spec), publicKey);
      expect(derive).toHaveBeenCalledOnce();
    },
  );

  it("with a key that is imported once for each key material", async () => {
    const key = await pairOf("ML_DSA_44");
    const { sign } = signingAlgorithms.ML_DSA_SHAKE_256;
    await sign(key, raw);
    const imports = vi.spyOn(crypto.subtle, "importKey");
    await Promise.all([sign(key, raw), sign(key, raw), sign(key, raw)]);
    expect(imports).not.toHaveBeenCalled();
    await sign({ ...key }, raw);
    expect(imports).toHaveBeenCalledOnce();
  });
});
