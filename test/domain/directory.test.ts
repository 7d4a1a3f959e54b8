// What the directories of an account are told of its keys, and the rules for the names of aliases.
// https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html

import { describe, expect, it } from "vitest";
import {
  announce,
  directoryEntry,
  requireAliasName,
  requireKeyTarget,
} from "../../src/domain/directory.ts";
import { type Key, type KeySet, withKeys, withoutKey } from "../../src/domain/key-set.ts";
import { isAwsAlias, predefinedAliases } from "../../src/domain/managed-key.ts";
import type { Region } from "../../src/domain/region.ts";
import { outcome } from "../support/core.ts";

const KEY_ID = "mrk-1234abcd12ab34cd56ef1234567890ab";
const [P, R] = ["us-east-1", "eu-west-1"] as const;

const key = (region: Region, more: Partial<Key> = {}): Key => ({
  region,
  state: "Enabled",
  createdAt: 1,
  readyAt: 1,
  deletionAt: null,
  waitingPeriodDays: null,
  description: "",
  policy: "",
  tags: [],
  imported: {},
  grants: [],
  ...more,
});

const set: KeySet = {
  accountId: "111122223333",
  keyId: KEY_ID,
  multiRegion: true,
  keySpec: "SYMMETRIC_DEFAULT",
  keyUsage: "ENCRYPT_DECRYPT",
  origin: "AWS_KMS",
  primaryRegion: P,
  update: null,
  pendingMaterial: null,
  materials: [{ id: "0", made: { bytes: "0" }, description: null, rotation: null }],
  rotation: null,
  rotationInProgress: null,
  keys: { [P]: key(P), [R]: key(R, { createdAt: 2 }) },
  version: 5,
};

const shared = { keyId: KEY_ID, keySpec: "SYMMETRIC_DEFAULT", keyUsage: "ENCRYPT_DECRYPT" };
const entries = (before: KeySet | null, after: KeySet | null) =>
  Object.fromEntries(announce(before, after).entries);

describe("what a directory is told", () => {
  it("is the key's presence, its date, and from when on it is gone", () => {
    expect(directoryEntry(set, R)).toEqual({
      ...shared,
      version: 5,
      present: true,
      createdAt: 2,
      goneAt: null,
    });
    const pending = key(R, { state: "PendingDeletion", deletionAt: 99, createdAt: 2 });
    expect(directoryEntry(withKeys(set, pending), R).goneAt).toBe(99);
    expect(directoryEntry(withoutKey(set, R), R)).toMatchObject({ present: false, goneAt: null });
  });

  it("of a new set: every Region, with the first version", () => {
    const told = entries(null, { ...set, version: 0 });
    expect(Object.keys(told)).toEqual([P, R]);
    expect(told[P]).toMatchObject({ version: 1, present: true, createdAt: 1 });
  });

  it("of a change that is none of a directory's: nothing, and the version stays", () => {
    const changes = [
      set,
      withKeys(set, key(P, { description: "new", tags: [{ TagKey: "a", TagValue: "1" }] })),
      withKeys(set, key(P, { state: "Disabled" })),
      { ...set, rotation: { periodDays: 90, nextAt: 1 } },
    ];
    for (const after of changes) {
      const announced = announce(set, after);
      expect(announced.entries.size).toBe(0);
      expect(announced.set).toBe(after);
    }
  });

  it("of a replica that came: its Region alone, with the next version", () => {
    const { set: saved, entries: told } = announce(withoutKey(set, R), set);
    expect([...told.keys()]).toEqual([R]);
    expect(saved?.version).toBe(6);
    expect(told.get(R)).toMatchObject({ version: 6, present: true });
  });

  it("of a replica that went: that it is absent", () => {
    const told = entries(set, withoutKey(set, R));
    expect(told).toEqual({ [R]: expect.objectContaining({ present: false, version: 6 }) });
  });

  it("of a replica that went and came again unseen: another date", () => {
    const told = entries(set, withKeys(set, key(R, { createdAt: 3 })));
    expect(told).toEqual({ [R]: expect.objectContaining({ present: true, createdAt: 3 }) });
  });

  it("of a deletion that is scheduled, and of one that is cancelled: its instant, or none", () => {
    const pending = withKeys(
      set,
      key(R, { state: "PendingDeletion", deletionAt: 99, createdAt: 2 }),
    );
    expect(entries(set, pending)).toEqual({ [R]: expect.objectContaining({ goneAt: 99 }) });
    expect(entries(pending, set)).toEqual({ [R]: expect.objectContaining({ goneAt: null }) });
  });

  it("of a primary that waits for its replica: its own instant as soon as that one's is known", () => {
    const waits = key(P, { state: "PendingReplicaDeletion", waitingPeriodDays: 7 });
    const waiting = withKeys(set, waits);
    expect(entries(set, waiting)).toEqual({});
    const pending = key(R, { state: "PendingDeletion", deletionAt: 99, createdAt: 2 });
    expect(entries(waiting, withKeys(waiting, pending))).toEqual({
      [R]: expect.objectContaining({ goneAt: 99 }),
      [P]: expect.objectContaining({ goneAt: 99 + 7 * 86_400_000 }),
    });
  });

  it("of a set that is gone: that every key is absent", () => {
    const { set: saved, entries: told } = announce(set, null);
    expect(saved).toBe(null);
    expect([...told.keys()]).toEqual([P, R]);
    for (const entry of told.values()) expect(entry).toMatchObject({ present: false, version: 6 });
  });

  it("of nothing that stays nothing: nothing", () => {
    expect(announce(null, null)).toEqual({ set: null, entries: new Map(), grants: [] });
  });
});

