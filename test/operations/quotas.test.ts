// Resource quotas: what is refused at each, and that they can be set.
// https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html

import { describe, expect, test } from "vitest";
import { awsQuotas, parseQuotas } from "../../src/domain/quota.ts";
import { ACCOUNT, arnOf, DAY, outcome, World } from "../support/core.ts";

const [P, R] = ["us-east-1", "eu-west-1"] as const;

function worldWith(quotas: string): World {
  const world = new World({ creatingMs: 0, updatingMs: 0, rotatingMs: 0 });
  world.quotas = parseQuotas(quotas);
  return world;
}

const full = (limit: number, usage = limit) =>
  `LimitExceededException: Key quota for this account in this region is ${limit} ` +
  `but the current usage is ${usage}.`;

describe("AWS's own values", () => {
  test("are those of the guide", () => {
    expect(awsQuotas).toEqual({
      KEYS: 100_000,
      ALIASES_PER_KEY: 50,
      GRANTS_PER_KEY: 50_000,
      GRANT_CONSTRAINT_PAIRS: 8,
      KEY_POLICY_BYTES: 32_768,
      TAGS_PER_KEY: 50,
      ON_DEMAND_ROTATIONS: 25,
      CUSTOM_KEY_STORES: 10,
    });
    expect(parseQuotas("aws")).toBe(awsQuotas);
  });

  test("hold for what is not set", () => {
    expect(parseQuotas("KEYS=3, TAGS_PER_KEY=60")).toEqual({
      ...awsQuotas,
      KEYS: 3,
      TAGS_PER_KEY: 60,
    });
  });

  test.each([
    "",
    "KEYS",
    "KEYS=",
    "KEYS=-1",
    "KEYS=1.5",
    "KEYS=x",
    "KEY=3",
    "KEYS=3,",
    "toString=1",
  ])("%j is no setting", (text) => {
    expect(() => parseQuotas(text)).toThrow(/^expects aws or NAME=NUMBER,… with the names KEYS, /);
  });
});

