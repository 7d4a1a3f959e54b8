// Custom key stores in their Durable Objects: what a directory keeps of them, what a key asks, and what
// is left when something comes in between.

import { evictDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { DirectoryObject } from "../../src/index.ts";
import {
  Account,
  crash,
  DAY_MS,
  everythingIn,
  inside,
  nothing,
  pass,
  rowsOf,
  rowsWritten,
  SECOND_MS,
  tenant,
  useTestClock,
} from "./account.ts";

const P = "us-east-1";
const CLUSTER = "cluster-2a34b5cdefg";

vi.setConfig({ testTimeout: 30_000 });
useTestClock();

const STORE = {
  CustomKeyStoreName: "store",
  CloudHsmClusterId: CLUSTER,
  KeyStorePassword: "password",
  TrustAnchorCertificate: "CA",
};

const create = async (account: Account) =>
  (await account.call<{ CustomKeyStoreId: string }>(P, "CreateCustomKeyStore", STORE))
    .CustomKeyStoreId;

async function connected(account: Account): Promise<string> {
  const CustomKeyStoreId = await create(account);
  await account.call(P, "ConnectCustomKeyStore", { CustomKeyStoreId });
  pass(2 * SECOND_MS);
  return CustomKeyStoreId;
}

const stateOf = async (account: Account, CustomKeyStoreId: string) => {
  const { CustomKeyStores } = await account.call<{
    CustomKeyStores: { ConnectionState: string }[];
  }>(P, "DescribeCustomKeyStores", { CustomKeyStoreId });
  return CustomKeyStores[0]?.ConnectionState;
};

const newKey = (account: Account, CustomKeyStoreId: string, more: object = {}) =>
  account.createKey(P, { Origin: "AWS_CLOUDHSM", CustomKeyStoreId, ...more });

/** Says something of a cluster; returns the status of the answer. */
async function say(account: Account, facts: object): Promise<number> {
  const url = `http://localhost/_edge-kms/clusters/${CLUSTER}?account=${account.id}&region=${P}`;
  const { status } = await exports.default.fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(facts),
  });
  return status;
}

describe("a directory", () => {
  test("that is merely asked for key stores leaves nothing behind", async () => {
    const account = new Account();
    const answer = await account.call(P, "DescribeCustomKeyStores");
    expect(answer).toEqual({ CustomKeyStores: [], Truncated: false });
    const CustomKeyStoreId = "cks-1234567890abcdef0";
    const refusal = await account.refusal(P, "ConnectCustomKeyStore", { CustomKeyStoreId });
    expect(refusal).toBe("CustomKeyStoreNotFoundException");
    await account.refusal(P, "CreateKey", { Origin: "AWS_CLOUDHSM", CustomKeyStoreId });
    expect(await everythingIn(account.directory(P))).toEqual(nothing);
  });

  test("keeps its stores, and what was said of clusters, when it is evicted", async () => {
    const account = new Account();
    expect(await say(account, { password: "another-one", hsms: 3 })).toBe(200);
    const id = await create(account);
    await account.call(P, "ConnectCustomKeyStore", { CustomKeyStoreId: id });
    await evictDurableObject(account.directory(P));
    expect(await stateOf(account, id)).toBe("CONNECTING");
    pass(2 * SECOND_MS);
    await evictDurableObject(account.directory(P));
    expect(await stateOf(account, id)).toBe("FAILED");
  });

  test("writes a change of state once, and then nothing for those who look", async () => {
    const account = new Account();
    const id = await connected(account);
    await stateOf(account, id);
    const written = await rowsWritten(account.directory(P));
    for (let n = 0; n < 3; n++) expect(await stateOf(account, id)).toBe("CONNECTED");
    expect(await rowsWritten(account.directory(P))).toBe(written);
  });

  test("made before there were key stores gets the tables for them", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    const directory = account.directory(P);
    await inside(directory, ({ storage: { sql } }) => {
      for (const table of ["keyStore", "keyInStore"]) sql.exec(`DROP TABLE ${table}`);
      sql.exec("DELETE FROM migration WHERE step = 4");
    });
    await evictDurableObject(directory);
    const id = await connected(account);
    expect(await stateOf(account, id)).toBe("CONNECTED");
    expect(await account.listKeys(P)).toEqual([KeyId]);
  });

  test("learns the clock with its first store, and has it moved", async () => {
    const account = new Account();
    await tenant().moveClock({ byMs: DAY_MS });
    const id = await create(account);
    await account.call(P, "ConnectCustomKeyStore", { CustomKeyStoreId: id });
    expect(await stateOf(account, id)).toBe("CONNECTING");
    await tenant().moveClock({ byMs: 2 * SECOND_MS });
    expect(await stateOf(account, id)).toBe("CONNECTED");
  });

  test("of one account knows nothing of another's", async () => {
    const [mine, theirs] = [new Account(), new Account()];
    const CustomKeyStoreId = await connected(mine);
    for (const operation of ["DeleteCustomKeyStore", "DisconnectCustomKeyStore"]) {
      expect(await theirs.refusal(P, operation, { CustomKeyStoreId })).toBe(
        "CustomKeyStoreNotFoundException",
      );
    }
    const input = { Origin: "AWS_CLOUDHSM", CustomKeyStoreId };
    expect(await theirs.refusal(P, "CreateKey", input)).toBe("CustomKeyStoreNotFoundException");
    expect(await mine.refusal("eu-west-1", "CreateKey", input)).toBe(
      "CustomKeyStoreNotFoundException",
    );
  });
});

