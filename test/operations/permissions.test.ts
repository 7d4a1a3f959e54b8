// Permissions through the whole core: the table of policy cases, what takes two permissions, what
// each condition key is read from, and what callers that nobody named may do.

import { describe, expect, test } from "vitest";
import type { Grant } from "../../src/domain/grant.ts";
import { type Key, withKeys } from "../../src/domain/key-set.ts";
import type { Principal } from "../../src/domain/principal.ts";
import { arnOf, base64, DAY, outcome, START, World } from "../support/core.ts";
import { ciphertextOutOfReach, outOfReach } from "../support/out-of-reach.ts";
import { keyPolicyOf, noIdentity, policyCases, refusalOf } from "../support/policy-cases.ts";
import {
  allow,
  deny,
  FOREIGN,
  OWN,
  policy,
  root,
  rootArn,
  type Statement,
  session,
  toAws,
  user,
  userArn,
} from "../support/principals.ts";

const [P, R] = ["us-east-1", "eu-west-1"];
const byRoot = allow("kms:*", toAws(rootArn()));

function newWorld(): World {
  const world = new World();
  world.requestContext = { sourceIp: "203.0.113.9", userAgent: "aws-cli/2.31", secure: true };
  return world;
}

/** A new key whose policy has these statements, whoever that locks out. */
async function keyWith(world: World, key: readonly Statement[], input: object = {}) {
  const { KeyId } = await world.createKey(P, {
    Policy: policy(...key),
    BypassPolicyLockoutSafetyCheck: true,
    ...input,
  });
  return KeyId;
}

const refusal = (caller: Principal, action: string, on: string | null, end: string) =>
  `AccessDeniedException: User: ${caller.arn} is not authorized to perform: kms:${action} ` +
  `${on === null ? "" : `on resource: ${on} `}${end}`;

const alice = (...policies: Statement[]) => user("alice", { policies });
const when = (Condition: unknown) => ({ Condition });

describe("policy cases through the whole core", () => {
  test.each(policyCases.map((each) => [each.rule, each] as const))("%s", async (_rule, each) => {
    const { caller, operation = "Encrypt", input = {}, tags = {}, grants = [] } = each;
    const world = newWorld();
    const Tags = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    const KeyId = await keyWith(world, [], { Policy: keyPolicyOf(each), Tags });
    world.edit(KeyId, (set) => {
      const granted = grants.map((grant, at) => ({ id: String(at), constraints: null, ...grant }));
      const key = { ...(set.keys[P] as Key), grants: granted as readonly Grant[] };
      return withKeys(set, key);
    });
    const arn = arnOf(P, KeyId);
    const asked = {
      KeyId: arn,
      ...(operation === "Encrypt" && { Plaintext: base64("x") }),
      ...input,
    };
    expect(await outcome(world.call(P, operation, asked, caller))).toBe(
      each.refusal === null ? "ok" : `AccessDeniedException: ${refusalOf(each, arn)}`,
    );
  });
});

describe("callers that nobody named", () => {
  test("do with their account's keys whatever no policy denies", async () => {
    const world = newWorld();
    const KeyId = await keyWith(world, [
      allow("kms:Encrypt", toAws(userArn("alice"))),
      deny("kms:DisableKey", { Principal: "*" }),
    ]);
    expect(await outcome(world.describe(P, KeyId))).toBe("ok");
    expect(await outcome(world.call(P, "DisableKey", { KeyId }))).toBe(
      refusal(
        root(),
        "DisableKey",
        arnOf(P, KeyId),
        "with an explicit deny in a resource-based policy",
      ),
    );
  });

  test("use another account's key where its policy lets their account", async () => {
    const world = newWorld();
    const KeyId = await keyWith(world, [byRoot, allow("kms:Encrypt", toAws(rootArn(FOREIGN)))]);
    const arn = arnOf(P, KeyId);
    const encrypt = { KeyId: arn, Plaintext: base64("x") };
    expect(await outcome(world.call(P, "Encrypt", encrypt, FOREIGN))).toBe("ok");
    expect(await outcome(world.call(P, "Encrypt", encrypt, "777788889999"))).toBe(
      `AccessDeniedException: ${outOfReach(rootArn("777788889999"), "Encrypt")}`,
    );
    expect(await outcome(world.call(P, "DescribeKey", { KeyId: arn }, FOREIGN))).toBe(
      `AccessDeniedException: ${outOfReach(rootArn(FOREIGN), "DescribeKey")}`,
    );
  });

  test("are not evaluated where policies are off, and other accounts stay out", async () => {
    const world = new World();
    const KeyId = await keyWith(world, [
      deny("kms:*", { Principal: "*" }),
      allow("kms:*", { Principal: "*" }),
    ]);
    world.requestContext = undefined;
    expect(await outcome(world.describe(P, KeyId))).toBe("ok");
    const asked = { KeyId: arnOf(P, KeyId) };
    expect(await outcome(world.call(P, "DescribeKey", asked, alice()))).toBe("ok");
    expect(await outcome(world.call(P, "DescribeKey", asked, FOREIGN))).toMatch(
      /^AccessDeniedException/,
    );
  });
});

