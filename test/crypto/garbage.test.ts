// Whatever bytes a caller sends, they are refused and never a fault.

import "./all-libraries.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MessageType } from "../../src/crypto/algorithm.ts";
import {
  encryptionAlgorithms,
  keyAgreementAlgorithms,
  macAlgorithms,
  signingAlgorithms,
  wrappingAlgorithms,
} from "../../src/crypto/algorithms.ts";
import { fromBase64 } from "../../src/crypto/base64.ts";
import type { KeyPairSpec } from "../../src/crypto/key-pair.ts";
import { pairOf } from "./round-trips.ts";

const specs: Readonly<Record<string, KeyPairSpec>> = {
  RSA: "RSA_2048",
  ECDSA_SHA_256: "ECC_NIST_P256",
  ECDSA_SHA_384: "ECC_NIST_P384",
  ECDSA_SHA_512: "ECC_NIST_P521",
  ED25519: "ECC_NIST_EDWARDS25519",
  ML: "ML_DSA_44",
  SM2: "SM2",
};
const specOf = (algorithm: string) => {
  const prefix = Object.keys(specs).find((name) => algorithm.startsWith(name));
  return pairOf(specs[prefix ?? ""] ?? "RSA_2048");
};

const anything = fc.uint8Array({ maxLength: 600 });
/** Bytes that begin as if they were something. */
const derLike = fc
  .tuple(fc.constantFrom(0x30, 0x02, 0x04), anything)
  .map(([tag, bytes]) => new Uint8Array([tag, Math.min(bytes.length, 127), ...bytes]));
const input = fc.oneof(anything, derLike);
const runs = { numRuns: 50 };

describe("signatures", () => {
  it.each(Object.entries(signingAlgorithms))("%s", async (name, { messageBytes, verify }) => {
    const key = await specOf(name);
    for (const [type, length] of Object.entries(messageBytes)) {
      const message = { type: type as MessageType, bytes: new Uint8Array(length ?? 100) };
      await fc.assert(
        fc.asyncProperty(input, async (signature) => {
          expect(await verify(key, message, signature)).toBe(false);
        }),
        runs,
      );
    }
  });
});

describe("ciphertexts", () => {
  it.each(Object.entries(encryptionAlgorithms))("%s", async (name, { decrypt }) => {
    const key = await specOf(name);
    fc.assert(
      fc.property(input, (ciphertext) => {
        expect(decrypt(key, ciphertext)).toBe(null);
      }),
      runs,
    );
  });
});

describe("wrapped key material", () => {
  it.each(Object.entries(wrappingAlgorithms))("%s", async (name, { unwrap }) => {
    const key = await specOf(name);
    fc.assert(
      fc.property(input, (wrapped) => {
        expect(unwrap(key, wrapped)).toBe(null);
      }),
      runs,
    );
  });
});

describe("MACs", () => {
  it.each(Object.entries(macAlgorithms))("%s", (_name, { verify }) => {
    fc.assert(
      fc.property(input, (mac) => {
        expect(verify({ bytes: "AAAA" }, new Uint8Array(1), mac)).toBe(false);
      }),
      runs,
    );
  });
});

describe("public keys of a peer", () => {
  const { deriveSharedSecret } = keyAgreementAlgorithms.ECDH;
  it.each(["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "SM2"] as const)(
    "%s",
    async (spec) => {
      const key = await pairOf(spec);
      const spki = fromBase64(key.publicKey);
      const damaged = fc
        .tuple(fc.nat({ max: spki.length - 1 }), fc.integer({ min: 1, max: 255 }))
        .map(([at, change]) => spki.map((byte, index) => (index === at ? byte ^ change : byte)));
      await fc.assert(
        fc.asyncProperty(fc.oneof(input, damaged), async (peer) => {
          expect(await deriveSharedSecret(key, peer)).toBe(null);
        }),
        { numRuns: 100 },
      );
    },
  );
});
