// AWS managed keys: made by their first use, and nobody's to manage.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key

import { describe, expect, test } from "vitest";
import { predefinedAliases } from "../../src/domain/managed-key.ts";
import { ACCOUNT, arnOf, base64, DAY, outcome, SECOND, START, World } from "../support/core.ts";

const REGION = "us-east-1";
const S3 = "alias/aws/s3";

interface AliasEntry {
  readonly AliasName: string;
  readonly AliasArn: string;
  readonly TargetKeyId?: string;
  readonly CreationDate?: number;
  readonly LastUpdatedDate?: number;
}

const aliases = async (world: World, input: object = {}, region = REGION) =>
  (await world.call<{ Aliases: AliasEntry[] }>(region, "ListAliases", { Limit: 100, ...input }))
    .Aliases;

const keyIds = async (world: World, region = REGION) =>
  (await world.call<{ Keys: { KeyId: string }[] }>(region, "ListKeys")).Keys.map((k) => k.KeyId);

const policyOf = async (world: World, KeyId: string, region = REGION) =>
  (await world.call<{ Policy: string }>(region, "GetKeyPolicy", { KeyId })).Policy;

const denied = (operation: string, keyId: string) =>
  `AccessDeniedException: User: arn:aws:iam::${ACCOUNT}:root is not authorized to perform: ` +
  `kms:${operation} on resource: ${arnOf(REGION, keyId)} because no resource-based policy allows ` +
  `the kms:${operation} action`;