describe("Decrypt without a KeyId", () => {
  test("does not name the key of the ciphertext (seen in public issues)", async () => {
    const world = newWorld();
    const KeyId = await keyWith(world, [byRoot]);
    const CiphertextBlob = await world.encrypt(P, KeyId);
    const caller = alice();
    expect(await outcome(world.call(P, "Decrypt", { CiphertextBlob }, caller))).toBe(
      `AccessDeniedException: User: ${caller.arn} is not authorized to perform: kms:Decrypt on the ` +
        `resource associated with this ciphertext ${noIdentity("Decrypt")}`,
    );
    expect(await outcome(world.call(P, "Decrypt", { CiphertextBlob }, FOREIGN))).toBe(
      `AccessDeniedException: ${ciphertextOutOfReach(rootArn(FOREIGN))}`,
    );
    const stranger = user("bob", { account: FOREIGN, policies: [allow("*")] });
    const input = { CiphertextBlob, DestinationKeyId: KeyId };
    expect(await outcome(world.call(P, "ReEncrypt", input, stranger))).toBe(
      `AccessDeniedException: ${ciphertextOutOfReach(stranger.arn, "ReEncryptFrom")}`,
    );
  });
});

describe("kms:TrailingDaysWithoutKeyUsage", () => {
  const idleFor = (days: number) =>
    alice(
      allow(
        "kms:*",
        when({ NumericGreaterThanEquals: { "kms:TrailingDaysWithoutKeyUsage": days } }),
      ),
    );
  const disable = (world: World, KeyId: string, days: number) =>
    outcome(world.call(P, "DisableKey", { KeyId }, idleFor(days)));

  test("is whole days since the last use, and of a key that was never used since it was made", async () => {
    const world = newWorld();
    const KeyId = await keyWith(world, [byRoot]);
    world.pass(30 * DAY - 1);
    expect(await disable(world, KeyId, 30)).toMatch(/kms:DisableKey action$/);
    world.pass(1);
    await world.encrypt(P, KeyId);
    expect(await disable(world, KeyId, 1)).toMatch(/kms:DisableKey action$/);
    world.pass(7 * DAY + DAY / 2);
    expect(await disable(world, KeyId, 8)).toMatch(/kms:DisableKey action$/);
    expect(await disable(world, KeyId, 7)).toBe("ok");
  });

  test("decides about ScheduleKeyDeletion, and of other operations there is none", async () => {
    const world = newWorld();
    const KeyId = await keyWith(world, [byRoot]);
    world.pass(90 * DAY);
    const call = (operation: string, days: number) =>
      outcome(world.call(P, operation, { KeyId }, idleFor(days)));
    expect(await call("EnableKey", 0)).toMatch(/kms:EnableKey action$/);
    expect(await call("ScheduleKeyDeletion", 91)).toMatch(/kms:ScheduleKeyDeletion action$/);
    expect(await call("ScheduleKeyDeletion", 90)).toBe("ok");
  });
});

