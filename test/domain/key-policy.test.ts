// Each case names the rule it shows. Expectations are typed from the Developer Guide (key policies,
// conditions), the IAM policy grammar, and texts seen on AWS; none is computed by the code.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  acceptKeyPolicy,
  defaultKeyPolicy,
  parseKeyPolicy,
  printKeyPolicy,
} from "../../src/domain/key-policy.ts";
import { type Editor, requireNoLockout } from "../../src/domain/policy/lockout.ts";
import type { Principal } from "../../src/domain/principal.ts";

const ACCOUNT = "111122223333";
const ROOT = `arn:aws:iam::${ACCOUNT}:root`;
const ALICE = `arn:aws:iam::${ACCOUNT}:user/Alice`;
const OTHER_ROOT = "arn:aws:iam::444455556666:root";
const EVERY_KEY = `arn:aws:kms:*:${ACCOUNT}:key/*`;

const NO_PRINCIPAL = "Policy contains a statement with no principal.";
const INVALID_PRINCIPALS = "Policy contains a statement with one or more invalid principals.";
const LOCKOUT = "The new key policy will not allow you to update the key policy in the future.";
const NO_VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
const OVERLY_PERMISSIVE =
  "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key matches requests without the specified [encryption context or tag] or with an unspecified [encryption context or tag]. To fix, remove ForAllValues.";
const KEYS_NOT_PERMITTED =
  "These condition keys are not permitted in a key policy: aws:ResourceTag, kms:ResourceTag, kms:ResourceAliases";

type Members = Record<string, unknown>;

const allowRoot: Members = {
  Sid: "Enable IAM User Permissions",
  Effect: "Allow",
  Principal: { AWS: ROOT },
  Action: "kms:*",
  Resource: "*",
};

/** A document with one statement that differs from `allowRoot` in the members given. */
const withStatement = (change: Members) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ ...allowRoot, ...change }] });

const withPrincipal = (Principal: unknown) => withStatement({ Principal });
const withCondition = (Condition: unknown) => withStatement({ Condition });
const withStatements = (...Statement: unknown[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement });

const accept = (text: string, partition = "aws", accountId = ACCOUNT) =>
  acceptKeyPolicy(text, { partition, editor: editor(rootOf(accountId, partition), accountId) });

const root: Principal = {
  type: "Account",
  accountId: ACCOUNT,
  arn: ROOT,
  principalArn: ROOT,
  userId: ACCOUNT,
  userName: null,
  tags: {},
  policies: null,
  boundary: null,
  sessionPolicies: null,
};

function rootOf(accountId: string, partition: string): Principal {
  const arn = `arn:${partition}:iam::${accountId}:root`;
  return { ...root, accountId, arn, principalArn: arn, userId: accountId };
}

/** Who gives a key of the account a policy, of whose request nothing is known. */
const editor = (caller: Principal, accountId = ACCOUNT): Editor => ({
  accountId,
  caller,
  resource: `arn:aws:kms:us-east-1:${accountId}:key/1`,
  context: { valueOf: () => undefined },
});

const malformed = (text: string) =>
  expect.objectContaining({ type: "MalformedPolicyDocumentException", text });

const syntaxError = (what: string) => malformed(`Syntax errors in policy: ${what}.`);

describe("the default key policy", () => {
  it("is the document recorded on AWS, with the partition and account put in", () => {
    expect(defaultKeyPolicy("aws-cn", "444455556666")).toBe(`{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws-cn:iam::444455556666:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`);
  });

  it("is accepted and printed as it is", () => {
    const text = defaultKeyPolicy("aws-us-gov", ACCOUNT);
    expect(accept(text, "aws-us-gov")).toBe(text);
  });
});

