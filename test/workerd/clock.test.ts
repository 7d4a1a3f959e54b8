// The tenant's clock: saved by the tenant, told to directories, told by them to key sets. When it has
// been moved everyone has it and has done what is due by it.

import {
  evictAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { DirectoryObject } from "../../src/index.ts";
import {
  Account,
  alarmOf,
  DAY_MS,
  everythingIn,
  nothing,
  rowsWritten,
  SECOND_MS,
  storedState,
  tenant,
  useTestClock,
} from "./account.ts";
import { expectAllTold, manyKeys, offsetOf, P, Q, R } from "./many-keys.ts";

const WEEK_MS = 7 * DAY_MS;

/** One tenant for the whole file: where its clock is when a test begins. */
let offset = 0;

vi.setConfig({ testTimeout: 30_000 });
useTestClock();
beforeEach(async () => {
  offset = (await tenant().clock()).offsetMs;
});

describe("moving the clock", () => {
  test("to an instant, and never back", async () => {
    const { now } = await tenant().clock();
    const moved = await tenant().moveClock({ toMs: now + DAY_MS });
    expect(moved).toEqual({ now: now + DAY_MS, offsetMs: offset + DAY_MS });
    expect(await tenant().moveClock({ toMs: now })).toEqual(moved);
    expect(await tenant().moveClock({ byMs: 0 })).toEqual(moved);
  });

  test("twice at once moves it by both", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    const moves = [1, 2, 3, 4, 5].map((days) => tenant().moveClock({ byMs: days * DAY_MS }));
    await Promise.all(moves);
    expect((await tenant().clock()).offsetMs).toBe(offset + 15 * DAY_MS);
    for (const stub of [account.keySet(KeyId), account.directory(P)]) {
      expect(await offsetOf(stub)).toBe(offset + 15 * DAY_MS);
    }
  });

  test("brings the alarm of what is still to come forward", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    const keySet = account.keySet(KeyId);
    await runDurableObjectAlarm(keySet);
    await runDurableObjectAlarm(keySet);
    expect(await alarmOf(keySet)).toBe(Date.now() + WEEK_MS);
    await evictDurableObject(keySet);
    await tenant().moveClock({ byMs: WEEK_MS - SECOND_MS });
    expect(await storedState(keySet, P)).toBe("PendingDeletion");
    expect(await alarmOf(keySet)).toBe(Date.now() + SECOND_MS);
  });

  test("takes nothing that was told late for the time", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    const { offsetMs } = await tenant().moveClock({ byMs: DAY_MS });
    for (const stub of [account.directory(P), account.keySet(KeyId)]) {
      await stub.moveClock(offsetMs - 1);
      await stub.moveClock(0);
      expect(await offsetOf(stub)).toBe(offsetMs);
    }
    await account.directory(P).moveClock(offsetMs - 1);
    expect(await offsetOf(account.keySet(KeyId))).toBe(offsetMs);
  });

  test("is known to every object after an eviction", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    await tenant().moveClock({ byMs: WEEK_MS });
    await evictAllDurableObjects();
    expect(await tenant().clock()).toEqual({
      now: Date.now() + offset + WEEK_MS,
      offsetMs: offset + WEEK_MS,
    });
    const input = { KeyId, PendingWindowInDays: 7 };
    const answer = await account.call<{ DeletionDate: number }>(P, "ScheduleKeyDeletion", input);
    expect(answer.DeletionDate).toBe((Date.now() + offset + 2 * WEEK_MS) / 1000);
    await account
      .call(P, "CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId })
      .catch(() => {});
    expect(await offsetOf(account.directory(P))).toBe(offset + WEEK_MS);
  });

  test("reaches accounts, Regions and keys that come later", async () => {
    await tenant().moveClock({ byMs: DAY_MS });
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    const expected = (Date.now() + offset + DAY_MS) / 1000;
    expect((await account.describe(P, KeyId)).CreationDate).toBe(expected);
    expect((await account.describe(R, KeyId)).CreationDate).toBe(expected);
    for (const stub of [account.keySet(KeyId), account.directory(P), account.directory(R)]) {
      expect(await offsetOf(stub)).toBe(offset + DAY_MS);
    }
    await tenant().moveClock({ byMs: DAY_MS });
    expect(await offsetOf(account.directory(R))).toBe(offset + 2 * DAY_MS);
  });

  test("leaves nothing in the object of a key that is refused to be made", async () => {
    await tenant().moveClock({ byMs: DAY_MS });
    const account = new Account();
    const keyId = "mrk-0123456789abcdef0123456789abcdef";
    const reply = await account.keySet(keyId).perform({
      operation: "CreateKey",
      input: { Tags: [{ TagKey: "aws:own", TagValue: "" }] },
      caller: { accountId: account.id, region: P },
      accountId: account.id,
      keyId,
    });
    expect(reply).toMatchObject({ refusal: { type: "TagException" } });
    expect(await everythingIn(account.keySet(keyId))).toEqual(nothing);
  });

  test("asked for is not written", async () => {
    const account = new Account();
    await account.createKey(P);
    await tenant().clock();
    const before = await rowsWritten(tenant());
    await tenant().clock();
    await account.createKey(P);
    expect(await rowsWritten(tenant())).toBe(before);
  });
});