describe("ReEncrypt takes a permission on each key", () => {
  const re = async (from: Statement[], to: Statement[], caller = alice(), same = false) => {
    const world = newWorld();
    const SourceKeyId = await keyWith(world, [byRoot, ...from]);
    const DestinationKeyId = same ? SourceKeyId : await keyWith(world, [byRoot, ...to]);
    const blob = await world.encrypt(P, SourceKeyId, "x", { EncryptionContext: { a: "1" } });
    const input = {
      CiphertextBlob: blob,
      SourceKeyId,
      SourceEncryptionContext: { a: "1" },
      DestinationKeyId,
      DestinationEncryptionContext: { b: "2" },
    };
    const said = await outcome(world.call(P, "ReEncrypt", input, caller));
    return said.replaceAll(SourceKeyId, "SOURCE").replaceAll(DestinationKeyId, "DESTINATION");
  };
  const may = (action: string, Condition?: unknown) =>
    allow(action, { ...toAws(userArn("alice")), ...(Condition !== undefined && { Condition }) });

  test("kms:ReEncryptFrom on the source, kms:ReEncryptTo on the destination", async () => {
    expect(await re([may("kms:ReEncryptFrom")], [may("kms:ReEncryptTo")])).toBe("ok");
    expect(await re([may("kms:ReEncryptTo")], [may("kms:ReEncrypt*")])).toBe(
      refusal(alice(), "ReEncryptFrom", arnOf(P, "SOURCE"), noIdentity("ReEncryptFrom")),
    );
    expect(await re([may("kms:ReEncrypt*")], [may("kms:ReEncryptFrom")])).toBe(
      refusal(alice(), "ReEncryptTo", arnOf(P, "DESTINATION"), noIdentity("ReEncryptTo")),
    );
  });

  test("each is asked about its own encryption context", async () => {
    const source = { StringEquals: { "kms:EncryptionContext:a": "1" } };
    const destination = { StringEquals: { "kms:EncryptionContext:b": "2" } };
    const [from, to] = ["kms:ReEncryptFrom", "kms:ReEncryptTo"];
    expect(await re([may(from, source)], [may(to, destination)])).toBe("ok");
    expect(await re([may(from, destination)], [may(to)])).toMatch(/kms:ReEncryptFrom action$/);
    expect(await re([may(from)], [may(to, source)])).toMatch(/kms:ReEncryptTo action$/);
  });

  test("kms:ReEncryptOnSameKey", async () => {
    const same = may("kms:ReEncrypt*", { Bool: { "kms:ReEncryptOnSameKey": true } });
    expect(await re([same], [], alice(), true)).toBe("ok");
    expect(await re([same], [same])).toMatch(/kms:ReEncryptFrom action$/);
    expect(await re([may("kms:ReEncryptFrom")], [same])).toMatch(/kms:ReEncryptTo action$/);
  });
});

