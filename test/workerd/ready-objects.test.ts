// Objects that are made ready for keys that are made next, where Worker and objects share an isolate.

import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { DEFAULT_GENERATION, keySetName } from "../../src/objects/names.ts";
import { makeNextReady, takeNextKeyId } from "../../src/objects/next-key-ids.ts";
import { Account, everythingIn, nothing, pass, SECOND_MS, useTestClock } from "./account.ts";

const P = "us-east-1";

// As the launcher sets it; objects and the edge read it when they begin.
Reflect.set(env, "ONE_ISOLATE", "true");

useTestClock();

/** An object that is ready for the account's next key; returns the ID it is for. */
async function readyFor(account: Account): Promise<string> {
  const keyId = crypto.randomUUID();
  await makeNextReady(DEFAULT_GENERATION, account.id, keyId, (id) =>
    account.keySet(id).makeReady(),
  );
  return keyId;
}

test("is no key before it is one, and then a key like any", async () => {
  const account = new Account();
  const keyId = await readyFor(account);
  expect(await account.refusal(P, "DescribeKey", { KeyId: keyId })).toBe("NotFoundException");
  expect(await account.createKey(P)).toBe(keyId);
  expect(await account.decrypt(P, await account.encrypt(P, keyId))).toBe("text");
  pass(600 * SECOND_MS);
  await runDurableObjectAlarm(account.keySet(keyId));
  expect(await account.stateOf(P, keyId)).toBe("Enabled");
  expect(await account.createKey(P)).not.toBe(keyId);
});

test("is not for multi-Region keys, whose IDs are of another form", async () => {
  const account = new Account();
  const keyId = await readyFor(account);
  expect(await account.createKey(P, { MultiRegion: true })).toMatch(/^mrk-/);
  expect(await account.createKey(P)).toBe(keyId);
});

test("is cleared away where no key is made", async () => {
  const account = new Account();
  const object = account.keySet(await readyFor(account));
  expect(await everythingIn(object)).not.toEqual(nothing);
  pass(600 * SECOND_MS);
  expect(await runDurableObjectAlarm(object)).toBe(true);
  expect(await everythingIn(object)).toEqual(nothing);
});

test("is cleared away where its tenant is gone", async () => {
  const object = env.KEY_SETS.getByName(keySetName("gone", "111122223333", crypto.randomUUID()));
  await object.makeReady();
  pass(600 * SECOND_MS);
  expect(await runDurableObjectAlarm(object)).toBe(true);
  expect(await everythingIn(object)).toEqual(nothing);
});

test("is made once a key was", async () => {
  const account = new Account();
  const first = await account.createKey(P);
  const next = await vi.waitUntil(() => takeNextKeyId(DEFAULT_GENERATION, account.id));
  expect(next).not.toBe(first);
});

test("leaves a key alone that is there", async () => {
  const account = new Account();
  const keyId = await account.createKey(P);
  const before = await everythingIn(account.keySet(keyId));
  await account.keySet(keyId).makeReady();
  expect(await everythingIn(account.keySet(keyId))).toEqual(before);
});
