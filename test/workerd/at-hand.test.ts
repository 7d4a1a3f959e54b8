// Key sets that the edge asks without an RPC, where it shares an isolate with them: never anything
// but what the object itself would answer, and nothing that is not on disk.

import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test, vi } from "vitest";
import { KeySetObject } from "../../src/index.ts";
import { keySetAtHand } from "../../src/objects/key-sets-at-hand.ts";
import { DEFAULT_GENERATION, keySetName } from "../../src/objects/names.ts";
import type { Call } from "../../src/operations/perform.ts";
import { Account, crash, DAY_MS, inside, pass, SECOND_MS, useTestClock } from "./account.ts";

const [P, R] = ["us-east-1", "eu-west-1"] as const;

// As the launcher sets it; objects and the edge read it when they begin.
Reflect.set(env, "ONE_ISOLATE", "true");

useTestClock();

/** The operations that came to an object by RPC, those that make a key included. */
let called: string[] = [];

beforeEach(() => {
  called = [];
  const { perform } = KeySetObject.prototype;
  vi.spyOn(KeySetObject.prototype, "perform").mockImplementation(function (
    this: KeySetObject,
    call,
  ) {
    called.push(call.operation);
    return perform.call(this, call);
  });
});

const atHand = (account: Account, keyId: string) =>
  keySetAtHand(keySetName(DEFAULT_GENERATION, account.id, keyId));

const describeCall = (account: Account, keyId: string): Call => ({
  operation: "DescribeKey",
  input: {},
  caller: { accountId: account.id, region: P },
  accountId: account.id,
  keyId,
});

/** A key whose first use of the hour, which is to be saved, is over. */
async function usedKey(account: Account, input: object = {}): Promise<string> {
  const KeyId = await account.createKey(P, input);
  await account.encrypt(P, KeyId);
  called = [];
  return KeyId;
}

test("a key that is used is not called", async () => {
  const account = new Account();
  const KeyId = await usedKey(account);
  const ciphertext = await account.encrypt(P, KeyId, "near");
  expect(await account.decrypt(P, ciphertext)).toBe("near");
  expect(await account.stateOf(P, KeyId)).toBe("Enabled");
  expect(called).toEqual([]);
});

test("a change goes to the object, and is seen by whoever uses the key next", async () => {
  const account = new Account();
  const KeyId = await usedKey(account);
  await account.call(P, "DisableKey", { KeyId });
  const input = { KeyId, Plaintext: btoa("text") };
  expect(await account.refusal(P, "Encrypt", input)).toBe("DisabledException");
  await account.call(P, "EnableKey", { KeyId });
  await account.encrypt(P, KeyId);
  expect(called).toEqual(["DisableKey", "EnableKey"]);
});

test("what is due is done by the object, which saves it", async () => {
  const account = new Account();
  const KeyId = await usedKey(account, { MultiRegion: true });
  await account.call(P, "EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
  const before = (await account.describe(P, KeyId)).CurrentKeyMaterialId;
  called = [];
  pass(90 * DAY_MS + 2 * SECOND_MS);
  const after = (await account.describe(P, KeyId)).CurrentKeyMaterialId;
  expect(after).not.toBe(before);
  expect(called).toEqual(["DescribeKey"]);
  await crash(account.keySet(KeyId));
  expect((await account.describe(P, KeyId)).CurrentKeyMaterialId).toBe(after);
});

test("what is not on disk yet is not shown", async () => {
  const account = new Account();
  const KeyId = await usedKey(account);
  const call = describeCall(account, KeyId);
  expect(atHand(account, KeyId)?.use(call)).not.toBe(null);
  let saved = () => {};
  const sync = new Promise<void>((resolve) => {
    saved = resolve;
  });
  await inside(account.keySet(KeyId), ({ storage }) => {
    const prototype = Object.getPrototypeOf(storage) as DurableObjectStorage;
    vi.spyOn(prototype, "sync").mockReturnValue(sync);
  });
  await account.call(P, "UpdateKeyDescription", { KeyId, Description: "new" });
  expect(atHand(account, KeyId)?.use(call)).toBe(null);
  saved();
  await vi.waitFor(() => expect(atHand(account, KeyId)?.use(call)).not.toBe(null));
});

test.each([
  ["evicted", evictDurableObject],
  ["lost", crash],
] as const)("an object that is %s is asked until another takes its place", async (_how, end) => {
  const account = new Account();
  const KeyId = await account.createSet(P, R);
  pass(2 * SECOND_MS);
  expect(await account.stateOf(R, KeyId)).toBe("Enabled");
  called = [];
  await end(account.keySet(KeyId));
  expect(await account.stateOf(R, KeyId)).toBe("Enabled");
  expect(called).toEqual([]);
  await account.call(R, "DisableKey", { KeyId });
  expect(await account.stateOf(R, KeyId)).toBe("Disabled");
  expect(await account.stateOf(P, KeyId)).toBe("Enabled");
  expect(called).toEqual(["DisableKey"]);
});

test("a successor knows of the uses before it", async () => {
  interface LastUsage {
    readonly KeyLastUsage: { readonly Operation?: string };
  }
  const account = new Account();
  const KeyId = await usedKey(account);
  const { CiphertextBlob } = await account.call<{ CiphertextBlob: string }>(P, "GenerateDataKey", {
    KeyId,
    KeySpec: "AES_256",
  });
  await crash(account.keySet(KeyId));
  await account.call(P, "UpdateKeyDescription", { KeyId, Description: "new" });
  const { KeyLastUsage } = await account.call<LastUsage>(P, "GetKeyLastUsage", { KeyId });
  expect(KeyLastUsage.Operation).toBe("GenerateDataKey");
  expect(CiphertextBlob).not.toBe("");
});

test("a deleted key is gone, and others' keys are not reached", async () => {
  const account = new Account();
  const KeyId = await usedKey(account);
  await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
  expect(await account.stateOf(P, KeyId)).toBe("PendingDeletion");
  pass(7 * DAY_MS);
  expect(await account.stateOf(P, KeyId)).toBe(null);
  expect(await new Account().stateOf(P, KeyId)).toBe(null);
});
