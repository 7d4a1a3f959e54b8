// Who is told, how long that is waited for, and that nobody is woken or told in vain.

import { runDurableObjectAlarm } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { DirectoryObject, TenantObject } from "../../src/index.ts";
import {
  Account,
  alarmOf,
  DAY_MS,
  errorsLogged,
  pass,
  rowsOf,
  SECOND_MS,
  tenant,
  useTestClock,
} from "./account.ts";

const [P, R, Q] = ["us-east-1", "eu-west-1", "ap-south-1"] as const;

useTestClock();

const outboxOf = async (account: Account, keyId: string) =>
  (await rowsOf<{ region: string }>(account.keySet(keyId), "outbox")).map(({ region }) => region);

const never = () => new Promise<never>(() => {});

test("an alarm that does and tells all there is sets no other", async () => {
  const account = new Account();
  const KeyId = await account.createSet(P, R);
  const keySet = account.keySet(KeyId);
  await account.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
  pass(2 * SECOND_MS);
  await runDurableObjectAlarm(keySet);
  expect(await alarmOf(keySet)).toBe(Date.now() + 7 * DAY_MS - 2 * SECOND_MS);
  pass(7 * DAY_MS);
  await runDurableObjectAlarm(keySet);
  expect(await account.listKeys(R)).toEqual([]);
  expect(await outboxOf(account, KeyId)).toEqual([]);
  expect(await alarmOf(keySet)).toBeNull();
});

test("directories that hang hold an answer up for a second together, and are told later", async () => {
  const account = new Account();
  const errors = errorsLogged();
  const KeyId = await account.createSet(P, R, Q);
  for (const region of [P, R, Q]) {
    await account.call(region, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
  }
  pass(2 * SECOND_MS);
  await runDurableObjectAlarm(account.keySet(KeyId));
  const asked: number[] = [];
  const spy = vi.spyOn(DirectoryObject.prototype, "apply").mockImplementation(() => {
    asked.push(performance.now());
    return never();
  });
  // Two Regions learn of it: the replica stays, and so the primary does not go yet.
  await account.call(Q, "CancelKeyDeletion", { KeyId });
  const [first = 0, second = Infinity] = asked;
  expect(asked).toHaveLength(2);
  expect(second - first).toBeLessThan(SECOND_MS);
  expect(errors.join("\n")).toContain("no answer within 1000 ms");
  expect(await account.stateOf(Q, KeyId)).toBe("Disabled");
  expect((await outboxOf(account, KeyId)).sort()).toEqual([Q, P]);
  spy.mockRestore();
  pass(2 * SECOND_MS);
  await runDurableObjectAlarm(account.keySet(KeyId));
  expect(await outboxOf(account, KeyId)).toEqual([]);
  expect(await rowsOf(account.directory(Q), "key")).toMatchObject([{ goneAt: null }]);
});

test("a directory that is not to be asked for room, or hangs, keeps no key from being made", async () => {
  const account = new Account();
  errorsLogged();
  const spy = vi.spyOn(DirectoryObject.prototype, "makeRoom");
  spy.mockImplementation(() => {
    throw new Error("out of order");
  });
  const KeyId = await account.createKey(P, { MultiRegion: true });
  spy.mockImplementation(never as unknown as () => Promise<null>);
  await account.call(P, "ReplicateKey", { KeyId, ReplicaRegion: R });
  expect(await account.listKeys(R)).toEqual([KeyId]);
});

test("the tenant's alarm waits for the telling that is under way, and has nothing left to tell", async () => {
  const account = new Account();
  await Promise.all([P, R, Q].map((region) => account.createKey(region)));
  const { offsetMs } = await tenant().clock();
  const held = Promise.withResolvers<void>();
  const moveClock = DirectoryObject.prototype.moveClock;
  const told = vi.spyOn(DirectoryObject.prototype, "moveClock").mockImplementation(async function (
    this: DirectoryObject,
    to,
  ) {
    await held.promise;
    return moveClock.call(this, to);
  });
  const alarmed = vi.spyOn(TenantObject.prototype, "alarm");
  const moving = tenant().moveClock({ byMs: DAY_MS });
  await vi.waitFor(() => expect(told).toHaveBeenCalled());
  const alarm = runDurableObjectAlarm(tenant());
  await vi.waitFor(() => expect(alarmed).toHaveBeenCalled());
  held.resolve();
  expect((await moving).offsetMs).toBe(offsetMs + DAY_MS);
  expect(await alarm).toBe(true);
  const directories = await rowsOf(tenant(), "directory");
  expect(told).toHaveBeenCalledTimes(directories.length);
});

test("a clock moved again while it is being told is told again", async () => {
  const account = new Account();
  await account.createKey(P);
  const { offsetMs } = await tenant().clock();
  const held = Promise.withResolvers<void>();
  const moveClock = DirectoryObject.prototype.moveClock;
  const told = vi.spyOn(DirectoryObject.prototype, "moveClock").mockImplementation(async function (
    this: DirectoryObject,
    to,
  ) {
    await held.promise;
    return moveClock.call(this, to);
  });
  const first = tenant().moveClock({ byMs: DAY_MS });
  await vi.waitFor(() => expect(told).toHaveBeenCalled());
  const second = tenant().moveClock({ byMs: DAY_MS });
  await vi.waitFor(async () => {
    expect((await tenant().clock()).offsetMs).toBe(offsetMs + 2 * DAY_MS);
  });
  held.resolve();
  await Promise.all([first, second]);
  expect(await rowsOf(account.directory(P), "clock")).toMatchObject([
    { offsetMs: offsetMs + 2 * DAY_MS },
  ]);
});
