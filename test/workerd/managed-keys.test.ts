// AWS managed keys on real objects: two first uses at once make one key, and a crash in between
// neither loses nor doubles anything.

import { runDurableObjectAlarm } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { managedKeyId } from "../../src/domain/managed-key.ts";
import { DirectoryObject } from "../../src/index.ts";
import {
  Account,
  crash,
  everythingIn,
  nothing,
  pass,
  rowsOf,
  rowsWritten,
  SECOND_MS,
  useTestClock,
} from "./account.ts";

const P = "us-east-1";
const S3 = "alias/aws/s3";

useTestClock();

const idOf = (account: Account) => managedKeyId(account.id, P, S3);
const dataKey = (account: Account) =>
  account.call<{ KeyId: string; KeyMaterialId: string; CiphertextBlob: string }>(
    P,
    "GenerateDataKey",
    { KeyId: S3, KeySpec: "AES_256" },
  );

test("first uses at once make one key", async () => {
  const account = new Account();
  const uses = await Promise.all([
    ...Array.from({ length: 5 }, () => dataKey(account)),
    account.describe(P, S3),
  ]);
  const keyId = idOf(account);
  const arn = `arn:aws:kms:${P}:${account.id}:key/${keyId}`;
  expect(uses.map((use) => use.KeyId)).toEqual([...Array(5).fill(arn), keyId]);
  expect(await account.listKeys(P)).toEqual([keyId]);
  expect(await account.listAliases(P)).toEqual({ [S3]: keyId });
  expect(await rowsOf(account.keySet(keyId), "material")).toHaveLength(1);
  for (const use of uses.slice(0, 5) as { CiphertextBlob: string }[]) {
    await account.decrypt(P, use.CiphertextBlob);
  }
});

test("a crash before the key is saved leaves nothing; the next use makes the same key", async () => {
  const account = new Account();
  const keySet = () => account.keySet(idOf(account));
  const reached = Promise.withResolvers<void>();
  vi.spyOn(console, "log").mockImplementation(() => {});
  const spy = vi.spyOn(DirectoryObject.prototype, "join").mockImplementation(() => {
    reached.resolve();
    return new Promise<number>(() => {});
  });
  void dataKey(account).catch(() => {});
  await reached.promise;
  await crash(keySet());
  spy.mockRestore();
  expect(await everythingIn(keySet())).toEqual(nothing);
  expect(await account.listKeys(P)).toEqual([]);
  const { KeyMaterialId } = await dataKey(account);
  expect(await account.listAliases(P)).toEqual({ [S3]: idOf(account) });
  expect((await account.describe(P, S3)).CurrentKeyMaterialId).toBe(KeyMaterialId);
});

test("a crash before its directory is told loses neither the key nor its alias", async () => {
  const account = new Account();
  const keySet = () => account.keySet(idOf(account));
  const reached = Promise.withResolvers<void>();
  vi.spyOn(console, "log").mockImplementation(() => {});
  const spy = vi.spyOn(DirectoryObject.prototype, "apply").mockImplementation(() => {
    reached.resolve();
    return new Promise<number>(() => {});
  });
  void dataKey(account).catch(() => {});
  await reached.promise;
  await crash(keySet());
  spy.mockRestore();
  expect(await account.listKeys(P)).toEqual([]);
  const { KeyMaterialId } = await dataKey(account);
  expect(await rowsOf(keySet(), "material")).toHaveLength(1);
  pass(2 * SECOND_MS);
  await runDurableObjectAlarm(keySet());
  expect(await account.listKeys(P)).toEqual([idOf(account)]);
  expect(await account.listAliases(P)).toEqual({ [S3]: idOf(account) });
  expect((await dataKey(account)).KeyMaterialId).toBe(KeyMaterialId);
});

test("a use by its alias asks no directory, and writes nothing once the key is there", async () => {
  const account = new Account();
  await dataKey(account);
  const keySet = account.keySet(idOf(account));
  const asked = vi.spyOn(DirectoryObject.prototype, "resolveAlias");
  const [written, listed] = [await rowsWritten(keySet), await rowsWritten(account.directory(P))];
  await dataKey(account);
  expect(await rowsWritten(keySet)).toBe(written);
  expect(await rowsWritten(account.directory(P))).toBe(listed);
  expect(asked).not.toHaveBeenCalled();
});

test("a refused first use leaves nothing", async () => {
  const account = new Account();
  const dryRun = { KeyId: S3, KeySpec: "AES_256", DryRun: true };
  expect(await account.refusal(P, "GenerateDataKey", dryRun)).toBe("DryRunOperationException");
  expect(await account.refusal(P, "Sign", { ...SIGN, KeyId: S3 })).toBe("AccessDeniedException");
  expect(await everythingIn(account.keySet(idOf(account)))).toEqual(nothing);
  expect(await account.listAliases(P)).toEqual({});
});

const SIGN = { Message: btoa("m"), SigningAlgorithm: "ECDSA_SHA_256" };