describe("the typed document", () => {
  it("has every element of a statement", () => {
    const text = withStatements({
      Sid: "1",
      Effect: "Deny",
      NotPrincipal: { AWS: [ACCOUNT, ALICE], Service: "logs.us-east-1.amazonaws.com" },
      NotAction: ["kms:Get*", "kms:List*"],
      NotResource: EVERY_KEY,
      Condition: {
        "ForAnyValue:StringLikeIfExists": { "kms:EncryptionContextKeys": ["a*", "b"] },
        Bool: { "kms:GrantIsForAWSResource": true },
        NumericLessThan: { "kms:ScheduleKeyDeletionPendingWindowInDays": 10.5 },
      },
    });
    expect(parseKeyPolicy(text, "aws")).toMatchObject({
      version: "2012-10-17",
      id: null,
      statements: [
        {
          sid: "1",
          effect: "Deny",
          principal: {
            except: true,
            values: [
              { type: "AWS", id: ROOT },
              { type: "AWS", id: ALICE },
              { type: "Service", id: "logs.us-east-1.amazonaws.com" },
            ],
          },
          action: { except: true, values: ["kms:Get*", "kms:List*"] },
          resource: { except: true, values: [EVERY_KEY] },
          conditions: [
            {
              quantifier: "ForAnyValue",
              operator: "StringLike",
              ifExists: true,
              key: "kms:EncryptionContextKeys",
              values: ["a*", "b"],
            },
            { quantifier: null, operator: "Bool", ifExists: false, values: ["true"] },
            { operator: "NumericLessThan", values: ["10.5"] },
          ],
        },
      ],
    });
  });

  it.each([
    ["Principal * and AWS * are the same", withPrincipal("*"), withPrincipal({ AWS: "*" })],
    [
      "one statement needs no list",
      JSON.stringify({ Statement: allowRoot }),
      JSON.stringify({ Statement: [allowRoot] }),
    ],
    [
      "one action needs no list",
      withStatement({ Action: "kms:*" }),
      withStatement({ Action: ["kms:*"] }),
    ],
    [
      "an account ID is its root ARN",
      withPrincipal({ AWS: ACCOUNT }),
      withPrincipal({ AWS: ROOT }),
    ],
  ])("%s", (_rule, text, same) => {
    expect(parseKeyPolicy(text, "aws").statements).toEqual(parseKeyPolicy(same, "aws").statements);
  });

  it("without a Version is of 2008-10-17", () => {
    expect(parseKeyPolicy(JSON.stringify({ Statement: allowRoot }), "aws").version).toBe(
      "2008-10-17",
    );
  });
});

describe("documents that are accepted", () => {
  it.each([
    ["Version 2012-10-17", JSON.stringify({ Version: "2012-10-17", Statement: [allowRoot] })],
    ["Version 2008-10-17", JSON.stringify({ Version: "2008-10-17", Statement: [allowRoot] })],
    ["an Id", JSON.stringify({ Id: "key-consolepolicy-3", Statement: [allowRoot] })],
    ["whitespace of every kind", `\t\r\n ${withPrincipal("*")} \n`],
    ["no Sid", withStatement({ Sid: undefined })],
    ["a Sid with spaces", withStatement({ Sid: "Allow use of the key" })],
    ["several empty Sids", withStatements({ ...allowRoot, Sid: "" }, { ...allowRoot, Sid: "" })],
    [
      "a missing Action has no effect",
      withStatements(allowRoot, { Effect: "Deny", Principal: "*", Resource: "*" }),
    ],
    [
      "a missing Resource has no effect",
      withStatements(allowRoot, { Effect: "Deny", Principal: "*", Action: "*" }),
    ],
    ["a lone * as Action", withStatement({ Action: "*" })],
    ["an action of another service", withStatement({ Action: ["kms:*", "s3:GetObject"] })],
    [
      "a key ARN as Resource",
      withStatement({ Resource: `arn:aws:kms:us-east-1:${ACCOUNT}:key/1` }),
    ],
    ["an empty Condition", withCondition({})],
  ])("%s", (_rule, text) => {
    expect(() => accept(text)).not.toThrow();
  });

  it.each([
    ["everyone", "*"],
    ["everyone, as AWS", { AWS: "*" }],
    ["an account ID", { AWS: "444455556666" }],
    ["an account root", { AWS: OTHER_ROOT }],
    ["a user", { AWS: "arn:aws:iam::444455556666:user/Bob" }],
    [
      "a user with a path",
      { AWS: "arn:aws:iam::444455556666:user/division_abc/subdivision_xyz/Bob" },
    ],
    ["a role", { AWS: "arn:aws:iam::444455556666:role/Admin" }],
    [
      "a service-linked role",
      {
        AWS: `arn:aws:iam::${ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`,
      },
    ],
    ["a role session", { AWS: "arn:aws:sts::444455556666:assumed-role/Admin/bob@example.com" }],
    ["a federated user", { AWS: "arn:aws:sts::444455556666:federated-user/Bob" }],
    ["the unique ID of a user", { AWS: "AIDACKCEVSQ6C2EXAMPLE" }],
    ["the unique ID of a role", { AWS: "AROACKCEVSQ6C2EXAMPLE" }],
    ["several", { AWS: [ALICE, OTHER_ROOT] }],
    ["a service", { Service: "logs.us-east-1.amazonaws.com" }],
    ["several services", { Service: ["s3.amazonaws.com", "cks.kms.us-east-1.amazonaws.com"] }],
    ["a web identity", { Federated: "cognito-identity.amazonaws.com" }],
    ["a SAML provider", { Federated: `arn:aws:iam::${ACCOUNT}:saml-provider/ADFS` }],
    [
      "a canonical user",
      { CanonicalUser: "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be" },
    ],
    ["two types of principal", { AWS: ALICE, Service: "s3.amazonaws.com" }],
  ])("principal: %s", (_rule, Principal) => {
    const text = withStatements(allowRoot, { ...allowRoot, Sid: "2", Principal });
    expect(() => accept(text)).not.toThrow();
  });

  it.each([
    ["aws-cn"],
    ["aws-us-gov"],
    ["aws-iso"],
    ["aws-iso-b"],
    ["aws-iso-e"],
    ["aws-iso-f"],
    ["aws-eusc"],
  ])("principals of the partition %s", (partition) => {
    const text = withPrincipal({ AWS: `arn:${partition}:iam::${ACCOUNT}:root` });
    expect(() => accept(text, partition)).not.toThrow();
  });

  it.each([
    ["a plain operator", { StringEquals: { "kms:CallerAccount": ACCOUNT } }],
    ["IfExists", { ArnLikeIfExists: { "aws:SourceArn": ["arn:aws:s3:::a", "arn:aws:s3:::b"] } }],
    ["Null", { Null: { "kms:EncryptionContext:Dept": "false" } }],
    ["an unquoted boolean", { Bool: { "kms:GrantIsForAWSResource": true } }],
    ["an unquoted number", { NumericGreaterThanEquals: { "kms:RotationPeriodInDays": 90 } }],
    [
      "ForAllValues on a multivalued key",
      { "ForAllValues:StringEquals": { "kms:GrantOperations": ["Encrypt"] } },
    ],
    [
      "ForAnyValue on a single-valued key",
      { "ForAnyValue:StringEquals": { "kms:EncryptionContext:Dept": "IT" } },
    ],
    [
      "ForAllValues with the keys of the context",
      { "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": "Dept" } },
    ],
  ])("condition: %s", (_rule, Condition) => {
    const to = { partition: "aws", editor: null };
    expect(() => acceptKeyPolicy(withCondition(Condition), to)).not.toThrow();
  });
});

