// That wrapped key material is taken is seen with other implementations in second-opinion.test.ts;
// here is what must not be taken.

import "./all-libraries.ts";
import { aeskwp } from "@noble/ciphers/aes.js";
import { describe, expect, it } from "vitest";
import { encryptionAlgorithms, wrappingAlgorithms } from "../../src/crypto/algorithms.ts";
import { concat } from "../../src/crypto/bytes.ts";
import { pairOf } from "./round-trips.ts";

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const { RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256 } = encryptionAlgorithms;
const { RSA_AES_KEY_WRAP_SHA_1, RSA_AES_KEY_WRAP_SHA_256 } = wrappingAlgorithms;

describe.each([
  ["RSA_AES_KEY_WRAP_SHA_1", RSA_AES_KEY_WRAP_SHA_1, RSAES_OAEP_SHA_1],
  ["RSA_AES_KEY_WRAP_SHA_256", RSA_AES_KEY_WRAP_SHA_256, RSAES_OAEP_SHA_256],
])("%s", (_name, { unwrap }, { encrypt }) => {
  const material = random(1217);
  const parts = async (keyBytes = 32) => {
    const key = await pairOf("RSA_3072");
    const aesKey = random(keyBytes);
    return { key, first: encrypt(key, aesKey), second: aeskwp(aesKey).encrypt(material) };
  };

  it("takes both parts", async () => {
    const { key, first, second } = await parts();
    expect(unwrap(key, concat(first, second))).toEqual(material);
  });

  it.each([16, 24])("takes no AES key of %i bytes", async (keyBytes) => {
    const { key, first, second } = await parts(keyBytes);
    expect(unwrap(key, concat(first, second))).toBe(null);
  });

  it("takes nothing damaged, cut, doubled or turned around", async () => {
    const { key, first, second } = await parts();
    const whole = concat(first, second);
    const damagedFirst = whole.map((byte, index) => (index === 100 ? byte ^ 1 : byte));
    const damagedSecond = whole.map((byte, index) => (index === 500 ? byte ^ 1 : byte));
    const wrong = [
      damagedFirst,
      damagedSecond,
      first,
      second,
      whole.slice(0, -8),
      whole.slice(0, -1),
      whole.slice(1),
      concat(second, first),
      concat(whole, second),
      random(0),
      random(384),
      random(1000),
    ];
    for (const wrapped of wrong) expect(unwrap(key, wrapped)).toBe(null);
  });

  it("takes nothing that was wrapped for another key", async () => {
    const { first, second } = await parts();
    for (const spec of ["RSA_2048", "RSA_4096"] as const) {
      expect(unwrap(await pairOf(spec), concat(first, second))).toBe(null);
    }
  });
});

it("the hash is part of the algorithm", async () => {
  const key = await pairOf("RSA_2048");
  const wrapped = RSAES_OAEP_SHA_1.encrypt(key, random(32));
  expect(wrappingAlgorithms.RSAES_OAEP_SHA_256.unwrap(key, wrapped)).toBe(null);
  expect(wrappingAlgorithms.RSAES_OAEP_SHA_1.unwrap(key, wrapped)).toHaveLength(32);
});

it("the PKCS #8 of each importable key fits what wraps it", async () => {
  const wrapping = await pairOf("RSA_2048");
  const size = async (spec: "ECC_NIST_P384" | "ECC_NIST_P521" | "RSA_2048") =>
    Buffer.from((await pairOf(spec)).bytes, "base64").length;
  const max = RSAES_OAEP_SHA_256.maxPlaintextBytes(wrapping);
  expect(await size("ECC_NIST_P384")).toBeLessThanOrEqual(max);
  // Which is why AWS refuses RSAES_OAEP_* with RSA_2048 for ECC_NIST_P521, and for RSA altogether.
  expect(await size("ECC_NIST_P521")).toBeGreaterThan(max);
  expect(await size("RSA_2048")).toBeGreaterThan(max);
});
