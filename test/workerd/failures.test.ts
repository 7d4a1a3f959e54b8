// A bug in edge-kms: KMSInternalException for the caller, one line with the request's ID in the log.

import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { DirectoryObject, KeySetObject } from "../../src/index.ts";
import { KeySetStore } from "../../src/objects/key-set-store.ts";
import { directoryOperations, keyOperations, operations } from "../../src/operations/index.ts";
import {
  Account,
  type Answer,
  DAY_MS,
  errorsLogged,
  everythingIn,
  loseAlarm,
  pass,
  storedState,
  useTestClock,
} from "./account.ts";

const P = "us-east-1";
const SECRET = "what nobody may read";

function fail(): never {
  throw new TypeError(SECRET);
}

const log: string[] = [];

/** Collects what is logged, by whatever way. */
function watchLog(): void {
  log.length = 0;
  for (const level of ["log", "info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((line: unknown) => void log.push(String(line)));
  }
}

/** What the caller gets says nothing but a request ID, under which the log says what happened. */
function expectInternalFailure({ status, text, requestId }: Answer): void {
  expect(status).toBe(500);
  expect(JSON.parse(text)).toEqual({
    __type: "KMSInternalException",
    message: `Internal failure. Request ID: ${requestId}`,
  });
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(log).toHaveLength(1);
  const line = JSON.parse(log[0] ?? "") as { requestId: string; failure: string };
  expect(line.requestId).toBe(requestId);
  expect(line.failure).toContain(SECRET);
}

describe("an exception that is no refusal", () => {
  useTestClock();
  afterEach(() => void vi.restoreAllMocks());

  /** Replaces a part of an operation's record for one test. */
  const broken = (record: object | undefined, part: string, by: () => unknown) =>
    vi.spyOn(record as Record<string, () => unknown>, part).mockImplementation(by);

  test("in a use of a key", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    broken(keyOperations.DescribeKey, "use", fail);
    watchLog();
    expectInternalFailure(await account.send(P, "DescribeKey", { KeyId }));
  });

  test("while a use of a key waits for cryptography", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    broken(keyOperations.Encrypt, "use", () => Promise.reject(new TypeError(SECRET)));
    watchLog();
    const Plaintext = btoa("text");
    expectInternalFailure(await account.send(P, "Encrypt", { KeyId, Plaintext }));
  });

  test("in a change, which changes nothing but what time did", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, "eu-west-1");
    await loseAlarm(account.keySet(KeyId));
    pass(DAY_MS);
    broken(keyOperations.DisableKey, "change", fail);
    watchLog();
    expectInternalFailure(await account.send(P, "DisableKey", { KeyId }));
    expect(await storedState(account.keySet(KeyId), P)).toBe("Enabled");
    expect(await storedState(account.keySet(KeyId), "eu-west-1")).toBe("Enabled");
    vi.restoreAllMocks();
    await account.call(P, "DisableKey", { KeyId });
  });

  test("in the making of a key, of which nothing is left", async () => {
    const account = new Account();
    broken(keyOperations.CreateKey, "create", fail);
    watchLog();
    expectInternalFailure(await account.send(P, "CreateKey"));
    expect(await account.listKeys(P)).toEqual([]);
  });

  test("in a directory", async () => {
    const account = new Account();
    broken(directoryOperations.ListKeys, "run", fail);
    watchLog();
    expectInternalFailure(await account.send(P, "ListKeys"));
  });

  test("at the edge", async () => {
    broken(operations.GenerateRandom, "run", fail);
    watchLog();
    expectInternalFailure(await new Account().send(P, "GenerateRandom", { NumberOfBytes: 1 }));
  });

  test("in an object itself", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    vi.spyOn(KeySetObject.prototype, "perform").mockRejectedValue(new TypeError(SECRET));
    watchLog();
    expectInternalFailure(await account.send(P, "DescribeKey", { KeyId }));
  });

  test("in what names a key", async () => {
    vi.spyOn(DirectoryObject.prototype, "resolveAlias").mockImplementation(fail);
    watchLog();
    expectInternalFailure(await new Account().send(P, "DescribeKey", { KeyId: "alias/a" }));
  });

  test("in the store: the change is as if it had never been", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    await runDurableObjectAlarm(account.keySet(KeyId));
    vi.spyOn(KeySetStore.prototype, "save").mockImplementation(fail);
    watchLog();
    expectInternalFailure(await account.send(P, "DisableKey", { KeyId }));
    vi.restoreAllMocks();
    expect(await account.stateOf(P, KeyId)).toBe("Enabled");
    expect(await storedState(account.keySet(KeyId), P)).toBe("Enabled");
    await account.call(P, "DisableKey", { KeyId });
    expect(await account.stateOf(P, KeyId)).toBe("Disabled");
  });
});

describe("a write that fails half-way", () => {
  useTestClock();

  test("leaves neither half", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, "eu-west-1");
    pass(2000);
    await runDurableObjectAlarm(account.keySet(KeyId));
    const before = await everythingIn(account.keySet(KeyId));
    errorsLogged();
    vi.spyOn(console, "log").mockImplementation(() => {});
    const stringify = JSON.stringify;
    // The entry for the outbox is the last thing that is written.
    vi.spyOn(JSON, "stringify").mockImplementation((value: unknown) => {
      if (typeof value === "object" && value !== null && "goneAt" in value) fail();
      return stringify(value);
    });
    const { status } = await account.send(P, "ReplicateKey", { KeyId, ReplicaRegion: "sa-east-1" });
    vi.restoreAllMocks();
    expect(status).toBe(500);
    expect(await everythingIn(account.keySet(KeyId))).toEqual(before);
    expect(await account.stateOf("sa-east-1", KeyId)).toBeNull();
    await account.call(P, "ReplicateKey", { KeyId, ReplicaRegion: "sa-east-1" });
    expect(await account.listKeys("sa-east-1")).toEqual([KeyId]);
  });
});