describe("ReplicateKey takes permissions in two Regions", () => {
  const replicate = async (caller: Principal, more: object = {}, key: Statement[] = [byRoot]) => {
    const world = newWorld();
    const KeyId = await keyWith(world, key, { MultiRegion: true });
    const input = { KeyId, ReplicaRegion: R, ...more };
    const said = await outcome(world.call(P, "ReplicateKey", input, caller));
    const there = world.saved(KeyId)?.keys[R];
    return { said: said.replaceAll(KeyId, "KEY"), made: there !== undefined };
  };
  const own = (...actions: string[]) => alice(...actions.map((action) => allow(`kms:${action}`)));
  const Tags = [{ TagKey: "Team", TagValue: "blue" }];

  test("kms:ReplicateKey on the primary, kms:CreateKey where the replica is to be", async () => {
    expect(await replicate(own("ReplicateKey", "CreateKey"))).toEqual({ said: "ok", made: true });
    expect(await replicate(own("CreateKey"))).toEqual({
      said: refusal(own(), "ReplicateKey", arnOf(P, "KEY"), noIdentity("ReplicateKey")),
      made: false,
    });
    expect(await replicate(own("ReplicateKey"))).toEqual({
      said: refusal(own(), "CreateKey", "*", noIdentity("CreateKey")),
      made: false,
    });
  });

  test("the key policy may let replicate, but only IAM lets create", async () => {
    const key = [byRoot, allow("kms:*", toAws(userArn("alice")))];
    expect((await replicate(own("CreateKey"), {}, key)).said).toBe("ok");
    expect((await replicate(own(), {}, key)).said).toMatch(/kms:CreateKey action$/);
  });

  test("kms:TagResource with tags", async () => {
    expect((await replicate(own("ReplicateKey", "CreateKey", "TagResource"), { Tags })).said).toBe(
      "ok",
    );
    expect(await replicate(own("ReplicateKey", "CreateKey"), { Tags })).toEqual({
      said: refusal(own(), "TagResource", null, noIdentity("TagResource")),
      made: false,
    });
  });

  test("aws:RequestedRegion is that of each half", async () => {
    const inRegions = (...regions: string[]) =>
      alice(allow("kms:*", when({ StringEquals: { "aws:RequestedRegion": regions } })));
    expect((await replicate(inRegions(P, R))).said).toBe("ok");
    expect((await replicate(inRegions(P))).said).toMatch(/kms:CreateKey action$/);
    expect((await replicate(inRegions(R))).said).toMatch(/kms:ReplicateKey action$/);
  });

  test("kms:ReplicaRegion decides about ReplicateKey", async () => {
    const into = (region: string) => when({ StringEquals: { "kms:ReplicaRegion": region } });
    const may = (region: string) =>
      alice(allow("kms:ReplicateKey", into(region)), allow("kms:CreateKey"));
    expect((await replicate(may(R))).said).toBe("ok");
    expect((await replicate(may("ap-south-1"))).said).toMatch(/kms:ReplicateKey action$/);
  });

  test("of the new replica kms:MultiRegionKeyType is REPLICA", async () => {
    const as = (type: string) =>
      alice(
        allow("kms:ReplicateKey"),
        allow("kms:CreateKey", when({ StringEquals: { "kms:MultiRegionKeyType": type } })),
      );
    expect((await replicate(as("REPLICA"))).said).toBe("ok");
    expect((await replicate(as("PRIMARY"))).said).toMatch(/kms:CreateKey action$/);
  });

  test("a key policy that locks the caller out", async () => {
    const Policy = policy(allow("kms:*", toAws(userArn("carol"))));
    const caller = own("ReplicateKey", "CreateKey");
    const bypassed = { Policy, BypassPolicyLockoutSafetyCheck: true };
    expect((await replicate(caller, { Policy })).said).toMatch(/^MalformedPolicyDocumentException/);
    expect((await replicate(caller, bypassed)).said).toBe("ok");
  });

  test("not with another account's key", async () => {
    const key = [allow("kms:*", { Principal: "*" })];
    const bob = user("bob", { account: FOREIGN, policies: [allow("*")] });
    const world = newWorld();
    const KeyId = await keyWith(world, key, { MultiRegion: true });
    const input = { KeyId: arnOf(P, KeyId), ReplicaRegion: R };
    expect(await outcome(world.call(P, "ReplicateKey", input, bob))).toBe(
      `AccessDeniedException: ${outOfReach(bob.arn, "ReplicateKey")}`,
    );
  });
});

