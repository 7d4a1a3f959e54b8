import { describe, expect, it } from "vitest";
import { toBase64 } from "../../src/crypto/base64.ts";
import { ciphertextOrigin } from "../../src/crypto/ciphertext-blob.ts";
import { decryptSymmetric, encryptSymmetric } from "../../src/crypto/symmetric.ts";

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

describe.each([
  ["AES-256-GCM", 32],
  ["SM4-GCM, in the China Regions", 16],
])("SYMMETRIC_DEFAULT as %s", (_cipher, keyBytes) => {
  const material = { bytes: toBase64(random(keyBytes)) };
  const origin = {
    accountId: "111122223333",
    keyId: "1234abcd-12ab-34cd-56ef-1234567890ab",
    keyMaterialId: "ab".repeat(32),
  };
  const encrypt = (plaintext: Uint8Array<ArrayBuffer>, context?: Record<string, string>) =>
    encryptSymmetric(material, origin, plaintext, context, random(12)) as Promise<
      Uint8Array<ArrayBuffer>
    >;
  const decrypt = (blob: Uint8Array<ArrayBuffer>, context?: Record<string, string>) =>
    decryptSymmetric(material, origin, blob, context);

  it.each([1, 16, 17, 4096])("%i bytes come back", async (length) => {
    const plaintext = random(length);
    const blob = await encrypt(plaintext);
    expect(blob).toHaveLength(length + 92);
    expect(ciphertextOrigin(blob)).toEqual(origin);
    expect(await decrypt(blob)).toEqual(plaintext);
    expect(await encrypt(plaintext)).not.toEqual(blob);
  });

  it("the order of a context does not count, and all else of it does", async () => {
    const plaintext = random(32);
    const blob = await encrypt(plaintext, { a: "1", b: "2" });
    expect(await decrypt(blob, { b: "2", a: "1" })).toEqual(plaintext);
    for (const context of [undefined, {}, { a: "1" }, { a: "2", b: "1" }, { a: "1b", "": "2" }]) {
      expect(await decrypt(blob, context)).toBe(null);
    }
  });

  it("no context and an empty one are the same", async () => {
    const plaintext = random(5);
    expect(await decrypt(await encrypt(plaintext, {}))).toEqual(plaintext);
    expect(await decrypt(await encrypt(plaintext), {})).toEqual(plaintext);
  });

  it("any damage behind the header is seen", async () => {
    const blob = await encrypt(random(20));
    for (let index = 64; index < blob.length; index += 1) {
      const damaged = blob.slice();
      damaged[index] = (damaged[index] ?? 0) ^ 0x80;
      expect(await decrypt(damaged)).toBe(null);
    }
    expect(await decrypt(blob.slice(0, -1))).toBe(null);
    expect(await decrypt(blob.slice(0, 80))).toBe(null);
  });
});