describe("documents that are refused", () => {
  const good = JSON.stringify(allowRoot);
  const lists = (value: string, depth: number) => "[".repeat(depth) + value + "]".repeat(depth);

  // As recorded of CreateKey with such a policy (aws/aws-sdk-ruby#1784).
  it.each(["This is not a json document", "", '{"Statement":[],}'])(
    "%j, without a text",
    (text) => {
      const refused = { type: "MalformedPolicyDocumentException", text: null };
      expect(() => parseKeyPolicy(text, "aws")).toThrow(expect.objectContaining(refused));
    },
  );

  it.each([
    ["a string", '"Statement"', "the document is not an object"],
    ["a list", "[{}]", "the document is not an object"],
    ["null", "null", "the document is not an object"],
    ["deep lists", lists("", 100_000), "the document is not an object"],
    ["deep lists inside", `{"Statement":${good},"Id":${lists("", 100_000)}}`, "Id is not a string"],
    [
      "deep objects inside",
      `{"Statement":${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}}`,
      "'a' is not an element of a policy",
    ],
    ["no statement", '{"Version":"2012-10-17"}', "it has no statement"],
    ["an empty list of statements", '{"Statement":[]}', "it has no statement"],
    ["a statement that is no object", '{"Statement":["Allow"]}', "a statement is not an object"],
    [
      "a list in the list of statements",
      `{"Statement":[[${good}]]}`,
      "a statement is not an object",
    ],
    ["an unknown member", `{"Statements":[${good}]}`, "'Statements' is not an element of a policy"],
    [
      "a member in the wrong case",
      `{"statement":[${good}]}`,
      "'statement' is not an element of a policy",
    ],
    [
      "a member of every object",
      `{"__proto__":{},"Statement":${good}}`,
      "'__proto__' is not an element of a policy",
    ],
    [
      "a member given twice",
      `{"Statement":${good},"Statement":${good}}`,
      "it has 'Statement' twice in one place",
    ],
    [
      "another Version",
      `{"Version":"2012-10-18","Statement":${good}}`,
      "Version is neither 2012-10-17 nor 2008-10-17",
    ],
    [
      "a Version that is no string",
      `{"Version":2012,"Statement":${good}}`,
      "Version is neither 2012-10-17 nor 2008-10-17",
    ],
    ["an Id that is no string", `{"Id":1,"Statement":${good}}`, "Id is not a string"],
    [
      "an unknown element",
      withStatement({ Actions: "kms:*" }),
      "'Actions' is not an element of a policy",
    ],
    [
      "no Effect",
      withStatement({ Effect: undefined }),
      "the Effect of a statement is neither Allow nor Deny",
    ],
    [
      "an Effect in the wrong case",
      withStatement({ Effect: "allow" }),
      "the Effect of a statement is neither Allow nor Deny",
    ],
    ["a Sid that is no string", withStatement({ Sid: 1 }), "Sid is not a string"],
    [
      "Principal and NotPrincipal",
      withStatement({ NotPrincipal: "*" }),
      "a statement has both Principal and NotPrincipal",
    ],
    [
      "Action and NotAction",
      withStatement({ NotAction: "*" }),
      "a statement has both Action and NotAction",
    ],
    [
      "Resource and NotResource",
      withStatement({ NotResource: "*" }),
      "a statement has both Resource and NotResource",
    ],
    [
      "an Action that is an object",
      withStatement({ Action: {} }),
      "Action is not a string or list of strings",
    ],
    [
      "a list of lists of actions",
      withStatement({ Action: [["kms:*"]] }),
      "Action is not a string or list of strings",
    ],
    [
      "a Resource that is null",
      withStatement({ Resource: null }),
      "Resource is not a string or list of strings",
    ],
    ["a Condition that is a list", withCondition([]), "a Condition is not an object"],
    [
      "a Condition without keys",
      withCondition({ Bool: "true" }),
      "the Condition Bool is not an object",
    ],
    [
      "an unknown operator",
      withCondition({ StringMatches: { "aws:a": "b" } }),
      "'StringMatches' is not a condition operator",
    ],
    [
      "an unknown set operator",
      withCondition({ "ForSome:Bool": { "aws:a": "b" } }),
      "'ForSome:Bool' is not a condition operator",
    ],
    [
      "two set operators",
      withCondition({ "ForAnyValue:Bool:Bool": { "aws:a": "b" } }),
      "'ForAnyValue:Bool:Bool' is not a condition operator",
    ],
    [
      "Null with IfExists",
      withCondition({ NullIfExists: { "aws:a": "true" } }),
      "'NullIfExists' is not a condition operator",
    ],
    [
      "a condition value that is an object",
      withCondition({ Bool: { "aws:a": {} } }),
      "a value of a Condition is not a string, number or boolean",
    ],
    [
      "a condition value that is null",
      withCondition({ Bool: { "aws:a": [null] } }),
      "a value of a Condition is not a string, number or boolean",
    ],
  ])("%s", (_rule, text, what) => {
    expect(() => parseKeyPolicy(text, "aws")).toThrow(syntaxError(what));
  });

  it.each([
    ["an action has a vendor", withStatement({ Action: "PutKeyPolicy" }), NO_VENDOR],
    ["an action is not empty", withStatement({ Action: ["kms:*", ""] }), NO_VENDOR],
    [
      "an action has one colon",
      withStatement({ Action: "kms:Put:KeyPolicy" }),
      "Actions/Condition can contain only one colon.",
    ],
    ["a vendor is a name", withStatement({ Action: "k/s:Encrypt" }), "Vendor k/s is not valid"],
    [
      "a resource is an ARN or *",
      withStatement({ Resource: "key/1" }),
      'Resource key/1 must be in ARN format or "*".',
    ],
    ["a condition key has a vendor", withCondition({ Bool: { "1": "true" } }), NO_VENDOR],
    [
      "aws:ResourceTag is for IAM policies only",
      withCondition({ StringEquals: { "aws:ResourceTag/Dept": "IT" } }),
      KEYS_NOT_PERMITTED,
    ],
    [
      "kms:ResourceAliases is for IAM policies only",
      withCondition({ "ForAnyValue:StringEquals": { "kms:resourcealiases": "alias/a" } }),
      KEYS_NOT_PERMITTED,
    ],
    [
      "ForAllValues with an encryption context",
      withCondition({ "ForAllValues:StringEquals": { "kms:EncryptionContext:Dept": "IT" } }),
      OVERLY_PERMISSIVE,
    ],
    [
      "condition keys are not case-sensitive",
      withCondition({ "ForAllValues:StringLike": { "KMS:encryptioncontext:Dept": "IT" } }),
      OVERLY_PERMISSIVE,
    ],
    [
      "ForAllValues with a request tag",
      withCondition({ "ForAllValues:StringEqualsIfExists": { "aws:RequestTag/Dept": "IT" } }),
      OVERLY_PERMISSIVE,
    ],
    ["a statement has a principal", withStatement({ Principal: undefined }), NO_PRINCIPAL],
    ["a principal is not an empty object", withPrincipal({}), NO_PRINCIPAL],
    ["a principal is not an empty list", withPrincipal({ AWS: [] }), NO_PRINCIPAL],
  ])("%s", (_rule, text, message) => {
    expect(() => parseKeyPolicy(text, "aws")).toThrow(malformed(message));
  });

  it.each([
    ["an ARN without a type", ROOT],
    ["a list", [{ AWS: ROOT }]],
    ["null", null],
    ["an unknown type", { IAM: ROOT }],
    ["an inherited name as type", { toString: ROOT }],
    ["a number", { AWS: 111122223333 }],
    ["an empty text", { AWS: "" }],
    ["one bad among good ones", { AWS: [ROOT, "Alice"] }],
    ["an account ID of 11 digits", { AWS: "11112222333" }],
    ["an account ID with dashes", { AWS: "1111-2222-3333" }],
    ["an ARN without its iam", { AWS: `arn:aws::${ACCOUNT}:root` }],
    ["an ARN with a Region", { AWS: `arn:aws:iam:us-east-1:${ACCOUNT}:root` }],
    ["an ARN without its account", { AWS: "arn:aws:iam:::user/Alice" }],
    ["an ARN of another partition", { AWS: `arn:aws-cn:iam::${ACCOUNT}:root` }],
    ["an ARN of another service", { AWS: `arn:aws:kms::${ACCOUNT}:user/Alice` }],
    ["a group", { AWS: `arn:aws:iam::${ACCOUNT}:group/Developers` }],
    ["a policy", { AWS: `arn:aws:iam::${ACCOUNT}:policy/Developers` }],
    ["a wildcard for the name", { AWS: `arn:aws:iam::${ACCOUNT}:role/*` }],
    ["a wildcard in the name", { AWS: `arn:aws:iam::${ACCOUNT}:role/Admin?` }],
    ["a wildcard in the path", { AWS: `arn:aws:iam::${ACCOUNT}:role/*/Admin` }],
    ["a wildcard for the account", { AWS: "arn:aws:iam::*:root" }],
    ["a user without a name", { AWS: `arn:aws:iam::${ACCOUNT}:user/` }],
    ["a name with a space", { AWS: `arn:aws:iam::${ACCOUNT}:user/Alice B` }],
    ["a role session without its name", { AWS: `arn:aws:sts::${ACCOUNT}:assumed-role/Admin` }],
    ["a role session under iam", { AWS: `arn:aws:iam::${ACCOUNT}:assumed-role/Admin/alice` }],
    ["the unique ID of a group", { AWS: "AGPACKCEVSQ6C2EXAMPLE" }],
    ["a service without a domain", { Service: "s3" }],
    ["a wildcard service", { Service: "*.amazonaws.com" }],
    ["every service", { Service: "*" }],
    ["a wildcard provider", { Federated: `arn:aws:iam::${ACCOUNT}:saml-provider/*` }],
    ["a short canonical user", { CanonicalUser: "79a59df9" }],
  ])("principal: %s", (_rule, Principal) => {
    const refused = malformed(INVALID_PRINCIPALS);
    expect(() => parseKeyPolicy(withPrincipal(Principal), "aws")).toThrow(refused);
    const excepted = withStatement({ Principal: undefined, NotPrincipal: Principal });
    expect(() => parseKeyPolicy(excepted, "aws")).toThrow(refused);
  });
});