describe("keys of an account in a Region", () => {
  test("CreateKey beyond them leaves nothing", async () => {
    const world = worldWith("KEYS=2");
    await world.createKey(P);
    await world.createKey(P, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    expect(await outcome(world.createKey(P))).toBe(full(2));
    expect(await outcome(world.createKey(P, { MultiRegion: true }))).toBe(full(2));
    const { Keys } = await world.call<{ Keys: unknown[] }>(P, "ListKeys");
    expect(Keys).toHaveLength(2);
  });

  test("other Regions and other accounts count for themselves", async () => {
    const world = worldWith("KEYS=1");
    await world.createKey(P);
    await world.createKey(R);
    expect(await outcome(world.call(P, "CreateKey", {}, "444455556666"))).toBe("ok");
    expect(await outcome(world.createKey(R))).toBe(full(1));
  });

  test("count in every state, until they are gone", async () => {
    const world = worldWith("KEYS=1");
    const { KeyId } = await world.createKey(P);
    await world.call(P, "DisableKey", { KeyId });
    expect(await outcome(world.createKey(P))).toBe(full(1));
    await world.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    world.pass(7 * DAY - 1);
    expect(await outcome(world.createKey(P))).toBe(full(1));
    world.pass(1);
    expect(await outcome(world.createKey(P))).toBe("ok");
  });

  test("ReplicateKey is refused by the Region it would make a key in", async () => {
    const world = worldWith("KEYS=1");
    const KeyId = await world.createSet(P);
    const other = await world.createKey(R);
    const replicate = (input: object = {}) =>
      outcome(world.call(P, "ReplicateKey", { KeyId, ReplicaRegion: R, ...input }));
    expect(await replicate()).toBe(full(1));
    expect(await outcome(world.describe(R, KeyId))).toMatch(/^NotFoundException/);
    expect((await world.describe(P, KeyId)).MultiRegionConfiguration?.ReplicaKeys).toEqual([]);
    // What else is wrong is said first.
    expect(await replicate({ Policy: "{" })).toMatch(/^MalformedPolicyDocumentException/);
    const tags = [{ TagKey: "aws:a", TagValue: "" }];
    expect(await replicate({ Tags: tags })).toMatch(/^TagException/);
    await world.call(R, "ScheduleKeyDeletion", { KeyId: other.KeyId, PendingWindowInDays: 7 });
    world.pass(7 * DAY);
    expect(await replicate()).toBe("ok");
    expect(await replicate()).toMatch(/^AlreadyExistsException/);
  });

  test("AWS managed keys do not count, and need no room", async () => {
    const world = worldWith("KEYS=1,KEY_POLICY_BYTES=400");
    await world.describe(P, "alias/aws/s3");
    await world.createKey(P);
    expect(await outcome(world.describe(P, "alias/aws/ebs"))).toBe("ok");
    expect(await outcome(world.createKey(P))).toBe(full(1));
  });

  test("more than a lowered quota say how many they are", async () => {
    const world = worldWith("KEYS=3");
    for (let count = 0; count < 3; count += 1) await world.createKey(P);
    world.quotas = parseQuotas("KEYS=1");
    expect(await outcome(world.createKey(P))).toBe(full(1, 3));
  });
});

describe("of one key", () => {
  test("aliases", async () => {
    const world = worldWith("ALIASES_PER_KEY=2");
    const { KeyId } = await world.createKey(P);
    const create = (name: string) =>
      outcome(world.call(P, "CreateAlias", { AliasName: `alias/${name}`, TargetKeyId: KeyId }));
    expect([await create("a"), await create("b")]).toEqual(["ok", "ok"]);
    expect(await create("c")).toBe(
      `LimitExceededException: The key ${arnOf(P, KeyId)} already has 2 aliases.`,
    );
  });

  test("tags, and more of them than AWS's own quota", async () => {
    const world = worldWith("TAGS_PER_KEY=51");
    const tags = (count: number) =>
      Array.from({ length: count }, (_, number) => ({ TagKey: `t${number}`, TagValue: "" }));
    const { KeyId } = await world.createKey(P, { Tags: tags(51) });
    const more = { KeyId, Tags: [{ TagKey: "one more", TagValue: "" }] };
    expect(await outcome(world.call(P, "TagResource", more))).toBe("TagException: Too many tags");
    expect(await outcome(world.createKey(P, { Tags: tags(52) }))).toBe(
      "TagException: Too many tags",
    );
  });

  test("rotations on demand", async () => {
    const world = worldWith("ON_DEMAND_ROTATIONS=1");
    const { KeyId } = await world.createKey(P);
    expect(await outcome(world.call(P, "RotateKeyOnDemand", { KeyId }))).toBe("ok");
    expect(await outcome(world.call(P, "RotateKeyOnDemand", { KeyId }))).toBe(
      "LimitExceededException: The on-demand rotations limit has been reached for the given " +
        `keyId. No more on-demand rotations can be performed for this key: ${arnOf(P, KeyId)}`,
    );
  });

  test("grants; one that is there already is no further one", async () => {
    const world = worldWith("GRANTS_PER_KEY=1");
    const { KeyId } = await world.createKey(P);
    const grant = (Name: string) =>
      outcome(
        world.call(P, "CreateGrant", {
          KeyId,
          Name,
          GranteePrincipal: `arn:aws:iam::${ACCOUNT}:root`,
          Operations: ["Decrypt"],
        }),
      );
    expect([await grant("a"), await grant("a")]).toEqual(["ok", "ok"]);
    expect(await grant("b")).toBe(
      `LimitExceededException: The key ${arnOf(P, KeyId)} already has 1 grants.`,
    );
  });

  test("pairs in the constraint of a grant", async () => {
    const world = worldWith("GRANT_CONSTRAINT_PAIRS=9");
    const { KeyId } = await world.createKey(P);
    const grant = (pairs: number) =>
      outcome(
        world.call(P, "CreateGrant", {
          KeyId,
          GranteePrincipal: `arn:aws:iam::${ACCOUNT}:root`,
          Operations: ["Decrypt"],
          Constraints: {
            EncryptionContextSubset: Object.fromEntries(
              Array.from({ length: pairs }, (_, n) => [`name ${n}`, "value"]),
            ),
          },
        }),
      );
    expect(await grant(9)).toBe("ok");
    expect(await grant(10)).toBe(
      "ValidationException: A grant constraint can have at most 9 encryption context pairs.",
    );
  });

  test("the length of its policy", async () => {
    const world = worldWith("KEY_POLICY_BYTES=300");
    const { KeyId } = await world.createKey(P);
    const policy = (id: string) =>
      JSON.stringify({
        Id: id,
        Statement: {
          Effect: "Allow",
          Principal: { AWS: ACCOUNT },
          Action: "kms:*",
          Resource: "*",
        },
      });
    const refusal = "LimitExceededException: The key policy is longer than the limit of 300 bytes.";
    const put = (Policy: string) => outcome(world.call(P, "PutKeyPolicy", { KeyId, Policy }));
    expect(await put(policy("i"))).toBe("ok");
    expect(await put(policy("i".repeat(300)))).toBe(refusal);
    expect(await outcome(world.createKey(P, { Policy: policy("i".repeat(300)) }))).toBe(refusal);
    const set = await world.createSet(P);
    const replica = { KeyId: set, ReplicaRegion: R, Policy: policy("i".repeat(300)) };
    expect(await outcome(world.call(P, "ReplicateKey", replica))).toBe(refusal);
  });
});

describe("custom key stores of an account in a Region", () => {
  const store = (n: number) => ({
    CustomKeyStoreName: `store ${n}`,
    CloudHsmClusterId: `cluster-${"abcdefghijkl"[n]}234567234a`,
    TrustAnchorCertificate: "a certificate",
    KeyStorePassword: "kmsPswd",
  });
  const made = async (world: World, region: string, count: number) => {
    const outcomes: string[] = [];
    for (let n = 0; n < count; n += 1) {
      outcomes.push(await outcome(world.call(region, "CreateCustomKeyStore", store(n))));
    }
    return outcomes;
  };

  test("are no more than is set, in each Region", async () => {
    const world = worldWith("CUSTOM_KEY_STORES=1");
    for (const region of [P, R]) {
      expect(await made(world, region, 2)).toEqual([
        "ok",
        "LimitExceededException: The account has 1 custom key stores in this Region, the most it can have.",
      ]);
    }
  });

  test("may be more than AWS's ten", async () => {
    expect(await made(worldWith("CUSTOM_KEY_STORES=11"), P, 12)).toEqual([
      ...Array.from({ length: 11 }, () => "ok"),
      "LimitExceededException: The account has 11 custom key stores in this Region, the most it can have.",
    ]);
  });
});
