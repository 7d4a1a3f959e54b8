// What is sealed is AES-256-GCM, opens with the same secret and purpose, and with nothing else.

import { expect, test } from "vitest";
import { SEAL_IV_BYTES, SEAL_SECRET_BYTES, seal, unseal } from "../../src/crypto/seal.ts";

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const purpose = new TextEncoder().encode("a purpose");

function sealed(plaintext = random(1000)) {
  const [secret, iv] = [random(SEAL_SECRET_BYTES), random(SEAL_IV_BYTES)];
  return { secret, iv, plaintext, bytes: seal(secret, purpose, iv, plaintext) };
}

test("what was sealed opens, however long it is", () => {
  for (const length of [0, 1, 15, 16, 17, 3000]) {
    const { secret, plaintext, bytes } = sealed(random(length));
    expect(unseal(secret, purpose, bytes)).toEqual(plaintext);
  }
});

test("WebCrypto opens it, too", async () => {
  const { secret, iv, plaintext, bytes } = sealed();
  const key = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["decrypt"]);
  const algorithm = { name: "AES-GCM", iv, additionalData: purpose };
  const opened = await crypto.subtle.decrypt(algorithm, key, bytes.subarray(SEAL_IV_BYTES));
  expect(new Uint8Array(opened)).toEqual(plaintext);
});

test("another secret, another purpose, any other bit, any other length do not open it", () => {
  const { secret, bytes } = sealed(random(20));
  expect(unseal(random(SEAL_SECRET_BYTES), purpose, bytes)).toBe(null);
  expect(unseal(secret, new TextEncoder().encode("a purpos"), bytes)).toBe(null);
  for (const [index, byte] of bytes.entries()) {
    expect(unseal(secret, purpose, bytes.with(index, byte ^ 1))).toBe(null);
    expect(unseal(secret, purpose, bytes.subarray(0, index))).toBe(null);
  }
  expect(unseal(secret, purpose, new Uint8Array([...bytes, 0]))).toBe(null);
});
