// Multi-Region keys as the Developer Guide and the API reference have them: the rules, numbered, then
// the tables of errors, phases and sequences. Expectations are typed from the documentation.
// https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
// https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html
// https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdatePrimaryRegion.html

import { describe, expect, test } from "vitest";
import { type Key, keyIn, withKeys } from "../../src/domain/key-set.ts";
import type { KeyState } from "../../src/domain/key-state.ts";
import type { Region } from "../../src/domain/region.ts";
import {
  ACCOUNT,
  arnOf,
  base64,
  DAY,
  type KeyMetadata,
  outcome,
  SECOND,
  START,
  unbase64,
  World,
} from "../support/core.ts";
import { ciphertextOutOfReach } from "../support/out-of-reach.ts";

const [P, R, Q, FOURTH] = ["us-west-2", "eu-west-1", "ap-northeast-1", "sa-east-1"] as const;

interface Replicated {
  readonly ReplicaKeyMetadata: KeyMetadata;
  readonly ReplicaPolicy: string;
  readonly ReplicaTags?: readonly { readonly TagKey: string; readonly TagValue: string }[];
}

const replicate = (world: World, from: string, KeyId: string, to: string, more: object = {}) =>
  world.call<Replicated>(from, "ReplicateKey", { KeyId, ReplicaRegion: to, ...more });

const update = (world: World, from: string, KeyId: string, to: string) =>
  world.call(from, "UpdatePrimaryRegion", { KeyId, PrimaryRegion: to });

/** UpdatePrimaryRegion, and the time it takes. */
async function updateCompletely(world: World, from: string, KeyId: string, to: string) {
  await update(world, from, KeyId, to);
  world.pass(world.delays.updatingMs);
}

async function rotate(world: World, region: string, KeyId: string) {
  await world.call(region, "RotateKeyOnDemand", { KeyId });
  world.pass(world.delays.rotatingMs);
}

const related = (region: string, keyId: string) => ({ Arn: arnOf(region, keyId), Region: region });

/** Brings a Region's key into a state by hand, for what no operation of this version leads to. */
function force(world: World, keyId: string, region: Region, state: KeyState) {
  world.checks = false;
  world.edit(keyId, (set) => {
    const deletionAt = state === "PendingDeletion" ? world.now + 30 * DAY : null;
    const key: Key = {
      ...(keyIn(set, region) as Key),
      state,
      deletionAt,
      readyAt: world.now + SECOND,
    };
    return withKeys(set, key);
  });
}

const policyFor = (account: string, sid: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: sid,
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  });

const DEFAULT_POLICY = `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::111122223333:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`;

