// What directories know of keys: told before the answer, or by the alarm if that fails, in whatever
// order and however often, and right even where nobody tells them that a key is gone.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import type { DirectoryEntry } from "../../src/domain/directory.ts";
import { DirectoryObject } from "../../src/index.ts";
import {
  Account,
  alarmOf,
  crash,
  DAY_MS,
  errorsLogged,
  loseAlarm,
  pass,
  rowsOf,
  SECOND_MS,
  useTestClock,
} from "./account.ts";

const [P, R, Q] = ["us-east-1", "eu-west-1", "ap-south-1"] as const;

/** Makes the directories of some Regions refuse to be told; `end` puts them right again. */
function outage(...regions: readonly string[]): {
  end(): void;
  readonly errors: readonly string[];
} {
  const errors = errorsLogged();
  const apply = DirectoryObject.prototype.apply;
  const spy = vi.spyOn(DirectoryObject.prototype, "apply").mockImplementation(function (
    this: DirectoryObject,
    entry,
  ) {
    const { name = "" } = (this as unknown as { ctx: DurableObjectState }).ctx.id;
    if (regions.some((region) => name.endsWith(`/${region}`))) throw new Error("out of order");
    return apply.call(this, entry);
  });
  return { end: () => spy.mockRestore(), errors };
}

const outboxOf = async (account: Account, keyId: string) =>
  (await rowsOf<{ region: string }>(account.keySet(keyId), "outbox")).map(({ region }) => region);

/** Runs the alarm until none is set for the time being. */
async function settle(account: Account, keyId: string): Promise<void> {
  for (let due = 0; due <= Date.now(); due = (await alarmOf(account.keySet(keyId))) ?? Infinity) {
    await runDurableObjectAlarm(account.keySet(keyId));
    pass(2 * SECOND_MS);
  }
}

const alias = (name: string, TargetKeyId: string) => ({ AliasName: `alias/${name}`, TargetKeyId });

describe("a directory that cannot be told", () => {
  useTestClock();

  test("does not keep a key from being made, and hears of it later, once", async () => {
    const account = new Account();
    const { end, errors } = outage(P);
    const KeyId = await account.createKey(P);
    expect(await account.stateOf(P, KeyId)).toBe("Enabled");
    expect(await account.listKeys(P)).toEqual([]);
    expect(await outboxOf(account, KeyId)).toEqual([P]);
    pass(2 * SECOND_MS);
    await runDurableObjectAlarm(account.keySet(KeyId));
    expect(await account.listKeys(P)).toEqual([]);
    expect(await alarmOf(account.keySet(KeyId))).toBe(Date.now() + 2 * SECOND_MS);
    expect(errors.every((line) => line.includes("out of order"))).toBe(true);
    end();
    await settle(account, KeyId);
    expect(await account.listKeys(P)).toEqual([KeyId]);
    expect(await outboxOf(account, KeyId)).toEqual([]);
    expect(await alarmOf(account.keySet(KeyId))).toBeNull();
    expect(await rowsOf(account.directory(P), "key")).toHaveLength(1);
  });

  test("in one Region does not keep the others from being told", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    await settle(account, KeyId);
    const { end } = outage(R);
    await account.call(P, "ReplicateKey", { KeyId, ReplicaRegion: Q });
    await account.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    expect(await account.listKeys(Q)).toEqual([KeyId]);
    expect(await outboxOf(account, KeyId)).toContain(R);
    // The last state is what is told, and all of it.
    pass(7 * DAY_MS);
    await runDurableObjectAlarm(account.keySet(KeyId));
    expect(await account.stateOf(R, KeyId)).toBeNull();
    expect(await account.listKeys(R)).toEqual([KeyId]);
    end();
    await settle(account, KeyId);
    expect(await account.listKeys(R)).toEqual([]);
    expect(await outboxOf(account, KeyId)).toEqual([]);
  });

  test("takes an alias all the same, and keeps it when it is told of the key", async () => {
    const account = new Account();
    const { end } = outage(P);
    const KeyId = await account.createKey(P);
    await account.call(P, "CreateAlias", alias("a", KeyId));
    expect(await account.listKeys(P)).toEqual([KeyId]);
    end();
    await settle(account, KeyId);
    expect(await account.listAliases(P)).toEqual({ "alias/a": KeyId });
    expect(await account.listKeys(P)).toEqual([KeyId]);
  });

  test("is told until it hears that a whole set is gone", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await settle(account, KeyId);
    const { end } = outage(P);
    pass(7 * DAY_MS);
    await runDurableObjectAlarm(account.keySet(KeyId));
    expect(await outboxOf(account, KeyId)).toEqual([P]);
    await evictDurableObject(account.keySet(KeyId));
    pass(2 * SECOND_MS);
    await runDurableObjectAlarm(account.keySet(KeyId));
    expect(await outboxOf(account, KeyId)).toEqual([P]);
    end();
    await settle(account, KeyId);
    expect(await rowsOf(account.directory(P), "key")).toMatchObject([{ present: 0 }]);
    expect(await rowsOf(account.keySet(KeyId), "migration")).toEqual([]);
  });
});

