// Grants as objects keep and tell them: rows of their own, folders of before, and an index in the
// directory of the account that may retire them, which loses nothing and shows nothing twice.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import type { GrantNews } from "../../src/domain/retirable-grant.ts";
import { DirectoryObject } from "../../src/index.ts";
import {
  Account,
  alarmOf,
  crash,
  DAY_MS,
  errorsLogged,
  everythingIn,
  inside,
  loseAlarm,
  nothing,
  pass,
  rowsOf,
  rowsWritten,
  SECOND_MS,
  useTestClock,
} from "./account.ts";

const [P, R] = ["us-east-1", "eu-west-1"] as const;

interface Created {
  readonly GrantId: string;
  readonly GrantToken: string;
}

const userOf = ({ id }: Account, name = "Retiring") => `arn:aws:iam::${id}:user/${name}`;

const grant = (account: Account, KeyId: string, more: object = {}, region: string = P) =>
  account.call<Created>(region, "CreateGrant", {
    KeyId,
    GranteePrincipal: userOf(account, "Grantee"),
    Operations: ["Encrypt"],
    ...more,
  });

async function listed(account: Account, operation: string, input: object, region: string) {
  type Page = { Grants: { GrantId: string }[]; NextMarker?: string };
  const ids: string[] = [];
  for (let Marker: string | undefined, first = true; first || Marker; first = false) {
    const page: Page = await account.call(region, operation, { ...input, Limit: 100, Marker });
    ids.push(...page.Grants.map(({ GrantId }) => GrantId));
    Marker = page.NextMarker;
  }
  return ids;
}

const listGrants = (account: Account, KeyId: string, region: string = P) =>
  listed(account, "ListGrants", { KeyId }, region);

const listRetirable = (account: Account, region: string = P) =>
  listed(account, "ListRetirableGrants", { RetiringPrincipal: userOf(account) }, region);

/** Makes an account's directories refuse to be told of grants; `end` puts them right again. */
function outage(account: Account) {
  const errors = errorsLogged();
  const applyGrants = DirectoryObject.prototype.applyGrants;
  const spy = vi.spyOn(DirectoryObject.prototype, "applyGrants").mockImplementation(function (
    this: DirectoryObject,
    news,
  ) {
    const { name = "" } = (this as unknown as { ctx: DurableObjectState }).ctx.id;
    if (name.includes(`/${account.id}/`)) throw new Error("out of order");
    return applyGrants.call(this, news);
  });
  return { end: () => spy.mockRestore(), errors };
}

/** Keeps what directories are told from them, to be delivered by hand. */
function intercepted() {
  const kept: (readonly GrantNews["about"][])[] = [];
  const spy = vi.spyOn(DirectoryObject.prototype, "applyGrants").mockImplementation(function (
    this: DirectoryObject,
    news,
  ) {
    kept.push(structuredClone(news));
    return this.join();
  });
  return { kept, end: () => spy.mockRestore() };
}

const outboxOf = (account: Account, keyId: string) =>
  rowsOf<{ accountId: string; subject: string }>(account.keySet(keyId), "grantOutbox");

/** Runs the alarm until none is set for the time being. */
async function settle(account: Account, keyId: string): Promise<void> {
  for (let due = 0; due <= Date.now(); due = (await alarmOf(account.keySet(keyId))) ?? Infinity) {
    await runDurableObjectAlarm(account.keySet(keyId));
    pass(2 * SECOND_MS);
  }
}