describe("rules", () => {
  test("1: CreateKey with MultiRegion makes a primary; the property is immutable both ways", async () => {
    const world = new World();
    const multi = await world.createKey(P, { MultiRegion: true });
    expect(multi.MultiRegion).toBe(true);
    expect(multi.MultiRegionConfiguration?.MultiRegionKeyType).toBe("PRIMARY");
    for (const input of [{}, { MultiRegion: false }]) {
      const single = await world.createKey(P, input);
      expect(single.MultiRegion).toBe(false);
      expect(single).not.toHaveProperty("MultiRegionConfiguration");
      const refusal = `UnsupportedOperationException: ${single.Arn} is not a multi-region primary key.`;
      expect(await outcome(replicate(world, P, single.KeyId, R))).toBe(refusal);
    }
    await world.replicate(multi.KeyId, P, R);
    await updateCompletely(world, P, multi.KeyId, R);
    await world.call(P, "ScheduleKeyDeletion", { KeyId: multi.KeyId, PendingWindowInDays: 7 });
    world.pass(7 * DAY);
    expect((await world.describe(R, multi.KeyId)).MultiRegion).toBe(true);
  });

  test("2: the key ID begins with mrk-; related keys share it; ARNs differ only in Region", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R, Q);
    expect(keyId).toMatch(/^mrk-[0-9a-f]{32}$/);
    for (const region of [P, R, Q]) {
      const metadata = await world.describe(region, keyId);
      expect(metadata.KeyId).toBe(keyId);
      expect(metadata.Arn).toBe(`arn:aws:kms:${region}:111122223333:key/${keyId}`);
    }
    const single = await world.createKey(P);
    expect(single.KeyId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test("3: a new primary answers PRIMARY, PrimaryKey = itself, ReplicaKeys = []", async () => {
    const world = new World();
    const metadata = await world.createKey(P, { MultiRegion: true });
    expect(metadata).toEqual({
      AWSAccountId: "111122223333",
      KeyId: metadata.KeyId,
      Arn: `arn:aws:kms:us-west-2:111122223333:key/${metadata.KeyId}`,
      CreationDate: START / 1000,
      Enabled: true,
      Description: "",
      KeyUsage: "ENCRYPT_DECRYPT",
      KeyState: "Enabled",
      Origin: "AWS_KMS",
      KeyManager: "CUSTOMER",
      CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
      KeySpec: "SYMMETRIC_DEFAULT",
      EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
      MultiRegion: true,
      MultiRegionConfiguration: {
        MultiRegionKeyType: "PRIMARY",
        PrimaryKey: { Arn: metadata.Arn, Region: "us-west-2" },
        ReplicaKeys: [],
      },
      CurrentKeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await world.describe(P, metadata.KeyId)).toEqual(metadata);
  });

  test("4: only a primary can be replicated; replicas are made by ReplicateKey, one Region per call", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R);
    const refusal = `UnsupportedOperationException: ${arnOf(R, keyId)} is not a multi-region primary key.`;
    expect(await outcome(replicate(world, R, keyId, Q))).toBe(refusal);
    // Also with its own Region, which has a key: the designation is looked at first.
    expect(await outcome(replicate(world, R, keyId, R))).toBe(refusal);
    const { ReplicaKeyMetadata } = await replicate(world, P, keyId, Q);
    expect(ReplicaKeyMetadata.MultiRegionConfiguration).toEqual({
      MultiRegionKeyType: "REPLICA",
      PrimaryKey: related(P, keyId),
      ReplicaKeys: [related(Q, keyId), related(R, keyId)],
    });
  });

  test("5: at most one related key per Region, also while that one is PendingDeletion", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R);
    const exists = (region: string) =>
      `AlreadyExistsException: ${arnOf(region, keyId)} already exists.`;
    expect(await outcome(replicate(world, P, keyId, R))).toBe(exists(R));
    await world.call(R, "ScheduleKeyDeletion", { KeyId: keyId });
    expect(await outcome(replicate(world, P, keyId, R))).toBe(exists(R));
    await replicate(world, P, keyId, Q);
    expect(await outcome(replicate(world, P, keyId, Q))).toBe(exists(Q));
    expect(await outcome(replicate(world, P, keyId, P))).toBe(exists(P));
  });

  test("6: same partition only, into a Region that has KMS", async () => {
    const world = new World();
    const keyId = await world.createSet(P);
    for (const region of ["cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-north-7"]) {
      const answer = await outcome(replicate(world, P, keyId, region));
      expect(answer).toMatch(/^UnsupportedOperationException: /);
    }
    const chinese = await world.createSet("cn-north-1");
    await replicate(world, "cn-north-1", chinese, "cn-northwest-1");
    const metadata = await world.describe("cn-northwest-1", chinese);
    expect(metadata.Arn).toBe(`arn:aws-cn:kms:cn-northwest-1:111122223333:key/${chinese}`);
  });

  test("7: a replica is Creating for a few seconds: it can be managed, but not used", async () => {
    const world = new World();
    const keyId = await world.createSet(P);
    const blob = await world.encrypt(P, keyId);
    const { ReplicaKeyMetadata } = await replicate(world, P, keyId, R);
    expect(ReplicaKeyMetadata).toMatchObject({ KeyState: "Creating", Enabled: false });
    const creating = `KMSInvalidStateException: ${arnOf(R, keyId)} is creating.`;
    expect(await outcome(world.encrypt(R, keyId))).toBe(creating);
    expect(await outcome(world.decrypt(R, blob))).toBe(creating);
    const tag = { KeyId: keyId, Tags: [{ TagKey: "a", TagValue: "1" }] };
    expect(await outcome(world.call(R, "TagResource", tag))).toBe("ok");
    const alias = { AliasName: "alias/a", TargetKeyId: keyId };
    expect(await outcome(world.call(R, "CreateAlias", alias))).toBe("ok");
    world.pass(2 * SECOND);
    expect(await world.describe(R, keyId)).toMatchObject({ KeyState: "Enabled", Enabled: true });
    expect(unbase64((await world.decrypt(R, blob)).Plaintext)).toBe("text");
  });

  test("8: a replica has the default policy, no description and no tags, whatever the primary has", async () => {
    const world = new World();
    const { KeyId } = await world.createKey(P, {
      MultiRegion: true,
      Description: "the primary",
      Policy: policyFor(ACCOUNT, "of the primary"),
      Tags: [{ TagKey: "of", TagValue: "the primary" }],
    });
    const answer = await replicate(world, P, KeyId, R);
    expect(answer.ReplicaKeyMetadata.Description).toBe("");
    expect(answer.ReplicaPolicy).toBe(DEFAULT_POLICY);
    expect(answer).not.toHaveProperty("ReplicaTags");
    expect(await world.call(R, "GetKeyPolicy", { KeyId })).toEqual({
      Policy: DEFAULT_POLICY,
      PolicyName: "default",
    });
    expect(await world.call(R, "ListResourceTags", { KeyId })).toEqual({
      Tags: [],
      Truncated: false,
    });
    const given = await replicate(world, P, KeyId, Q, {
      Description: "the replica",
      Policy: policyFor(ACCOUNT, "of the replica"),
      Tags: [{ TagKey: "of", TagValue: "the replica" }],
    });
    expect(given.ReplicaKeyMetadata.Description).toBe("the replica");
    expect(given.ReplicaPolicy).toContain('"Sid" : "of the replica"');
    expect(given.ReplicaTags).toEqual([{ TagKey: "of", TagValue: "the replica" }]);
  });

  test("9: key ID, material, spec, usage, origin and automatic rotation are shared", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R);
    await world.call(P, "EnableKeyRotation", { KeyId: keyId, RotationPeriodInDays: 100 });
    const shared = async (region: string) => {
      const { KeyId, KeySpec, KeyUsage, Origin, CurrentKeyMaterialId, MultiRegion } =
        await world.describe(region, keyId);
      const { KeyId: _arn, ...rotation } = await world.rotationStatus(region, keyId);
      return { KeyId, KeySpec, KeyUsage, Origin, CurrentKeyMaterialId, MultiRegion, rotation };
    };
    expect(await shared(R)).toEqual(await shared(P));
    expect((await shared(R)).rotation).toEqual({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 100,
      NextRotationDate: (world.now + 100 * DAY) / 1000,
    });
  });

  test("9: everything else is each key's own", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R, Q);
    const KeyId = keyId;
    const before = await snapshot(world, P, keyId);
    const bystander = await snapshot(world, Q, keyId);
    await world.call(R, "UpdateKeyDescription", { KeyId, Description: "of the replica" });
    await world.call(R, "PutKeyPolicy", { KeyId, Policy: policyFor(ACCOUNT, "replica") });
    await world.call(R, "TagResource", { KeyId, Tags: [{ TagKey: "a", TagValue: "1" }] });
    await world.call(R, "CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId });
    await world.call(R, "DisableKey", { KeyId });
    expect(await snapshot(world, P, keyId)).toEqual(before);
    expect(await snapshot(world, Q, keyId)).toEqual(bystander);
    await world.call(R, "ScheduleKeyDeletion", { KeyId });
    expect(await snapshot(world, P, keyId)).toEqual(before);
    expect(await snapshot(world, Q, keyId)).toEqual(bystander);
    const dates = await Promise.all(
      [P, R, Q].map(async (region) => (await world.describe(region, keyId)).CreationDate),
    );
    expect(dates).toEqual([START, START, START + 2 * SECOND].map((ms) => ms / 1000));
  });

  test("10: UpdatePrimaryRegion names the primary and an existing replica's Region; it creates no key", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R);
    expect(await outcome(update(world, P, keyId, Q))).toBe(
      `NotFoundException: Key '${arnOf(Q, keyId)}' does not exist`,
    );
    expect(await outcome(world.describe(Q, keyId))).toMatch(/^NotFoundException: /);
    // A caller who names the replica, in the replica's Region, is refused.
    expect(await outcome(update(world, R, keyId, R))).toBe(
      `UnsupportedOperationException: ${arnOf(R, keyId)} is not a multi-region primary key.`,
    );
    expect(await outcome(update(world, P, keyId, R))).toBe("ok");
  });

  test("11: both keys must be Enabled when the update starts", async () => {
    for (const region of [P, R]) {
      const world = new World();
      const keyId = await world.createSet(P, R);
      await world.call(region, "DisableKey", { KeyId: keyId });
      const refusal = `DisabledException: ${arnOf(region, keyId)} is disabled.`;
      expect(await outcome(update(world, P, keyId, R))).toBe(refusal);
      await world.call(region, "EnableKey", { KeyId: keyId });
      expect(await outcome(update(world, P, keyId, R))).toBe("ok");
    }
  });

  test("12: afterwards both are Updating, shown as replicas, for a few seconds; then Enabled", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R);
    await update(world, P, keyId, R);
    for (const region of [P, R]) {
      const metadata = await world.describe(region, keyId);
      expect(metadata).toMatchObject({ KeyState: "Updating", Enabled: false });
      expect(metadata.MultiRegionConfiguration?.MultiRegionKeyType).toBe("REPLICA");
    }
    world.pass(2 * SECOND);
    expect(await world.describe(P, keyId)).toMatchObject({
      KeyState: "Enabled",
      MultiRegionConfiguration: { MultiRegionKeyType: "REPLICA" },
    });
    expect(await world.describe(R, keyId)).toMatchObject({
      KeyState: "Enabled",
      MultiRegionConfiguration: { MultiRegionKeyType: "PRIMARY" },
    });
  });

  test("13: while Updating both keys encrypt and decrypt without interruption", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R);
    const before = await world.encrypt(P, keyId, "before");
    await update(world, P, keyId, R);
    for (const region of [P, R]) {
      expect(unbase64((await world.decrypt(region, before)).Plaintext)).toBe("before");
      const during = await world.encrypt(region, keyId, "during");
      expect((await world.decrypt(P, during)).KeyId).toBe(arnOf(P, keyId));
      expect((await world.decrypt(R, during)).KeyId).toBe(arnOf(R, keyId));
      expect((await world.dataKey(region, keyId)).KeyId).toBe(arnOf(region, keyId));
    }
  });

  test("13: while Updating, ReplicateKey of the new primary, EnableKey and DisableKey are refused", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R);
    await update(world, P, keyId, R);
    const updating = (region: string) =>
      `KMSInvalidStateException: ${arnOf(region, keyId)} is updating.`;
    expect(await outcome(replicate(world, R, keyId, Q))).toBe(updating(R));
    for (const region of [P, R]) {
      for (const operation of ["EnableKey", "DisableKey"]) {
        expect(await outcome(world.call(region, operation, { KeyId: keyId }))).toBe(
          updating(region),
        );
      }
    }
  });

  test("14: UpdatePrimaryRegion returns no body", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R);
    expect(await update(world, P, keyId, R)).toBe(null);
  });

  test("15: the update changes no ARN, no shared and no independent property", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R, Q);
    const KeyId = keyId;
    await world.call(P, "EnableKeyRotation", { KeyId, RotationPeriodInDays: 100 });
    for (const region of [P, R, Q]) {
      await world.call(region, "UpdateKeyDescription", { KeyId, Description: region });
      await world.call(region, "PutKeyPolicy", { KeyId, Policy: policyFor(ACCOUNT, region) });
      await world.call(region, "TagResource", {
        KeyId,
        Tags: [{ TagKey: "of", TagValue: region }],
      });
      await world.call(region, "CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId });
    }
    await world.call(Q, "DisableKey", { KeyId });
    const before = await Promise.all([P, R, Q].map((region) => snapshot(world, region, keyId)));
    await updateCompletely(world, P, keyId, R);
    const after = await Promise.all([P, R, Q].map((region) => snapshot(world, region, keyId)));
    expect(after).toEqual(before);
  });

  test("16: other replicas become replicas of the new primary", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R, Q);
    await updateCompletely(world, P, keyId, R);
    expect((await world.describe(Q, keyId)).MultiRegionConfiguration).toEqual({
      MultiRegionKeyType: "REPLICA",
      PrimaryKey: related(R, keyId),
      ReplicaKeys: [related(Q, keyId), related(P, keyId)],
    });
  });

  test("17: shared properties come from the new primary, into the former primary too", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R, Q);
    await updateCompletely(world, P, keyId, R);
    await world.call(R, "EnableKeyRotation", { KeyId: keyId, RotationPeriodInDays: 123 });
    await rotate(world, R, keyId);
    const { CurrentKeyMaterialId } = await world.describe(R, keyId);
    for (const region of [P, Q]) {
      const status = await world.rotationStatus(region, keyId);
      expect(status.RotationPeriodInDays).toBe(123);
      const metadata = await world.describe(region, keyId);
      expect(metadata.CurrentKeyMaterialId).toBe(CurrentKeyMaterialId);
    }
  });

  test("18: rotation is enabled and disabled only on the primary, and copied to replicas", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R);
    const refusal = `UnsupportedOperationException: ${arnOf(R, keyId)} is not a multi-region primary key.`;
    for (const operation of ["EnableKeyRotation", "DisableKeyRotation"]) {
      expect(await outcome(world.call(R, operation, { KeyId: keyId }))).toBe(refusal);
    }
    await world.call(P, "EnableKeyRotation", { KeyId: keyId });
    expect((await world.rotationStatus(R, keyId)).KeyRotationEnabled).toBe(true);
    await world.call(P, "DisableKeyRotation", { KeyId: keyId });
    expect(await world.rotationStatus(R, keyId)).toEqual({
      KeyId: arnOf(R, keyId),
      KeyRotationEnabled: false,
    });
  });

  test("19: new material is not used until it is in the primary and every replica", async () => {
    const world = new World({ creatingMs: 10_000 });
    const keyId = await world.createSet(P, R);
    const { KeyMaterialId: old } = await world.dataKey(P, keyId);
    const used = async () => {
      const keys = await Promise.all([world.dataKey(P, keyId), world.dataKey(R, keyId)]);
      return keys.map((key) => key.KeyMaterialId);
    };
    await replicate(world, P, keyId, Q);
    await world.call(P, "RotateKeyOnDemand", { KeyId: keyId });
    world.pass(9_999); // The rotation itself is over after a second; the third key waits.
    expect(await used()).toEqual([old, old]);
    expect((await world.describe(P, keyId)).CurrentKeyMaterialId).toBe(old);
    world.pass(1);
    const [inP, inR] = await used();
    expect(inP).not.toBe(old);
    expect(inR).toBe(inP);
    expect((await world.dataKey(Q, keyId)).KeyMaterialId).toBe(inP);
  });

  test("20: a new replica of a rotated primary gets the current and all previous materials", async () => {
    const world = new World();
    const keyId = await world.createSet(P);
    const blobs = [await world.encrypt(P, keyId, "0")];
    for (const text of ["1", "2", "3"]) {
      await rotate(world, P, keyId);
      blobs.push(await world.encrypt(P, keyId, text));
    }
    await world.replicate(keyId, P, R);
    const texts = await Promise.all(
      blobs.map(async (blob) => unbase64((await world.decrypt(R, blob)).Plaintext)),
    );
    expect(texts).toEqual(["0", "1", "2", "3"]);
    const all = { IncludeKeyMaterial: "ALL_KEY_MATERIAL" };
    const inReplica = await world.rotations(R, keyId, all);
    expect(inReplica).toHaveLength(4);
    expect(inReplica).toEqual(await world.rotations(P, keyId, all));
  });

  test("21: any related key decrypts any ciphertext of any related key, also one older than itself", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R);
    const context = { EncryptionContext: { purpose: "test" } };
    const blobs = [
      await world.encrypt(P, keyId, "text", context),
      await world.encrypt(R, keyId, "text", context),
    ];
    world.pass(100 * DAY);
    await world.replicate(keyId, P, Q);
    blobs.push(await world.encrypt(Q, keyId, "text", context));
    for (const blob of blobs) {
      for (const region of [P, R, Q]) {
        for (const named of [{}, { KeyId: keyId }, { KeyId: arnOf(region, keyId) }]) {
          const answer = await world.decrypt(region, blob, { ...context, ...named });
          expect(answer.Plaintext).toBe(base64("text"));
          expect(answer.KeyId).toBe(arnOf(region, keyId));
        }
      }
    }
  });

  test.for([
    ["RSA_2048", "SIGN_VERIFY"],
    ["ECC_NIST_P256", "SIGN_VERIFY"],
    ["ECC_NIST_P384", "KEY_AGREEMENT"],
    ["ML_DSA_44", "SIGN_VERIFY"],
  ] as const)(
    "22: the public key of every related %s key is identical",
    async ([KeySpec, KeyUsage]) => {
      const world = new World();
      const { KeyId } = await world.createKey(P, { MultiRegion: true, KeySpec, KeyUsage });
      await world.replicate(KeyId, P, R);
      const publicKey = async (region: string) =>
        (await world.call<{ PublicKey: string }>(region, "GetPublicKey", { KeyId })).PublicKey;
      const other = await world.createKey(P, { MultiRegion: true, KeySpec, KeyUsage });
      expect(await publicKey(R)).toBe(await publicKey(P));
      const foreign = await world.call<{ PublicKey: string }>(P, "GetPublicKey", {
        KeyId: other.KeyId,
      });
      expect(foreign.PublicKey).not.toBe(await publicKey(P));
    },
  );

  test("23: a primary cannot be deleted while replicas exist", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R);
    await world.call(P, "ScheduleKeyDeletion", { KeyId: keyId, PendingWindowInDays: 7 });
    expect((await world.describe(P, keyId)).KeyState).toBe("PendingReplicaDeletion");
    world.pass(3650 * DAY);
    expect((await world.describe(P, keyId)).KeyState).toBe("PendingReplicaDeletion");
  });

  test.todo(
    "24: UpdatePrimaryRegion needs kms:UpdatePrimaryRegion on both keys, each in its Region",
  );
  test.todo(
    "25: ReplicateKey needs kms:ReplicateKey on the primary, kms:CreateKey in the replica's Region, and kms:TagResource with tags",
  );
  test.todo("26: neither operation works across accounts");
  test.todo(
    "27: ReplicateKey is logged as ReplicateKey in the primary's Region and CreateKey in the replica's",
  );
  // 28, the replica of an EXTERNAL primary, is in multi-region-imports.test.ts.
  test.todo(
    "29: CreateKey of a multi-Region key needs iam:CreateServiceLinkedRole; kms:MultiRegionKeyType can limit it",
  );
});