describe("UpdatePrimaryRegion takes its permission on both keys", () => {
  const update = async (primary: Statement[], replica: Statement[], caller = alice()) => {
    const world = newWorld();
    const KeyId = await world.createSet(P, R);
    const put = (region: string, key: Statement[]) =>
      world.call(region, "PutKeyPolicy", { KeyId, Policy: policy(byRoot, ...key) });
    await put(P, primary);
    await put(R, replica);
    const input = { KeyId, PrimaryRegion: R };
    const said = await outcome(world.call(P, "UpdatePrimaryRegion", input, caller));
    const moved = world.saved(KeyId)?.primaryRegion === R;
    return { said: said.replaceAll(KeyId, "KEY"), moved };
  };
  const may = (Condition?: unknown) =>
    allow("kms:UpdatePrimaryRegion", {
      ...toAws(userArn("alice")),
      ...(Condition !== undefined && { Condition }),
    });
  const refused = (region: string) => ({
    said: refusal(
      alice(),
      "UpdatePrimaryRegion",
      arnOf(region, "KEY"),
      noIdentity("UpdatePrimaryRegion"),
    ),
    moved: false,
  });

  test("each in its own key policy; the refusal names the key that refused", async () => {
    expect(await update([may()], [may()])).toEqual({ said: "ok", moved: true });
    expect(await update([], [may()])).toEqual(refused(P));
    expect(await update([may()], [])).toEqual(refused(R));
  });

  test("by IAM each key in its own Region", async () => {
    const on = (...regions: string[]) =>
      alice(
        allow("kms:UpdatePrimaryRegion", {
          Resource: regions.map((region) => `arn:aws:kms:${region}:${OWN}:key/*`),
        }),
      );
    expect((await update([], [], on(P, R))).moved).toBe(true);
    expect(await update([], [], on(P))).toEqual(refused(R));
    expect(await update([], [], on(R))).toEqual(refused(P));
  });

  test("kms:PrimaryRegion decides on both", async () => {
    const into = (region: string) => may({ StringEquals: { "kms:PrimaryRegion": region } });
    expect((await update([into(R)], [into(R)])).moved).toBe(true);
    expect(await update([into(P)], [into(R)])).toEqual(refused(P));
    expect(await update([into(R)], [into(P)])).toEqual(refused(R));
  });

  test("kms:MultiRegionKeyType is that of each", async () => {
    const as = (type: string) => may({ StringEquals: { "kms:MultiRegionKeyType": type } });
    expect((await update([as("PRIMARY")], [as("REPLICA")])).moved).toBe(true);
    expect(await update([as("REPLICA")], [as("REPLICA")])).toEqual(refused(P));
    expect(await update([as("PRIMARY")], [as("PRIMARY")])).toEqual(refused(R));
  });

  test("an explicit deny on the replica alone", async () => {
    const no = deny("kms:UpdatePrimaryRegion", { Principal: "*" });
    expect(await update([may()], [may(), no])).toEqual({
      said: refusal(
        alice(),
        "UpdatePrimaryRegion",
        arnOf(R, "KEY"),
        "with an explicit deny in a resource-based policy",
      ),
      moved: false,
    });
  });
});

describe("operations on aliases take a permission on the alias and on each key", () => {
  const ALIAS = `arn:aws:kms:${P}:${OWN}:alias/a`;
  const keyArns = `arn:aws:kms:*:${OWN}:key/*`;
  const on = (...resources: string[]) => alice(allow("kms:*Alias", { Resource: resources }));

  const prepared = async () => {
    const world = newWorld();
    const [one, two] = [await keyWith(world, [byRoot]), await keyWith(world, [byRoot])];
    await world.call(P, "CreateAlias", { AliasName: "alias/a", TargetKeyId: one });
    return { world, one, two };
  };

  test.each([
    ["CreateAlias", "alias/b"],
    ["UpdateAlias", "alias/a"],
    ["DeleteAlias", "alias/a"],
  ])("%s", async (operation, AliasName) => {
    const alias = ALIAS.replace(/alias\/a$/, AliasName);
    const { world, one, two } = await prepared();
    const input = { AliasName, ...(operation !== "DeleteAlias" && { TargetKeyId: two }) };
    const call = (caller: Principal) => outcome(world.call(P, operation, input, caller));
    expect(await call(on(keyArns))).toBe(refusal(alice(), operation, alias, noIdentity(operation)));
    const first = arnOf(P, operation === "DeleteAlias" ? one : two);
    expect(await call(on(alias))).toBe(refusal(alice(), operation, first, noIdentity(operation)));
    if (operation === "UpdateAlias") {
      const current = arnOf(P, one);
      expect(await call(on(alias, first))).toBe(
        refusal(alice(), operation, current, noIdentity(operation)),
      );
    }
    expect(await call(on(alias, keyArns))).toBe("ok");
  });

  test("a key policy lets do the half that is the key's", async () => {
    const world = newWorld();
    const KeyId = await keyWith(world, [allow("kms:CreateAlias", toAws(userArn("alice")))]);
    const input = { AliasName: "alias/b", TargetKeyId: KeyId };
    expect(await outcome(world.call(P, "CreateAlias", input, on(ALIAS.replace(/a$/, "*"))))).toBe(
      "ok",
    );
    expect(await outcome(world.call(P, "CreateAlias", input, alice()))).toMatch(
      /kms:CreateAlias action$/,
    );
  });

  test("a key that is disabled loses its alias all the same", async () => {
    const { world, one } = await prepared();
    await world.call(P, "DisableKey", { KeyId: one });
    expect(await outcome(world.call(P, "DeleteAlias", { AliasName: "alias/a" }))).toBe("ok");
  });
});