describe("names of aliases", () => {
  const named = (name: string) => outcome(Promise.resolve().then(() => requireAliasName(name)));

  it.for(["alias/a", "alias/a/b", "alias/A-Z_0-9", "alias/aws", "alias/awsome", "alias/alias/a"])(
    "%s is one",
    async (name) => {
      expect(await named(name)).toBe("ok");
    },
  );

  it.for(["a", "Alias/a", "aliases/a", "alias", ""])("%j lacks the prefix", async (name) => {
    expect(await named(name)).toBe(
      'ValidationException: Alias must start with the prefix "alias/". Please see ' +
        "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
    );
  });

  it.for(["alias/aws/s3", "alias/aws/", "alias/aws/mine"])("%s is AWS's own", async (name) => {
    expect(await named(name)).toBe("NotAuthorizedException");
    expect(isAwsAlias(name)).toBe(true);
  });

  it("of a colon are refused as what breaks a rule of the model", async () => {
    expect(await named("alias/a:b")).toBe(
      "ValidationException: alias/a:b contains invalid characters for an alias",
    );
  });

  it.for(["alias/", "alias/a b", "alias/é"])("%s has other characters", async (name) => {
    expect(await named(name)).toBe(
      `InvalidAliasNameException: ${name} contains invalid characters for an alias`,
    );
  });

  it("that AWS keeps are listed in order, each once", () => {
    expect(predefinedAliases).toEqual([...new Set(predefinedAliases)].sort());
    expect(predefinedAliases.every(isAwsAlias)).toBe(true);
  });
});

describe("targets of aliases", () => {
  const target = (keyId: string) => outcome(Promise.resolve().then(() => requireKeyTarget(keyId)));

  it.for(["alias/a", "arn:aws:kms:us-east-1:111122223333:alias/a"])(
    "%s is an alias itself",
    async (keyId) => {
      expect(await target(keyId)).toBe(
        "ValidationException: Aliases must refer to keys. Not aliases",
      );
    },
  );

  it.for([KEY_ID, `arn:aws:kms:us-east-1:111122223333:key/${KEY_ID}`, "nothing", "arn:aws:s3:::a"])(
    "%s is none; whether it is a key is found out later",
    async (keyId) => {
      expect(await target(keyId)).toBe("ok");
    },
  );
});
