// Making a multi-Region key and its replicas.
// https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-replicate.html

import { expect, test } from "vitest";
import { refuses } from "../../support/clients.ts";
import {
  created,
  cryptographicCalls,
  decrypted,
  defaultPolicy,
  described,
  encrypted,
  keyId,
  keyMaterialId,
  multiRegionKey,
  type NewStage,
  singleRegionKey,
} from "./stage.ts";

export function replication(newStage: NewStage): void {
  test("CreateKey with MultiRegion makes a primary key", async () => {
    const stage = newStage();
    const us = stage.in("us-east-1");
    const { KeyMetadata } = await us.createKey({ MultiRegion: true });
    const Arn = stage.arn("us-east-1", KeyMetadata?.KeyId ?? "");
    expect(KeyMetadata).toEqual({
      AWSAccountId: stage.account,
      KeyId: keyId.multiRegion,
      Arn,
      CreationDate: expect.any(Date),
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
        PrimaryKey: { Arn, Region: "us-east-1" },
        ReplicaKeys: [],
      },
      CurrentKeyMaterialId: keyMaterialId,
    });
    expect(await described(us, Arn)).toEqual(KeyMetadata);
  });

  test("a single-Region key has no MultiRegionConfiguration", async () => {
    const us = newStage().in("us-east-1");
    const { KeyMetadata } = await us.createKey({ Description: "alone" });
    expect(KeyMetadata).toMatchObject({
      KeyId: keyId.singleRegion,
      Description: "alone",
      MultiRegion: false,
    });
    expect(KeyMetadata).not.toHaveProperty("MultiRegionConfiguration");
  });

  test("a replica is Creating, then Enabled with the primary's material", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = created(
      await us.createKey({
        MultiRegion: true,
        Description: "the primary's",
        Tags: [{ TagKey: "team", TagValue: "one" }],
      }),
    );
    const [usArn, euArn] = [stage.arn("us-east-1", KeyId), stage.arn("eu-west-1", KeyId)];
    await refuses(eu.describeKey({ KeyId }), "NotFoundException", `Key '${euArn}' does not exist`);
    const ciphertext = await encrypted(us, KeyId, "made before the replica");

    const answer = await us.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" });
    const MultiRegionConfiguration = {
      MultiRegionKeyType: "REPLICA",
      PrimaryKey: { Arn: usArn, Region: "us-east-1" },
      ReplicaKeys: [{ Arn: euArn, Region: "eu-west-1" }],
    };
    expect(answer.ReplicaKeyMetadata).toEqual({
      AWSAccountId: stage.account,
      KeyId,
      Arn: euArn,
      CreationDate: expect.any(Date),
      Enabled: false,
      Description: "",
      KeyUsage: "ENCRYPT_DECRYPT",
      KeyState: "Creating",
      Origin: "AWS_KMS",
      KeyManager: "CUSTOMER",
      CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
      KeySpec: "SYMMETRIC_DEFAULT",
      EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
      MultiRegion: true,
      MultiRegionConfiguration,
    });
    expect(answer.ReplicaPolicy).toBe(defaultPolicy(stage.account));
    expect(answer).not.toHaveProperty("ReplicaTags");
    expect(await described(eu, KeyId)).toEqual(answer.ReplicaKeyMetadata);
    const primary = await described(us, KeyId);
    expect(primary).toMatchObject({
      KeyState: "Enabled",
      MultiRegionConfiguration: { ...MultiRegionConfiguration, MultiRegionKeyType: "PRIMARY" },
    });

    await stage.settle();
    expect(await described(eu, KeyId)).toEqual({
      ...answer.ReplicaKeyMetadata,
      Enabled: true,
      KeyState: "Enabled",
      CurrentKeyMaterialId: primary.CurrentKeyMaterialId,
    });
    expect((await eu.listResourceTags({ KeyId })).Tags).toEqual([]);
    expect(await decrypted(eu, ciphertext)).toBe("made before the replica");
    expect(await decrypted(us, await encrypted(eu, KeyId, "of Europe"))).toBe("of Europe");
  });

  test("a replica that is Creating can be managed, not used", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1");
    const ciphertext = await encrypted(us, KeyId, "x");
    await us.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" });
    const arn = stage.arn("eu-west-1", KeyId);
    const refused = {
      ...cryptographicCalls(eu, KeyId, ciphertext),
      EnableKey: () => eu.enableKey({ KeyId }),
      DisableKey: () => eu.disableKey({ KeyId }),
      UpdatePrimaryRegion: () => us.updatePrimaryRegion({ KeyId, PrimaryRegion: "eu-west-1" }),
    };
    for (const call of Object.values(refused)) {
      await refuses(call(), "KMSInvalidStateException", `${arn} is creating.`);
    }
    await refuses(
      eu.cancelKeyDeletion({ KeyId }),
      "KMSInvalidStateException",
      `${arn} is not pending deletion.`,
    );

    await eu.createAlias({ AliasName: "alias/early", TargetKeyId: KeyId });
    await eu.updateAlias({ AliasName: "alias/early", TargetKeyId: KeyId });
    expect((await eu.listAliases({ KeyId })).Aliases).toHaveLength(1);
    await eu.deleteAlias({ AliasName: "alias/early" });
    await eu.tagResource({ KeyId, Tags: [{ TagKey: "a", TagValue: "b" }] });
    expect((await eu.listResourceTags({ KeyId })).Tags).toEqual([{ TagKey: "a", TagValue: "b" }]);
    await eu.untagResource({ KeyId, TagKeys: ["a"] });
    await eu.updateKeyDescription({ KeyId, Description: "early" });
    await eu.putKeyPolicy({ KeyId, Policy: defaultPolicy(stage.account) });
    expect((await eu.getKeyPolicy({ KeyId })).Policy).toBe(defaultPolicy(stage.account));
    expect((await eu.listKeyPolicies({ KeyId })).PolicyNames).toEqual(["default"]);
    expect((await eu.getKeyRotationStatus({ KeyId })).KeyRotationEnabled).toBe(false);
    expect((await eu.listKeyRotations({ KeyId })).Rotations).toEqual([]);
    expect((await eu.listKeys({})).Keys).toEqual([{ KeyId, KeyArn: arn }]);
    expect(await described(eu, KeyId)).toMatchObject({
      KeyState: "Creating",
      Description: "early",
    });
    expect(await eu.scheduleKeyDeletion({ KeyId })).toMatchObject({ KeyState: "PendingDeletion" });
  });

  test("a replica takes the policy, description and tags of its request", async () => {
    const stage = newStage();
    const KeyId = await multiRegionKey(stage, "us-east-1");
    const Policy = defaultPolicy(stage.account).replace("key-default-1", "of-the-replica");
    const Tags = [{ TagKey: "team", TagValue: "two" }];
    const answer = await stage
      .in("us-east-1")
      .replicateKey({ KeyId, ReplicaRegion: "eu-west-1", Description: "own", Policy, Tags });
    expect(answer).toMatchObject({ ReplicaPolicy: Policy, ReplicaTags: Tags });
    const eu = stage.in("eu-west-1");
    expect(await described(eu, KeyId)).toMatchObject({ Description: "own" });
    expect((await eu.listResourceTags({ KeyId })).Tags).toEqual(Tags);
    expect((await eu.getKeyPolicy({ KeyId })).Policy).toBe(Policy);
  });

  test("every related key lists all of them", async () => {
    const stage = newStage();
    const replicas = ["ap-northeast-1", "eu-west-1", "sa-east-1"];
    const KeyId = await multiRegionKey(stage, "us-east-1", ...replicas);
    const related = (Region: string) => ({ Arn: stage.arn(Region, KeyId), Region });
    for (const region of ["us-east-1", ...replicas]) {
      const { MultiRegionConfiguration } = await described(stage.in(region), KeyId);
      expect(MultiRegionConfiguration).toEqual({
        MultiRegionKeyType: region === "us-east-1" ? "PRIMARY" : "REPLICA",
        PrimaryKey: related("us-east-1"),
        ReplicaKeys: expect.toSatisfy(
          (keys: { Region: string }[]) =>
            JSON.stringify(keys.toSorted((a, b) => a.Region.localeCompare(b.Region))) ===
            JSON.stringify(replicas.map(related)),
        ),
      });
    }
  });

  test("in China the partition is aws-cn, and replicas stay in it", async () => {
    const stage = newStage();
    const [beijing, ningxia] = [stage.in("cn-north-1"), stage.in("cn-northwest-1")];
    const KeyId = await multiRegionKey(stage, "cn-north-1", "cn-northwest-1");
    const arn = `arn:aws-cn:kms:cn-northwest-1:${stage.account}:key/${KeyId}`;
    expect(await described(ningxia, KeyId)).toMatchObject({
      Arn: arn,
      MultiRegionConfiguration: { PrimaryKey: { Arn: expect.stringMatching(/^arn:aws-cn:/) } },
    });
    const { Policy } = await ningxia.getKeyPolicy({ KeyId });
    expect(Policy).toBe(defaultPolicy(stage.account).replace("arn:aws:", "arn:aws-cn:"));
    expect(await decrypted(ningxia, await encrypted(beijing, KeyId, "x"))).toBe("x");
    await refuses(
      beijing.replicateKey({ KeyId, ReplicaRegion: "us-east-1" }),
      "UnsupportedOperationException",
    );
    await refuses(
      ningxia.describeKey({ KeyId: arn.replace("aws-cn", "aws") }),
      "NotFoundException",
    );
  });

  test("a Region has at most one of the related keys, whatever its state", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1");
    const again = () => us.replicateKey({ KeyId, ReplicaRegion: "eu-west-1" });
    await again();
    await refuses(again(), "AlreadyExistsException");
    await stage.settle();
    await refuses(again(), "AlreadyExistsException");
    await eu.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    await refuses(again(), "AlreadyExistsException");
    await refuses(us.replicateKey({ KeyId, ReplicaRegion: "us-east-1" }), "AlreadyExistsException");
  });

  test("only an Enabled multi-Region primary is replicated, and within its partition", async () => {
    const stage = newStage();
    const [us, eu] = [stage.in("us-east-1"), stage.in("eu-west-1")];
    const KeyId = await multiRegionKey(stage, "us-east-1", "eu-west-1");
    const [usArn, euArn] = [stage.arn("us-east-1", KeyId), stage.arn("eu-west-1", KeyId)];
    const ReplicaRegion = "ap-south-1";
    const unsupported = "UnsupportedOperationException";
    for (const region of [ReplicaRegion, "eu-west-1"]) {
      await refuses(
        eu.replicateKey({ KeyId, ReplicaRegion: region }),
        unsupported,
        `${euArn} is not a multi-region primary key.`,
      );
    }
    const single = await singleRegionKey(us);
    await refuses(
      us.replicateKey({ KeyId: single, ReplicaRegion }),
      unsupported,
      `${stage.arn("us-east-1", single)} is not a multi-region primary key.`,
    );
    for (const region of ["cn-north-1", "us-gov-west-1", "mars-north-1"]) {
      await refuses(us.replicateKey({ KeyId, ReplicaRegion: region }), unsupported);
    }
    await refuses(
      us.replicateKey({ KeyId, ReplicaRegion: "Europe" }),
      "ValidationException",
      /^1 validation error detected: Value 'Europe' at 'replicaRegion' failed to satisfy constraint: Member must satisfy regular expression pattern: /,
    );
    const missing = `mrk-${"0".repeat(32)}`;
    await refuses(
      us.replicateKey({ KeyId: missing, ReplicaRegion }),
      "NotFoundException",
      `Key '${stage.arn("us-east-1", missing)}' does not exist`,
    );
    await us.disableKey({ KeyId });
    await refuses(
      us.replicateKey({ KeyId, ReplicaRegion }),
      "DisabledException",
      `${usArn} is disabled.`,
    );
    await us.scheduleKeyDeletion({ KeyId });
    await refuses(
      us.replicateKey({ KeyId, ReplicaRegion }),
      "KMSInvalidStateException",
      `${usArn} is pending replica deletion.`,
    );
  });
}