/** All of a key but its state and its place among the related keys. */
async function snapshot(world: World, region: string, keyId: string) {
  const KeyId = keyId;
  const { MultiRegionConfiguration: _place, ...metadata } = await world.describe(region, keyId);
  return {
    metadata,
    policy: await world.call(region, "GetKeyPolicy", { KeyId }),
    tags: await world.call(region, "ListResourceTags", { KeyId }),
    aliases: await world.call(region, "ListAliases", { KeyId }),
    rotation: await world.rotationStatus(region, keyId),
    rotations: await world.rotations(region, keyId, { IncludeKeyMaterial: "ALL_KEY_MATERIAL" }),
  };
}

describe("the answer of ReplicateKey, as recorded on AWS", () => {
  test("everything of a new key but CurrentKeyMaterialId; no ReplicaTags without tags", async () => {
    const world = new World();
    const keyId = await world.createSet("us-east-1");
    world.pass(987);
    const answer = await replicate(world, "us-east-1", keyId, "ap-southeast-1");
    expect(answer).toEqual({
      ReplicaKeyMetadata: {
        AWSAccountId: "111122223333",
        Arn: `arn:aws:kms:ap-southeast-1:111122223333:key/${keyId}`,
        CreationDate: (START + 987) / 1000,
        CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
        Description: "",
        Enabled: false,
        EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
        KeyId: keyId,
        KeyManager: "CUSTOMER",
        KeySpec: "SYMMETRIC_DEFAULT",
        KeyState: "Creating",
        KeyUsage: "ENCRYPT_DECRYPT",
        MultiRegion: true,
        MultiRegionConfiguration: {
          MultiRegionKeyType: "REPLICA",
          PrimaryKey: related("us-east-1", keyId),
          ReplicaKeys: [related("ap-southeast-1", keyId)],
        },
        Origin: "AWS_KMS",
      },
      ReplicaPolicy: DEFAULT_POLICY,
    });
  });

  test("with no delay at all it still says Creating", async () => {
    const world = new World({ creatingMs: 0 });
    const keyId = await world.createSet(P);
    const { ReplicaKeyMetadata } = await replicate(world, P, keyId, R);
    expect(ReplicaKeyMetadata.KeyState).toBe("Creating");
    expect((await world.describe(R, keyId)).KeyState).toBe("Enabled");
  });
});

/** A way to provoke one refusal of an operation: how the set is prepared, and with what input. */
interface Wrong {
  readonly condition: string;
  readonly refusal: string | RegExp;
  readonly prepare?: (world: World, keyId: string) => void;
  readonly input?: object;
}

/** All of a request that is wrong in two ways at once. */
const both = (one: Wrong, two: Wrong) => ({
  prepare(world: World, keyId: string) {
    one.prepare?.(world, keyId);
    two.prepare?.(world, keyId);
  },
  input: { ...two.input, ...one.input },
});

/** Every way to fail two neighbouring checks at once; what one member says it cannot say twice. */
const pairsOf = (checks: readonly (readonly Wrong[])[]) =>
  checks.flatMap((earlier, index) =>
    earlier
      .flatMap((one) => (checks[index + 1] ?? []).map((two) => ({ one, two })))
      .filter(
        ({ one, two }) =>
          !Object.keys(one.input ?? {}).some((name) => two.input && name in two.input),
      ),
  );