describe("principals that have to exist", () => {
  const to = { partition: "aws", editor: null, unknownPrincipals: [ALICE] };

  it.each([
    ["Principal", { Principal: { AWS: [ROOT, ALICE] } }],
    ["NotPrincipal", { Principal: undefined, NotPrincipal: { AWS: ALICE } }],
  ])("are those of %s", (_element, change) => {
    const refused = malformed(INVALID_PRINCIPALS);
    expect(() => acceptKeyPolicy(withStatement(change), to)).toThrow(refused);
  });

  it("are not everyone, unique IDs, services or whoever is not asked about", () => {
    const principal = { AWS: ["*", "AIDACKCEVSQ6C2EXAMPLE", ROOT], Service: "s3.amazonaws.com" };
    const text = withPrincipal(principal);
    expect(() => acceptKeyPolicy(text, to)).not.toThrow();
    expect(() =>
      acceptKeyPolicy(withPrincipal({ AWS: ALICE }), { ...to, unknownPrincipals: [] }),
    ).not.toThrow();
  });
});

describe("printing", () => {
  const print = (text: string) => printKeyPolicy(parseKeyPolicy(text, "aws"));

  it("keeps the order sent and sets lists on one line, as Jackson does", () => {
    const text = `{"Statement":[{"Resource":[],"NotAction":["kms:Encrypt","kms:Decrypt"],"Effect":"Allow",
      "Condition":{},"NotPrincipal":{"Service":["s3.amazonaws.com"],"AWS":["444455556666","${ALICE}"]}},
      {"Principal":"*","Effect":"Deny","Condition":{"NumericLessThan":{"kms:RotationPeriodInDays":[1.50,-2E+3]},
      "Bool":{"aws:SecureTransport":false}}}],"Id":"","Version":"2008-10-17"}`;
    expect(print(text)).toBe(`{
  "Statement" : [ {
    "Resource" : [ ],
    "NotAction" : [ "kms:Encrypt", "kms:Decrypt" ],
    "Effect" : "Allow",
    "Condition" : { },
    "NotPrincipal" : {
      "Service" : [ "s3.amazonaws.com" ],
      "AWS" : [ "${OTHER_ROOT}", "${ALICE}" ]
    }
  }, {
    "Principal" : "*",
    "Effect" : "Deny",
    "Condition" : {
      "NumericLessThan" : {
        "kms:RotationPeriodInDays" : [ 1.50, -2E+3 ]
      },
      "Bool" : {
        "aws:SecureTransport" : false
      }
    }
  } ],
  "Id" : "",
  "Version" : "2008-10-17"
}`);
  });

  it("keeps a statement that is not in a list", () => {
    const text = JSON.stringify({ Statement: { Effect: "Deny", Principal: { AWS: ACCOUNT } } });
    expect(print(text)).toBe(`{
  "Statement" : {
    "Effect" : "Deny",
    "Principal" : {
      "AWS" : "${ROOT}"
    }
  }
}`);
  });

  it("names accounts by ARN as principals only", () => {
    const Condition = { StringEquals: { "kms:CallerAccount": ACCOUNT } };
    const printed = print(withStatement({ Sid: ACCOUNT, Principal: { AWS: ACCOUNT }, Condition }));
    expect(printed).toContain(`"Sid" : "${ACCOUNT}"`);
    expect(printed).toContain(`"AWS" : "${ROOT}"`);
    expect(printed).toContain(`"kms:CallerAccount" : "${ACCOUNT}"`);
  });

  it.each([
    ["an escaped letter is that letter", String.raw`A\u0042\/`, "AB/"],
    ["quotes and backslashes stay escaped", String.raw`\" \\ {}[]:,`, String.raw`\" \\ {}[]:,`],
    ["control characters stay escaped", String.raw`\t\n\u0001`, String.raw`\t\n\u0001`],
    ["Latin-1 letters stay", "é\u00ff", "é\u00ff"],
    [
      "letters beyond Latin-1 stay escaped",
      String.raw`\u4e2d\ud83d\ude00`,
      String.raw`\u4E2D\uD83D\uDE00`,
    ],
    ["half a surrogate pair stays escaped", String.raw`\udead`, String.raw`\udead`],
  ])("in texts, %s", (_rule, sent, printed) => {
    const text = withStatement({ Sid: "SID" }).replace("SID", () => sent);
    expect(print(text)).toContain(`"Sid" : "${printed}"`);
  });
});