describe("a key set made while the clock is moved", () => {
  test("has the clock in the end", async () => {
    const account = new Account();
    const before = await manyKeys(account, 30);
    const created: Promise<string>[] = [];
    const create = (count: number) => {
      for (let made = 0; made < count; made += 1) {
        created.push(account.createSet([P, R, Q][made % 3] ?? P, [R, Q, P][made % 3] ?? R));
      }
    };
    create(10);
    const moving = tenant().moveClock({ byMs: WEEK_MS });
    create(10);
    const again = tenant().moveClock({ byMs: DAY_MS });
    create(10);
    await Promise.all([moving, again]);
    const keyIds = await Promise.all(created);
    const { offsetMs } = await tenant().clock();
    expect(offsetMs).toBe(offset + WEEK_MS + DAY_MS);
    expect(new Set(keyIds).size).toBe(30);
    for (const keyId of keyIds) expect(await offsetOf(account.keySet(keyId))).toBe(offsetMs);
    for (const [index, keyId] of before.entries()) {
      if (index % 2 === 0) expect(await offsetOf(account.keySet(keyId))).toBe(offsetMs);
    }
  });

  test("after its directory has told everyone, hears of it when it tells the directory", async () => {
    const account = new Account();
    await account.createKey(P);
    const held = Promise.withResolvers<void>();
    const joined = Promise.withResolvers<void>();
    const join = DirectoryObject.prototype.join;
    vi.spyOn(DirectoryObject.prototype, "join").mockImplementationOnce(async function (
      this: DirectoryObject,
    ) {
      const offsetMs = await join.call(this);
      joined.resolve();
      await held.promise;
      return offsetMs;
    });
    const creating = account.createKey(P);
    await joined.promise;
    await tenant().moveClock({ byMs: WEEK_MS });
    held.resolve();
    expect(await offsetOf(account.keySet(await creating))).toBe(offset + WEEK_MS);
  });
});

test("a directory woken before it ever joined has the time of the real clock", async () => {
  const account = new Account();
  await runInDurableObject(account.directory(P), () => {});
  expect(await account.listKeys(P)).toEqual([]);
  expect(await offsetOf(account.directory(P))).toBeUndefined();
});

test("moving the clock has everything happen that is then due, however many key sets there are", async () => {
  const account = new Account();
  const keyIds = await manyKeys(account, 100);
  const { offsetMs, now } = await tenant().moveClock({ byMs: WEEK_MS });
  expect(offsetMs).toBe(offset + WEEK_MS);
  expect(now).toBe(Date.now() + offsetMs);
  await expectAllTold(account, keyIds, offsetMs);
  // The alarm that would have made good a crash has nothing to do.
  const told = vi.spyOn(DirectoryObject.prototype, "moveClock");
  expect(await runDurableObjectAlarm(tenant())).toBe(true);
  expect(told).not.toHaveBeenCalled();
  expect(await alarmOf(tenant())).toBeNull();
});
