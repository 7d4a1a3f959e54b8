// Imported key material in the objects themselves: what is stored of it, and when it goes.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { expect, test } from "vitest";
import { encryptionAlgorithms } from "../../src/crypto/algorithms.ts";
import { toBase64 } from "../../src/crypto/base64.ts";
import {
  Account,
  alarmOf,
  DAY_MS,
  everythingIn,
  pass,
  storedState,
  useTestClock,
} from "./account.ts";

const REGION = "us-east-1";
const WRAPPING = { WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" };

interface Parameters {
  readonly ImportToken: string;
  readonly PublicKey: string;
}

useTestClock();

async function prepared() {
  const account = new Account();
  const KeyId = await account.createKey(REGION, { Origin: "EXTERNAL" });
  const keySet = account.keySet(KeyId);
  const material = crypto.getRandomValues(new Uint8Array(32));
  const parameters = () =>
    account.call<Parameters>(REGION, "GetParametersForImport", { KeyId, ...WRAPPING });
  const importWith = ({ ImportToken, PublicKey }: Parameters, more: object) => {
    const publicKey = { publicKey: PublicKey };
    const wrapped = encryptionAlgorithms.RSAES_OAEP_SHA_256.encrypt(publicKey, material);
    const input = { KeyId, ImportToken, EncryptedKeyMaterial: toBase64(wrapped), ...more };
    return account.call(REGION, "ImportKeyMaterial", input);
  };
  return { account, KeyId, keySet, material, parameters, importWith };
}

test("GetParametersForImport stores nothing, and what it gives out outlives the object's memory", async () => {
  const { account, KeyId, keySet, parameters, importWith } = await prepared();
  const before = await everythingIn(keySet);
  const answers = [await parameters(), await parameters()];
  expect(await everythingIn(keySet)).toEqual(before);
  await evictDurableObject(keySet);
  for (const answer of answers) {
    await importWith(answer, { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" });
  }
  expect(await account.stateOf(REGION, KeyId)).toBe("Enabled");
});

test("the alarm alone takes material out of storage at ValidTo", async () => {
  const { account, KeyId, keySet, material, parameters, importWith } = await prepared();
  const validTo = Date.now() + 3 * DAY_MS;
  await importWith(await parameters(), { ValidTo: validTo / 1000 });
  const ciphertext = await account.encrypt(REGION, KeyId);
  const stored = async () => JSON.stringify(await everythingIn(keySet));
  await runDurableObjectAlarm(keySet); // It may have had directories to tell.
  expect(await alarmOf(keySet)).toBe(validTo);
  expect(await stored()).toContain(toBase64(material));
  pass(3 * DAY_MS);
  expect(await runDurableObjectAlarm(keySet)).toBe(true);
  expect(await storedState(keySet, REGION)).toBe("PendingImport");
  expect(await stored()).not.toContain(toBase64(material));
  const input = { CiphertextBlob: ciphertext };
  expect(await account.refusal(REGION, "Decrypt", input)).toBe("KMSInvalidStateException");
  await importWith(await parameters(), { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" });
  expect(await account.decrypt(REGION, ciphertext)).toBe("text");
});