describe("the lockout safety check", () => {
  const ROLE = `arn:aws:iam::${ACCOUNT}:role/Admin`;
  const alice: Principal = {
    ...root,
    type: "User",
    arn: ALICE,
    principalArn: ALICE,
    userId: "AIDACKCEVSQ6C2EXAMPLE",
    userName: "Alice",
  };
  const session: Principal = {
    ...alice,
    type: "AssumedRole",
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Admin/alice`,
    principalArn: ROLE,
    userId: "AROACKCEVSQ6C2EXAMPLE:alice",
  };
  const allow = (change: Members) => ({ ...allowRoot, Sid: "", ...change });
  const deny = (change: Members) => allow({ Effect: "Deny", Principal: "*", ...change });
  const allowAll = (...principals: string[]) => allow({ Principal: { AWS: principals } });
  const Condition = { Bool: { "aws:MultiFactorAuthPresent": "true" } };

  const check = (statements: Members[], caller: Principal) => () =>
    requireNoLockout(parseKeyPolicy(withStatements(...statements), "aws"), editor(caller));

  it.each<[string, Principal, Members[]]>([
    ["the account is allowed everything", root, [allow({})]],
    ["the account of the user is", alice, [allow({})]],
    ["the user is", alice, [allowAll(ALICE)]],
    ["the user is by their unique ID", alice, [allowAll("AIDACKCEVSQ6C2EXAMPLE")]],
    ["the session's role is", session, [allowAll(ROLE)]],
    ["the session is", session, [allowAll(`arn:aws:sts::${ACCOUNT}:assumed-role/Admin/alice`)]],
    ["everyone is", alice, [allow({ Principal: "*" })]],
    [
      "everyone but a user is",
      root,
      [allow({ Principal: undefined, NotPrincipal: { AWS: ALICE } })],
    ],
    ["the action is named", root, [allow({ Action: ["kms:Decrypt", "kms:PutKeyPolicy"] })]],
    ["the action is named in another case", root, [allow({ Action: "KMS:putkeypolicy" })]],
    ["the action fits kms:Put*", root, [allow({ Action: "kms:Put*" })]],
    ["the action fits question marks", root, [allow({ Action: "kms:???KeyPolic?" })]],
    ["the action fits *:*Policy", root, [allow({ Action: "*:*Policy" })]],
    [
      "the action is not among those excepted",
      root,
      [allow({ Action: undefined, NotAction: "kms:Get*" })],
    ],
    ["the resource is the key", root, [allow({ Resource: editor(root).resource })]],
    ["the resource fits every key", root, [allow({ Resource: ["arn:aws:s3:::b", EVERY_KEY] })]],
    ["the resource ends in a wildcard early", root, [allow({ Resource: "arn:aws:kms:*" })]],
    ["the resource fits a part", root, [allow({ Resource: "arn:*:kms:*:11112222????:k*" })]],
    [
      "other resources are excepted",
      root,
      [allow({ Resource: undefined, NotResource: "arn:aws:s3:::bucket" })],
    ],
    ["a second statement allows it", alice, [allow({ Action: "kms:Decrypt" }), allowAll(ALICE)]],
    ["a Deny is for another action", root, [allow({}), deny({ Action: "kms:DisableKey" })]],
    ["a Deny is for other resources", root, [allow({}), deny({ Resource: "arn:aws:s3:::b" })]],
    ["a Deny has a condition that does not hold", root, [allow({}), deny({ Condition })]],
    ["a Deny without a Resource has no effect", root, [allow({}), deny({ Resource: undefined })]],
    ["a Deny is for a user", root, [allow({}), deny({ Principal: { AWS: ALICE } })]],
    ["a Deny is for another account", root, [allow({}), deny({ Principal: { AWS: OTHER_ROOT } })]],
    [
      "a Deny excepts the user and their account",
      alice,
      [allowAll(ALICE), deny({ Principal: undefined, NotPrincipal: { AWS: [ALICE, ROOT] } })],
    ],
  ])("passes where %s", (_rule, caller, statements) => {
    expect(check(statements, caller)).not.toThrow();
  });

  it.each<[string, Principal, Members[]]>([
    ["only a user is allowed, and the account asks", root, [allowAll(ALICE)]],
    ["only a role is allowed, and a user asks", alice, [allowAll(ROLE)]],
    ["only another account is allowed", root, [allowAll(OTHER_ROOT)]],
    ["only a user of another account is", alice, [allowAll("arn:aws:iam::444455556666:user/A")]],
    ["only a service is", root, [allow({ Principal: { Service: "s3.amazonaws.com" } })]],
    [
      "everyone but the account is",
      root,
      [allow({ Principal: undefined, NotPrincipal: { AWS: ROOT } })],
    ],
    ["there are only Denies", root, [deny({})]],
    ["another action is allowed", root, [allow({ Action: ["kms:Encrypt", "kms:GetKeyPolicy"] })]],
    [
      "the action nearly fits",
      root,
      [allow({ Action: ["kms:PutKeyPolicies*", "kms:PutKeyPolic", "kms:?PutKeyPolicy"] })],
    ],
    ["an action of another service is", root, [allow({ Action: "s3:*" })]],
    ["the action is excepted", root, [allow({ Action: undefined, NotAction: ["kms:Put*"] })]],
    ["the Action is missing", root, [allow({ Action: undefined })]],
    ["the Action is an empty list", root, [allow({ Action: [] })]],
    ["the Resource is missing", root, [allow({ Resource: undefined })]],
    ["the resource is of another service", root, [allow({ Resource: "arn:aws:s3:::bucket" })]],
    [
      "the resource is of another account",
      root,
      [allow({ Resource: "arn:aws:kms:us-east-1:444455556666:key/1" })],
    ],
    [
      "the resource is in another Region",
      root,
      [allow({ Resource: `arn:aws:kms:eu-west-1:${ACCOUNT}:key/1` })],
    ],
    ["every resource is excepted", root, [allow({ Resource: undefined, NotResource: "*" })]],
    ["every key is excepted", root, [allow({ Resource: undefined, NotResource: EVERY_KEY })]],
    ["a condition does not hold", root, [allow({ Condition })]],
    ["everyone is denied", root, [allow({}), deny({})]],
    ["the account is denied", alice, [allowAll(ALICE), deny({ Principal: { AWS: ROOT } })]],
    ["the user is denied", alice, [allow({}), deny({ Principal: { AWS: ALICE } })]],
    [
      "a Deny excepts the user, but not their account",
      alice,
      [allowAll(ALICE), deny({ Principal: undefined, NotPrincipal: { AWS: ALICE } })],
    ],
    ["every key is denied by ARN", root, [allow({}), deny({ Resource: EVERY_KEY })]],
    [
      "every other resource is denied",
      root,
      [allow({}), deny({ Resource: undefined, NotResource: "arn:aws:s3:::bucket" })],
    ],
    [
      "every other action is denied",
      root,
      [allow({}), deny({ Action: undefined, NotAction: "kms:Decrypt" })],
    ],
    [
      "only another account is excepted from a Deny",
      root,
      [allow({}), deny({ Principal: undefined, NotPrincipal: { AWS: OTHER_ROOT } })],
    ],
  ])("refuses where %s", (_rule, caller, statements) => {
    expect(check(statements, caller)).toThrow(malformed(LOCKOUT));
  });

  it("takes no account of the caller's own policies", () => {
    expect(check([allow({})], { ...alice, policies: [], boundary: "{}" })).not.toThrow();
  });

  it("is part of accepting a policy, unless it is bypassed", () => {
    const text = withPrincipal({ AWS: OTHER_ROOT });
    expect(() => accept(text)).toThrow(malformed(LOCKOUT));
    expect(acceptKeyPolicy(text, { partition: "aws", editor: null })).toContain(OTHER_ROOT);
  });

  it("ends soon with patterns made to go back often", () => {
    const Action = [
      `kms:${"*a".repeat(8_000)}`,
      `kms:${"*".repeat(8_000)}x`,
      "kms:*?*?*?*?*?*?*?*?*z",
    ];
    const Resource = [
      `arn:${"*a*".repeat(4_000)}:kms:*:*:key/*`,
      `arn:*:kms:*:${"1*".repeat(4_000)}:key/*`,
    ];
    expect(check([allow({ Action }), allow({ Resource })], root)).toThrow(malformed(LOCKOUT));
  });
});

describe("properties", () => {
  const oneOrMore = <T>(item: fc.Arbitrary<T>) =>
    fc.oneof(item, fc.array(item, { minLength: 1, maxLength: 3 }));
  const principal = fc.oneof(
    fc.constant("*"),
    fc.record({
      AWS: oneOrMore(
        fc.constantFrom("*", ACCOUNT, ROOT, ALICE, OTHER_ROOT, "AIDACKCEVSQ6C2EXAMPLE"),
      ),
    }),
    fc.record({ Service: oneOrMore(fc.constantFrom("s3.amazonaws.com", "logs.amazonaws.com")) }),
  );
  const action = oneOrMore(fc.constantFrom("*", "kms:*", "kms:Encrypt", "kms:PutKeyPolicy"));
  const resource = oneOrMore(fc.constantFrom("*", EVERY_KEY));
  const condition = fc.dictionary(
    fc.constantFrom("StringEquals", "ForAnyValue:StringLike", "BoolIfExists"),
    fc.dictionary(
      fc.string({ unit: "binary" }).map((name) => `kms:EncryptionContext:${name}`),
      oneOrMore(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.boolean(),
          fc.double({ noNaN: true, noDefaultInfinity: true }),
        ),
      ),
    ),
  );
  const statement = fc
    .tuple(
      fc.record({ Effect: fc.constantFrom("Allow", "Deny") }),
      fc.oneof(fc.record({ Principal: principal }), fc.record({ NotPrincipal: principal })),
      fc.oneof(fc.record({ Action: action }), fc.record({ NotAction: action }), fc.constant({})),
      fc.oneof(
        fc.record({ Resource: resource }),
        fc.record({ NotResource: resource }),
        fc.constant({}),
      ),
      fc.record({ Condition: condition }, { requiredKeys: [] }),
    )
    .map((parts) => Object.assign({}, ...parts));
  const policy = fc
    .record(
      {
        Id: fc.string({ unit: "binary" }),
        Version: fc.constantFrom("2012-10-17", "2008-10-17"),
        Statement: oneOrMore(statement),
      },
      { requiredKeys: ["Statement"] },
    )
    .map((document) => JSON.stringify(document));

  it("printing then parsing gives the same document", () => {
    fc.assert(
      fc.property(policy, (text) => {
        const sent = parseKeyPolicy(text, "aws");
        const printed = printKeyPolicy(sent);
        const read = parseKeyPolicy(printed, "aws");
        expect(read).toEqual(sent);
        expect(printKeyPolicy(read)).toBe(printed);
        expect(printed).toMatch(/^[\n\u0020-\u00ff]+$/);
      }),
    );
  });

  it("a printed document is the JSON that was sent, but for the names of accounts", () => {
    fc.assert(
      fc.property(policy, (text) => {
        const named = text.replaceAll(`"${ACCOUNT}"`, `"${ROOT}"`);
        const printed = printKeyPolicy(parseKeyPolicy(text, "aws"));
        expect(JSON.stringify(JSON.parse(printed))).toBe(JSON.stringify(JSON.parse(named)));
      }),
    );
  });

  it("any text is accepted or refused with a KmsError", () => {
    const answer = (text: string) => {
      try {
        return accept(text);
      } catch (error) {
        return error;
      }
    };
    const fault = expect.objectContaining({ type: "MalformedPolicyDocumentException" });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), policy), (text) => {
        const answered = answer(text);
        if (typeof answered !== "string") expect(answered).toEqual(fault);
      }),
    );
  });
});
