// What objects write, and when: the schema in steps, nothing for who merely asks, and whatever time
// did before the answer that shows it.

import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { hasSchema, migrate } from "../../src/objects/migrations.ts";
import { keyOperations } from "../../src/operations/index.ts";
import {
  Account,
  crash,
  DAY_MS,
  everythingIn,
  inside,
  loseAlarm,
  nothing,
  pass,
  rowsOf,
  rowsWritten,
  SECOND_MS,
  storedShared,
  storedState,
  tenant,
  useTestClock,
} from "./account.ts";

const [P, R] = ["us-east-1", "eu-west-1"] as const;
const unknownKeyId = "mrk-0123456789abcdef0123456789abcdef";

describe("the schema", () => {
  useTestClock();

  const steps = [
    "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)",
    "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = 2",
    "INSERT INTO a VALUES (3, 4)",
  ];

  test("of an older version gets the steps it lacks, each once", async () => {
    const stub = new Account().keySet(unknownKeyId);
    const migrateTo = (count: number) =>
      inside(stub, ({ storage }) => {
        storage.transactionSync(() => migrate(storage.sql, steps.slice(0, count)));
        return storage.sql.exec("SELECT * FROM a").toArray();
      });
    expect(await inside(stub, ({ storage }) => hasSchema(storage.sql))).toBe(false);
    expect(await migrateTo(1)).toEqual([{ x: 1 }]);
    expect(await migrateTo(1)).toEqual([{ x: 1 }]);
    const all = [
      { x: 1, y: 2 },
      { x: 3, y: 4 },
    ];
    expect(await migrateTo(3)).toEqual(all);
    expect(await migrateTo(3)).toEqual(all);
    // A database that a newer version has written keeps what it has.
    expect(await migrateTo(2)).toEqual(all);
    expect(await rowsOf(stub, "migration")).toEqual([{ step: 1 }, { step: 2 }, { step: 3 }]);
  });

  test("stays as it was when a step fails", async () => {
    const stub = new Account().keySet(unknownKeyId);
    const failing = [...steps.slice(0, 2), "INSERT INTO nowhere VALUES (1)"];
    await inside(stub, ({ storage }) => {
      storage.transactionSync(() => migrate(storage.sql, steps.slice(0, 1)));
      const run = () => storage.transactionSync(() => migrate(storage.sql, failing));
      expect(run).toThrow("no such table");
    });
    expect(await rowsOf(stub, "migration")).toEqual([{ step: 1 }]);
    expect(await rowsOf(stub, "a")).toEqual([{ x: 1 }]);
  });

  test("is brought up to date when the object wakes, and not written again", async () => {
    const account = new Account();
    for (const stub of [account.keySet(unknownKeyId), account.directory(P)]) {
      await inside(stub, ({ storage }) => storage.transactionSync(() => migrate(storage.sql, [])));
      expect(await rowsOf(stub, "migration")).toEqual([]);
      await evictDurableObject(stub);
      expect((await rowsOf(stub, "migration")).length).toBeGreaterThan(0);
      const migrated = await everythingIn(stub);
      await evictDurableObject(stub);
      expect(await everythingIn(stub)).toEqual(migrated);
      expect(await rowsWritten(stub)).toBe(0);
    }
    const KeyId = await account.createKey(P);
    expect(await account.listKeys(P)).toEqual([KeyId]);
    expect(await account.stateOf(P, unknownKeyId)).toBeNull();
  });
});

