// Grants. Expectations are typed from https://docs.aws.amazon.com/kms/latest/developerguide/grants.html,
// …/create-grant-overview.html, …/grant-manage.html and the API reference's pages of the operations.

import { beforeEach, describe, expect, test } from "vitest";
import { type Key, keyIn, withKeys } from "../../src/domain/key-set.ts";
import { ACCOUNT, arnOf, base64, DAY, outcome, START, World } from "../support/core.ts";
import { outOfReach } from "../support/out-of-reach.ts";

const [P, R] = ["us-east-1", "eu-west-1"] as const;
const OTHER_ACCOUNT = "444455556666";
const GRANTEE = `arn:aws:iam::${ACCOUNT}:role/Grantee`;
const RETIRING = `arn:aws:iam::${ACCOUNT}:user/team/Retiring`;
const FOREIGN = `arn:aws:iam::${OTHER_ACCOUNT}:role/Foreign`;
const NO_GRANT = "0123456789abcdef".repeat(4);

interface Created {
  readonly GrantId: string;
  readonly GrantToken: string;
}

interface Entry {
  readonly KeyId: string;
  readonly GrantId: string;
  readonly Name: string;
  readonly CreationDate: number;
  readonly GranteePrincipal?: string;
  readonly RetiringPrincipal?: string;
  readonly IssuingAccount: string;
  readonly Operations: readonly string[];
  readonly Constraints?: object;
}

interface Entries {
  readonly Grants: readonly Entry[];
  readonly Truncated: boolean;
  readonly NextMarker?: string;
}

let world: World;
let KeyId: string;
beforeEach(async () => {
  world = new World();
  KeyId = (await world.createKey(P)).KeyId;
});

const request = (more: object = {}) => ({
  KeyId,
  GranteePrincipal: GRANTEE,
  Operations: ["Encrypt", "Decrypt"],
  ...more,
});

const grant = (more: object = {}, region: string = P) =>
  world.call<Created>(region, "CreateGrant", request(more));

const listed = async (more: object = {}, region: string = P) =>
  (await world.call<Entries>(region, "ListGrants", { KeyId, ...more })).Grants;

const idsOf = (entries: readonly Entry[]) => entries.map(({ GrantId }) => GrantId);

const retirable = async (RetiringPrincipal = RETIRING, accountId = ACCOUNT, region: string = P) => {
  const input = { RetiringPrincipal };
  return (await world.call<Entries>(region, "ListRetirableGrants", input, accountId)).Grants;
};

const refusal = (operation: string, input: object, accountId = ACCOUNT) =>
  outcome(world.call(P, operation, input, accountId));

const SUCCEEDED =
  "DryRunOperationException: The request would have succeeded, but the DryRun option is set.";

describe("CreateGrant", () => {
  test("answers with the ID and a token, and ListGrants with all that was asked for", async () => {
    const Constraints = { EncryptionContextSubset: { Department: "IT" } };
    const more = { Name: "a/b:c_d-e", RetiringPrincipal: RETIRING, Constraints };
    const { GrantId, GrantToken } = await grant(more);
    expect(GrantId).toMatch(/^[0-9a-f]{64}$/);
    expect(GrantToken).toMatch(/^[A-Za-z0-9_-]{100,8192}$/);
    expect(await listed()).toEqual([
      {
        KeyId: arnOf(P, KeyId),
        GrantId,
        Name: "a/b:c_d-e",
        CreationDate: START / 1000,
        GranteePrincipal: GRANTEE,
        RetiringPrincipal: RETIRING,
        IssuingAccount: `arn:aws:iam::${ACCOUNT}:root`,
        Operations: ["Encrypt", "Decrypt"],
        Constraints,
      },
    ]);
  });

  test("without the optional members: an empty name, and no others", async () => {
    const { GrantId } = await grant();
    const [entry] = await listed();
    expect(entry).toEqual({
      KeyId: arnOf(P, KeyId),
      GrantId,
      Name: "",
      CreationDate: START / 1000,
      GranteePrincipal: GRANTEE,
      IssuingAccount: `arn:aws:iam::${ACCOUNT}:root`,
      Operations: ["Encrypt", "Decrypt"],
    });
  });

  test("without a name makes a grant each time", async () => {
    const made = [await grant(), await grant()];
    expect(idsOf(await listed()).sort()).toEqual(made.map(({ GrantId }) => GrantId).sort());
    expect(new Set(idsOf(await listed())).size).toBe(2);
  });

  const named = {
    Name: "one",
    RetiringPrincipal: RETIRING,
    Constraints: { EncryptionContextEquals: { a: "1", b: "2" } },
  };

  test.for<[string, object]>([
    ["the same request", {}],
    ["operations in another order, and twice", { Operations: ["Decrypt", "Encrypt", "Decrypt"] }],
    ["pairs in another order", { Constraints: { EncryptionContextEquals: { b: "2", a: "1" } } }],
    ["a grant token", { GrantTokens: [] }],
  ])("of a name again, %s: the same ID, a token of its own", async ([, more]) => {
    const first = await grant(named);
    world.pass(DAY);
    const again = await grant({ ...named, ...more });
    expect(again.GrantId).toBe(first.GrantId);
    expect(again.GrantToken).not.toBe(first.GrantToken);
    expect(await listed()).toHaveLength(1);
    expect((await listed())[0]?.CreationDate).toBe(START / 1000);
    // Either token will do.
    await world.call(P, "RetireGrant", { GrantToken: again.GrantToken });
    expect(await refusal("RetireGrant", { GrantToken: first.GrantToken })).toBe(
      `NotFoundException: Grant '${first.GrantId}' does not exist`,
    );
  });

  test.for<[string, object]>([
    ["another grantee", { GranteePrincipal: RETIRING }],
    ["another retiring principal", { RetiringPrincipal: GRANTEE }],
    ["no retiring principal", { RetiringPrincipal: undefined }],
    ["more operations", { Operations: ["Encrypt", "Decrypt", "DescribeKey"] }],
    ["another constraint", { Constraints: { EncryptionContextEquals: { a: "1" } } }],
    ["the other kind", { Constraints: { EncryptionContextSubset: { a: "1", b: "2" } } }],
    ["none", { Constraints: undefined }],
    ["another name", { Name: "two" }],
  ])("of a name with %s: a grant of its own", async ([, more]) => {
    const first = await grant(named);
    expect((await grant({ ...named, ...more })).GrantId).not.toBe(first.GrantId);
    expect(await listed()).toHaveLength(2);
  });

  test("of a name whose grant was revoked: a new grant", async () => {
    const { GrantId } = await grant(named);
    await world.call(P, "RevokeGrant", { KeyId, GrantId });
    expect((await grant(named)).GrantId).not.toBe(GrantId);
  });
});