describe("errors of ReplicateKey, in the order of the checks", () => {
  // P has a replica in R; ReplicateKey is called in P, into Q unless the case says otherwise.
  const arn = (keyId: string) => arnOf(P, keyId);
  const inState = (state: KeyState) => (world: World, keyId: string) =>
    force(world, keyId, P, state);

  const constraint: Wrong = {
    condition: "1: a member breaks a constraint",
    refusal:
      "ValidationException: 1 validation error detected: Value 'nowhere' at 'replicaRegion' failed " +
      "to satisfy constraint: Member must satisfy regular expression pattern: ^([a-z]+-){2,3}\\d+$",
    input: { ReplicaRegion: "nowhere" },
  };
  const missing: Wrong = {
    condition: "2: the key is not in this Region",
    refusal: "NotFoundException: Key '<arn>' does not exist",
    prepare: (world, keyId) =>
      world.edit(keyId, (set) => ({ ...set, keys: { [R]: keyIn(set, R) as Key } })),
  };
  const replica: Wrong = {
    condition: "4: the key is a replica",
    refusal: "UnsupportedOperationException: <arn> is not a multi-region primary key.",
    prepare: (world, keyId) => world.edit(keyId, (set) => ({ ...set, primaryRegion: R })),
  };
  const single: Wrong = {
    condition: "5: the key is single-Region",
    refusal: "UnsupportedOperationException: <arn> is not a multi-region primary key.",
    prepare: (world, keyId) => world.edit(keyId, (set) => ({ ...set, multiRegion: false })),
  };
  const states: readonly Wrong[] = [
    {
      condition: "6: the primary is Disabled",
      refusal: "DisabledException: <arn> is disabled.",
      prepare: inState("Disabled"),
    },
    {
      condition: "7: the primary is PendingDeletion",
      refusal: "KMSInvalidStateException: <arn> is pending deletion.",
      prepare: inState("PendingDeletion"),
    },
    {
      condition: "7: the primary is PendingReplicaDeletion",
      refusal: "KMSInvalidStateException: <arn> is pending replica deletion.",
      prepare: inState("PendingReplicaDeletion"),
    },
    {
      condition: "8: the primary is PendingImport",
      refusal: "KMSInvalidStateException: <arn> is pending import.",
      prepare: inState("PendingImport"),
    },
    {
      condition: "9: the primary is Updating",
      refusal: "KMSInvalidStateException: <arn> is updating.",
      prepare: inState("Updating"),
    },
  ];
  const regions: readonly Wrong[] = [
    {
      condition: "10: the Region is unknown",
      refusal: /^UnsupportedOperationException: /,
      input: { ReplicaRegion: "us-north-7" },
    },
    {
      condition: "10: the Region is in another partition",
      refusal: /^UnsupportedOperationException: /,
      input: { ReplicaRegion: "cn-north-1" },
    },
  ];
  const taken: readonly Wrong[] = [
    {
      condition: "11: the Region is the primary's",
      refusal: "AlreadyExistsException: <arn> already exists.",
      input: { ReplicaRegion: P },
    },
    {
      condition: "11: the Region has a replica already",
      refusal:
        /^AlreadyExistsException: arn:aws:kms:eu-west-1:111122223333:key\/mrk-\w+ already exists\.$/,
      input: { ReplicaRegion: R },
    },
  ];
  const policies: readonly Wrong[] = [
    {
      condition: "13: the policy is no JSON",
      refusal: /^MalformedPolicyDocumentException$/,
      input: { Policy: "no policy" },
    },
    {
      condition: "13: the policy locks the caller out",
      refusal:
        "MalformedPolicyDocumentException: The new key policy will not allow you to update the key " +
        "policy in the future.",
      input: { Policy: policyFor("444455556666", "other") },
    },
    {
      condition: "13: the policy is too long",
      refusal: /^LimitExceededException: /,
      input: { Policy: policyFor(ACCOUNT, "a".repeat(32_768)) },
    },
  ];
  const tags: readonly Wrong[] = [
    {
      condition: "14: a tag twice",
      refusal: "TagException: Duplicate tag keys",
      input: { Tags: ["1", "2"].map((TagValue) => ({ TagKey: "a", TagValue })) },
    },
    {
      condition: "14: a reserved tag",
      refusal: "TagException: Tags beginning with aws: are reserved",
      input: { Tags: [{ TagKey: "AWS:a", TagValue: "" }] },
    },
    {
      condition: "14: too many tags",
      refusal: "TagException: Too many tags",
      input: { Tags: Array.from({ length: 51 }, (_, n) => ({ TagKey: `k${n}`, TagValue: "" })) },
    },
  ];

  /** Checks that come one after another, each with the ways to fail it. */
  const checks = [
    [constraint],
    [missing],
    [replica, single],
    states,
    regions,
    taken,
    policies,
    tags,
  ];

  async function answerTo({ prepare, input }: Pick<Wrong, "prepare" | "input">) {
    const world = new World();
    const keyId = await world.createSet(P, R);
    world.checks = false;
    prepare?.(world, keyId);
    const call = world.call(P, "ReplicateKey", { KeyId: keyId, ReplicaRegion: Q, ...input });
    return { answer: await outcome(call), keyId };
  }

  const expected = ({ refusal }: Wrong, keyId: string) =>
    typeof refusal === "string"
      ? refusal.replace("<arn>", arn(keyId))
      : expect.stringMatching(refusal);

  test.for(checks.flat())("$condition", async (wrong) => {
    const { answer, keyId } = await answerTo(wrong);
    expect(answer).toEqual(expected(wrong, keyId));
  });

  const pairs = pairsOf(checks);
  test.for(pairs)("$one.condition, before $two.condition", async ({ one, two }) => {
    const { answer, keyId } = await answerTo(both(one, two));
    expect(answer).toEqual(expected(one, keyId));
  });

  test("a refused call makes no replica and leaves no trace", async () => {
    for (const wrong of checks.flat().filter(({ input, prepare }) => input && !prepare)) {
      const world = new World();
      const keyId = await world.createSet(P, R);
      await world.describe(P, keyId); // The replica is ready now.
      const before = world.saved(keyId);
      const input = { KeyId: keyId, ReplicaRegion: Q, ...wrong.input };
      expect(await outcome(world.call(P, "ReplicateKey", input))).not.toBe("ok");
      expect(world.saved(keyId)).toBe(before);
    }
  });

  test("the lockout safety check can be bypassed", async () => {
    const input = {
      Policy: policyFor("444455556666", "other"),
      BypassPolicyLockoutSafetyCheck: true,
    };
    expect((await answerTo({ input })).answer).toBe("ok");
  });

  test("15: the key quota of the replica's Region", async () => {
    const world = new World();
    const KeyId = await world.createSet(P);
    world.quotas = { ...world.quotas, KEYS: 1 };
    await world.createKey(Q);
    const into = (ReplicaRegion: string) =>
      outcome(world.call(P, "ReplicateKey", { KeyId, ReplicaRegion }));
    expect(await into(Q)).toMatch(/^LimitExceededException: /);
    expect(await into(R)).toBe("ok");
  });
});

