// What is kept of the last use of a key: nothing at once, so that a use writes nothing, and soon
// enough that an hour at most is forgotten.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Account, crash, inside, pass, rowsOf, rowsWritten, SECOND_MS } from "./account.ts";

const [P, R] = ["us-east-1", "eu-west-1"] as const;
const START = Date.UTC(2040, 0, 1);
const MINUTE_MS = 60 * SECOND_MS;
const SAVED_MS = 5 * SECOND_MS;

/** What objects have put off; they run when a test lets them. */
let putOff: (() => void)[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(START);
  putOff = [];
  const original = globalThis.setTimeout;
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, ms = 0) => {
    if (ms !== SAVED_MS) return original(run, ms);
    putOff.push(run);
    return 0;
  }) as typeof setTimeout);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface LastUsage {
  readonly KeyLastUsage: { readonly Operation?: string; readonly Timestamp?: number };
}

const lastUsage = async (account: Account, KeyId: string, region: string = P) =>
  (await account.call<LastUsage>(region, "GetKeyLastUsage", { KeyId })).KeyLastUsage;

const savedIn = async (account: Account, KeyId: string, region: string) => {
  const rows = await rowsOf<{ region: string; json: string }>(account.keySet(KeyId), "key");
  const key = JSON.parse(rows.find((row) => row.region === region)?.json ?? "{}");
  return (key as { lastUsage?: { operation: string; at: number } }).lastUsage;
};

/** Runs what was put off, where its object runs. */
async function catchUp(account: Account, KeyId: string): Promise<void> {
  await inside(account.keySet(KeyId), () => {
    for (const run of putOff.splice(0)) run();
  });
}

test("a use writes nothing; the first of an hour is saved after its answer", async () => {
  const account = new Account();
  const KeyId = await account.createKey(P);
  const before = await rowsWritten(account.keySet(KeyId));
  await account.encrypt(P, KeyId);
  await account.encrypt(P, KeyId);
  expect(await rowsWritten(account.keySet(KeyId))).toBe(before);
  expect(await lastUsage(account, KeyId)).toMatchObject({ Operation: "Encrypt" });
  expect(putOff).toHaveLength(1);
  await catchUp(account, KeyId);
  expect(await savedIn(account, KeyId, P)).toMatchObject({ operation: "Encrypt", at: START });
  expect(await rowsWritten(account.keySet(KeyId))).toBe(before + 1);

  const ciphertext = await account.encrypt(P, KeyId);
  for (let minute = 0; minute < 59; minute++) {
    pass(MINUTE_MS);
    await account.decrypt(P, ciphertext);
  }
  expect(putOff).toEqual([]);
  expect(await rowsWritten(account.keySet(KeyId))).toBe(before + 1);
  expect(await lastUsage(account, KeyId)).toMatchObject({
    Operation: "Decrypt",
    Timestamp: (START + 59 * MINUTE_MS) / 1000,
  });
  pass(MINUTE_MS);
  await account.decrypt(P, ciphertext);
  await catchUp(account, KeyId);
  expect(await savedIn(account, KeyId, P)).toMatchObject({ at: START + 60 * MINUTE_MS });
});

test("what was saved outlives the object; what was not is an hour old at most", async () => {
  const account = new Account();
  const KeyId = await account.createKey(P);
  const ciphertext = await account.encrypt(P, KeyId);
  await catchUp(account, KeyId);
  pass(30 * MINUTE_MS);
  await account.decrypt(P, ciphertext);
  await crash(account.keySet(KeyId));
  expect(await lastUsage(account, KeyId)).toMatchObject({
    Operation: "Encrypt",
    Timestamp: START / 1000,
  });
});

test("is saved with whatever else is", async () => {
  const account = new Account();
  const KeyId = await account.createKey(P, { MultiRegion: true });
  await account.encrypt(P, KeyId);
  await catchUp(account, KeyId);
  pass(MINUTE_MS);
  await account.call(P, "GenerateDataKey", { KeyId, KeySpec: "AES_256" });
  await account.call(P, "ReplicateKey", { KeyId, ReplicaRegion: R });
  await crash(account.keySet(KeyId));
  expect(await lastUsage(account, KeyId)).toMatchObject({ Operation: "GenerateDataKey" });
  expect(await lastUsage(account, KeyId, R)).toEqual({});
});

test("each Region's key for itself", async () => {
  const account = new Account();
  const KeyId = await account.createSet(P, R);
  pass(10 * SECOND_MS);
  const ciphertext = await account.encrypt(P, KeyId);
  await account.decrypt(R, ciphertext);
  await catchUp(account, KeyId);
  expect(await savedIn(account, KeyId, P)).toMatchObject({ operation: "Encrypt" });
  expect(await savedIn(account, KeyId, R)).toMatchObject({ operation: "Decrypt" });
});

test("a key set that is gone by then stays gone", async () => {
  const account = new Account();
  const KeyId = await account.createKey(P);
  await account.encrypt(P, KeyId);
  await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
  pass(7 * 24 * 60 * MINUTE_MS);
  expect(await account.refusal(P, "DescribeKey", { KeyId })).toBe("NotFoundException");
  await catchUp(account, KeyId);
  expect(await rowsOf(account.keySet(KeyId), "key")).toEqual([]);
});