describe("the operations of a grant", () => {
  const general = ["CreateGrant", "RetireGrant", "DescribeKey"];
  const crypting = ["Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo"];
  const dataKeys = [
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
  ];
  // "Grant operations" of the guide; ML-KEM's by its announcement.
  const kinds: readonly [string, string, readonly string[]][] = [
    ["SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", [...crypting, ...dataKeys]],
    ["RSA_2048", "ENCRYPT_DECRYPT", [...crypting, "GetPublicKey"]],
    ["RSA_2048", "SIGN_VERIFY", ["Sign", "Verify", "GetPublicKey"]],
    ["ECC_NIST_P256", "SIGN_VERIFY", ["Sign", "Verify", "GetPublicKey"]],
    ["ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ["Sign", "Verify", "GetPublicKey"]],
    ["ML_DSA_44", "SIGN_VERIFY", ["Sign", "Verify", "GetPublicKey"]],
    ["ECC_NIST_P256", "KEY_AGREEMENT", ["DeriveSharedSecret", "GetPublicKey"]],
    ["HMAC_256", "GENERATE_VERIFY_MAC", ["GenerateMac", "VerifyMac"]],
    ["ML_KEM_512", "ENCAPSULATE_DECAPSULATE", ["Encapsulate", "Decapsulate", "GetPublicKey"]],
  ];
  const all = [...new Set([...kinds.flatMap(([, , valid]) => valid), ...general])];

  test.for(kinds)("of a key %s for %s", async ([KeySpec, KeyUsage, valid]) => {
    const key = await world.createKey(P, { KeySpec, KeyUsage });
    const kind = /SYMMETRIC|HMAC/.test(KeySpec) ? "a symmetric" : "an asymmetric";
    for (const operation of all) {
      const Operations = [operation, "DescribeKey"];
      const found = await refusal("CreateGrant", request({ KeyId: key.KeyId, Operations }));
      const right = [...valid, ...general].includes(operation)
        ? "ok"
        : `ValidationException: Operations [${operation}] are not supported when creating a grant ` +
          `for ${kind} KMS key with key usage ${KeyUsage}. ` +
          `Valid operations are [${[...valid, ...general].join(", ")}]`;
      expect(`${operation} ${found}`).toBe(`${operation} ${right}`);
    }
    const whole = { KeyId: key.KeyId, Operations: [...valid, ...general] };
    expect(await refusal("CreateGrant", request(whole))).toBe("ok");
    const constrained = { ...whole, Constraints: { EncryptionContextSubset: { a: "1" } } };
    expect(await refusal("CreateGrant", request(constrained))).toBe(
      KeySpec === "SYMMETRIC_DEFAULT"
        ? "ok"
        : // As a public log of AWS has it, of an asymmetric key.
          "ValidationException: EncryptionContext is supported only when creating a grant for a " +
            "symmetric encryption KMS key.",
    );
    const sourced = { ...whole, Constraints: { SourceArn: `arn:aws:sqs:${P}:${ACCOUNT}:queue` } };
    expect(await refusal("CreateGrant", request(sourced))).toBe("ok");
  });

  test("are these and no others", async () => {
    const found = await refusal("CreateGrant", request({ Operations: ["Encrypt", "RevokeGrant"] }));
    expect(found).toMatch(
      /^ValidationException: 1 validation error detected: Value '\[Encrypt, RevokeGrant\]' at 'operations' failed/,
    );
    for (const operation of all) expect(found).toContain(operation);
  });
});

describe("CreateGrant refuses", () => {
  const SERVICE = "dynamodb.amazonaws.com";
  const SourceArn = "arn:aws:dynamodb:us-east-1:111122223333:table/orders";
  const pairs = (count: number, value = "v") =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, value]));
  const byService = {
    GranteePrincipal: undefined,
    GranteeServicePrincipal: SERVICE,
    RetiringPrincipal: RETIRING,
    Constraints: { SourceArn },
  };

  test.for<[string, object, string]>([
    [
      "no grantee",
      { GranteePrincipal: undefined },
      "1 validation error detected: Value null at 'granteePrincipal' failed to satisfy constraint: Member must not be null",
    ],
    [
      "no operation",
      { Operations: [] },
      "1 validation error detected: Value '[]' at 'operations' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    // The next two were seen in public logs of AWS.
    [
      "nothing but CreateGrant",
      { Operations: ["CreateGrant"] },
      "Grants must not contain only the CreateGrant operation.",
    ],
    [
      "both constraints on the encryption context",
      { Constraints: { EncryptionContextEquals: { a: "1" }, EncryptionContextSubset: { a: "1" } } },
      "More than one constraint supplied",
    ],
    [
      "nine pairs in one",
      { Constraints: { EncryptionContextSubset: pairs(9) } },
      "A grant constraint can have at most 8 encryption context pairs.",
    ],
    [
      "a value of 385 characters in one",
      { Constraints: { EncryptionContextEquals: { a: "v".repeat(385) } } },
      "A value in a grant constraint has at most 384 characters.",
    ],
    [
      "two kinds of grantee",
      { ...byService, GranteePrincipal: GRANTEE },
      "You cannot specify both GranteePrincipal and GranteeServicePrincipal.",
    ],
    [
      "two kinds of retiring principal",
      { RetiringPrincipal: RETIRING, RetiringServicePrincipal: SERVICE },
      "You cannot specify both RetiringPrincipal and RetiringServicePrincipal.",
    ],
    [
      "a service without SourceArn",
      { ...byService, Constraints: { EncryptionContextEquals: { a: "1" } } },
      "A GranteeServicePrincipal requires a SourceArn constraint.",
    ],
    [
      "a service that nobody retires",
      { ...byService, RetiringPrincipal: undefined },
      "A GranteeServicePrincipal requires a RetiringPrincipal or a RetiringServicePrincipal.",
    ],
    [
      "a service that is none",
      { ...byService, GranteeServicePrincipal: "dynamodb.amazon.com" },
      "dynamodb.amazon.com is not a service principal.",
    ],
  ])("%s", async ([, more, text]) => {
    expect(await refusal("CreateGrant", request(more))).toBe(`ValidationException: ${text}`);
    expect(await listed()).toEqual([]);
  });

  test.for<[string, object]>([
    [
      "eight pairs with values of 384 characters",
      { EncryptionContextSubset: pairs(8, "v".repeat(384)) },
    ],
    ["SourceArn beside a constraint", { SourceArn, EncryptionContextSubset: { a: "1" } }],
  ])("not %s", async ([, Constraints]) => {
    await grant({ Constraints });
    expect((await listed())[0]?.Constraints).toEqual(Constraints);
  });

  test.for<[object]>([
    [{}],
    [{ EncryptionContextEquals: {} }],
    [{ EncryptionContextEquals: {}, EncryptionContextSubset: {} }],
  ])("not constraints that say nothing: %j", async ([Constraints]) => {
    await grant({ Constraints });
    expect((await listed())[0]).not.toHaveProperty("Constraints");
  });

  test("not an empty constraint beside another, as Terraform sends it", async () => {
    const EncryptionContextSubset = { a: "1" };
    await grant({ Constraints: { EncryptionContextSubset, EncryptionContextEquals: {} } });
    expect((await listed())[0]?.Constraints).toEqual({ EncryptionContextSubset });
  });

  test("not a service with all that it takes", async () => {
    await grant({ ...byService, RetiringPrincipal: undefined, RetiringServicePrincipal: SERVICE });
    expect((await listed())[0]).toMatchObject({
      GranteeServicePrincipal: SERVICE,
      RetiringServicePrincipal: SERVICE,
      Constraints: { SourceArn },
    });
    expect((await listed())[0]).not.toHaveProperty("GranteePrincipal");
  });

  // The published model of September 2026 has these limits (botocore 1.43.107).
  test.for<[object, string]>([
    [
      { Constraints: { SourceArn: "arn:aws:s3:::bucket-of-mine" } },
      "Value 'arn:aws:s3:::bucket-of-mine' at 'constraints.sourceArn' failed to satisfy constraint: " +
        "Member must satisfy regular expression pattern: " +
        "^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$",
    ],
    [
      { RetiringServicePrincipal: "dynamodb" },
      "Value 'dynamodb' at 'retiringServicePrincipal' failed to satisfy constraint: " +
        "Member must satisfy regular expression pattern: " +
        "^([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+$",
    ],
  ])("what is no ARN of a resource, no service: %j", async ([more, text]) => {
    expect(await refusal("CreateGrant", request(more))).toBe(
      `ValidationException: 1 validation error detected: ${text}`,
    );
  });

  // DynamoDB passed on what KMS answered to its grant, which has operations that no RSA or HMAC key
  // has, either (a public log of AWS of 2026).
  test.for([
    ["RSA_2048", "ENCRYPT_DECRYPT"],
    ["HMAC_256", "GENERATE_VERIFY_MAC"],
  ])("an encryption context on a key of %s, before its operations", async ([KeySpec, KeyUsage]) => {
    const key = await world.createKey(P, { KeySpec, KeyUsage });
    const Constraints = { EncryptionContextSubset: { "aws:dynamodb:tableName": "orders" } };
    const input = { KeyId: key.KeyId, Operations: ["GenerateDataKey", "Decrypt"], Constraints };
    expect(await refusal("CreateGrant", request(input))).toBe(
      "ValidationException: EncryptionContext is supported only when creating a grant for a " +
        "symmetric encryption KMS key.",
    );
  });

  const principals: readonly [string, boolean][] = [
    [`arn:aws:iam::${ACCOUNT}:root`, true],
    [`arn:aws:iam::${ACCOUNT}:user/Bob`, true],
    [`arn:aws:iam::${ACCOUNT}:user/division_abc/subdivision_xyz/Bob`, true],
    [`arn:aws:iam::${OTHER_ACCOUNT}:role/S3Access`, true],
    [`arn:aws:sts::${ACCOUNT}:federated-user/Bob`, true],
    [`arn:aws:sts::${ACCOUNT}:assumed-role/Accounting-Role/Mary`, true],
    // By the acceptance tests of Terraform's provider.
    ["dynamodb.us-west-1.amazonaws.com", true],
    [`arn:aws:iam::${ACCOUNT}:group/Developers`, false],
    [`arn:aws:iam::${ACCOUNT}:role`, false],
    [`arn:aws:iam::${ACCOUNT}:role/`, false],
    ["arn:aws:iam::12345:role/Short", false],
    [`arn:aws:sts::${ACCOUNT}:assumed-role/Accounting-Role`, false],
    [`arn:aws-cn:iam::${ACCOUNT}:user/Bob`, false],
    [`arn:aws:s3:::bucket`, false],
    [ACCOUNT, false],
    ["Bob", false],
  ];

  test.for(principals)("as grantee and to retire, %s: valid is %s", async ([principal, valid]) => {
    const right = valid
      ? "ok"
      : `InvalidArnException: ARN does not refer to a valid principal: ${principal}`;
    for (const member of ["GranteePrincipal", "RetiringPrincipal"]) {
      expect(await refusal("CreateGrant", request({ [member]: principal }))).toBe(right);
    }
  });

  test("more grants than a key may have, but not the one that is there", async () => {
    const { GrantId } = await grant({ Name: "first" });
    world.edit(KeyId, (set) => {
      const key = keyIn(set, P) as Key;
      const [made] = key.grants;
      if (!made) throw new Error("no grant");
      const more = Array.from({ length: 49_999 }, (_, index) => ({
        ...made,
        name: "",
        id: index.toString(16).padStart(64, "0"),
      }));
      const grants = [...more, made].sort((a, b) => (a.id < b.id ? -1 : 1));
      return withKeys(set, { ...key, grants });
    });
    expect(await refusal("CreateGrant", request())).toBe(
      `LimitExceededException: The key ${arnOf(P, KeyId)} already has 50000 grants.`,
    );
    expect(await refusal("CreateGrant", request({ DryRun: true }))).toMatch(/^LimitExceeded/);
    expect((await grant({ Name: "first" })).GrantId).toBe(GrantId);
    await world.call(P, "RevokeGrant", { KeyId, GrantId });
    await grant();
  });

  test("another account's key, and aliases", async () => {
    const arn = arnOf(P, KeyId);
    expect(await refusal("CreateGrant", request({ KeyId: arn }), OTHER_ACCOUNT)).toBe(
      `AccessDeniedException: ${outOfReach("arn:aws:iam::444455556666:root", "CreateGrant")}`,
    );
    await world.call(P, "CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId });
    expect(await refusal("CreateGrant", request({ KeyId: "alias/a" }))).toBe(
      "InvalidArnException: Key Aliases are not supported for this operation.",
    );
  });
});