describe("who sees what, when", () => {
  test("before: the primary lists no replica, the replica's Region has no key", async () => {
    const world = new World();
    const keyId = await world.createSet(P);
    expect((await world.describe(P, keyId)).MultiRegionConfiguration?.ReplicaKeys).toEqual([]);
    const gone = `NotFoundException: Key 'arn:aws:kms:eu-west-1:111122223333:key/${keyId}' does not exist`;
    expect(await outcome(world.describe(R, keyId))).toBe(gone);
  });

  test("right after: the primary is Enabled and lists the replica, which is Creating", async () => {
    const world = new World();
    const keyId = await world.createSet(P);
    const { ReplicaKeyMetadata } = await replicate(world, P, keyId, R);
    const primary = await world.describe(P, keyId);
    expect(primary.KeyState).toBe("Enabled");
    expect(primary.MultiRegionConfiguration).toEqual({
      MultiRegionKeyType: "PRIMARY",
      PrimaryKey: related(P, keyId),
      ReplicaKeys: [related(R, keyId)],
    });
    expect(await world.describe(R, keyId)).toEqual(ReplicaKeyMetadata);
  });

  test("done: the replica is Enabled, with the primary's CurrentKeyMaterialId", async () => {
    const world = new World();
    const keyId = await world.createSet(P);
    const { ReplicaKeyMetadata } = await replicate(world, P, keyId, R);
    world.pass(2 * SECOND);
    const primary = await world.describe(P, keyId);
    expect(await world.describe(R, keyId)).toEqual({
      ...ReplicaKeyMetadata,
      KeyState: "Enabled",
      Enabled: true,
      CurrentKeyMaterialId: primary.CurrentKeyMaterialId,
    });
    expect(primary.KeyState).toBe("Enabled");
  });

  test("every related key lists the same; only the type differs; replicas are in order", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R, FOURTH, Q);
    const PrimaryKey = related(P, keyId);
    const ReplicaKeys = [Q, R, FOURTH].map((region) => related(region, keyId));
    for (const region of [P, R, Q, FOURTH]) {
      const MultiRegionKeyType = region === P ? "PRIMARY" : "REPLICA";
      const metadata = await world.describe(region, keyId);
      const configuration = { MultiRegionKeyType, PrimaryKey, ReplicaKeys };
      expect(metadata.MultiRegionConfiguration).toEqual(configuration);
    }
  });

  test("Creating, allowed: describing, aliases, tags, policy, description, lists, deletion", async () => {
    const world = new World();
    const KeyId = await world.createSet(P);
    await replicate(world, P, KeyId, R);
    const allowed: [string, object][] = [
      ["DescribeKey", {}],
      ["CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId }],
      ["UpdateAlias", { AliasName: "alias/a", TargetKeyId: KeyId }],
      ["DeleteAlias", { AliasName: "alias/a" }],
      ["ListAliases", {}],
      ["TagResource", { Tags: [{ TagKey: "a", TagValue: "1" }] }],
      ["UntagResource", { TagKeys: ["a"] }],
      ["ListResourceTags", {}],
      ["PutKeyPolicy", { Policy: policyFor(ACCOUNT, "new") }],
      ["GetKeyPolicy", {}],
      ["ListKeyPolicies", {}],
      ["UpdateKeyDescription", { Description: "new" }],
      ["GetKeyRotationStatus", {}],
      ["ListKeyRotations", {}],
      ["ScheduleKeyDeletion", {}],
    ];
    for (const [operation, input] of allowed) {
      const answer = await outcome(world.call(R, operation, { KeyId, ...input }));
      expect(`${operation} ${answer}`).toBe(`${operation} ok`);
    }
    expect((await world.describe(R, KeyId)).KeyState).toBe("PendingDeletion");
  });

  test("Creating, refused: cryptography, EnableKey and DisableKey", async () => {
    const world = new World();
    const KeyId = await world.createSet(P);
    const CiphertextBlob = await world.encrypt(P, KeyId);
    await replicate(world, P, KeyId, R);
    const refused: [string, object][] = [
      ["Encrypt", { KeyId, Plaintext: base64("text") }],
      ["Decrypt", { CiphertextBlob }],
      ["ReEncrypt", { CiphertextBlob, DestinationKeyId: KeyId }],
      ["GenerateDataKey", { KeyId, KeySpec: "AES_256" }],
      ["GenerateDataKeyWithoutPlaintext", { KeyId, KeySpec: "AES_256" }],
      ["EnableKey", { KeyId }],
      ["DisableKey", { KeyId }],
    ];
    const creating = `KMSInvalidStateException: ${arnOf(R, KeyId)} is creating.`;
    for (const [operation, input] of refused) {
      expect(await outcome(world.call(R, operation, input))).toBe(creating);
    }
  });

  test("a Creating replica whose deletion is cancelled cannot be used before its material arrived", async () => {
    const world = new World();
    const KeyId = await world.createSet(P);
    await replicate(world, P, KeyId, R);
    await world.call(R, "ScheduleKeyDeletion", { KeyId });
    await world.call(R, "CancelKeyDeletion", { KeyId });
    await world.call(R, "EnableKey", { KeyId });
    expect((await world.describe(R, KeyId)).KeyState).toBe("Creating");
    const used = () => outcome(world.encrypt(R, KeyId));
    expect(await used()).toBe(`KMSInvalidStateException: ${arnOf(R, KeyId)} is creating.`);
    world.pass(world.delays.creatingMs);
    expect(await used()).toBe("ok");
  });

  test("replicated again after its deletion, a key has the shared properties and a date of its own", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    const blob = await world.encrypt(R, KeyId);
    await world.call(R, "CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId });
    await world.call(R, "TagResource", { KeyId, Tags: [{ TagKey: "a", TagValue: "1" }] });
    await world.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    world.pass(7 * DAY);
    const createdAt = world.now;
    await world.replicate(KeyId, P, R);
    const metadata = await world.describe(R, KeyId);
    expect(metadata.CreationDate).toBe(createdAt / 1000);
    expect(metadata.CurrentKeyMaterialId).toBe(
      (await world.describe(P, KeyId)).CurrentKeyMaterialId,
    );
    expect((await world.decrypt(R, blob)).KeyId).toBe(arnOf(R, KeyId));
    expect(await world.call(R, "ListAliases", { KeyId })).toEqual({
      Aliases: [],
      Truncated: false,
    });
    expect(await world.call(R, "ListResourceTags", { KeyId })).toEqual({
      Tags: [],
      Truncated: false,
    });
  });
});

describe("errors of UpdatePrimaryRegion", () => {
  // P has replicas in R and Q; UpdatePrimaryRegion is called in P, to R unless a case says otherwise.
  const inState = (region: Region, state: KeyState) => (world: World, keyId: string) =>
    force(world, keyId, region, state);

  const constraint: Wrong = {
    condition: "1: PrimaryRegion breaks its pattern",
    refusal:
      "ValidationException: 1 validation error detected: Value 'nowhere' at 'primaryRegion' failed " +
      "to satisfy constraint: Member must satisfy regular expression pattern: ^([a-z]+-){2,3}\\d+$",
    input: { PrimaryRegion: "nowhere" },
  };
  const malformed: Wrong = {
    condition: "12: the ARN is malformed",
    refusal: "InvalidArnException: Invalid arn arn:aws:s3:::bucket",
    input: { KeyId: "arn:aws:s3:::bucket" },
  };
  const missing: Wrong = {
    condition: "2: the key is not in this Region",
    refusal: "NotFoundException: Key '<arn>' does not exist",
    prepare: (world, keyId) =>
      world.edit(keyId, (set) => ({ ...set, keys: { [R]: keyIn(set, R) as Key } })),
  };
  const designations: readonly Wrong[] = [
    {
      condition: "4: the key is a replica",
      refusal: "UnsupportedOperationException: <arn> is not a multi-region primary key.",
      prepare: (world, keyId) => world.edit(keyId, (set) => ({ ...set, primaryRegion: R })),
    },
    {
      condition: "4: the key is single-Region",
      refusal: "UnsupportedOperationException: <arn> is not a multi-region primary key.",
      prepare: (world, keyId) => world.edit(keyId, (set) => ({ ...set, multiRegion: false })),
    },
  ];
  const regions: readonly Wrong[] = [
    {
      condition: "5: no related key in PrimaryRegion",
      refusal:
        /^NotFoundException: Key 'arn:aws:kms:sa-east-1:111122223333:key\/mrk-\w+' does not exist$/,
      input: { PrimaryRegion: FOURTH },
    },
    {
      condition: "5: no such Region",
      refusal:
        /^NotFoundException: Key 'arn:aws:kms:us-north-7:111122223333:key\/mrk-\w+' does not exist$/,
      input: { PrimaryRegion: "us-north-7" },
    },
    {
      condition: "6: PrimaryRegion is the current one",
      refusal: /^UnsupportedOperationException: /,
      input: { PrimaryRegion: P },
    },
  ];
  const stateTexts: readonly (readonly [number, KeyState, string])[] = [
    [7, "Disabled", "DisabledException: <arn> is disabled."],
    [8, "PendingDeletion", "KMSInvalidStateException: <arn> is pending deletion."],
    [8, "PendingReplicaDeletion", "KMSInvalidStateException: <arn> is pending replica deletion."],
    [9, "PendingImport", "KMSInvalidStateException: <arn> is pending import."],
    [10, "Creating", "KMSInvalidStateException: <arn> is creating."],
    [11, "Updating", "KMSInvalidStateException: <arn> is updating."],
  ];
  const ofPrimary: readonly Wrong[] = stateTexts.map(([row, state, refusal]) => ({
    condition: `${row}: the primary is ${state}`,
    refusal,
    prepare: inState(P, state),
  }));
  const ofReplica: readonly Wrong[] = stateTexts.map(([row, state, refusal]) => ({
    condition: `${row}: the replica is ${state}`,
    refusal: refusal.replace("<arn>", "<replica>"),
    prepare: inState(R, state),
  }));

  const checks = [
    [constraint],
    [malformed],
    [missing],
    designations,
    regions,
    ofPrimary,
    ofReplica,
  ];

  async function answerTo({ prepare, input }: Pick<Wrong, "prepare" | "input">) {
    const world = new World();
    const keyId = await world.createSet(P, R, Q);
    world.checks = false;
    prepare?.(world, keyId);
    const call = world.call(P, "UpdatePrimaryRegion", { KeyId: keyId, PrimaryRegion: R, ...input });
    return { answer: await outcome(call), keyId };
  }

  const expected = ({ refusal }: Wrong, keyId: string) =>
    typeof refusal === "string"
      ? refusal.replace("<arn>", arnOf(P, keyId)).replace("<replica>", arnOf(R, keyId))
      : expect.stringMatching(refusal);

  test.for(checks.flat())("$condition", async (wrong) => {
    const { answer, keyId } = await answerTo(wrong);
    expect(answer).toEqual(expected(wrong, keyId));
  });

  // The page does not order the two keys; here the primary's own state is looked at first.
  const pairs = pairsOf(checks);
  test.for(pairs)("$one.condition, before $two.condition", async ({ one, two }) => {
    const { answer, keyId } = await answerTo(both(one, two));
    expect(answer).toEqual(expected(one, keyId));
  });

  test("the state of a bystander does not matter", async () => {
    for (const state of ["Disabled", "PendingDeletion", "Creating", "PendingImport"] as const) {
      const { answer } = await answerTo({ prepare: inState(Q, state) });
      expect(`${state} ${answer}`).toBe(`${state} ok`);
    }
  });

  test("a refused call changes nothing", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R, Q);
    await world.call(R, "DisableKey", { KeyId: keyId });
    const before = world.saved(keyId);
    for (const region of [P, R, FOURTH]) await outcome(update(world, P, keyId, region));
    expect(world.saved(keyId)).toBe(before);
  });
});