describe("what IAM policies alone decide", () => {
  test.each([
    ["CreateKey", {}],
    ["ListKeys", {}],
    ["ListAliases", {}],
    ["GenerateRandom", { NumberOfBytes: 4 }],
  ])("%s", async (operation, input) => {
    const world = newWorld();
    const call = (caller: Principal) => outcome(world.call(P, operation, input, caller));
    expect(await call(alice())).toBe(refusal(alice(), operation, "*", noIdentity(operation)));
    expect(await call(alice(allow(`kms:${operation}`)))).toBe("ok");
    const onKeys = { Resource: `arn:aws:kms:*:${OWN}:key/*` };
    expect(await call(alice(allow(`kms:${operation}`, onKeys)))).toMatch(/^AccessDenied/);
    expect(await call(alice(allow("*"), deny(`kms:${operation}`)))).toBe(
      refusal(alice(), operation, "*", "with an explicit deny in an identity-based policy"),
    );
    const limited = user("alice", { policies: [allow("*")], boundary: [allow("s3:*")] });
    expect(await call(limited)).toBe(
      refusal(
        alice(),
        operation,
        "*",
        `because no permissions boundary allows the kms:${operation} action`,
      ),
    );
    const inSession = session("Admin", "a", { policies: null, session: [allow("s3:*")] });
    expect(await call(inSession)).toBe(
      refusal(
        inSession,
        operation,
        "*",
        `because no session policy allows the kms:${operation} action`,
      ),
    );
    expect(await call(session("Admin", "a", { policies: null }))).toBe("ok");
  });

  test.each<[string, unknown, object, boolean]>([
    ["kms:KeySpec", { StringEquals: { "kms:KeySpec": "SYMMETRIC_DEFAULT" } }, {}, true],
    ["kms:KeySpec", { StringEquals: { "kms:KeySpec": "HMAC_256" } }, {}, false],
    [
      "kms:KeyUsage",
      { StringEquals: { "kms:KeyUsage": "GENERATE_VERIFY_MAC" } },
      { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
      true,
    ],
    ["kms:KeyOrigin", { StringEquals: { "kms:KeyOrigin": "AWS_KMS" } }, {}, true],
    ["kms:MultiRegion", { Bool: { "kms:MultiRegion": false } }, { MultiRegion: true }, false],
    [
      "kms:MultiRegionKeyType",
      { StringEquals: { "kms:MultiRegionKeyType": "PRIMARY" } },
      { MultiRegion: true },
      true,
    ],
    [
      "kms:MultiRegionKeyType",
      { StringEquals: { "kms:MultiRegionKeyType": "PRIMARY" } },
      {},
      false,
    ],
    [
      "kms:BypassPolicyLockoutSafetyCheck",
      { Bool: { "kms:BypassPolicyLockoutSafetyCheck": false } },
      {},
      true,
    ],
    [
      "kms:BypassPolicyLockoutSafetyCheck",
      { Bool: { "kms:BypassPolicyLockoutSafetyCheck": false } },
      { BypassPolicyLockoutSafetyCheck: true },
      false,
    ],
    [
      "aws:RequestTag",
      { StringEquals: { "aws:RequestTag/Team": "blue" } },
      { Tags: [{ TagKey: "Team", TagValue: "blue" }] },
      true,
    ],
    ["aws:RequestTag", { StringEquals: { "aws:RequestTag/Team": "blue" } }, {}, false],
    [
      "aws:TagKeys",
      { "ForAllValues:StringEquals": { "aws:TagKeys": ["Team"] } },
      { Tags: [{ TagKey: "Other", TagValue: "" }] },
      false,
    ],
  ])("CreateKey by %s: %j, %j", async (_key, Condition, input, expected) => {
    const caller = alice(allow("kms:CreateKey", when(Condition)), allow("kms:TagResource"));
    const said = await outcome(newWorld().call(P, "CreateKey", input, caller));
    expect(said).toBe(
      expected ? "ok" : refusal(alice(), "CreateKey", "*", noIdentity("CreateKey")),
    );
  });

  test("CreateKey with tags takes kms:TagResource, too (text seen in public issues)", async () => {
    const input = { Tags: [{ TagKey: "Team", TagValue: "blue" }] };
    const said = await outcome(
      newWorld().call(P, "CreateKey", input, alice(allow("kms:CreateKey"))),
    );
    expect(said).toBe(refusal(alice(), "TagResource", null, noIdentity("TagResource")));
  });
});

describe("condition keys of operations on keys", () => {
  const may = (action: string, Condition: unknown) =>
    allow(action, { ...toAws(userArn("alice")), Condition });
  const equals = (key: string, value: unknown) => ({ StringEquals: { [key]: value } });

  test.each<[string, object, unknown, boolean]>([
    [
      "ScheduleKeyDeletion",
      { PendingWindowInDays: 7 },
      { NumericGreaterThan: { "kms:ScheduleKeyDeletionPendingWindowInDays": 6 } },
      true,
    ],
    [
      "ScheduleKeyDeletion",
      {},
      { NumericEquals: { "kms:ScheduleKeyDeletionPendingWindowInDays": 30 } },
      true,
    ],
    [
      "ScheduleKeyDeletion",
      { PendingWindowInDays: 7 },
      { NumericEquals: { "kms:ScheduleKeyDeletionPendingWindowInDays": 30 } },
      false,
    ],
    [
      "EnableKeyRotation",
      { RotationPeriodInDays: 90 },
      { NumericLessThanEquals: { "kms:RotationPeriodInDays": "180" } },
      true,
    ],
    [
      "EnableKeyRotation",
      {},
      { NumericLessThanEquals: { "kms:RotationPeriodInDays": "180" } },
      false,
    ],
    [
      "GenerateDataKeyPair",
      { KeyPairSpec: "ECC_NIST_P256" },
      equals("kms:DataKeyPairSpec", "ECC_NIST_P256"),
      true,
    ],
    [
      "GenerateDataKeyPair",
      { KeyPairSpec: "ECC_NIST_P256" },
      equals("kms:DataKeyPairSpec", "RSA_2048"),
      false,
    ],
    [
      "TagResource",
      { Tags: [{ TagKey: "Team", TagValue: "blue" }] },
      equals("aws:RequestTag/team", "blue"),
      true,
    ],
    [
      "TagResource",
      { Tags: [{ TagKey: "Team", TagValue: "red" }] },
      equals("aws:RequestTag/Team", "blue"),
      false,
    ],
    [
      "UntagResource",
      { TagKeys: ["Team"] },
      { "ForAnyValue:StringEquals": { "aws:TagKeys": "Team" } },
      true,
    ],
    [
      "UntagResource",
      { TagKeys: ["Other"] },
      { "ForAnyValue:StringEquals": { "aws:TagKeys": "Team" } },
      false,
    ],
    ["GenerateDataKey", { KeySpec: "AES_256" }, equals("kms:KeySpec", "SYMMETRIC_DEFAULT"), true],
    [
      "PutKeyPolicy",
      { Policy: policy(byRoot), BypassPolicyLockoutSafetyCheck: true },
      { Bool: { "kms:BypassPolicyLockoutSafetyCheck": "false" } },
      false,
    ],
  ])("%s %j by %j: %s", async (operation, input, Condition, expected) => {
    const world = newWorld();
    const KeyId = await keyWith(world, [byRoot, may(`kms:${operation}`, Condition)]);
    const said = await outcome(world.call(P, operation, { KeyId, ...input }, alice()));
    const refused = refusal(alice(), operation, arnOf(P, KeyId), noIdentity(operation));
    expect(said).toBe(expected ? "ok" : refused);
  });

  test.each<[string, string, object, string, string]>([
    [
      "ECC_NIST_P256",
      "SIGN_VERIFY",
      { Message: base64("x"), SigningAlgorithm: "ECDSA_SHA_256" },
      "kms:MessageType",
      "RAW",
    ],
    [
      "ECC_NIST_P256",
      "SIGN_VERIFY",
      { Message: base64("x"), SigningAlgorithm: "ECDSA_SHA_256" },
      "kms:SigningAlgorithm",
      "ECDSA_SHA_256",
    ],
    [
      "HMAC_256",
      "GENERATE_VERIFY_MAC",
      { Message: base64("x"), MacAlgorithm: "HMAC_SHA_256" },
      "kms:MacAlgorithm",
      "HMAC_SHA_256",
    ],
  ])("of a %s key: %s %j by %s", async (KeySpec, KeyUsage, input, key, value) => {
    const operation = KeyUsage === "SIGN_VERIFY" ? "Sign" : "GenerateMac";
    for (const [wanted, expected] of [
      [value, /^ok$/],
      ["other", /^AccessDenied/],
    ] as const) {
      const world = newWorld();
      const statements = [byRoot, may(`kms:${operation}`, equals(key, wanted))];
      const KeyId = await keyWith(world, statements, { KeySpec, KeyUsage });
      expect(await outcome(world.call(P, operation, { KeyId, ...input }, alice()))).toMatch(
        expected,
      );
    }
  });

  test("the time is the tenant's", async () => {
    const world = newWorld();
    const until = new Date(START + 1000).toISOString();
    const KeyId = await keyWith(world, [
      byRoot,
      may("kms:DescribeKey", { DateLessThan: { "aws:CurrentTime": until } }),
    ]);
    expect(await outcome(world.call(P, "DescribeKey", { KeyId }, alice()))).toBe("ok");
    world.pass(1000);
    expect(await outcome(world.call(P, "DescribeKey", { KeyId }, alice()))).toMatch(
      /^AccessDenied/,
    );
    const random = alice(allow("*", when({ DateLessThan: { "aws:CurrentTime": until } })));
    expect(await outcome(world.call(P, "GenerateRandom", { NumberOfBytes: 1 }, random))).toMatch(
      /^AccessDenied/,
    );
  });
});

describe("aliases decide", () => {
  const prepared = async (key: Statement[] = []) => {
    const world = newWorld();
    const KeyId = await keyWith(world, [byRoot, ...key]);
    for (const AliasName of ["alias/ProjectAlpha", "alias/other"]) {
      await world.call(P, "CreateAlias", { AliasName, TargetKeyId: KeyId });
    }
    return { world, KeyId };
  };

  test("kms:ResourceAliases: those the key has", async () => {
    const { world, KeyId } = await prepared();
    const may = (pattern: string) =>
      alice(
        allow(
          "kms:DescribeKey",
          when({ "ForAnyValue:StringLike": { "kms:ResourceAliases": pattern } }),
        ),
      );
    const describe = (caller: Principal) =>
      outcome(world.call(P, "DescribeKey", { KeyId }, caller));
    expect(await describe(may("alias/Project*"))).toBe("ok");
    expect(await describe(may("alias/Secret*"))).toMatch(/^AccessDenied/);
    await world.call(P, "DeleteAlias", { AliasName: "alias/ProjectAlpha" });
    expect(await describe(may("alias/Project*"))).toMatch(/^AccessDenied/);
  });

  test("kms:RequestAlias: the one the request calls the key by", async () => {
    const { world, KeyId } = await prepared([
      allow("kms:Encrypt", {
        ...toAws(userArn("alice")),
        ...when({ StringLike: { "kms:RequestAlias": "alias/Project*" } }),
      }),
    ]);
    const encrypt = (name: string) =>
      outcome(world.call(P, "Encrypt", { KeyId: name, Plaintext: base64("x") }, alice()));
    expect(await encrypt("alias/ProjectAlpha")).toBe("ok");
    expect(await encrypt(`arn:aws:kms:${P}:${OWN}:alias/ProjectAlpha`)).toBe("ok");
    expect(await encrypt("alias/other")).toMatch(/^AccessDenied/);
    expect(await encrypt(KeyId)).toMatch(/^AccessDenied/);
  });
});