describe("a key in a store", () => {
  test("is used without a write, in the key set and in the directory", async () => {
    const account = new Account();
    const KeyId = await newKey(account, await connected(account));
    const written = async () => [
      await rowsWritten(account.keySet(KeyId)),
      await rowsWritten(account.directory(P)),
    ];
    const before = await written();
    const blob = await account.encrypt(P, KeyId);
    expect(await account.decrypt(P, blob)).toBe("text");
    expect(await written()).toEqual(before);
  });

  test("is Unavailable at once and comes back, whoever was evicted in between", async () => {
    const account = new Account();
    const CustomKeyStoreId = await connected(account);
    const KeyId = await newKey(account, CustomKeyStoreId);
    await account.call(P, "DisconnectCustomKeyStore", { CustomKeyStoreId });
    expect(await account.stateOf(P, KeyId)).toBe("Unavailable");
    await account.call(P, "DisableKey", { KeyId });
    pass(2 * SECOND_MS);
    await evictDurableObject(account.keySet(KeyId));
    expect(await account.stateOf(P, KeyId)).toBe("Unavailable");
    await account.call(P, "ConnectCustomKeyStore", { CustomKeyStoreId });
    pass(2 * SECOND_MS);
    await evictDurableObject(account.directory(P));
    expect(await account.stateOf(P, KeyId)).toBe("Disabled");
  });

  test("that is refused otherwise leaves nothing in the store", async () => {
    const account = new Account();
    const CustomKeyStoreId = await connected(account);
    const input = { Origin: "AWS_CLOUDHSM", CustomKeyStoreId, Policy: "no policy" };
    expect(await account.refusal(P, "CreateKey", input)).toBe("MalformedPolicyDocumentException");
    expect(await rowsOf(account.directory(P), "keyInStore")).toEqual([]);
  });

  test("that a crash kept from being created is forgotten after a minute", async () => {
    const account = new Account();
    const id = await connected(account);
    const caller = { accountId: account.id, region: P } as const;
    const wanted = { id, type: "AWS_CLOUDHSM", xksKeyId: null } as const;
    const keyId = "1234abcd-12ab-34cd-56ef-1234567890ab";
    await account.directory(P).admitKey({ keyId, wanted, caller, requestId: "r" });
    await crash(account.keySet(keyId));
    await account.call(P, "DisconnectCustomKeyStore", { CustomKeyStoreId: id });
    pass(2 * SECOND_MS);
    const remove = { CustomKeyStoreId: id };
    expect(await account.refusal(P, "DeleteCustomKeyStore", remove)).toBe(
      "CustomKeyStoreHasCMKsException",
    );
    pass(60 * SECOND_MS);
    await account.call(P, "DeleteCustomKeyStore", remove);
    expect(await rowsOf(account.directory(P), "keyInStore")).toEqual([]);
    expect(await rowsOf(account.directory(P), "keyStore")).toEqual([]);
  });

  test("is gone from the store on the day of its deletion, told or not", async () => {
    const account = new Account();
    const CustomKeyStoreId = await connected(account);
    const KeyId = await newKey(account, CustomKeyStoreId);
    await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await account.call(P, "DisconnectCustomKeyStore", { CustomKeyStoreId });
    pass(7 * DAY_MS - SECOND_MS);
    expect(await account.refusal(P, "DeleteCustomKeyStore", { CustomKeyStoreId })).toBe(
      "CustomKeyStoreHasCMKsException",
    );
    pass(SECOND_MS);
    await account.call(P, "DeleteCustomKeyStore", { CustomKeyStoreId });
  });
});

test("the control API of clusters wants a token of a server that serves callers it knows", async () => {
  const { auth, ...rest } = { auth: env.AUTH, ...env };
  expect(auth).toBe("open");
  const { app } = await import("../../src/app.ts");
  const url = `http://localhost/_edge-kms/clusters/${CLUSTER}`;
  for (const AUTH of ["required", "open"]) {
    const response = await app.request(url, {}, { ...rest, AUTH } as unknown as Env);
    expect(`${AUTH} ${response.status}`).toBe(`${AUTH} ${AUTH === "open" ? 200 : 401}`);
  }
});

test("a creation is refused for its own reason, though its place cannot be given up", async () => {
  const account = new Account();
  const CustomKeyStoreId = await connected(account);
  vi.spyOn(console, "error").mockImplementation(() => {});
  const release = vi.spyOn(DirectoryObject.prototype, "releaseKey").mockImplementation(() => {
    throw new Error("out of order");
  });
  const input = { Origin: "AWS_CLOUDHSM", CustomKeyStoreId, Policy: "{" };
  expect(await account.refusal(P, "CreateKey", input)).toBe("MalformedPolicyDocumentException");
  expect(release).toHaveBeenCalledOnce();
});

test("a directory asked of a cluster remembers nothing of that", async () => {
  const account = new Account();
  const url = `http://localhost/_edge-kms/clusters/${CLUSTER}?account=${account.id}`;
  const response = await exports.default.fetch(url);
  expect(await response.json()).toMatchObject({ id: CLUSTER, state: "ACTIVE", hsms: 2 });
  expect(await everythingIn(account.directory(P))).toEqual(nothing);
});