describe("phases of UpdatePrimaryRegion", () => {
  const shown = async (world: World, region: string, keyId: string) => {
    const { KeyState, Enabled, MultiRegionConfiguration } = await world.describe(region, keyId);
    return [KeyState, Enabled, MultiRegionConfiguration?.MultiRegionKeyType];
  };

  for (const bystander of ["Enabled", "Disabled"] as const) {
    test(`before, Updating, done, beside a replica that is ${bystander}`, async () => {
      const world = new World();
      const keyId = await world.createSet(P, R, Q);
      if (bystander === "Disabled") await world.call(Q, "DisableKey", { KeyId: keyId });
      const enabled = bystander === "Enabled";

      expect(await shown(world, P, keyId)).toEqual(["Enabled", true, "PRIMARY"]);
      expect(await shown(world, R, keyId)).toEqual(["Enabled", true, "REPLICA"]);
      expect(await shown(world, Q, keyId)).toEqual([bystander, enabled, "REPLICA"]);

      await update(world, P, keyId, R);
      for (const wait of [0, 1999]) {
        world.pass(wait);
        expect(await shown(world, P, keyId)).toEqual(["Updating", false, "REPLICA"]);
        expect(await shown(world, R, keyId)).toEqual(["Updating", false, "REPLICA"]);
        expect(await shown(world, Q, keyId)).toEqual([bystander, enabled, "REPLICA"]);
      }

      world.pass(1);
      expect(await shown(world, P, keyId)).toEqual(["Enabled", true, "REPLICA"]);
      expect(await shown(world, R, keyId)).toEqual(["Enabled", true, "PRIMARY"]);
      expect(await shown(world, Q, keyId)).toEqual([bystander, enabled, "REPLICA"]);
      for (const region of [P, R, Q]) {
        const { MultiRegionConfiguration } = await world.describe(region, keyId);
        expect(MultiRegionConfiguration?.PrimaryKey).toEqual(related(R, keyId));
        expect(MultiRegionConfiguration?.ReplicaKeys).toEqual([
          related(Q, keyId),
          related(P, keyId),
        ]);
      }
    });
  }

  test("the keys that are shown while Updating are all related keys", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R, Q);
    await update(world, P, keyId, R);
    const known = [P, R, Q].map((region) => arnOf(region, keyId));
    for (const region of [P, R, Q]) {
      const { MultiRegionConfiguration } = await world.describe(region, keyId);
      const arns = [
        MultiRegionConfiguration?.PrimaryKey.Arn,
        ...(MultiRegionConfiguration?.ReplicaKeys ?? []).map((key) => key.Arn),
      ];
      expect(known).toEqual(expect.arrayContaining(arns));
      expect(arns).toEqual(expect.arrayContaining(known));
    }
  });

  test("the designation moves when the call is accepted", async () => {
    const world = new World();
    const keyId = await world.createSet(P, R, Q);
    await update(world, P, keyId, R);
    const updating = `KMSInvalidStateException: ${arnOf(R, keyId)} is updating.`;
    const noPrimary = `UnsupportedOperationException: ${arnOf(P, keyId)} is not a multi-region primary key.`;
    expect(await outcome(replicate(world, R, keyId, FOURTH))).toBe(updating);
    expect(await outcome(update(world, R, keyId, Q))).toBe(updating);
    expect(await outcome(update(world, R, keyId, P))).toBe(updating);
    expect(await outcome(replicate(world, P, keyId, FOURTH))).toBe(noPrimary);
    expect(await outcome(update(world, P, keyId, Q))).toBe(noPrimary);
    expect(await outcome(world.call(R, "EnableKeyRotation", { KeyId: keyId }))).toBe("ok");
    expect(await outcome(world.call(P, "EnableKeyRotation", { KeyId: keyId }))).toBe(noPrimary);
  });

  test("Updating, allowed: cryptography, aliases, tags, description, policy, lists", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    const CiphertextBlob = await world.encrypt(P, KeyId);
    await update(world, P, KeyId, R);
    const allowed: [string, object][] = [
      ["Encrypt", { KeyId, Plaintext: base64("text") }],
      ["Decrypt", { CiphertextBlob }],
      ["ReEncrypt", { CiphertextBlob, DestinationKeyId: KeyId }],
      ["GenerateDataKey", { KeyId, KeySpec: "AES_256" }],
      ["GenerateDataKeyWithoutPlaintext", { KeyId, KeySpec: "AES_256" }],
      ["DescribeKey", { KeyId }],
      ["CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId }],
      ["UpdateAlias", { AliasName: "alias/a", TargetKeyId: KeyId }],
      ["DeleteAlias", { AliasName: "alias/a" }],
      ["ListAliases", { KeyId }],
      ["TagResource", { KeyId, Tags: [{ TagKey: "a", TagValue: "1" }] }],
      ["UntagResource", { KeyId, TagKeys: ["a"] }],
      ["ListResourceTags", { KeyId }],
      ["UpdateKeyDescription", { KeyId, Description: "new" }],
      ["PutKeyPolicy", { KeyId, Policy: policyFor(ACCOUNT, "new") }],
      ["GetKeyPolicy", { KeyId }],
      ["ListKeyPolicies", { KeyId }],
      ["GetKeyRotationStatus", { KeyId }],
      ["ListKeyRotations", { KeyId }],
    ];
    for (const region of [P, R]) {
      for (const [operation, input] of allowed) {
        const answer = await outcome(world.call(region, operation, input));
        expect(`${operation} ${answer}`).toBe(`${operation} ok`);
      }
    }
    for (const operation of ["EnableKeyRotation", "DisableKeyRotation"]) {
      expect(await outcome(world.call(R, operation, { KeyId }))).toBe("ok");
    }
  });

  test("Updating, refused: EnableKey, DisableKey, ScheduleKeyDeletion; CancelKeyDeletion its own way", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    await update(world, P, KeyId, R);
    for (const region of [P, R]) {
      const arn = arnOf(region, KeyId);
      for (const operation of ["EnableKey", "DisableKey", "ScheduleKeyDeletion"]) {
        const answer = await outcome(world.call(region, operation, { KeyId }));
        expect(answer).toBe(`KMSInvalidStateException: ${arn} is updating.`);
      }
      expect(await outcome(world.call(region, "CancelKeyDeletion", { KeyId }))).toBe(
        `KMSInvalidStateException: ${arn} is not pending deletion.`,
      );
    }
  });

  test("a bystander goes on working, and can be switched", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R, Q);
    await update(world, P, KeyId, R);
    expect(await outcome(world.encrypt(Q, KeyId))).toBe("ok");
    expect(await outcome(world.call(Q, "DisableKey", { KeyId }))).toBe("ok");
    expect(await outcome(world.call(Q, "EnableKey", { KeyId }))).toBe("ok");
    expect(await outcome(world.call(Q, "ScheduleKeyDeletion", { KeyId }))).toBe("ok");
  });

  test("afterwards only the new primary replicates, controls rotation and hands over", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R, Q);
    await updateCompletely(world, P, KeyId, R);
    for (const region of [P, Q]) {
      const refusal = `UnsupportedOperationException: ${arnOf(region, KeyId)} is not a multi-region primary key.`;
      expect(await outcome(replicate(world, region, KeyId, FOURTH))).toBe(refusal);
      expect(await outcome(world.call(region, "EnableKeyRotation", { KeyId }))).toBe(refusal);
      expect(await outcome(update(world, region, KeyId, R))).toBe(refusal);
    }
    expect(await outcome(world.call(R, "EnableKeyRotation", { KeyId }))).toBe("ok");
    expect(await outcome(replicate(world, R, KeyId, FOURTH))).toBe("ok");
    expect(await outcome(update(world, R, KeyId, P))).toBe("ok");
  });

  test("typical use: the old primary Region is given up, the replicas stay", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R, Q);
    const blob = await world.encrypt(P, KeyId);
    await updateCompletely(world, P, KeyId, R);
    const answer = await world.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    expect(answer).toMatchObject({ KeyState: "PendingDeletion" });
    world.pass(7 * DAY);
    expect(await outcome(world.describe(P, KeyId))).toMatch(/^NotFoundException/);
    expect((await world.decrypt(Q, blob)).KeyId).toBe(arnOf(Q, KeyId));
    expect((await world.describe(R, KeyId)).MultiRegionConfiguration).toEqual({
      MultiRegionKeyType: "PRIMARY",
      PrimaryKey: related(R, KeyId),
      ReplicaKeys: [related(Q, KeyId)],
    });
  });

  test("with no delay the update is complete when the call returns", async () => {
    const world = new World({ updatingMs: 0 });
    const KeyId = await world.createSet(P, R);
    await update(world, P, KeyId, R);
    expect(await shown(world, R, KeyId)).toEqual(["Enabled", true, "PRIMARY"]);
    expect(await shown(world, P, KeyId)).toEqual(["Enabled", true, "REPLICA"]);
  });
});

