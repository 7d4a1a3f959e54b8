import "./all-libraries.ts";
import { sm2 } from "sm-crypto-v2";
import { afterEach, expect, it, vi } from "vitest";
import { encryptionAlgorithms } from "../../src/crypto/algorithms.ts";
import { toHex } from "../../src/crypto/base64.ts";
import { ecPublicKey } from "../../src/crypto/ec-keys.ts";
import { pairOf } from "./round-trips.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Lets the next random bytes be those of a number each. */
function chance(...numbers: readonly number[]) {
  const queue = [...numbers];
  vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => {
    const bytes = array as Uint8Array;
    bytes.fill(0);
    new DataView(bytes.buffer).setUint32(bytes.length - 4, queue.shift() ?? 0);
    return array;
  });
}

it("a byte is not encrypted with a key stream of zero, which would leave it as it is", async () => {
  const key = await pairOf("SM2");
  const point = toHex(ecPublicKey(key).point);
  const plaintext = new Uint8Array([0x5a]);
  const leavesIt = (number: number) => {
    chance(number);
    return sm2.doEncrypt(plaintext, point).endsWith("5a");
  };
  let number = 1;
  while (!leavesIt(number)) number += 1;
  chance(number, number, number + 1);
  const ciphertext = encryptionAlgorithms.SM2PKE.encrypt(key, plaintext);
  expect(ciphertext.at(-1)).not.toBe(0x5a);
  expect(encryptionAlgorithms.SM2PKE.decrypt(key, ciphertext)).toEqual(plaintext);
});
