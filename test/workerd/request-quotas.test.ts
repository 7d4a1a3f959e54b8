// Where requests are counted: in the directory of the account that calls, in its memory alone.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { DirectoryObject, KeySetObject } from "../../src/index.ts";
import { Account, everythingIn, nothing, pass, SECOND_MS, useTestClock } from "./account.ts";

const P = "us-east-1";
const THROTTLED = {
  refusal: {
    type: "ThrottlingException",
    message:
      "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
  },
};

/** The answer of a key set's object that is started with other settings. */
const answerOf = (account: Account, KeyId: string, REQUEST_QUOTAS: string, operation = "Encrypt") =>
  runInDurableObject(account.keySet(KeyId) as DurableObjectStub, (_object: unknown, state) => {
    const keySet = new KeySetObject(state, { ...env, REQUEST_QUOTAS } as Env);
    const { id: accountId } = account;
    const input = { KeyId, Plaintext: "eA==" };
    return keySet.perform({
      ...{ operation, input, accountId, keyId: KeyId },
      caller: { accountId, region: P },
    });
  });

describe("a directory", () => {
  useTestClock();

  test("counts for a second of real time, and writes nothing", async () => {
    const directory = new Account().directory(P);
    const count = { name: "CreateKey", perSecond: 2, requests: 1 };
    const admitted = async () => [await directory.admits(count), await directory.admits(count)];
    expect(await admitted()).toEqual([true, true]);
    expect(await admitted()).toEqual([false, false]);
    pass(SECOND_MS - 1);
    expect(await directory.admits(count)).toBe(false);
    pass(1);
    expect(await directory.admits(count)).toBe(true);
    expect(await everythingIn(directory)).toEqual(nothing);
  });

  test("counts on when the movable clock is moved", async () => {
    const account = new Account();
    await account.createKey(P);
    const directory = account.directory(P);
    const count = { name: "CreateKey", perSecond: 1, requests: 1 };
    expect(await directory.admits(count)).toBe(true);
    await directory.moveClock(100 * SECOND_MS);
    expect(await directory.admits(count)).toBe(false);
  });
});

describe("a key set", () => {
  useTestClock();

  test("asks before the key is used, by the quota of its spec", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    expect(await answerOf(account, KeyId, "Symmetric=1,RSA=0")).toHaveProperty("output");
    expect(await answerOf(account, KeyId, "Symmetric=1,RSA=0")).toEqual(THROTTLED);
    expect(await answerOf(account, KeyId, "Symmetric=1", "DescribeKey")).toHaveProperty("output");
    expect(await answerOf(account, KeyId, "RSA=0")).toHaveProperty("output");
    pass(SECOND_MS);
    expect(await answerOf(account, KeyId, "Symmetric=1")).toHaveProperty("output");
  });

  test("asks nobody where no quotas are held", async () => {
    const admits = vi.spyOn(DirectoryObject.prototype, "admits");
    const account = new Account();
    const KeyId = await account.createKey(P);
    await account.encrypt(P, KeyId);
    expect(await answerOf(account, KeyId, "off")).toHaveProperty("output");
    expect(admits).not.toHaveBeenCalled();
    expect(await answerOf(account, KeyId, "Symmetric=1")).toHaveProperty("output");
    expect(admits).toHaveBeenCalledOnce();
  });
});