describe("cryptography across related keys", () => {
  test("Decrypt takes the local ARN, ID or alias; the ARN of the other Region is refused", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    const blob = await world.encrypt(P, KeyId);
    await world.call(R, "CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId });
    for (const named of [KeyId, arnOf(R, KeyId), "alias/a"]) {
      expect((await world.decrypt(R, blob, { KeyId: named })).KeyId).toBe(arnOf(R, KeyId));
    }
    const foreign = world.decrypt(R, blob, { KeyId: arnOf(P, KeyId) });
    expect(await outcome(foreign)).toBe("NotFoundException: Invalid arn us-west-2");
  });

  test("the encryption context is held to in every Region", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    const blob = await world.encrypt(P, KeyId, "text", { EncryptionContext: { a: "1", b: "2" } });
    const right = world.decrypt(R, blob, { EncryptionContext: { b: "2", a: "1" } });
    expect(await outcome(right)).toBe("ok");
    for (const EncryptionContext of [
      undefined,
      { a: "1" },
      { a: "1", b: "3" },
      { a: "1", B: "2" },
    ]) {
      const wrong = world.decrypt(R, blob, { EncryptionContext });
      expect(await outcome(wrong)).toBe("InvalidCiphertextException");
    }
  });

  test("unrelated multi-Region keys are not interoperable", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    const other = await world.createSet(P, R);
    const blob = await world.encrypt(P, KeyId);
    expect(await outcome(world.decrypt(R, blob, { KeyId: other }))).toBe(
      "IncorrectKeyException: The key ID in the request does not identify a CMK that can perform " +
        "this operation.",
    );
  });

  test("no related key in the Region: AccessDeniedException; with a KeyId of there: IncorrectKeyException", async () => {
    const world = new World();
    const KeyId = await world.createSet(P);
    const { KeyId: local } = await world.createKey(R);
    const blob = await world.encrypt(P, KeyId);
    expect(await outcome(world.decrypt(R, blob))).toBe(
      `AccessDeniedException: ${ciphertextOutOfReach("arn:aws:iam::111122223333:root")}`,
    );
    const named = await outcome(world.decrypt(R, blob, { KeyId: local }));
    expect(named).toMatch(/^IncorrectKeyException: /);
    expect(await outcome(world.decrypt(R, base64("nothing of the kind")))).toBe(
      "InvalidCiphertextException",
    );
  });

  test("KeyMaterialId is the same in all Regions", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    const made = await world.dataKey(P, KeyId);
    expect((await world.dataKey(R, KeyId)).KeyMaterialId).toBe(made.KeyMaterialId);
    const answer = await world.decrypt(R, made.CiphertextBlob);
    expect(answer.KeyMaterialId).toBe(made.KeyMaterialId);
  });

  test("disabling or deleting one does not affect another", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    const blob = await world.encrypt(P, KeyId);
    await world.call(P, "DisableKey", { KeyId });
    expect(await outcome(world.decrypt(R, blob))).toBe("ok");
    await world.call(P, "ScheduleKeyDeletion", { KeyId });
    expect(await outcome(world.decrypt(R, blob))).toBe("ok");
    expect(await outcome(world.decrypt(P, blob))).toMatch(/is pending replica deletion\.$/);
  });

  test("Sign with one, verify with another; HMACs and shared secrets are the same", async () => {
    const world = new World();
    const pair = async (KeySpec: string, KeyUsage: string) => {
      const { KeyId } = await world.createKey(P, { MultiRegion: true, KeySpec, KeyUsage });
      await world.replicate(KeyId, P, R);
      return KeyId;
    };
    const Message = base64("message");

    const signer = { KeyId: await pair("ECC_NIST_P256", "SIGN_VERIFY"), Message };
    const SigningAlgorithm = "ECDSA_SHA_256";
    const { Signature } = await world.call<{ Signature: string }>(P, "Sign", {
      ...signer,
      SigningAlgorithm,
    });
    const verified = { ...signer, SigningAlgorithm, Signature };
    expect(await world.call(R, "Verify", verified)).toMatchObject({ SignatureValid: true });
    const forged = { ...verified, Message: base64("another") };
    expect(await outcome(world.call(R, "Verify", forged))).toBe("KMSInvalidSignatureException");

    const macs = { KeyId: await pair("HMAC_256", "GENERATE_VERIFY_MAC"), Message };
    const mac = async (region: string) => {
      const input = { ...macs, MacAlgorithm: "HMAC_SHA_256" };
      return (await world.call<{ Mac: string }>(region, "GenerateMac", input)).Mac;
    };
    expect(await mac(R)).toBe(await mac(P));

    const agreed = await pair("ECC_NIST_P256", "KEY_AGREEMENT");
    const peer = await world.createKey(P, { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" });
    const { PublicKey } = await world.call<{ PublicKey: string }>(P, "GetPublicKey", {
      KeyId: peer.KeyId,
    });
    const shared = async (region: string) => {
      const input = { KeyId: agreed, KeyAgreementAlgorithm: "ECDH", PublicKey };
      type Answer = { readonly SharedSecret: string };
      return (await world.call<Answer>(region, "DeriveSharedSecret", input)).SharedSecret;
    };
    expect(await shared(R)).toBe(await shared(P));
  });
});

