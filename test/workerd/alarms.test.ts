// What the alarm of a key set does when nobody calls, and that nothing depends on when it does it.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { KeySetStore } from "../../src/objects/key-set-store.ts";
import {
  Account,
  alarmOf,
  DAY_MS,
  errorsLogged,
  everythingIn,
  loseAlarm,
  nothing,
  pass,
  rowsOf,
  SECOND_MS,
  storedShared,
  storedState,
  useTestClock,
} from "./account.ts";

const [P, R, Q] = ["us-east-1", "eu-west-1", "ap-south-1"] as const;

interface Shared {
  readonly update: unknown;
  readonly primaryRegion: string;
  readonly rotationInProgress: unknown;
  readonly rotation: { readonly nextAt: number } | null;
}

describe("by the alarm alone", () => {
  useTestClock();

  test("a replica is Enabled when its material has arrived", async () => {
    const account = new Account();
    const keySet = account.keySet(await account.createSet(P, R));
    expect(await storedState(keySet, R)).toBe("Creating");
    pass(2 * SECOND_MS);
    expect(await runDurableObjectAlarm(keySet)).toBe(true);
    expect(await storedState(keySet, R)).toBe("Enabled");
  });

  test("a change of the primary is finished", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    const keySet = account.keySet(KeyId);
    pass(2 * SECOND_MS);
    await account.call(P, "UpdatePrimaryRegion", { KeyId, PrimaryRegion: R });
    expect([await storedState(keySet, P), await storedState(keySet, R)]).toEqual([
      "Updating",
      "Updating",
    ]);
    pass(2 * SECOND_MS);
    await runDurableObjectAlarm(keySet);
    expect([await storedState(keySet, P), await storedState(keySet, R)]).toEqual([
      "Enabled",
      "Enabled",
    ]);
    expect(await storedShared<Shared>(keySet)).toMatchObject({ primaryRegion: R, update: null });
  });

  test("a rotation on demand ends, an automatic one begins and ends", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    const keySet = account.keySet(KeyId);
    await account.call(P, "RotateKeyOnDemand", { KeyId });
    pass(SECOND_MS);
    await runDurableObjectAlarm(keySet);
    expect(await rowsOf(keySet, "material")).toHaveLength(2);
    await account.call(P, "EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
    pass(90 * DAY_MS - 1);
    await runDurableObjectAlarm(keySet);
    expect((await storedShared<Shared>(keySet)).rotationInProgress).toBeNull();
    pass(1);
    await runDurableObjectAlarm(keySet);
    const { rotationInProgress, rotation } = await storedShared<Shared>(keySet);
    expect(rotationInProgress).toMatchObject({ type: "AUTOMATIC" });
    expect(rotation?.nextAt).toBe(Date.now() + 90 * DAY_MS);
    expect(await alarmOf(keySet)).toBe(Date.now() + SECOND_MS);
    pass(SECOND_MS);
    await runDurableObjectAlarm(keySet);
    expect(await rowsOf(keySet, "material")).toHaveLength(3);
    expect(await alarmOf(keySet)).toBe(rotation?.nextAt);
  });

  test("a key is deleted, and nothing of it is left", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    const keySet = account.keySet(KeyId);
    const errors = errorsLogged();
    await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await runDurableObjectAlarm(keySet);
    expect(await alarmOf(keySet)).toBe(Date.now() + 7 * DAY_MS);
    pass(7 * DAY_MS - 1);
    await runDurableObjectAlarm(keySet);
    expect(await storedState(keySet, P)).toBe("PendingDeletion");
    expect(await alarmOf(keySet)).toBe(Date.now() + 1);
    pass(1);
    expect(await runDurableObjectAlarm(keySet)).toBe(true);
    expect(await everythingIn(keySet)).toEqual(nothing);
    expect(await account.listKeys(P)).toEqual([]);
    // The object is still in memory: it goes on answering, and needs no alarm any more.
    expect(await account.refusal(P, "DescribeKey", { KeyId })).toBe("NotFoundException");
    expect(await account.refusal(P, "CancelKeyDeletion", { KeyId })).toBe("NotFoundException");
    await keySet.moveClock(1);
    await runInDurableObject(keySet, (object) => object.alarm());
    expect(await everythingIn(keySet)).toEqual(nothing);
    expect(errors).toEqual([]);
  });

  test("a whole set is deleted, replicas first, the primary its own time after them", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R, Q);
    const keySet = account.keySet(KeyId);
    await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 9 });
    await account.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await account.call(Q, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 8 });
    const seen: unknown[] = [];
    for (let day = 0; day <= 17; day += 1) {
      while (((await alarmOf(keySet)) ?? Infinity) <= Date.now()) {
        await runDurableObjectAlarm(keySet);
      }
      seen.push(await Promise.all([P, R, Q].map((region) => storedState(keySet, region))));
      pass(DAY_MS);
    }
    const [W, D] = ["PendingReplicaDeletion", "PendingDeletion"];
    expect(seen.slice(0, 7)).toEqual(Array(7).fill([W, D, D]));
    expect(seen[7]).toEqual([W, undefined, D]);
    expect(seen.slice(8, 17)).toEqual(Array(9).fill([D, undefined, undefined]));
    expect(seen[17]).toEqual([undefined, undefined, undefined]);
    expect(await everythingIn(keySet)).toEqual(nothing);
    for (const region of [P, R, Q]) expect(await account.listKeys(region)).toEqual([]);
  });
});

