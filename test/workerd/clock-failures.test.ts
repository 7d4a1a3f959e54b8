// A failure while the tenant's clock is being told: the offset is saved, and the alarm makes it good.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { beforeEach, expect, test, vi } from "vitest";
import { DirectoryObject, KeySetObject } from "../../src/index.ts";
import {
  Account,
  alarmOf,
  crash,
  DAY_MS,
  errorsLogged,
  everythingIn,
  inside,
  nothing,
  rowsOf,
  SECOND_MS,
  tenant,
  useTestClock,
} from "./account.ts";
import { expectAllTold, manyKeys, P, Q, R } from "./many-keys.ts";

const WEEK_MS = 7 * DAY_MS;

/** One tenant for the whole file: where its clock is when a test begins. */
let offset = 0;

vi.setConfig({ testTimeout: 30_000 });
useTestClock();
beforeEach(async () => {
  offset = (await tenant().clock()).offsetMs;
});

test("after it was saved and before anyone was told: the alarm tells all", async () => {
  const account = new Account();
  const keyIds = await manyKeys(account, 12);
  await inside(tenant(), async ({ storage }) => {
    storage.sql.exec("UPDATE clock SET offsetMs = ?", offset + WEEK_MS);
    await storage.setAlarm(Date.now() + SECOND_MS);
  });
  for (const stub of [tenant(), ...[P, R, Q].map((region) => account.directory(region))]) {
    await evictDurableObject(stub);
  }
  expect(await runDurableObjectAlarm(tenant())).toBe(true);
  await expectAllTold(account, keyIds, offset + WEEK_MS);
  expect(await rowsOf(tenant(), "clock")).toMatchObject([
    { offsetMs: offset + WEEK_MS, pushedOffsetMs: offset + WEEK_MS },
  ]);
  expect(await alarmOf(tenant())).toBeNull();
});

test("of the tenant, when some directories were told: the alarm tells the others", async () => {
  const account = new Account();
  const keyIds = await manyKeys(account, 12);
  const reached = Promise.withResolvers<void>();
  const moveClock = DirectoryObject.prototype.moveClock;
  let calls = 0;
  const spy = vi.spyOn(DirectoryObject.prototype, "moveClock").mockImplementation(function (
    this: DirectoryObject,
    offsetMs,
  ) {
    calls += 1;
    if (calls <= 2) return moveClock.call(this, offsetMs);
    reached.resolve();
    return new Promise(() => {});
  });
  // Whoever sent it never hears of it.
  void tenant()
    .moveClock({ byMs: WEEK_MS })
    .catch(() => {});
  await reached.promise;
  await crash(tenant());
  spy.mockRestore();
  expect((await tenant().clock()).offsetMs).toBe(offset + WEEK_MS);
  expect(await runDurableObjectAlarm(tenant())).toBe(true);
  await expectAllTold(account, keyIds, offset + WEEK_MS);
});

test("of a directory: the caller hears of it, and the alarm tells it until it is told", async () => {
  const account = new Account();
  const keyIds = await manyKeys(account, 12);
  const errors = errorsLogged();
  const spy = vi
    .spyOn(DirectoryObject.prototype, "moveClock")
    .mockRejectedValue(new Error("out of order"));
  const failed = await tenant()
    .moveClock({ byMs: WEEK_MS })
    .then(() => null, String);
  expect(failed).toContain("out of order");
  expect(await runDurableObjectAlarm(tenant())).toBe(true);
  expect(errors.join("\n")).toContain("out of order");
  expect(await alarmOf(tenant())).toBe(Date.now() + 2 * SECOND_MS);
  spy.mockRestore();
  expect(await runDurableObjectAlarm(tenant())).toBe(true);
  await expectAllTold(account, keyIds, offset + WEEK_MS);
});

test("of one key set: the alarm tells it, and whoever came after it", async () => {
  const account = new Account();
  const keyIds = await manyKeys(account, 12);
  const broken = keyIds[2] ?? "";
  errorsLogged();
  const moveClock = KeySetObject.prototype.moveClock;
  const spy = vi.spyOn(KeySetObject.prototype, "moveClock").mockImplementation(function (
    this: KeySetObject,
    offsetMs,
  ) {
    const { name } = (this as unknown as { ctx: DurableObjectState }).ctx.id;
    if (name?.endsWith(broken)) return Promise.reject(new Error("out of order"));
    return moveClock.call(this, offsetMs);
  });
  const failed = await tenant()
    .moveClock({ byMs: WEEK_MS })
    .then(() => null, String);
  expect(failed).toContain("out of order");
  spy.mockRestore();
  expect(await runDurableObjectAlarm(tenant())).toBe(true);
  await expectAllTold(account, keyIds, offset + WEEK_MS);
});

test("of a key set's directory while the key set catches up: its alarm tells it", async () => {
  const account = new Account();
  const KeyId = await account.createKey(P);
  await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
  await runDurableObjectAlarm(account.keySet(KeyId));
  errorsLogged();
  const spy = vi.spyOn(DirectoryObject.prototype, "apply").mockRejectedValue(new Error("down"));
  await tenant().moveClock({ byMs: WEEK_MS });
  expect(await account.listKeys(P)).toEqual([]);
  expect(await rowsOf(account.keySet(KeyId), "outbox")).toHaveLength(1);
  spy.mockRestore();
  await runDurableObjectAlarm(account.keySet(KeyId));
  expect(await everythingIn(account.keySet(KeyId))).toEqual(nothing);
  expect(await rowsOf(account.directory(P), "key")).toMatchObject([{ present: 0 }]);
});