describe("rotation", () => {
  test("the setting is the primary's alone; a replica shows it, dates and all", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    await world.call(P, "EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
    const settings = {
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
      NextRotationDate: (world.now + 90 * DAY) / 1000,
    };
    expect(await world.rotationStatus(P, KeyId)).toEqual({ KeyId: arnOf(P, KeyId), ...settings });
    expect(await world.rotationStatus(R, KeyId)).toEqual({ KeyId: arnOf(R, KeyId), ...settings });
  });

  test("on the date new material is made, spread, and only then current everywhere", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    const { CurrentKeyMaterialId: old } = await world.describe(P, KeyId);
    await world.call(P, "EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
    const date = world.now + 90 * DAY;
    world.pass(90 * DAY + 999);
    for (const region of [P, R]) {
      expect((await world.describe(region, KeyId)).CurrentKeyMaterialId).toBe(old);
      expect((await world.dataKey(region, KeyId)).KeyMaterialId).toBe(old);
    }
    world.pass(1);
    const { CurrentKeyMaterialId: current } = await world.describe(P, KeyId);
    expect(current).not.toBe(old);
    for (const region of [P, R]) {
      expect((await world.dataKey(region, KeyId)).KeyMaterialId).toBe(current);
      expect(await world.rotations(region, KeyId)).toEqual([
        {
          KeyId,
          KeyMaterialId: current,
          KeyMaterialState: "CURRENT",
          RotationDate: (date + 1000) / 1000,
          RotationType: "AUTOMATIC",
        },
      ]);
    }
    const { NextRotationDate } = await world.rotationStatus(R, KeyId);
    expect(NextRotationDate).toBe((date + 90 * DAY) / 1000);
  });

  test("RotateKeyOnDemand only on the primary; old ciphertexts stay readable everywhere", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    const old = await world.encrypt(R, KeyId);
    expect(await outcome(world.call(R, "RotateKeyOnDemand", { KeyId }))).toBe(
      `UnsupportedOperationException: ${arnOf(R, KeyId)} is not a multi-region primary key.`,
    );
    const answer = await world.call(P, "RotateKeyOnDemand", { KeyId });
    expect(answer).toEqual({ KeyId: arnOf(P, KeyId) });
    world.pass(SECOND);
    for (const region of [P, R]) expect(await outcome(world.decrypt(region, old))).toBe("ok");
    const fresh = await world.encrypt(P, KeyId);
    const { KeyMaterialId } = await world.decrypt(R, fresh);
    expect((await world.decrypt(R, old)).KeyMaterialId).not.toBe(KeyMaterialId);
    expect((await world.dataKey(R, KeyId)).KeyMaterialId).toBe(KeyMaterialId);
  });

  test("control moves with the primary, the schedule stays", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    await world.call(P, "EnableKeyRotation", { KeyId });
    const { NextRotationDate } = await world.rotationStatus(P, KeyId);
    await updateCompletely(world, P, KeyId, R);
    expect((await world.rotationStatus(R, KeyId)).NextRotationDate).toBe(NextRotationDate);
    expect(await outcome(world.call(P, "DisableKeyRotation", { KeyId }))).toMatch(/primary key\.$/);
    expect(await outcome(world.call(R, "DisableKeyRotation", { KeyId }))).toBe("ok");
  });

  test("a rotation that falls into an update happens", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    await world.call(P, "EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
    world.pass(90 * DAY - 1);
    await update(world, P, KeyId, R);
    world.pass(1001);
    expect(await world.rotations(R, KeyId)).toHaveLength(1);
  });

  test("a replica that is Disabled or PendingDeletion meanwhile receives the material too", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R, Q);
    await world.call(R, "DisableKey", { KeyId });
    await world.call(Q, "ScheduleKeyDeletion", { KeyId });
    await rotate(world, P, KeyId);
    const { CurrentKeyMaterialId } = await world.describe(P, KeyId);
    await world.call(Q, "CancelKeyDeletion", { KeyId });
    for (const region of [R, Q]) {
      await world.call(region, "EnableKey", { KeyId });
      expect((await world.dataKey(region, KeyId)).KeyMaterialId).toBe(CurrentKeyMaterialId);
    }
  });

  test.todo("RotateKey events appear per key in CloudTrail");
});

describe("deletion", () => {
  const schedule = (world: World, region: string, KeyId: string, PendingWindowInDays?: number) =>
    world.call(region, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays });

  test("a replica: like a single-Region key, 7 to 30 days, 30 if not said", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    expect(await schedule(world, R, KeyId)).toEqual({
      KeyId: arnOf(R, KeyId),
      DeletionDate: (world.now + 30 * DAY) / 1000,
      KeyState: "PendingDeletion",
      PendingWindowInDays: 30,
    });
    const { DeletionDate, MultiRegionConfiguration } = await world.describe(R, KeyId);
    expect(DeletionDate).toBe((world.now + 30 * DAY) / 1000);
    expect(MultiRegionConfiguration?.MultiRegionKeyType).toBe("REPLICA");
    expect((await world.describe(P, KeyId)).KeyState).toBe("Enabled");
    await world.call(R, "CancelKeyDeletion", { KeyId });
    expect((await world.describe(R, KeyId)).KeyState).toBe("Disabled");
    for (const days of [7, 30]) {
      expect(await outcome(schedule(world, R, KeyId, days))).toBe("ok");
      await world.call(R, "CancelKeyDeletion", { KeyId });
    }
    for (const days of [6, 31]) {
      expect(await outcome(schedule(world, R, KeyId, days))).toMatch(/^ValidationException: /);
    }
  });

  test("a primary without replicas: like a single-Region key", async () => {
    const world = new World();
    const KeyId = await world.createSet(P);
    expect(await schedule(world, P, KeyId, 7)).toEqual({
      KeyId: arnOf(P, KeyId),
      DeletionDate: (START + 7 * DAY) / 1000,
      KeyState: "PendingDeletion",
      PendingWindowInDays: 7,
    });
    world.pass(7 * DAY);
    expect(await outcome(world.describe(P, KeyId))).toMatch(/^NotFoundException: /);
    expect(world.saved(KeyId)).toBe(null);
  });

  test("a primary with replicas, even if all are PendingDeletion: PendingReplicaDeletion", async () => {
    for (const replicasFirst of [false, true]) {
      const world = new World();
      const KeyId = await world.createSet(P, R, Q);
      if (replicasFirst) for (const region of [R, Q]) await schedule(world, region, KeyId);
      expect(await schedule(world, P, KeyId, 12)).toEqual({
        KeyId: arnOf(P, KeyId),
        KeyState: "PendingReplicaDeletion",
        PendingWindowInDays: 12,
      });
      const metadata = await world.describe(P, KeyId);
      expect(metadata).toMatchObject({
        KeyState: "PendingReplicaDeletion",
        PendingDeletionWindowInDays: 12,
      });
      expect(metadata).not.toHaveProperty("DeletionDate");
    }
  });

  test("a primary whose only replica is still Creating waits for it as well", async () => {
    const world = new World();
    const KeyId = await world.createSet(P);
    await replicate(world, P, KeyId, R);
    expect(await schedule(world, P, KeyId)).toMatchObject({ KeyState: "PendingReplicaDeletion" });
  });

  test("the last replica really deleted: the primary is PendingDeletion from that moment", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R, Q);
    await schedule(world, P, KeyId, 12);
    await schedule(world, R, KeyId, 7);
    await schedule(world, Q, KeyId, 9);
    const scheduledAt = world.now;
    world.pass(8 * DAY);
    expect((await world.describe(P, KeyId)).KeyState).toBe("PendingReplicaDeletion");
    world.pass(3 * DAY); // Nobody looks at the moment itself.
    const metadata = await world.describe(P, KeyId);
    expect(metadata.KeyState).toBe("PendingDeletion");
    expect(metadata.DeletionDate).toBe((scheduledAt + 21 * DAY) / 1000);
    expect(metadata).not.toHaveProperty("PendingDeletionWindowInDays");
    expect(metadata.MultiRegionConfiguration?.ReplicaKeys).toEqual([]);
  });

  test("cancelled on the primary: Disabled, in both pending states", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    await schedule(world, P, KeyId);
    await world.call(P, "CancelKeyDeletion", { KeyId });
    expect((await world.describe(P, KeyId)).KeyState).toBe("Disabled");
    await schedule(world, P, KeyId, 7);
    await schedule(world, R, KeyId, 7);
    world.pass(7 * DAY);
    expect((await world.describe(P, KeyId)).KeyState).toBe("PendingDeletion");
    await world.call(P, "CancelKeyDeletion", { KeyId });
    expect((await world.describe(P, KeyId)).KeyState).toBe("Disabled");
  });

  test("the primary pending: replicas work; it is neither used nor replicated; rotation reads false", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    await world.call(P, "EnableKeyRotation", { KeyId });
    await schedule(world, P, KeyId);
    const pending = `KMSInvalidStateException: ${arnOf(P, KeyId)} is pending replica deletion.`;
    expect(await outcome(world.encrypt(R, KeyId))).toBe("ok");
    expect(await outcome(world.encrypt(P, KeyId))).toBe(pending);
    expect(await outcome(replicate(world, P, KeyId, Q))).toBe(pending);
    expect(await outcome(update(world, P, KeyId, R))).toBe(pending);
    expect((await world.rotationStatus(P, KeyId)).KeyRotationEnabled).toBe(false);
  });

  test("a replica deleted while the primary is not scheduled: only ReplicaKeys shrinks", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R, Q);
    const before = await snapshot(world, P, KeyId);
    await schedule(world, R, KeyId, 7);
    const { MultiRegionConfiguration } = await world.describe(P, KeyId);
    expect(MultiRegionConfiguration?.ReplicaKeys).toHaveLength(2);
    world.pass(7 * DAY);
    expect((await world.describe(P, KeyId)).MultiRegionConfiguration?.ReplicaKeys).toEqual([
      related(Q, KeyId),
    ]);
    expect(await snapshot(world, P, KeyId)).toEqual(before);
  });

  test("deleting everything takes 14 days at least", async () => {
    const world = new World();
    const KeyId = await world.createSet(P, R);
    await schedule(world, P, KeyId, 7);
    await schedule(world, R, KeyId, 7);
    world.pass(14 * DAY - 1);
    expect((await world.describe(P, KeyId)).KeyState).toBe("PendingDeletion");
    world.pass(1);
    expect(await outcome(world.describe(P, KeyId))).toMatch(/^NotFoundException: /);
    expect(world.saved(KeyId)).toBe(null);
  });
});