describe("a crash of the key set", () => {
  useTestClock();

  test("between the commit and its delivery: the alarm delivers", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P, { MultiRegion: true });
    await settle(account, KeyId);
    const reached = Promise.withResolvers<void>();
    vi.spyOn(console, "log").mockImplementation(() => {});
    const spy = vi.spyOn(DirectoryObject.prototype, "apply").mockImplementation(() => {
      reached.resolve();
      return new Promise<number>(() => {});
    });
    // Whoever sent it never hears of it.
    void account.send(P, "ReplicateKey", { KeyId, ReplicaRegion: R }).catch(() => {});
    await reached.promise;
    await crash(account.keySet(KeyId));
    spy.mockRestore();
    expect(await account.listKeys(R)).toEqual([]);
    expect(await account.stateOf(R, KeyId)).toBe("Creating");
    await settle(account, KeyId);
    expect(await account.listKeys(R)).toEqual([KeyId]);
    expect(await account.refusal(P, "ReplicateKey", { KeyId, ReplicaRegion: R })).toBe(
      "AlreadyExistsException",
    );
    expect((await account.describe(P, KeyId)).MultiRegionConfiguration?.ReplicaKeys).toHaveLength(
      1,
    );
  });

  test("between the delivery and its being noted: the alarm delivers again", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    await account.call(P, "CreateAlias", alias("a", KeyId));
    const told = await rowsOf(account.directory(P), "key");
    await crash(account.keySet(KeyId));
    const apply = vi.spyOn(DirectoryObject.prototype, "apply");
    await settle(account, KeyId);
    expect(apply).toHaveBeenCalledTimes(1);
    expect(await rowsOf(account.directory(P), "key")).toEqual(told);
    expect(await account.listAliases(P)).toEqual({ "alias/a": KeyId });
    expect(await outboxOf(account, KeyId)).toEqual([]);
  });

  test("what was told and noted is not told again", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    const apply = vi.spyOn(DirectoryObject.prototype, "apply");
    await settle(account, KeyId);
    await account.call(P, "UpdateKeyDescription", { KeyId, Description: "d" });
    await account.call(P, "DisableKey", { KeyId });
    await settle(account, KeyId);
    expect(apply).not.toHaveBeenCalled();
  });

  test("a change while an earlier one is being told is told too", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    await settle(account, KeyId);
    const first = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const apply = DirectoryObject.prototype.apply;
    const spy = vi.spyOn(DirectoryObject.prototype, "apply").mockImplementationOnce(async function (
      this: DirectoryObject,
      entry,
    ) {
      first.resolve();
      await held.promise;
      return apply.call(this, entry);
    });
    const schedule = account.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await first.promise;
    await account.call(R, "CancelKeyDeletion", { KeyId });
    held.resolve();
    await schedule;
    expect(spy).toHaveBeenCalledTimes(2);
    await settle(account, KeyId);
    pass(8 * DAY_MS);
    expect(await account.listKeys(R)).toEqual([KeyId]);
    expect(await outboxOf(account, KeyId)).toEqual([]);
  });
});