describe("the first use", () => {
  test("DescribeKey of a predefined alias makes the key and associates it", async () => {
    const world = new World();
    world.pass(DAY);
    const { KeyId, ...metadata } = await world.describe(REGION, S3);
    expect(KeyId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(metadata).toEqual({
      AWSAccountId: ACCOUNT,
      Arn: arnOf(REGION, KeyId),
      CreationDate: (START + DAY) / 1000,
      Enabled: true,
      Description: "Default key that protects my S3 objects when no other key is defined",
      KeyUsage: "ENCRYPT_DECRYPT",
      KeyState: "Enabled",
      Origin: "AWS_KMS",
      KeyManager: "AWS",
      CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
      KeySpec: "SYMMETRIC_DEFAULT",
      EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
      MultiRegion: false,
      CurrentKeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await keyIds(world)).toEqual([KeyId]);
    expect(await aliases(world, { KeyId })).toEqual([
      {
        AliasName: S3,
        AliasArn: `arn:aws:kms:${REGION}:${ACCOUNT}:${S3}`,
        TargetKeyId: KeyId,
        CreationDate: (START + DAY) / 1000,
        LastUpdatedDate: (START + DAY) / 1000,
      },
    ]);
    expect(await world.describe(REGION, KeyId)).toEqual({ KeyId, ...metadata });
    expect(await world.describe(REGION, `arn:aws:kms:${REGION}:${ACCOUNT}:${S3}`)).toEqual({
      KeyId,
      ...metadata,
    });
  });

  test.each([
    ["Encrypt", { Plaintext: base64("text") }],
    ["GenerateDataKey", { KeySpec: "AES_256" }],
    ["GenerateDataKeyWithoutPlaintext", { KeySpec: "AES_256" }],
    ["GenerateDataKeyPair", { KeyPairSpec: "ECC_NIST_P256" }],
  ])("%s makes it, too, and only once", async (operation, input) => {
    const world = new World();
    const first = await world.call<{ KeyId: string }>(REGION, operation, { KeyId: S3, ...input });
    const again = await world.call<{ KeyId: string }>(REGION, operation, { KeyId: S3, ...input });
    expect(again.KeyId).toBe(first.KeyId);
    expect((await keyIds(world)).map((keyId) => arnOf(REGION, keyId))).toEqual([first.KeyId]);
  });

  test("ReEncrypt to one and from it, Decrypt without its name", async () => {
    const world = new World();
    const { KeyId } = await world.createKey(REGION);
    const own = await world.encrypt(REGION, KeyId, "secret");
    const input = { CiphertextBlob: own, DestinationKeyId: S3 };
    const moved = await world.call<{ CiphertextBlob: string; KeyId: string }>(
      REGION,
      "ReEncrypt",
      input,
    );
    expect(moved.KeyId).toBe((await world.describe(REGION, S3)).Arn);
    const back = { CiphertextBlob: moved.CiphertextBlob, DestinationKeyId: KeyId };
    expect(await outcome(world.call(REGION, "ReEncrypt", back))).toBe("ok");
    expect(await world.decrypt(REGION, moved.CiphertextBlob)).toMatchObject({
      KeyId: moved.KeyId,
      Plaintext: base64("secret"),
    });
  });

  test("that is refused makes none, nor does a dry run", async () => {
    const world = new World();
    const sign = { KeyId: S3, Message: base64("m"), SigningAlgorithm: "ECDSA_SHA_256" };
    expect(await outcome(world.call(REGION, "Sign", sign))).toMatch(/^AccessDeniedException: /);
    const dryRun = { KeyId: S3, KeySpec: "AES_256", DryRun: true };
    expect(await outcome(world.call(REGION, "GenerateDataKey", dryRun))).toMatch(
      /^DryRunOperationException: /,
    );
    expect(await keyIds(world)).toEqual([]);
    expect((await aliases(world)).some((alias) => alias.TargetKeyId)).toBe(false);
  });

  test("is one key per alias, account and Region", async () => {
    const world = new World();
    const others = [
      await world.describe(REGION, S3),
      await world.describe("eu-west-1", S3),
      await world.describe(REGION, "alias/aws/ebs"),
      (
        await world.call<{ KeyMetadata: { KeyId: string } }>(
          REGION,
          "DescribeKey",
          { KeyId: S3 },
          "444455556666",
        )
      ).KeyMetadata,
    ];
    expect(new Set(others.map(({ KeyId }) => KeyId)).size).toBe(4);
    expect(await keyIds(world, "eu-west-1")).toHaveLength(1);
    expect(await keyIds(world)).toHaveLength(2);
  });

  test("by another account makes none, and finds none", async () => {
    const world = new World();
    const KeyId = `arn:aws:kms:${REGION}:${ACCOUNT}:${S3}`;
    const asked = () => outcome(world.call(REGION, "DescribeKey", { KeyId }, "444455556666"));
    const before = await asked();
    expect(before).toMatch(/^AccessDeniedException: .* on this resource because the resource does/);
    expect(await keyIds(world)).toEqual([]);
    await world.describe(REGION, S3);
    expect(await asked()).toBe(before);
  });

  test("of a name that no service has is that of an unknown alias", async () => {
    const world = new World();
    for (const name of ["alias/aws/", "alias/aws/nothing", "alias/aws/toString"]) {
      expect(await outcome(world.describe(REGION, name))).toBe(
        `NotFoundException: Alias arn:aws:kms:${REGION}:${ACCOUNT}:${name} is not found.`,
      );
    }
  });

  test("its ID names nothing before", async () => {
    const world = new World();
    const { KeyId } = await world.describe(REGION, S3);
    expect(await outcome(new World().describe(REGION, KeyId))).toMatch(/^NotFoundException: Key '/);
  });
});

describe("ListAliases", () => {
  test("names the keys that are there, beside the names that have none", async () => {
    const world = new World();
    const { KeyId } = await world.describe(REGION, "alias/aws/rds");
    await world.describe(REGION, "alias/aws/sqs");
    const listed = await aliases(world);
    expect(listed.map((alias) => alias.AliasName)).toEqual(
      [...predefinedAliases, "alias/aws/sqs"].sort(),
    );
    expect(listed.find((alias) => alias.AliasName === "alias/aws/rds")?.TargetKeyId).toBe(KeyId);
    expect(listed.filter((alias) => alias.TargetKeyId)).toHaveLength(2);
  });

  test("page by page names each once", async () => {
    const world = new World();
    for (const alias of predefinedAliases) await world.describe(REGION, alias);
    const pages = await world.pages<{ Aliases: AliasEntry[] }>(REGION, "ListAliases", { Limit: 3 });
    const listed = pages.flatMap((page) => page.Aliases);
    expect(listed.map((alias) => alias.AliasName)).toEqual(predefinedAliases);
    expect(new Set(listed.map((alias) => alias.TargetKeyId)).size).toBe(predefinedAliases.length);
  });
});

describe("the key policy", () => {
  test("of S3's key is AWS's", async () => {
    const world = new World();
    const { KeyId } = await world.describe(REGION, S3);
    expect(await policyOf(world, KeyId)).toBe(`{
  "Version" : "2012-10-17",
  "Id" : "auto-s3-2",
  "Statement" : [ {
    "Sid" : "Allow access through S3 for all principals in the account that are authorized to use S3",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:CallerAccount" : "111122223333",
        "kms:ViaService" : "s3.us-east-1.amazonaws.com"
      }
    }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::111122223333:root"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*" ],
    "Resource" : "*"
  } ]
}`);
  });

  test("of Secrets Manager's key has two statements for the service", async () => {
    const world = new World();
    const { KeyId } = await world.describe("eu-west-1", "alias/aws/secretsmanager");
    const { Id, Statement } = JSON.parse(await policyOf(world, KeyId, "eu-west-1"));
    const Sid =
      "Allow access through AWS Secrets Manager for all principals in the account that are " +
      "authorized to use AWS Secrets Manager";
    expect(Id).toBe("auto-secretsmanager-2");
    expect(Statement).toEqual([
      {
        Sid,
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: [
          "kms:Encrypt",
          "kms:Decrypt",
          "kms:ReEncrypt*",
          "kms:CreateGrant",
          "kms:DescribeKey",
        ],
        Resource: "*",
        Condition: {
          StringEquals: {
            "kms:CallerAccount": ACCOUNT,
            "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com",
          },
        },
      },
      {
        Sid,
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: "kms:GenerateDataKey*",
        Resource: "*",
        Condition: {
          StringEquals: { "kms:CallerAccount": ACCOUNT },
          StringLike: { "kms:ViaService": "secretsmanager.*.amazonaws.com" },
        },
      },
      {
        Sid: "Allow direct access to key metadata to the account",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
        Action: ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        Resource: "*",
      },
    ]);
  });

  test.each(predefinedAliases)("of %s is of its account and partition", async (alias) => {
    const world = new World();
    const { KeyId } = await world.describe("cn-north-1", alias);
    const { Statement } = JSON.parse(await policyOf(world, KeyId, "cn-north-1"));
    const text = JSON.stringify(Statement);
    expect(text).toContain(`"kms:CallerAccount":"${ACCOUNT}"`);
    expect(text).not.toContain("arn:aws:");
  });
});

describe("automatic rotation", () => {
  test("happens every year, and nobody can change it", async () => {
    const world = new World();
    const { KeyId, CurrentKeyMaterialId } = await world.describe(REGION, S3);
    expect(await world.rotationStatus(REGION, KeyId)).toEqual({
      KeyId: arnOf(REGION, KeyId),
      KeyRotationEnabled: true,
      RotationPeriodInDays: 365,
      NextRotationDate: (START + 365 * DAY) / 1000,
    });
    const before = await world.encrypt(REGION, S3, "old");
    world.pass(365 * DAY + SECOND);
    const rotated = await world.describe(REGION, S3);
    expect(rotated.KeyId).toBe(KeyId);
    expect(rotated.CurrentKeyMaterialId).not.toBe(CurrentKeyMaterialId);
    expect(await world.rotations(REGION, KeyId)).toMatchObject([{ RotationType: "AUTOMATIC" }]);
    expect((await world.decrypt(REGION, before)).Plaintext).toBe(base64("old"));
    for (const operation of ["EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"]) {
      expect(await outcome(world.call(REGION, operation, { KeyId }))).toBe(
        denied(operation, KeyId),
      );
    }
    expect(await world.rotationStatus(REGION, KeyId)).toMatchObject({ KeyRotationEnabled: true });
  });
});

describe("to manage the key is nobody's", () => {
  const tag = { TagKey: "a", TagValue: "1" };
  test.each([
    ["DisableKey", {}],
    ["EnableKey", {}],
    ["ScheduleKeyDeletion", { PendingWindowInDays: 7 }],
    ["CancelKeyDeletion", {}],
    ["PutKeyPolicy", { Policy: "{}" }],
    ["UpdateKeyDescription", { Description: "mine" }],
    ["TagResource", { Tags: [tag] }],
    ["UntagResource", { TagKeys: ["a"] }],
    ["ReplicateKey", { ReplicaRegion: "eu-west-1" }],
    ["UpdatePrimaryRegion", { PrimaryRegion: "eu-west-1" }],
    ["GenerateMac", { Message: base64("m"), MacAlgorithm: "HMAC_SHA_256" }],
  ])("%s", async (operation, input) => {
    const world = new World();
    const { KeyId } = await world.describe(REGION, S3);
    const before = world.saved(KeyId);
    expect(await outcome(world.call(REGION, operation, { KeyId, ...input }))).toBe(
      denied(operation, KeyId),
    );
    expect(world.saved(KeyId)).toBe(before);
  });

  test("nor are its aliases", async () => {
    const world = new World();
    const { KeyId } = await world.describe(REGION, S3);
    const own = await world.createKey(REGION);
    const call = (operation: string, input: object) =>
      outcome(world.call(REGION, operation, input));
    await world.call(REGION, "CreateAlias", { AliasName: "alias/own", TargetKeyId: own.KeyId });
    expect(await call("CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId })).toBe(
      denied("CreateAlias", KeyId),
    );
    expect(await call("UpdateAlias", { AliasName: "alias/own", TargetKeyId: KeyId })).toBe(
      denied("UpdateAlias", KeyId),
    );
    for (const [operation, input] of [
      ["UpdateAlias", { AliasName: S3, TargetKeyId: own.KeyId }],
      ["DeleteAlias", { AliasName: S3 }],
    ] as const) {
      expect(await call(operation, input)).toBe("NotAuthorizedException");
    }
    expect(await aliases(world, { KeyId })).toMatchObject([{ TargetKeyId: KeyId }]);
  });

  test("what its policy lets the account see, it sees", async () => {
    const world = new World();
    const { KeyId } = await world.describe(REGION, S3);
    for (const operation of [
      "DescribeKey",
      "GetKeyPolicy",
      "GetKeyRotationStatus",
      "ListKeyPolicies",
      "ListKeyRotations",
      "ListResourceTags",
    ]) {
      expect(await outcome(world.call(REGION, operation, { KeyId }))).toBe("ok");
    }
    expect(await outcome(world.call(REGION, "GetPublicKey", { KeyId }))).toMatch(
      /^UnsupportedOperationException/,
    );
  });

  test("of ACM's key the account sees less, and only ACM decrypts with it", async () => {
    const world = new World();
    const { KeyId } = await world.describe(REGION, "alias/aws/acm");
    expect(await outcome(world.encrypt(REGION, KeyId))).toBe(denied("Encrypt", KeyId));
    expect(await outcome(world.rotationStatus(REGION, KeyId))).toBe(
      denied("GetKeyRotationStatus", KeyId),
    );
    expect(await outcome(policyOf(world, KeyId))).toBe("ok");
  });
});