describe("ListGrants", () => {
  test("in pages, each grant once, whatever is revoked in between", async () => {
    const made: string[] = [];
    for (let count = 0; count < 7; count += 1) made.push((await grant()).GrantId);
    const pages = await world.pages<Entries>(P, "ListGrants", { KeyId, Limit: 3 });
    expect(pages.map(({ Grants }) => Grants.length)).toEqual([3, 3, 1]);
    expect(pages.flatMap(({ Grants }) => idsOf(Grants)).sort()).toEqual(made.sort());
    const [first] = pages;
    const shown = idsOf(first?.Grants ?? []);
    for (const GrantId of shown) await world.call(P, "RevokeGrant", { KeyId, GrantId });
    const input = { KeyId, Marker: first?.NextMarker };
    const rest = await world.call<Entries>(P, "ListGrants", input);
    expect(idsOf(rest.Grants)).toEqual(made.filter((id) => !shown.includes(id)).sort());
  });

  test("by default 50, at most 100 at once", async () => {
    for (let count = 0; count < 101; count += 1) await grant();
    const lengths = async (more: object) =>
      (await world.pages<Entries>(P, "ListGrants", { KeyId, ...more })).map(
        ({ Grants }) => Grants.length,
      );
    expect(await lengths({})).toEqual([50, 50, 1]);
    expect(await lengths({ Limit: 1000 })).toEqual([100, 1]);
  });

  test("of one grantee, and of one ID", async () => {
    const one = await grant();
    const two = await grant({ GranteePrincipal: RETIRING });
    const three = await grant({ GranteePrincipal: RETIRING });
    expect(idsOf(await listed({ GranteePrincipal: GRANTEE }))).toEqual([one.GrantId]);
    const both = [two.GrantId, three.GrantId].sort();
    expect(idsOf(await listed({ GranteePrincipal: RETIRING }))).toEqual(both);
    expect(idsOf(await listed({ GrantId: two.GrantId }))).toEqual([two.GrantId]);
    expect(await listed({ GrantId: two.GrantId, GranteePrincipal: GRANTEE })).toEqual([]);
    expect(await listed({ GrantId: NO_GRANT })).toEqual([]);
    expect(await listed({ GranteePrincipal: FOREIGN })).toEqual([]);
    const filtered = { KeyId, GranteePrincipal: RETIRING, Limit: 1 };
    const pages = await world.pages<Entries>(P, "ListGrants", filtered);
    expect(pages.map(({ Grants }) => idsOf(Grants))).toEqual(both.map((id) => [id]));
  });

  test.for<[object, string]>([
    [{ GrantId: "abc" }, "InvalidGrantIdException"],
    [{ GrantId: NO_GRANT.toUpperCase() }, "InvalidGrantIdException"],
    [{ Marker: "nonsense" }, "InvalidMarkerException"],
    [{ Marker: btoa("ListGrants:nonsense") }, "InvalidMarkerException"],
    [{ Marker: btoa(`ListKeys:${NO_GRANT}`) }, "InvalidMarkerException"],
    [
      { GranteeServicePrincipal: "s3.amazonaws.com" },
      "AccessDeniedException: Only callers in a service principal can use GranteeServicePrincipal.",
    ],
    [
      { GranteeServicePrincipal: "s3.amazonaws.com", GranteePrincipal: GRANTEE },
      "ValidationException: You cannot specify both GranteePrincipal and GranteeServicePrincipal.",
    ],
    [{ KeyId: "arn:aws:kms:us-east-1" }, "InvalidArnException: Invalid arn arn:aws:kms:us-east-1"],
  ])("refuses %j", async ([more, right]) => {
    expect(await refusal("ListGrants", { KeyId, ...more })).toBe(right);
  });

  test("never shows a token", async () => {
    await grant();
    expect(JSON.stringify(await listed())).not.toContain("Token");
  });
});