describe("a directory told late", () => {
  useTestClock();

  const entry = (keyId: string, version: number, more: Partial<DirectoryEntry> = {}) =>
    ({
      keyId,
      version,
      present: true,
      createdAt: 1,
      goneAt: null,
      keySpec: "SYMMETRIC_DEFAULT",
      keyUsage: "ENCRYPT_DECRYPT",
      ...more,
    }) satisfies DirectoryEntry;

  test("in any order and twice comes to know the last state", async () => {
    const account = new Account();
    const gone = Date.now() + DAY_MS;
    const history = (keyId: string) => [
      entry(keyId, 1),
      entry(keyId, 3, { goneAt: gone }),
      entry(keyId, 4, { present: false, createdAt: 0 }),
      entry(keyId, 7, { createdAt: 2 }),
    ];
    const orders = permutations([0, 1, 2, 3]);
    const expected: string[] = [];
    for (const [index, order] of orders.entries()) {
      const keyId = `mrk-${String(index).padStart(32, "0")}`;
      expected.push(keyId);
      for (const position of [...order, ...order.slice(0, 2)]) {
        const each = history(keyId)[position];
        if (each) await account.directory(P).apply(each);
      }
    }
    const rows = await rowsOf(account.directory(P), "key");
    expect(rows).toHaveLength(orders.length);
    for (const row of rows) expect(row).toMatchObject({ version: 7, present: 1, createdAt: 2 });
    expect(await account.listKeys(P)).toEqual(expected);
  });

  test("that a key is gone does not list it again when it hears that it was made", async () => {
    const account = new Account();
    const keyId = "mrk-0123456789abcdef0123456789abcdef";
    await account.directory(P).apply(entry(keyId, 2, { present: false, createdAt: 0 }));
    await account.directory(P).apply(entry(keyId, 1));
    expect(await account.listKeys(P)).toEqual([]);
  });
});