describe("grants in storage", () => {
  useTestClock();

  test("are rows of their own: one more writes one more, however many there are", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    const written = async (run: () => Promise<unknown>) => {
      const before = await rowsWritten(account.keySet(KeyId));
      await run();
      return (await rowsWritten(account.keySet(KeyId))) - before;
    };
    await grant(account, KeyId); // With the secret of the set's tokens.
    expect(await written(() => grant(account, KeyId))).toBe(1);
    for (let count = 0; count < 200; count += 1) await grant(account, KeyId);
    expect(await written(() => grant(account, KeyId))).toBe(1);
    const { GrantId } = await grant(account, KeyId, { Name: "again" });
    expect(await written(() => grant(account, KeyId, { Name: "again" }))).toBe(0);
    expect(await written(() => account.call(P, "ListGrants", { KeyId }))).toBe(0);
    expect(await written(() => account.call(P, "RevokeGrant", { KeyId, GrantId }))).toBe(1);
    expect(await rowsOf(account.keySet(KeyId), "keyGrant")).toHaveLength(203);
    // A change of the key writes none of them.
    expect(await written(() => account.call(P, "DisableKey", { KeyId }))).toBe(1);
  });

  test("come to more than a value may have, and come back after a crash", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    const EncryptionContextEquals = Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [`${index}`.repeat(1000), "v".repeat(384)]),
    );
    const Constraints = { EncryptionContextEquals };
    const made: Created[] = [];
    for (let count = 0; count < 250; count += 1) {
      made.push(await grant(account, KeyId, { Constraints }));
    }
    const tables = await everythingIn(account.keySet(KeyId));
    const lengths = Object.values(tables.tables)
      .flat()
      .flatMap((row) => Object.values(row).map((value) => String(value).length));
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBeGreaterThan(2_500_000);
    expect(Math.max(...lengths)).toBeLessThan(20_000);
    await crash(account.keySet(KeyId));
    const ids = made.map(({ GrantId }) => GrantId).sort();
    expect(await listGrants(account, KeyId)).toEqual(ids);
    expect(await listGrants(account, KeyId, R)).toEqual([]);
    const [first] = made;
    await account.call(P, "RetireGrant", { GrantToken: first?.GrantToken });
    await evictDurableObject(account.keySet(KeyId));
    expect(await listGrants(account, KeyId)).toEqual(ids.filter((id) => id !== first?.GrantId));
  });

  test("go with a replica's row, and with the whole set", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    pass(2 * SECOND_MS);
    await grant(account, KeyId);
    await grant(account, KeyId, {}, R);
    const regions = async () =>
      (await rowsOf<{ region: string }>(account.keySet(KeyId), "keyGrant")).map(
        (row) => row.region,
      );
    expect((await regions()).sort()).toEqual([R, P].sort());
    await account.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    pass(7 * DAY_MS);
    await runDurableObjectAlarm(account.keySet(KeyId));
    expect(await regions()).toEqual([P]);
    await account.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    pass(7 * DAY_MS);
    await settle(account, KeyId);
    expect(await everythingIn(account.keySet(KeyId))).toEqual(nothing);
  });

  test("of a folder that knew none: its keys have none, and take some", async () => {
    const account = new Account();
    const KeyId = await account.createSet(P, R);
    pass(2 * SECOND_MS);
    await account.call(P, "CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId });
    const ciphertext = await account.encrypt(P, KeyId);
    await inside(account.keySet(KeyId), ({ storage: { sql } }) => {
      sql.exec("DROP TABLE keyGrant; DROP TABLE grantOutbox; DELETE FROM migration WHERE step = 2");
    });
    await inside(account.directory(P), ({ storage: { sql } }) => {
      for (const table of ["retirableGrant", "grantedKey", "keyStore", "keyInStore"]) {
        sql.exec(`DROP TABLE ${table}`);
      }
      sql.exec("DELETE FROM migration WHERE step > 2");
    });
    await crash(account.keySet(KeyId)); // Evicting it would wait until the last use is saved.
    await evictDurableObject(account.directory(P));
    expect(await account.decrypt(R, ciphertext)).toBe("text");
    expect(await account.listAliases(P)).toEqual({ "alias/a": KeyId });
    expect(await listGrants(account, KeyId)).toEqual([]);
    expect(await listRetirable(account)).toEqual([]);
    const { GrantId } = await grant(account, KeyId, { RetiringPrincipal: userOf(account) });
    await crash(account.keySet(KeyId));
    await evictDurableObject(account.directory(P));
    expect(await listGrants(account, KeyId)).toEqual([GrantId]);
    expect(await listRetirable(account)).toEqual([GrantId]);
  });
});