describe("RevokeGrant and RetireGrant", () => {
  test("end a grant: by ID or by token, once", async () => {
    const [one, two, three] = [await grant(), await grant(), await grant()];
    await world.call(P, "RevokeGrant", { KeyId, GrantId: one.GrantId });
    await world.call(P, "RetireGrant", { KeyId: arnOf(P, KeyId), GrantId: two.GrantId });
    expect(idsOf(await listed())).toEqual([three.GrantId]);
    await world.call(P, "RetireGrant", { GrantToken: three.GrantToken });
    expect(await listed()).toEqual([]);
    const gone = (GrantId: string) => `NotFoundException: Grant '${GrantId}' does not exist`;
    expect(await refusal("RevokeGrant", { KeyId, GrantId: one.GrantId })).toBe(gone(one.GrantId));
    expect(await refusal("RetireGrant", { KeyId, GrantId: two.GrantId })).toBe(gone(two.GrantId));
    expect(await refusal("RetireGrant", { GrantToken: three.GrantToken })).toBe(
      gone(three.GrantId),
    );
  });

  test("answer without a body", async () => {
    const [one, two] = [await grant(), await grant()];
    expect(await world.call(P, "RevokeGrant", { KeyId, GrantId: one.GrantId })).toBeNull();
    expect(await world.call(P, "RetireGrant", { GrantToken: two.GrantToken })).toBeNull();
  });

  test.for<[string, object, string]>([
    ["RevokeGrant", { GrantId: "abc" }, "InvalidGrantIdException"],
    ["RevokeGrant", { GrantId: NO_GRANT }, `NotFoundException: Grant '${NO_GRANT}' does not exist`],
    ["RetireGrant", { GrantId: "abc" }, "InvalidGrantIdException"],
    ["RetireGrant", { GrantId: NO_GRANT }, `NotFoundException: Grant '${NO_GRANT}' does not exist`],
    [
      "RetireGrant",
      { KeyId: "arn:aws:kms:us-east-1", GrantId: NO_GRANT },
      "InvalidArnException: Invalid arn arn:aws:kms:us-east-1",
    ],
  ])("%s refuses %j", async ([operation, more, right]) => {
    expect(await refusal(operation, { KeyId, ...more })).toBe(right);
  });

  test("RetireGrant takes a token, or a key with an ID", async () => {
    const { GrantId, GrantToken } = await grant();
    const right = "ValidationException: Specify either GrantToken, or both KeyId and GrantId.";
    for (const input of [
      {},
      { KeyId },
      { GrantId },
      { GrantToken, KeyId },
      { GrantToken, GrantId },
      { GrantToken, KeyId, GrantId },
    ]) {
      expect(await refusal("RetireGrant", input)).toBe(right);
    }
    expect(await listed()).toHaveLength(1);
  });

  test("RevokeGrant is not for other accounts, RetireGrant for the retiring principal's", async () => {
    const arn = arnOf(P, KeyId);
    const own = await grant();
    const foreign = await grant({ RetiringPrincipal: FOREIGN });
    const granted = await grant({ GranteePrincipal: FOREIGN });
    const both = await grant({ GranteePrincipal: FOREIGN, Operations: ["Encrypt", "RetireGrant"] });
    const denied = (operation: string) =>
      `AccessDeniedException: ${outOfReach(`arn:aws:iam::${OTHER_ACCOUNT}:root`, operation)}`;
    const by = (operation: string, { GrantId }: { readonly GrantId: string }) =>
      refusal(operation, { KeyId: arn, GrantId }, OTHER_ACCOUNT);
    expect(await by("RevokeGrant", foreign)).toBe(denied("RevokeGrant"));
    expect(await by("RetireGrant", own)).toBe(denied("RetireGrant"));
    expect(await by("RetireGrant", { GrantId: NO_GRANT })).toBe(denied("RetireGrant"));
    expect(await by("RetireGrant", granted)).toBe(denied("RetireGrant"));
    expect(await by("RetireGrant", foreign)).toBe("ok");
    const byToken = { GrantToken: both.GrantToken };
    expect(await refusal("RetireGrant", byToken, OTHER_ACCOUNT)).toBe("ok");
    expect(idsOf(await listed())).toEqual([own.GrantId, granted.GrantId].sort());
  });
});