describe("a key that is gone", () => {
  useTestClock();

  /** A key with an alias that is to be deleted, and whose object will never wake to do it. */
  async function doomedKey(account: Account): Promise<{ KeyId: string; goneAt: number }> {
    const KeyId = await account.createKey(P);
    await account.call(P, "CreateAlias", alias("a", KeyId));
    await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    const goneAt = Date.now() + 7 * DAY_MS;
    await settle(account, KeyId);
    await loseAlarm(account.keySet(KeyId));
    return { KeyId, goneAt };
  }

  test("is not listed, nor its alias, though no alarm has run", async () => {
    const account = new Account();
    const { KeyId, goneAt } = await doomedKey(account);
    vi.setSystemTime(goneAt - 1);
    expect(await account.listKeys(P)).toEqual([KeyId]);
    expect(await account.listAliases(P)).toEqual({ "alias/a": KeyId });
    pass(1);
    expect(await account.listKeys(P)).toEqual([]);
    expect(await account.listAliases(P)).toEqual({});
    expect(await account.refusal(P, "DescribeKey", { KeyId: "alias/a" })).toBe("NotFoundException");
    expect(await account.refusal(P, "ListAliases", { KeyId })).toBe("NotFoundException");
    expect(await account.refusal(P, "DeleteAlias", { AliasName: "alias/a" })).toBe(
      "NotFoundException",
    );
  });

  test("leaves the name of its alias to others, who keep it when the alarm comes", async () => {
    const account = new Account();
    const { KeyId, goneAt } = await doomedKey(account);
    vi.setSystemTime(goneAt);
    const other = await account.createKey(P);
    expect(await account.refusal(P, "UpdateAlias", alias("a", other))).toBe("NotFoundException");
    await account.call(P, "CreateAlias", alias("a", other));
    expect(await account.listAliases(P)).toEqual({ "alias/a": other });
    // A request to the gone key wakes its object, which then tells the directory.
    expect(await account.stateOf(P, KeyId)).toBeNull();
    await settle(account, KeyId);
    expect(await rowsOf(account.keySet(KeyId), "migration")).toEqual([]);
    expect(await account.listAliases(P)).toEqual({ "alias/a": other });
    expect((await account.describe(P, "alias/a")).KeyId).toBe(other);
  });

  test("and whose deletion was cancelled in time is still there, with its alias", async () => {
    const account = new Account();
    const { KeyId } = await doomedKey(account);
    await account.call(P, "CancelKeyDeletion", { KeyId });
    pass(30 * DAY_MS);
    expect(await account.listKeys(P)).toEqual([KeyId]);
    expect((await account.describe(P, "alias/a")).KeyId).toBe(KeyId);
  });

  test("as a primary after its replicas, at an instant that the directory knows", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R, Q);
    await account.call(P, "CreateAlias", alias("a", KeyId));
    await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 10 });
    await account.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await account.call(Q, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 9 });
    await loseAlarm(account.keySet(KeyId));
    const listed = async () => [
      (await account.listKeys(P)).length,
      (await account.listKeys(R)).length,
      (await account.listKeys(Q)).length,
      Object.keys(await account.listAliases(P)).length,
    ];
    pass(7 * DAY_MS);
    expect(await listed()).toEqual([1, 0, 1, 1]);
    pass(2 * DAY_MS);
    expect(await listed()).toEqual([1, 0, 0, 1]);
    pass(10 * DAY_MS - 1);
    expect(await listed()).toEqual([1, 0, 0, 1]);
    pass(1);
    expect(await listed()).toEqual([0, 0, 0, 0]);
    expect(await account.stateOf(P, KeyId)).toBeNull();
  });

  test("and replicated again has no alias of the old one", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    await settle(account, KeyId);
    await account.call(R, "CreateAlias", alias("a", KeyId));
    await account.call(P, "CreateAlias", alias("primary", KeyId));
    await account.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await loseAlarm(account.keySet(KeyId));
    pass(7 * DAY_MS);
    // The request that replicates is the first to notice that the old replica is gone.
    await account.call(P, "ReplicateKey", { KeyId, ReplicaRegion: R });
    expect(await account.listKeys(R)).toEqual([KeyId]);
    expect(await account.listAliases(R)).toEqual({});
    expect(await account.refusal(R, "DescribeKey", { KeyId: "alias/a" })).toBe("NotFoundException");
    await settle(account, KeyId);
    expect(await account.listAliases(R)).toEqual({});
    expect(await account.listAliases(P)).toEqual({ "alias/primary": KeyId });
    await account.call(R, "CreateAlias", alias("a", KeyId));
    expect(await account.listAliases(R)).toEqual({ "alias/a": KeyId });
  });

  test("and replicated again unheard has no alias of the old one either", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    await settle(account, KeyId);
    await account.call(R, "CreateAlias", alias("a", KeyId));
    await account.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await settle(account, KeyId);
    const { end } = outage(R);
    pass(7 * DAY_MS);
    await account.call(P, "ReplicateKey", { KeyId, ReplicaRegion: R });
    expect(await account.listAliases(R)).toEqual({});
    await account.call(R, "CreateAlias", alias("b", KeyId));
    expect(await account.listAliases(R)).toEqual({ "alias/b": KeyId });
    end();
    await settle(account, KeyId);
    expect(await account.listAliases(R)).toEqual({ "alias/b": KeyId });
  });
});

test("an account and Region see their own keys alone", async () => {
  const [one, other] = [new Account(), new Account()];
  const KeyId = await one.createSet(P, R);
  expect([await one.listKeys(P), await one.listKeys(R), await one.listKeys(Q)]).toEqual([
    [KeyId],
    [KeyId],
    [],
  ]);
  expect([await other.listKeys(P), await other.listKeys(R)]).toEqual([[], []]);
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}