test("an alarm goes off by itself, in real time", { timeout: 15_000 }, async () => {
  const account = new Account();
  const keySet = account.keySet(await account.createSet(P, R));
  const enabled = async () => expect(await storedState(keySet, R)).toBe("Enabled");
  await vi.waitFor(enabled, { timeout: 10_000, interval: 50 });
});

describe("early, late, lost", () => {
  useTestClock();

  test("an early alarm changes nothing and is set again", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    const keySet = account.keySet(KeyId);
    await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await runDurableObjectAlarm(keySet);
    const before = await everythingIn(keySet);
    for (let day = 0; day < 7; day += 1) {
      await runDurableObjectAlarm(keySet);
      expect(await everythingIn(keySet)).toEqual(before);
      pass(DAY_MS - 1);
    }
  });

  test("a late alarm has everything happen at its own instant", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 30 });
    await account.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    const replicaGoneAt = Date.now() + 7 * DAY_MS;
    pass(20 * DAY_MS);
    await runDurableObjectAlarm(account.keySet(KeyId));
    expect(await storedState(account.keySet(KeyId), P)).toBe("PendingDeletion");
    const { DeletionDate } = await account.describe(P, KeyId);
    expect(DeletionDate).toBe((replicaGoneAt + 30 * DAY_MS) / 1000);
  });

  test("after a lost alarm a request finds everything as if it had come", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    const keySet = account.keySet(KeyId);
    await loseAlarm(keySet);
    pass(2 * SECOND_MS - 1);
    expect(await account.stateOf(R, KeyId)).toBe("Creating");
    pass(1);
    expect(await account.stateOf(R, KeyId)).toBe("Enabled");
    await account.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await loseAlarm(keySet);
    pass(7 * DAY_MS);
    expect(await account.stateOf(R, KeyId)).toBeNull();
    expect((await account.describe(P, KeyId)).MultiRegionConfiguration?.ReplicaKeys).toEqual([]);
    expect(await account.listKeys(R)).toEqual([]);
  });

  test("what can not be done is tried again, and not without a pause", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    const keySet = account.keySet(KeyId);
    const errors = errorsLogged();
    const save = vi.spyOn(KeySetStore.prototype, "save").mockImplementation(() => {
      throw new Error("the disk is full");
    });
    pass(10 * SECOND_MS);
    await runDurableObjectAlarm(keySet);
    expect(errors.join("\n")).toContain("the disk is full");
    expect(await alarmOf(keySet)).toBeGreaterThanOrEqual(Date.now() + SECOND_MS);
    save.mockRestore();
    await runDurableObjectAlarm(keySet);
    expect(await storedState(keySet, R)).toBe("Enabled");
    await runDurableObjectAlarm(keySet);
    expect(await alarmOf(keySet)).toBeNull();
  });
});

describe("an eviction in between", () => {
  useTestClock();

  test("loses nothing that a caller can see", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R, Q);
    const keySet = account.keySet(KeyId);
    pass(2 * SECOND_MS);
    const steps: (() => Promise<unknown>)[] = [
      () => account.call(P, "EnableKeyRotation", { KeyId, RotationPeriodInDays: 100 }),
      () => account.call(P, "RotateKeyOnDemand", { KeyId }),
      async () => pass(SECOND_MS),
      () => account.call(Q, "TagResource", { KeyId, Tags: [{ TagKey: "b", TagValue: "1" }] }),
      () =>
        account.call(Q, "TagResource", { KeyId, Tags: [{ TagKey: "a", TagValue: "\u{20bb7}" }] }),
      () => account.call(R, "UpdateKeyDescription", { KeyId, Description: "a 'replica'" }),
      () => account.call(P, "UpdatePrimaryRegion", { KeyId, PrimaryRegion: R }),
      async () => pass(SECOND_MS),
      () => account.call(Q, "DisableKey", { KeyId }),
      async () => pass(SECOND_MS),
      () => account.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 8 }),
      () => account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 }),
      async () => pass(7 * DAY_MS),
      () => account.call(R, "CancelKeyDeletion", { KeyId }),
      () => account.call(R, "EnableKey", { KeyId }),
      () => account.call(R, "ReplicateKey", { KeyId, ReplicaRegion: P }),
    ];
    for (const step of steps) {
      await step();
      const shown = await everythingShown(account, KeyId);
      const stored = await everythingIn(keySet);
      await evictDurableObject(keySet);
      expect(await everythingIn(keySet)).toEqual(stored);
      expect(await everythingShown(account, KeyId)).toEqual(shown);
    }
  });

  test("comes between what an alarm has to do and its going off", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    const keySet = account.keySet(KeyId);
    await evictDurableObject(keySet);
    pass(2 * SECOND_MS);
    expect(await runDurableObjectAlarm(keySet)).toBe(true);
    expect(await storedState(keySet, R)).toBe("Enabled");
    expect(await rowsOf(keySet, "outbox")).toEqual([]);
  });
});

async function everythingShown(account: Account, KeyId: string): Promise<unknown> {
  const shown: unknown[] = [];
  for (const region of [P, R, Q]) {
    for (const operation of [
      "DescribeKey",
      "GetKeyPolicy",
      "ListResourceTags",
      "GetKeyRotationStatus",
      "ListKeyRotations",
    ]) {
      const { status, text } = await account.send(region, operation, { KeyId });
      shown.push([region, operation, status, text]);
    }
    shown.push(await account.listKeys(region));
  }
  return shown;
}