describe("grant tokens", () => {
  const damaged = (token: string) => {
    const bytes = Buffer.from(token, "base64url");
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    return bytes.toString("base64url");
  };
  /** What a token says, changed, with the MAC of what it said. */
  const forged = (token: string, change: object) => {
    const bytes = Buffer.from(token, "base64url");
    const content = JSON.parse(bytes.subarray(32).toString());
    const json = Buffer.from(JSON.stringify({ ...content, ...change }));
    return Buffer.concat([bytes.subarray(0, 32), json]).toString("base64url");
  };
  const malformed = ["x", "no token", "AAAA", "A".repeat(8192), "ä"];

  test("that are none are refused by every operation that takes them", async () => {
    const { GrantToken } = await grant();
    const CiphertextBlob = await world.encrypt(P, KeyId);
    const ofKind = async (KeySpec: string, KeyUsage: string) =>
      (await world.createKey(P, { KeySpec, KeyUsage })).KeyId;
    const signing = await ofKind("ECC_NIST_P256", "SIGN_VERIFY");
    const agreeing = await ofKind("ECC_NIST_P256", "KEY_AGREEMENT");
    const mac = await ofKind("HMAC_256", "GENERATE_VERIFY_MAC");
    const kem = await ofKind("ML_KEM_512", "ENCAPSULATE_DECAPSULATE");
    const Message = base64("text");
    const sign = { KeyId: signing, Message, SigningAlgorithm: "ECDSA_SHA_256" };
    const makeMac = { KeyId: mac, Message, MacAlgorithm: "HMAC_SHA_256" };
    const encapsulate = { KeyId: kem, EncapsulationAlgorithm: "ML_KEM" };
    const pair = { KeyId, KeyPairSpec: "ECC_NIST_P256" };
    const answer = (operation: string, input: object) =>
      world.call<Record<string, string>>(P, operation, input);
    const { Signature } = await answer("Sign", sign);
    const { Mac } = await answer("GenerateMac", makeMac);
    const { PublicKey } = await answer("GetPublicKey", { KeyId: agreeing });
    const { SharedSecretCiphertextBlob } = await answer("Encapsulate", encapsulate);
    const takers: Readonly<Record<string, object>> = {
      CreateGrant: request(),
      Decapsulate: { ...encapsulate, SharedSecretCiphertextBlob },
      Decrypt: { CiphertextBlob },
      DeriveSharedSecret: { KeyId: agreeing, KeyAgreementAlgorithm: "ECDH", PublicKey },
      DescribeKey: { KeyId },
      Encapsulate: encapsulate,
      Encrypt: { KeyId, Plaintext: Message },
      GenerateDataKey: { KeyId, KeySpec: "AES_256" },
      GenerateDataKeyPair: pair,
      GenerateDataKeyPairWithoutPlaintext: pair,
      GenerateDataKeyWithoutPlaintext: { KeyId, KeySpec: "AES_256" },
      GenerateMac: makeMac,
      GetPublicKey: { KeyId: signing },
      ReEncrypt: { CiphertextBlob, DestinationKeyId: KeyId },
      Sign: sign,
      Verify: { ...sign, Signature },
      VerifyMac: { ...makeMac, Mac },
    };
    const { operations } = await import("../../src/operations/index.ts");
    const taking = Object.keys(operations).filter((name) => {
      const { input } = operations[name] as { readonly input: object };
      return Object.hasOwn(input, "GrantTokens");
    });
    expect(Object.keys(takers)).toEqual(taking.sort());
    for (const [operation, input] of Object.entries(takers)) {
      expect(
        `${operation} ${await refusal(operation, { ...input, GrantTokens: [GrantToken] })}`,
      ).toBe(`${operation} ok`);
      for (const token of malformed) {
        const GrantTokens = [GrantToken, token];
        expect(`${operation} ${await refusal(operation, { ...input, GrantTokens })}`).toBe(
          `${operation} InvalidGrantTokenException`,
        );
      }
    }
  });

  test("that are forged are refused, in whatever they say", async () => {
    const { GrantToken } = await grant();
    const other = await grant({ GranteePrincipal: RETIRING });
    const forgeries = [
      damaged(GrantToken),
      forged(GrantToken, { grantId: other.GrantId }),
      forged(GrantToken, { nonce: "0" }),
    ];
    for (const token of forgeries) {
      const input = { KeyId, Plaintext: base64("text"), GrantTokens: [token] };
      expect(await refusal("Encrypt", input)).toBe("InvalidGrantTokenException");
      expect(await refusal("RetireGrant", { GrantToken: token })).toBe(
        "InvalidGrantTokenException",
      );
    }
    expect(await listed()).toHaveLength(2);
  });

  test("name their key: RetireGrant knows them of no other, of no other Region or account", async () => {
    const { GrantToken } = await grant();
    const other = await world.createKey(P);
    await grant({ KeyId: other.KeyId });
    const missing = "1234abcd-12ab-34cd-56ef-1234567890ab";
    for (const token of [
      ...malformed,
      forged(GrantToken, { keyId: other.KeyId }),
      forged(GrantToken, { keyId: missing }),
      forged(GrantToken, { accountId: OTHER_ACCOUNT }),
      forged(GrantToken, { region: R }),
    ]) {
      expect(await refusal("RetireGrant", { GrantToken: token })).toBe(
        "InvalidGrantTokenException",
      );
    }
    const elsewhere = outcome(world.call(R, "RetireGrant", { GrantToken }));
    expect(await elsewhere).toBe("InvalidGrantTokenException");
    expect(await listed()).toHaveLength(1);
  });

  test("do not tell another account which keys there are", async () => {
    const { GrantToken } = await grant();
    const missing = "1234abcd-12ab-34cd-56ef-1234567890ab";
    for (const keyId of [KeyId, missing]) {
      const GrantTokens = [forged(GrantToken, { keyId })];
      const input = { KeyId: arnOf(P, keyId), GrantTokens };
      expect(await refusal("DescribeKey", input, OTHER_ACCOUNT)).toMatch(/^AccessDenied/);
    }
  });

  test("of a key that has given none out are refused by it", async () => {
    const { GrantToken } = await grant();
    const { KeyId: fresh } = await world.createKey(P);
    const GrantTokens = [forged(GrantToken, { keyId: fresh })];
    expect(await refusal("DescribeKey", { KeyId: fresh, GrantTokens })).toBe(
      "InvalidGrantTokenException",
    );
  });

  test("of other keys are no reason to refuse: ReEncrypt brings those of two", async () => {
    const { GrantToken } = await grant();
    const { KeyId: DestinationKeyId } = await world.createKey(P);
    const second = await grant({ KeyId: DestinationKeyId });
    const CiphertextBlob = await world.encrypt(P, KeyId);
    const reEncrypt = (GrantTokens: readonly string[]) =>
      refusal("ReEncrypt", { CiphertextBlob, DestinationKeyId, GrantTokens });
    expect(await reEncrypt([GrantToken, second.GrantToken])).toBe("ok");
    expect(await reEncrypt([damaged(GrantToken)])).toBe("InvalidGrantTokenException");
    expect(await reEncrypt([damaged(second.GrantToken)])).toBe("InvalidGrantTokenException");
  });

  test("of a grant that is gone say nothing any more, and are no error", async () => {
    const { GrantToken, GrantId } = await grant();
    await world.call(P, "RevokeGrant", { KeyId, GrantId });
    const input = { KeyId, Plaintext: base64("text"), GrantTokens: [GrantToken] };
    expect(await refusal("Encrypt", input)).toBe("ok");
  });

  test("are ten at most", async () => {
    const { GrantToken } = await grant();
    const with_ = (count: number) =>
      refusal("DescribeKey", { KeyId, GrantTokens: Array(count).fill(GrantToken) });
    expect(await with_(10)).toBe("ok");
    expect(await with_(11)).toMatch(/^ValidationException: .* at 'grantTokens' failed to satisfy/);
  });
});

