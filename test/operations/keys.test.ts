// Creating, naming, describing, listing and deleting keys.

import { describe, expect, test } from "vitest";
import { ACCOUNT, arnOf, DAY, type KeyMetadata, outcome, START, World } from "../support/core.ts";
import { outOfReach } from "../support/out-of-reach.ts";

const REGION = "us-east-1";
const UNKNOWN = "1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER_ACCOUNT = "444455556666";

const policyOf = (account: string) =>
  JSON.stringify({
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  });

describe("CreateKey", () => {
  test("without anything: a symmetric encryption key of one Region", async () => {
    const world = new World();
    const metadata = await world.createKey(REGION);
    expect(metadata).toEqual({
      AWSAccountId: "111122223333",
      KeyId: expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      Arn: `arn:aws:kms:us-east-1:111122223333:key/${metadata.KeyId}`,
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
      MultiRegion: false,
      CurrentKeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await world.describe(REGION, metadata.KeyId)).toEqual(metadata);
    const policy = await world.call<{ Policy: string }>(REGION, "GetKeyPolicy", {
      KeyId: metadata.KeyId,
    });
    expect(JSON.parse(policy.Policy).Id).toBe("key-default-1");
  });

  test("keeps the description, the tags and the policy it is given", async () => {
    const world = new World();
    const { KeyId, Description } = await world.createKey(REGION, {
      Description: "for tests",
      Tags: [{ TagKey: "a", TagValue: "1" }],
      Policy: policyOf(ACCOUNT),
    });
    expect(Description).toBe("for tests");
    expect(await world.call(REGION, "ListResourceTags", { KeyId })).toEqual({
      Tags: [{ TagKey: "a", TagValue: "1" }],
      Truncated: false,
    });
    const { Policy } = await world.call<{ Policy: string }>(REGION, "GetKeyPolicy", { KeyId });
    expect(JSON.parse(Policy)).toEqual(JSON.parse(policyOf(ACCOUNT)));
  });

  test("takes the spec and the usage by their names, old and new", async () => {
    const world = new World();
    for (const input of [
      { KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT", Origin: "AWS_KMS" },
      { CustomerMasterKeySpec: "SYMMETRIC_DEFAULT" },
    ]) {
      expect((await world.createKey(REGION, input)).KeySpec).toBe("SYMMETRIC_DEFAULT");
    }
  });

  test.for<[string, object, string]>([
    [
      "both names of the spec",
      { KeySpec: "SYMMETRIC_DEFAULT", CustomerMasterKeySpec: "SYMMETRIC_DEFAULT" },
      "ValidationException: You cannot specify KeySpec and CustomerMasterKeySpec in the same " +
        "request. CustomerMasterKeySpec is deprecated.",
    ],
    [
      "a usage that the spec has not",
      { KeyUsage: "SIGN_VERIFY" },
      "ValidationException: KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT",
    ],
    [
      "a tag twice",
      { Tags: ["1", "2"].map((TagValue) => ({ TagKey: "a", TagValue })) },
      "TagException: Duplicate tag keys",
    ],
    [
      "a policy that locks the caller out",
      { Policy: policyOf(OTHER_ACCOUNT) },
      "MalformedPolicyDocumentException: The new key policy will not allow you to update the key " +
        "policy in the future.",
    ],
    [
      "another spec without a usage",
      { KeySpec: "RSA_2048" },
      "ValidationException: You must specify a KeyUsage value for all KMS keys except for " +
        "symmetric encryption keys.",
    ],
    [
      "a usage that does not fit the spec",
      { KeySpec: "RSA_2048", KeyUsage: "KEY_AGREEMENT" },
      "ValidationException: KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048",
    ],
    [
      "SM2 outside China",
      { KeySpec: "SM2", KeyUsage: "SIGN_VERIFY" },
      // Recorded on AWS (floci-io/floci#3968).
      "UnsupportedOperationException: KeySpec SM2 is not supported in this Region",
    ],
  ])("refuses %s", async ([, input, refusal]) => {
    const world = new World();
    expect(await outcome(world.createKey(REGION, input))).toBe(refusal);
    expect(await world.call(REGION, "ListKeys")).toEqual({ Keys: [], Truncated: false });
  });

  test("takes a policy that locks the caller out if told to", async () => {
    const world = new World();
    const input = { Policy: policyOf(OTHER_ACCOUNT), BypassPolicyLockoutSafetyCheck: true };
    expect(await outcome(world.createKey(REGION, input))).toBe("ok");
  });
});

describe("a key is named", () => {
  // Operations that take an alias, and operations that take a key ID or a key ARN only.
  const describeKey = (world: World, KeyId: string) => world.call(REGION, "DescribeKey", { KeyId });
  const disable = (world: World, KeyId: string) => world.call(REGION, "DisableKey", { KeyId });
  const encrypt = (world: World, KeyId: string) =>
    world.call(REGION, "Encrypt", { KeyId, Plaintext: "AAAA" });

  async function prepared() {
    const world = new World();
    const { KeyId, Arn } = await world.createKey(REGION);
    await world.call(REGION, "CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId });
    return { world, KeyId, Arn, aliasArn: "arn:aws:kms:us-east-1:111122223333:alias/a" };
  }

  test("by its ID, its ARN, an alias or an alias's ARN", async () => {
    const { world, KeyId, Arn, aliasArn } = await prepared();
    for (const name of [KeyId, Arn, "alias/a", aliasArn]) {
      expect(await describeKey(world, name)).toMatchObject({ KeyMetadata: { KeyId } });
      expect(await encrypt(world, name)).toMatchObject({ KeyId: Arn });
    }
  });

  // Seen on AWS: of CreateGrant in boto/boto#3202, of GetKeyPolicy and others in public logs of 2026.
  test("by no alias in operations that change it", async () => {
    const { world, KeyId, Arn, aliasArn } = await prepared();
    for (const name of ["alias/a", aliasArn, "alias/none"]) {
      expect(await outcome(disable(world, name))).toBe(
        "InvalidArnException: Key Aliases are not supported for this operation.",
      );
    }
    for (const name of [KeyId, Arn]) expect(await outcome(disable(world, name))).toBe("ok");
  });

  test.for(["fake-key-id", "mrk-fake-key-id", UNKNOWN.replaceAll("-", "")])(
    "%s is no name (recorded on AWS)",
    async (name) => {
      const { world } = await prepared();
      const refusal = `NotFoundException: Invalid keyId '${name}'`;
      expect(await outcome(describeKey(world, name))).toBe(refusal);
      expect(await outcome(disable(world, name))).toBe(refusal);
    },
  );

  // Recorded by floci's authors on AWS (floci-io/floci#3968).
  test.for(["foo", "alias/aws/sqs"])("%s is no name in an ARN", async (resource) => {
    const { world } = await prepared();
    const refusal = `NotFoundException: Invalid keyId ${resource}`;
    expect(await outcome(describeKey(world, arnOf(REGION, resource)))).toBe(refusal);
    expect(await outcome(disable(world, arnOf(REGION, resource)))).toBe(refusal);
  });

  test("by its ID in upper case nowhere (recorded on AWS, floci-io/floci#3968)", async () => {
    const { world, KeyId } = await prepared();
    const shouted = KeyId.toUpperCase();
    for (const name of [shouted, arnOf(REGION, shouted)]) {
      expect(await outcome(describeKey(world, name))).toBe(
        `NotFoundException: Key '${arnOf(REGION, shouted)}' does not exist`,
      );
    }
  });

  test.for([UNKNOWN, arnOf(REGION, UNKNOWN), "mrk-1234abcd12ab34cd56ef1234567890ab"])(
    "%s names none (recorded on AWS)",
    async (name) => {
      const { world } = await prepared();
      const arn = name.startsWith("arn:") ? name : arnOf(REGION, name);
      const refusal = `NotFoundException: Key '${arn}' does not exist`;
      expect(await outcome(describeKey(world, name))).toBe(refusal);
      expect(await outcome(disable(world, name))).toBe(refusal);
    },
  );

  test("by the ARN of another Region nowhere (recorded on AWS)", async () => {
    const { world, KeyId } = await prepared();
    for (const region of ["ap-southeast-1", "nowhere"]) {
      const refusal = `NotFoundException: Invalid arn ${region}`;
      expect(await outcome(describeKey(world, arnOf(region, KeyId)))).toBe(refusal);
      expect(await outcome(disable(world, arnOf(region, KeyId)))).toBe(refusal);
      const alias = `arn:aws:kms:${region}:111122223333:alias/a`;
      expect(await outcome(describeKey(world, alias))).toBe(refusal);
    }
  });

  test("by an ARN of another partition nowhere", async () => {
    const { world, Arn } = await prepared();
    const answer = await outcome(describeKey(world, Arn.replace("arn:aws:", "arn:aws-cn:")));
    expect(answer).toBe("NotFoundException: Invalid arn us-east-1");
  });

  test("by an alias that is not there nowhere", async () => {
    const { world } = await prepared();
    const refusal =
      "NotFoundException: Alias arn:aws:kms:us-east-1:111122223333:alias/b is not found.";
    expect(await outcome(describeKey(world, "alias/b"))).toBe(refusal);
    const arn = "arn:aws:kms:us-east-1:111122223333:alias/b";
    expect(await outcome(encrypt(world, arn))).toBe(refusal);
  });

  test("a malformed ARN is InvalidArnException where that is declared", async () => {
    const { world } = await prepared();
    const arn = "arn:aws:kms:us-east-1:1111:key/x";
    expect(await outcome(describeKey(world, arn))).toMatch(/^InvalidArnException: /);
    expect(await outcome(disable(world, arn))).toMatch(/^InvalidArnException: /);
    expect(await outcome(encrypt(world, arn))).toMatch(/^NotFoundException: /);
  });
});

describe("keys of another account", () => {
  test("are refused, whether they exist or not", async () => {
    const world = new World();
    const { Arn } = await world.createKey(REGION);
    for (const [KeyId, operation] of [
      [Arn, "DescribeKey"],
      [arnOf(REGION, UNKNOWN), "DescribeKey"],
      [Arn, "DisableKey"],
    ] as const) {
      const answer = await outcome(world.call(REGION, operation, { KeyId }, OTHER_ACCOUNT));
      expect(answer).toBe(
        `AccessDeniedException: ${outOfReach("arn:aws:iam::444455556666:root", operation)}`,
      );
    }
  });

  test("are not found by their ID, which is looked for in the caller's account", async () => {
    const world = new World();
    const { KeyId } = await world.createKey(REGION);
    const answer = await outcome(world.call(REGION, "DescribeKey", { KeyId }, OTHER_ACCOUNT));
    expect(answer).toBe(
      `NotFoundException: Key '${arnOf(REGION, KeyId, OTHER_ACCOUNT)}' does not exist`,
    );
  });
});

describe("the order of the checks", () => {
  test("constraints, then the key, then combinations, then its state", async () => {
    const world = new World();
    const { KeyId, Arn } = await world.createKey(REGION);
    await world.call(REGION, "DisableKey", { KeyId });
    const generate = (input: object) => outcome(world.call(REGION, "GenerateDataKey", input));
    expect(await generate({ KeyId: UNKNOWN, NumberOfBytes: 0 })).toMatch(
      /^ValidationException: 1 v/,
    );
    expect(await generate({ KeyId: UNKNOWN })).toMatch(/^NotFoundException: /);
    expect(await generate({ KeyId })).toBe(
      "ValidationException: Please specify either number of bytes or key spec.",
    );
    expect(await generate({ KeyId, KeySpec: "AES_256" })).toBe(
      `DisabledException: ${Arn} is disabled.`,
    );
  });
});

describe("UpdateKeyDescription", () => {
  test("changes the description, or clears it", async () => {
    const world = new World();
    const { KeyId } = await world.createKey(REGION, { Description: "old" });
    for (const Description of ["new", ""]) {
      const answer = await world.call(REGION, "UpdateKeyDescription", { KeyId, Description });
      expect(answer).toBe(null);
      expect((await world.describe(REGION, KeyId)).Description).toBe(Description);
    }
  });
});

describe("EnableKey and DisableKey", () => {
  test("answer nothing, and leave everything but the state alone", async () => {
    const world = new World();
    const before = await world.createKey(REGION);
    const { KeyId } = before;
    expect(await world.call(REGION, "DisableKey", { KeyId })).toBe(null);
    const disabled: KeyMetadata = { ...before, KeyState: "Disabled", Enabled: false };
    expect(await world.describe(REGION, KeyId)).toEqual(disabled);
    expect(await world.call(REGION, "EnableKey", { KeyId })).toBe(null);
    expect(await world.describe(REGION, KeyId)).toEqual(before);
  });
});

describe("ListKeys", () => {
  test("lists this Region's keys of this account, in pages", async () => {
    const world = new World();
    const made = [];
    for (let count = 0; count < 5; count += 1) made.push((await world.createKey(REGION)).KeyId);
    await world.createKey("eu-west-1");
    await world.call(REGION, "CreateKey", {}, OTHER_ACCOUNT);
    const pages = await world.pages<{ Keys: { KeyId: string; KeyArn: string }[] }>(
      REGION,
      "ListKeys",
      { Limit: 2 },
    );
    expect(pages.map(({ Keys }) => Keys.length)).toEqual([2, 2, 1]);
    expect(pages.flatMap(({ Keys }) => Keys)).toEqual(
      made.toSorted().map((KeyId) => ({ KeyId, KeyArn: arnOf(REGION, KeyId) })),
    );
  });

  test("goes on after a key that was deleted meanwhile", async () => {
    const world = new World();
    for (let count = 0; count < 4; count += 1) await world.createKey(REGION);
    const first = await world.call<{ Keys: { KeyId: string }[]; NextMarker: string }>(
      REGION,
      "ListKeys",
      { Limit: 2 },
    );
    const KeyId = first.Keys[1]?.KeyId;
    await world.call(REGION, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    world.pass(7 * DAY);
    const rest = { Limit: 2, Marker: first.NextMarker };
    const second = await world.call<{ Keys: unknown[] }>(REGION, "ListKeys", rest);
    expect(second.Keys).toHaveLength(2);
  });

  test("lists a replica in its own Region from the start", async () => {
    const world = new World();
    const keyId = await world.createSet(REGION);
    await world.call(REGION, "ReplicateKey", { KeyId: keyId, ReplicaRegion: "eu-west-1" });
    expect(await world.call("eu-west-1", "ListKeys")).toEqual({
      Keys: [{ KeyId: keyId, KeyArn: arnOf("eu-west-1", keyId) }],
      Truncated: false,
    });
  });

  test("lists no key whose time has come, though nobody has told the directory", async () => {
    const world = new World();
    const keyId = await world.createSet(REGION, "eu-west-1");
    const schedule = { KeyId: keyId, PendingWindowInDays: 7 };
    await world.call(REGION, "ScheduleKeyDeletion", schedule);
    await world.call("eu-west-1", "ScheduleKeyDeletion", schedule);
    const count = async (region: string) =>
      (await world.call<{ Keys: unknown[] }>(region, "ListKeys")).Keys.length;
    world.pass(7 * DAY);
    expect([await count(REGION), await count("eu-west-1")]).toEqual([1, 0]);
    world.pass(7 * DAY);
    expect(await count(REGION)).toBe(0);
  });
});

describe("CancelKeyDeletion", () => {
  test("leaves nothing of the schedule; the next one is new", async () => {
    const world = new World();
    const { KeyId } = await world.createKey(REGION);
    const before = world.saved(KeyId)?.keys;
    await world.call(REGION, "DisableKey", { KeyId });
    const disabled = world.saved(KeyId)?.keys;
    expect(disabled).not.toEqual(before);
    await world.call(REGION, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await world.call(REGION, "CancelKeyDeletion", { KeyId });
    expect(world.saved(KeyId)?.keys).toEqual(disabled);
    world.pass(100 * DAY);
    const answer = await world.call(REGION, "ScheduleKeyDeletion", { KeyId });
    expect(answer).toMatchObject({ DeletionDate: (START + 130 * DAY) / 1000 });
  });
});

describe("ScheduleKeyDeletion", () => {
  test.for([
    [
      0,
      /^ValidationException: 1 validation error detected: Value '0' at 'pendingWindowInDays' .* equal to 1$/,
    ],
    [6, /^ValidationException: PendingWindowInDays must be between 7 and 30\.$/],
    [7, /^ok$/],
    [30, /^ok$/],
    [31, /^ValidationException: PendingWindowInDays must be between 7 and 30\.$/],
    [
      366,
      /^ValidationException: 1 validation error detected: Value '366' at 'pendingWindowInDays' .* equal to 365$/,
    ],
  ] as const)("%i days", async ([PendingWindowInDays, answer]) => {
    const world = new World();
    const { KeyId } = await world.createKey(REGION);
    const schedule = { KeyId, PendingWindowInDays };
    expect(await outcome(world.call(REGION, "ScheduleKeyDeletion", schedule))).toMatch(answer);
  });

  test("twice is refused, and keeps the first date", async () => {
    const world = new World();
    const { KeyId, Arn } = await world.createKey(REGION);
    await world.call(REGION, "ScheduleKeyDeletion", { KeyId });
    world.pass(DAY);
    expect(await outcome(world.call(REGION, "ScheduleKeyDeletion", { KeyId }))).toBe(
      `KMSInvalidStateException: ${Arn} is pending deletion.`,
    );
    expect((await world.describe(REGION, KeyId)).DeletionDate).toBe((START + 30 * DAY) / 1000);
  });
});