describe("who merely asks", () => {
  useTestClock();

  test("for a key that is not there leaves nothing", async () => {
    const account = new Account();
    const Plaintext = btoa("text");
    const KeyId = unknownKeyId;
    const calls: [string, object][] = [
      ["DescribeKey", { KeyId }],
      ["Encrypt", { KeyId, Plaintext }],
      ["EnableKey", { KeyId }],
      ["ScheduleKeyDeletion", { KeyId }],
      ["CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId }],
      ["UpdateAlias", { AliasName: "alias/a", TargetKeyId: KeyId }],
    ];
    for (const [operation, input] of calls) {
      expect(await account.refusal(P, operation, input)).toBe("NotFoundException");
    }
    expect(await everythingIn(account.keySet(KeyId))).toEqual(nothing);
    expect(await everythingIn(account.directory(P))).toEqual(nothing);
  });

  test("a directory in which nothing is leaves nothing", async () => {
    const account = new Account();
    expect(await account.listKeys(P)).toEqual([]);
    expect(await account.listAliases(P)).toEqual({});
    const KeyId = "alias/a";
    expect(await account.refusal(P, "DescribeKey", { KeyId })).toBe("NotFoundException");
    expect(await account.refusal(P, "DeleteAlias", { AliasName: KeyId })).toBe("NotFoundException");
    expect(await account.refusal(P, "ListAliases", { KeyId: unknownKeyId })).toBe(
      "NotFoundException",
    );
    expect(await everythingIn(account.directory(P))).toEqual(nothing);
    const known = await rowsOf<{ accountId: string }>(tenant(), "directory");
    expect(known.map(({ accountId }) => accountId)).not.toContain(account.id);
  });

  test("for a key that is refused to be made leaves no key set", async () => {
    const account = new Account();
    const keySet = account.keySet(unknownKeyId);
    const reply = await keySet.perform({
      operation: "CreateKey",
      input: { Tags: [{ TagKey: "aws:own", TagValue: "" }] },
      caller: { accountId: account.id, region: P },
      accountId: account.id,
      keyId: unknownKeyId,
    });
    expect(reply).toMatchObject({ refusal: { type: "TagException" } });
    expect(await everythingIn(keySet)).toEqual(nothing);
  });
});

describe("a request to which nothing fell due", () => {
  useTestClock();

  test("writes nothing, whatever it asks for", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    await account.call(P, "CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId });
    pass(10 * SECOND_MS);
    expect(await account.stateOf(R, KeyId)).toBe("Enabled");
    const stubs = [account.keySet(KeyId), account.directory(P), account.directory(R), tenant()];
    const written = () => Promise.all(stubs.map(rowsWritten));
    const kept = () => Promise.all(stubs.map(everythingIn));
    const before = [await written(), await kept()];
    const ciphertext = await account.encrypt(P, KeyId);
    expect(await account.decrypt(R, ciphertext)).toBe("text");
    await account.encrypt(P, "alias/a");
    await account.call(P, "GenerateDataKey", { KeyId, KeySpec: "AES_256" });
    await account.call(P, "ReEncrypt", { CiphertextBlob: ciphertext, DestinationKeyId: KeyId });
    for (const operation of ["DescribeKey", "GetKeyPolicy", "ListResourceTags", "EnableKey"]) {
      await account.call(P, operation, { KeyId });
    }
    await account.call(P, "DisableKeyRotation", { KeyId });
    await account.listKeys(P);
    await account.listAliases(R);
    await account.refusal(P, "CancelKeyDeletion", { KeyId });
    await account.refusal(R, "RotateKeyOnDemand", { KeyId });
    await account.refusal(R, "Encrypt", { KeyId: "alias/a", Plaintext: btoa("text") });
    await account.refusal(P, "CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId });
    await tenant().clock();
    expect([await written(), await kept()]).toEqual(before);
  });
});

interface Shared {
  readonly rotationInProgress: { readonly material: { readonly id: string } } | null;
}

describe("what time did", () => {
  useTestClock();

  /** A key whose automatic rotation is due, which nobody has noticed yet. */
  async function overdueKey(account: Account): Promise<string> {
    const KeyId = await account.createSet(P, R);
    pass(2 * SECOND_MS);
    await account.call(P, "EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
    await loseAlarm(account.keySet(KeyId));
    pass(90 * DAY_MS);
    return KeyId;
  }

  test("a rotation that a request finds due is saved before its answer", async () => {
    const account = new Account();
    const KeyId = await overdueKey(account);
    pass(SECOND_MS);
    const keySet = account.keySet(KeyId);
    expect(await rowsOf(keySet, "material")).toHaveLength(1);
    const ciphertext = await account.encrypt(R, KeyId, "by the new material");
    await crash(keySet);
    expect(await rowsOf(account.keySet(KeyId), "material")).toHaveLength(2);
    expect(await account.decrypt(P, ciphertext)).toBe("by the new material");
    await abortAllDurableObjects();
    expect(await account.decrypt(R, ciphertext)).toBe("by the new material");
  });

  test("the material of a rotation under way is the same after a crash", async () => {
    const account = new Account();
    const KeyId = await overdueKey(account);
    const keySet = account.keySet(KeyId);
    await account.describe(P, KeyId);
    const { rotationInProgress } = await storedShared<Shared>(keySet);
    await crash(keySet);
    pass(SECOND_MS);
    const { CurrentKeyMaterialId } = await account.describe(R, KeyId);
    expect(CurrentKeyMaterialId).toBe(rotationInProgress?.material.id);
  });

  test("is saved where the request itself is refused", async () => {
    const account = new Account();
    const KeyId = await overdueKey(account);
    const keySet = account.keySet(KeyId);
    expect(await account.refusal(R, "DisableKeyRotation", { KeyId })).toBe(
      "UnsupportedOperationException",
    );
    const { rotationInProgress } = await storedShared<Shared>(keySet);
    expect(rotationInProgress).not.toBeNull();
    await account.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await loseAlarm(keySet);
    pass(7 * DAY_MS);
    expect(await storedState(keySet, R)).toBe("PendingDeletion");
    expect(await account.refusal(R, "CancelKeyDeletion", { KeyId })).toBe("NotFoundException");
    expect(await storedState(keySet, R)).toBeUndefined();
  });

  test("is saved where a use of the key fails after its check", async () => {
    const account = new Account();
    const KeyId = await overdueKey(account);
    const ciphertext = await account.encrypt(P, KeyId);
    pass(SECOND_MS);
    const input = { CiphertextBlob: ciphertext, EncryptionContext: { not: "this" } };
    expect(await account.refusal(R, "Decrypt", input)).toBe("InvalidCiphertextException");
    expect(await rowsOf(account.keySet(KeyId), "material")).toHaveLength(2);
  });
});

test("the steps of operations are not operations", async () => {
  const account = new Account();
  for (const step of ["CreateAliasTarget", "PutNewAlias", "ReEncryptFrom", "ReEncryptTo"]) {
    expect(await account.refusal(P, step, {})).toBe("UnknownOperationException");
  }
  expect(Object.keys(keyOperations)).toContain("ReEncryptFrom");
});