describe("grants of multi-Region keys", () => {
  test("are one Region's own: replicas get none, and their tokens are not theirs", async () => {
    KeyId = await world.createSet(P);
    const { GrantToken, GrantId } = await grant();
    await world.replicate(KeyId, P, R);
    expect(await listed({}, R)).toEqual([]);
    const inReplica = await grant({ Name: "here" }, R);
    expect(idsOf(await listed())).toEqual([GrantId]);
    expect(idsOf(await listed({}, R))).toEqual([inReplica.GrantId]);
    expect(await outcome(world.call(R, "RevokeGrant", { KeyId, GrantId }))).toBe(
      `NotFoundException: Grant '${GrantId}' does not exist`,
    );
    expect(await outcome(world.call(R, "RetireGrant", { GrantToken }))).toBe(
      "InvalidGrantTokenException",
    );
    // A new primary takes none along.
    await world.call(P, "UpdatePrimaryRegion", { KeyId, PrimaryRegion: R });
    world.pass(world.delays.updatingMs);
    expect(idsOf(await listed())).toEqual([GrantId]);
    expect(idsOf(await listed({}, R))).toEqual([inReplica.GrantId]);
  });

  test("go with their key, and a replica made anew has none", async () => {
    KeyId = await world.createSet(P, R);
    const { GrantToken } = await grant({ RetiringPrincipal: RETIRING }, R);
    await grant({ RetiringPrincipal: RETIRING });
    expect(await retirable(RETIRING, ACCOUNT, R)).toHaveLength(1);
    await world.call(R, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    expect(await listed({}, R)).toHaveLength(1);
    expect(await retirable(RETIRING, ACCOUNT, R)).toHaveLength(1);
    world.pass(7 * DAY);
    expect(await retirable(RETIRING, ACCOUNT, R)).toEqual([]);
    await world.replicate(KeyId, P, R);
    expect(await listed({}, R)).toEqual([]);
    expect(await retirable(RETIRING, ACCOUNT, R)).toEqual([]);
    expect(await outcome(world.call(R, "RetireGrant", { GrantToken }))).toMatch(/^NotFound/);
    expect(await retirable()).toHaveLength(1);
  });
});

describe("ListRetirableGrants", () => {
  test("shows what ListGrants shows, of every key, of one Region and principal", async () => {
    const { KeyId: other } = await world.createKey(P);
    const one = await grant({ RetiringPrincipal: RETIRING, Name: "one" });
    const two = await grant({ RetiringPrincipal: RETIRING, KeyId: other });
    await grant({ RetiringPrincipal: GRANTEE });
    await grant();
    const found = await retirable();
    expect(idsOf(found).sort()).toEqual([one.GrantId, two.GrantId].sort());
    const ofKeys = [...(await listed()), ...(await listed({ KeyId: other }))];
    for (const entry of found) expect(ofKeys).toContainEqual(entry);
    expect(await retirable(RETIRING, ACCOUNT, R)).toEqual([]);
    expect(await retirable(GRANTEE)).toHaveLength(1);
    expect(await retirable(`arn:aws:iam::${ACCOUNT}:root`)).toEqual([]);
  });

  test("of another account's key is that account's to ask for alone", async () => {
    const { GrantId } = await grant({ RetiringPrincipal: FOREIGN });
    const [entry] = await retirable(FOREIGN, OTHER_ACCOUNT);
    expect(entry).toMatchObject({
      GrantId,
      KeyId: arnOf(P, KeyId),
      IssuingAccount: `arn:aws:iam::${ACCOUNT}:root`,
    });
    expect(await refusal("ListRetirableGrants", { RetiringPrincipal: FOREIGN })).toBe(
      `AccessDeniedException: User: arn:aws:iam::${ACCOUNT}:root is not authorized to perform: ` +
        `kms:ListRetirableGrants for the principal ${FOREIGN} of another account`,
    );
    // And it has no key of that account.
    expect(await world.call(P, "ListKeys", {}, OTHER_ACCOUNT)).toMatchObject({ Keys: [] });
    const token = { KeyId: arnOf(P, KeyId), GrantId };
    await world.call(P, "RetireGrant", token, OTHER_ACCOUNT);
    expect(await retirable(FOREIGN, OTHER_ACCOUNT)).toEqual([]);
  });

  test("forgets what was retired, revoked, or is on a key that is gone", async () => {
    const made = [];
    for (let count = 0; count < 3; count += 1) {
      made.push(await grant({ RetiringPrincipal: RETIRING }));
    }
    const [one, two, three] = made.map(({ GrantId }) => GrantId);
    await world.call(P, "RevokeGrant", { KeyId, GrantId: one });
    await world.call(P, "RetireGrant", { KeyId, GrantId: two });
    expect(idsOf(await retirable())).toEqual([three]);
    await world.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    expect(idsOf(await retirable())).toEqual([three]);
    world.pass(7 * DAY - 1);
    expect(idsOf(await retirable())).toEqual([three]);
    world.pass(1);
    // Nobody has asked for the key since.
    expect(await retirable()).toEqual([]);
  });

  test("shows them again when the deletion is cancelled", async () => {
    await grant({ RetiringPrincipal: RETIRING });
    await world.call(P, "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    await world.call(P, "CancelKeyDeletion", { KeyId });
    world.pass(7 * DAY);
    expect(await retirable()).toHaveLength(1);
  });

  test("in pages", async () => {
    const { KeyId: other } = await world.createKey(P);
    for (let count = 0; count < 7; count += 1) {
      await grant({ RetiringPrincipal: RETIRING, KeyId: count % 2 ? KeyId : other });
    }
    const input = { RetiringPrincipal: RETIRING, Limit: 3 };
    const pages = await world.pages<Entries>(P, "ListRetirableGrants", input);
    expect(pages.map(({ Grants }) => Grants.length)).toEqual([3, 3, 1]);
    expect(new Set(pages.flatMap(({ Grants }) => idsOf(Grants))).size).toBe(7);
    for (const Marker of ["x", btoa("ListRetirableGrants:x/y"), btoa("ListGrants:a/b/c")]) {
      expect(await refusal("ListRetirableGrants", { ...input, Marker })).toBe(
        "InvalidMarkerException",
      );
    }
  });

  test.for<[object, string]>([
    [
      {},
      "ValidationException: 1 validation error detected: Value null at 'retiringPrincipal' failed to satisfy constraint: Member must not be null",
    ],
    [
      { RetiringPrincipal: "Bob" },
      "InvalidArnException: ARN does not refer to a valid principal: Bob",
    ],
    [
      { RetiringServicePrincipal: "s3.amazonaws.com" },
      "AccessDeniedException: Only callers in a service principal can use RetiringServicePrincipal.",
    ],
    [
      { RetiringPrincipal: RETIRING, RetiringServicePrincipal: "s3.amazonaws.com" },
      "ValidationException: You cannot specify both RetiringPrincipal and RetiringServicePrincipal.",
    ],
  ])("refuses %j", async ([input, right]) => {
    expect(await refusal("ListRetirableGrants", input)).toBe(right);
  });

  test("services retire what nobody lists", async () => {
    const RetiringPrincipal = "dynamodb.us-east-1.amazonaws.com";
    await grant({ RetiringPrincipal });
    expect((await listed())[0]?.RetiringPrincipal).toBe(RetiringPrincipal);
    expect(await refusal("ListRetirableGrants", { RetiringPrincipal })).toMatch(/^InvalidArn/);
  });
});

describe("DryRun", () => {
  test("of the three that change grants changes none, after every check", async () => {
    const { GrantId, GrantToken } = await grant({ RetiringPrincipal: RETIRING });
    const before = world.saved(KeyId);
    const DryRun = true;
    expect(await refusal("CreateGrant", request({ DryRun }))).toBe(SUCCEEDED);
    expect(await refusal("RevokeGrant", { KeyId, GrantId, DryRun })).toBe(SUCCEEDED);
    expect(await refusal("RetireGrant", { KeyId, GrantId, DryRun })).toBe(SUCCEEDED);
    expect(await refusal("RetireGrant", { GrantToken, DryRun })).toBe(SUCCEEDED);
    expect(await refusal("CreateGrant", request({ DryRun, Operations: ["Sign"] }))).toMatch(
      /^ValidationException: Operations \[Sign\] are not/,
    );
    const missing = { KeyId, GrantId: NO_GRANT, DryRun };
    for (const operation of ["RevokeGrant", "RetireGrant"]) {
      expect(await refusal(operation, missing)).toMatch(/^NotFoundException: Grant/);
    }
    expect(world.saved(KeyId)).toBe(before);
    expect(await retirable()).toHaveLength(1);
    await world.call(P, "RevokeGrant", { KeyId, GrantId, DryRun: false });
    expect(await listed()).toEqual([]);
  });
});