describe("the index of retirable grants", () => {
  useTestClock();

  test("is told before the answer, in whatever account it is", async () => {
    const [owner, retirer] = [new Account(), new Account()];
    const KeyId = await owner.createKey(P);
    const { GrantId } = await grant(owner, KeyId, { RetiringPrincipal: userOf(retirer) });
    expect(await listRetirable(retirer)).toEqual([GrantId]);
    expect(await retirer.listKeys(P)).toEqual([]);
    const input = { KeyId: `arn:aws:kms:${P}:${owner.id}:key/${KeyId}`, GrantId };
    await retirer.call(P, "RetireGrant", input);
    expect(await listRetirable(retirer)).toEqual([]);
    expect(await listGrants(owner, KeyId)).toEqual([]);
    await settle(owner, KeyId);
    expect(await outboxOf(owner, KeyId)).toEqual([]);
    expect(await alarmOf(owner.keySet(KeyId))).toBeNull();
  });

  test("that cannot be told hears of everything later, once", async () => {
    const [owner, retirer] = [new Account(), new Account()];
    const KeyId = await owner.createKey(P);
    const RetiringPrincipal = userOf(retirer);
    const { end, errors } = outage(retirer);
    const [one, two] = [
      await grant(owner, KeyId, { RetiringPrincipal }),
      await grant(owner, KeyId, { RetiringPrincipal }),
    ];
    await owner.call(P, "RevokeGrant", { KeyId, GrantId: one.GrantId });
    expect(await listRetirable(retirer)).toEqual([]);
    // The key, the one grant as gone, the other.
    expect(await outboxOf(owner, KeyId)).toHaveLength(3);
    pass(2 * SECOND_MS);
    await runDurableObjectAlarm(owner.keySet(KeyId));
    expect(await listRetirable(retirer)).toEqual([]);
    expect(await alarmOf(owner.keySet(KeyId))).toBe(Date.now() + 2 * SECOND_MS);
    expect(errors.every((line) => line.includes("out of order"))).toBe(true);
    await evictDurableObject(owner.keySet(KeyId));
    end();
    await settle(owner, KeyId);
    expect(await listRetirable(retirer)).toEqual([two.GrantId]);
    expect(await outboxOf(owner, KeyId)).toEqual([]);
    expect(await alarmOf(owner.keySet(KeyId))).toBeNull();
  });

  test("of one account does not keep that of another from being told", async () => {
    const [owner, lost, retirer] = [new Account(), new Account(), new Account()];
    const KeyId = await owner.createKey(P);
    const { end } = outage(lost);
    await grant(owner, KeyId, { RetiringPrincipal: userOf(lost) });
    await grant(owner, KeyId, { RetiringPrincipal: userOf(retirer) });
    expect(await listRetirable(retirer)).toHaveLength(1);
    await runDurableObjectAlarm(owner.keySet(KeyId));
    const waiting = (await outboxOf(owner, KeyId)).map(({ accountId }) => accountId);
    expect(waiting).toEqual([lost.id, lost.id]);
    end();
    await settle(owner, KeyId);
    expect(await listRetirable(lost)).toHaveLength(1);
  });

  test("a crash after the grant was saved and before it was told loses nothing", async () => {
    const owner = new Account();
    const KeyId = await owner.createKey(P);
    const RetiringPrincipal = userOf(owner);
    let reached: () => void = () => {};
    const saved = new Promise<void>((resolve) => {
      reached = resolve;
    });
    errorsLogged();
    const spy = vi
      .spyOn(DirectoryObject.prototype, "applyGrants")
      .mockImplementation(() => new Promise(() => reached()));
    const answer = owner.send(P, "CreateGrant", {
      KeyId,
      GranteePrincipal: RetiringPrincipal,
      RetiringPrincipal,
      Operations: ["Encrypt"],
    });
    await saved;
    await crash(owner.keySet(KeyId));
    expect((await answer).status).toBe(500);
    spy.mockRestore();
    const [GrantId] = await listGrants(owner, KeyId);
    expect(await listRetirable(owner)).toEqual([]);
    await settle(owner, KeyId);
    expect(await listRetirable(owner)).toEqual([GrantId]);
  });

  test("was told, and a crash came before that was remembered: it is told again", async () => {
    const owner = new Account();
    const KeyId = await owner.createKey(P);
    const { GrantId } = await grant(owner, KeyId, { RetiringPrincipal: userOf(owner) });
    await crash(owner.keySet(KeyId));
    expect(await outboxOf(owner, KeyId)).toHaveLength(2);
    await settle(owner, KeyId);
    expect(await listRetirable(owner)).toEqual([GrantId]);
    expect(await outboxOf(owner, KeyId)).toEqual([]);
  });

  test("is right in whatever order, and however often, it is told", async () => {
    const owner = new Account();
    const KeyId = await owner.createSet(P, R);
    pass(2 * SECOND_MS);
    const RetiringPrincipal = userOf(owner);
    const { kept, end } = intercepted();
    const one = await grant(owner, KeyId, { RetiringPrincipal }, R);
    await grant(owner, KeyId, { RetiringPrincipal }, R);
    await owner.call(R, "RevokeGrant", { KeyId, GrantId: one.GrantId });
    await owner.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    pass(7 * DAY_MS);
    await owner.call(P, "ReplicateKey", { KeyId, ReplicaRegion: R });
    pass(2 * SECOND_MS);
    const last = await grant(owner, KeyId, { RetiringPrincipal }, R);
    end();
    const messages = kept.flat();
    // Two grants with the key, one gone, the key's date, its end, the new key with a grant.
    expect(messages).toHaveLength(8);
    let state = 7;
    const random = () => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      return state / 2 ** 31;
    };
    for (let round = 0; round < 40; round += 1) {
      const directory = new Account().directory(R);
      const twice = [...messages, ...messages];
      const order = twice.map((about) => ({ about, by: random() })).sort((a, b) => a.by - b.by);
      for (const { about } of order) await directory.applyGrants([about]);
      const found = await rowsOf<{ grantId: string; principal: string | null }>(
        directory,
        "retirableGrant",
      );
      const live = found.filter(({ principal }) => principal !== null);
      expect(live.map(({ grantId }) => grantId)).toEqual([last.GrantId]);
    }
  });

  test("shows no grant of a key that is gone, though nobody says so", async () => {
    const [owner, retirer] = [new Account(), new Account()];
    const KeyId = await owner.createKey(P);
    await grant(owner, KeyId, { RetiringPrincipal: userOf(retirer) });
    await owner.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await settle(owner, KeyId);
    await loseAlarm(owner.keySet(KeyId));
    pass(7 * DAY_MS - 10 * SECOND_MS);
    expect(await listRetirable(retirer)).toHaveLength(1);
    pass(10 * SECOND_MS);
    expect(await listRetirable(retirer)).toEqual([]);
    expect(await rowsOf(retirer.directory(P), "retirableGrant")).toHaveLength(1);
    expect(await owner.stateOf(P, KeyId)).toBeNull();
    await settle(owner, KeyId);
    expect(await rowsOf(retirer.directory(P), "retirableGrant")).toEqual([]);
    expect(await everythingIn(owner.keySet(KeyId))).toEqual(nothing);
  });

  test("hears of very many grants, some at a time", async () => {
    const [owner, retirer] = [new Account(), new Account()];
    const KeyId = await owner.createKey(P);
    const RetiringPrincipal = userOf(retirer);
    const made: string[] = [];
    const { end } = intercepted();
    for (let count = 0; count < 1100; count += 1) {
      made.push((await grant(owner, KeyId, { RetiringPrincipal })).GrantId);
    }
    end();
    await crash(owner.keySet(KeyId)); // And with it the belief that they were told.
    expect(await listRetirable(retirer)).toEqual([]);
    const applyGrants = vi.spyOn(DirectoryObject.prototype, "applyGrants");
    await settle(owner, KeyId);
    expect(applyGrants.mock.calls.map(([news]) => news.length)).toEqual([500, 500, 101]);
    expect(await listRetirable(retirer)).toEqual(made.sort());
    expect(await outboxOf(owner, KeyId)).toEqual([]);
  });

  test("is asked in vain where nobody was told anything, and nothing is left there", async () => {
    const account = new Account();
    expect(await listRetirable(account)).toEqual([]);
    expect(await everythingIn(account.directory(P))).toEqual(nothing);
  });
});

test("the step of RetireGrant is no operation", async () => {
  const account = new Account();
  expect(await account.refusal(P, "RetireGrantOfKey", {})).toBe("UnknownOperationException");
});
