// Who may do what: each case with the rule that demands it. Run against the pure evaluator and
// against the whole core; the principals are those of principals.ts.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so the variables of policies are written

import type { Grant } from "../../src/domain/grant.ts";
import type { Principal } from "../../src/domain/principal.ts";
import { outOfReach } from "./out-of-reach.ts";
import {
  allow,
  deny,
  FOREIGN,
  OWN,
  policy,
  roleArn,
  root,
  rootArn,
  type Statement,
  session,
  sessionArn,
  toAws,
  user,
  userArn,
} from "./principals.ts";

export interface PolicyCase {
  /** What the guide says. */
  readonly rule: string;
  /** Of the key policy. */
  readonly key: readonly Statement[];
  readonly caller: Principal;
  readonly operation?: string;
  readonly input?: object;
  readonly tags?: Readonly<Record<string, string>>;
  readonly grants?: readonly Partial<Grant>[];
  /** Null is allowed; otherwise the end of AWS's sentence. */
  readonly refusal: string | null;
}

export const noResource = (action = "Encrypt") =>
  `because no resource-based policy allows the kms:${action} action`;
export const noIdentity = (action = "Encrypt") =>
  `because no identity-based policy allows the kms:${action} action`;
export const noBoundary = "because no permissions boundary allows the kms:Encrypt action";
export const noSession = "because no session policy allows the kms:Encrypt action";
export const deniedBy = (kind: string) => `with an explicit deny in ${kind}`;

/** AWS's sentence of a refused case. Of another account's key it does not say which policy decided. */
export function refusalOf({ caller, operation = "Encrypt", refusal }: PolicyCase, keyArn: string) {
  if (refusal === null) throw new Error("the case is not refused");
  const isForeign = caller.accountId !== keyArn.split(":")[4];
  if (isForeign && refusal.includes("resource-based policy")) {
    return outOfReach(caller.arn, operation);
  }
  return `User: ${caller.arn} is not authorized to perform: kms:${operation} on resource: ${keyArn} ${refusal}`;
}

const byRoot = allow("kms:*", toAws(rootArn()));
const everything = allow("*");
const encrypt = allow("kms:Encrypt");
const alice = user("alice");
const aliceOf = (...policies: Statement[]) => user("alice", { policies });
const admin = session("Admin", "ann");
const adminOf = (...policies: Statement[]) => session("Admin", "ann", { policies });
const bob = (...policies: Statement[]) => user("bob", { account: FOREIGN, policies });
const when = (Condition: unknown) => ({ Condition });

/** "Default key policy": the account may give access to the key by IAM policies. */
const delegation: PolicyCase[] = [
  {
    rule: "the root user has access through the root statement",
    key: [byRoot],
    caller: root(),
    refusal: null,
  },
  {
    rule: "the root user has no automatic access",
    key: [allow("kms:*", toAws(userArn("alice")))],
    caller: root(),
    refusal: noResource(),
  },
  {
    rule: "the root statement lets IAM policies allow",
    key: [byRoot],
    caller: aliceOf(encrypt),
    refusal: null,
  },
  {
    rule: "the root statement by itself gives no one access",
    key: [byRoot],
    caller: alice,
    refusal: noIdentity(),
  },
  {
    rule: "without the root statement IAM policies that allow have no effect",
    key: [allow("kms:*", toAws(userArn("carol")))],
    caller: aliceOf(everything),
    refusal: noResource(),
  },
  {
    rule: "the root statement delegates what it names",
    key: [allow("kms:Decrypt", toAws(rootArn()))],
    caller: aliceOf(everything),
    refusal: noResource(),
  },
  {
    rule: "a principal that no configuration names may by its account whatever its account may",
    key: [byRoot],
    caller: session("Admin", "ann", { policies: null }),
    refusal: null,
  },
  {
    rule: "an account ID is the account",
    key: [allow("kms:*", toAws(OWN))],
    caller: aliceOf(encrypt),
    refusal: null,
  },
];

/** "Key policies": who is named is allowed, with no IAM policy. */
const named: PolicyCase[] = [
  {
    rule: "a user that the key policy names needs no IAM policy",
    key: [allow("kms:Encrypt", toAws(userArn("alice")))],
    caller: alice,
    refusal: null,
  },
  {
    rule: "a name is the whole name",
    key: [allow("kms:Encrypt", toAws(userArn("alice2")))],
    caller: alice,
    refusal: noResource(),
  },
  {
    rule: "a role that the key policy names: its sessions",
    key: [allow("kms:Encrypt", toAws(roleArn("Admin")))],
    caller: admin,
    refusal: null,
  },
  {
    rule: "a session that the key policy names",
    key: [allow("kms:Encrypt", toAws(sessionArn("Admin", "ann")))],
    caller: admin,
    refusal: null,
  },
  {
    rule: "another session of the role is not that session",
    key: [allow("kms:Encrypt", toAws(sessionArn("Admin", "bob")))],
    caller: admin,
    refusal: noResource(),
  },
  {
    rule: "unique IDs of users and roles",
    key: [allow("kms:Encrypt", toAws("AROAADMINXXXXXXXXXXXX"))],
    caller: admin,
    refusal: null,
  },
  {
    rule: "* is everyone",
    key: [allow("kms:Encrypt", { Principal: "*" })],
    caller: alice,
    refusal: null,
  },
  {
    rule: "a service is not a person",
    key: [allow("kms:Encrypt", { Principal: { Service: "logs.us-east-1.amazonaws.com" } })],
    caller: alice,
    refusal: noResource(),
  },
  {
    rule: "NotPrincipal with Allow: everyone else",
    key: [allow("kms:Encrypt", { NotPrincipal: { AWS: userArn("carol") } })],
    caller: alice,
    refusal: null,
  },
  {
    rule: "NotPrincipal with Allow: not the one",
    key: [allow("kms:Encrypt", { NotPrincipal: { AWS: userArn("alice") } })],
    caller: alice,
    refusal: noResource(),
  },
  {
    rule: "NotAction: everything else",
    key: [{ Effect: "Allow", NotAction: "kms:Decrypt", Resource: "*", ...toAws(userArn("alice")) }],
    caller: alice,
    refusal: null,
  },
  {
    rule: "NotAction: not the one",
    key: [{ Effect: "Allow", NotAction: "kms:Enc*", Resource: "*", ...toAws(userArn("alice")) }],
    caller: alice,
    refusal: noResource(),
  },
  {
    rule: "actions in any case, with wildcards",
    key: [allow("KMS:en?ryp*", toAws(userArn("alice")))],
    caller: alice,
    refusal: null,
  },
  {
    rule: "a statement without an action has no effect",
    key: [byRoot, { Effect: "Allow", Resource: "*", ...toAws(userArn("alice")) }],
    caller: alice,
    refusal: noIdentity(),
  },
  {
    rule: "a resource that is another key",
    key: [
      allow("kms:*", {
        ...toAws(userArn("alice")),
        Resource: `arn:aws:kms:us-east-1:${OWN}:key/${"0".repeat(8)}`,
      }),
    ],
    caller: alice,
    refusal: noResource(),
  },
];

/** "Explicit deny": anywhere, and over everything. */
const denials: PolicyCase[] = [
  {
    rule: "a Deny of the key policy wins over its Allow",
    key: [byRoot, deny("kms:Encrypt", { Principal: "*" })],
    caller: root(),
    refusal: deniedBy("a resource-based policy"),
  },
  {
    rule: "a Deny of an account is of everyone in it",
    key: [allow("kms:*", toAws(userArn("alice"))), deny("kms:*", toAws(rootArn()))],
    caller: alice,
    refusal: deniedBy("a resource-based policy"),
  },
  {
    rule: "a Deny of a role is of its sessions",
    key: [byRoot, deny("kms:*", toAws(roleArn("Admin")))],
    caller: adminOf(everything),
    refusal: deniedBy("a resource-based policy"),
  },
  {
    rule: "a Deny of another action is none",
    key: [byRoot, deny("kms:Decrypt", { Principal: "*" })],
    caller: root(),
    refusal: null,
  },
  {
    rule: "an IAM policy that denies counts whatever the key policy allows",
    key: [allow("kms:*", toAws(userArn("alice")))],
    caller: aliceOf(deny("kms:Enc*")),
    refusal: deniedBy("an identity-based policy"),
  },
  {
    rule: "a boundary that denies",
    key: [allow("kms:*", toAws(userArn("alice")))],
    caller: user("alice", { boundary: [everything, deny("kms:*")] }),
    refusal: deniedBy("a permissions boundary"),
  },
  {
    rule: "a session policy that denies",
    key: [allow("kms:*", toAws(sessionArn("Admin", "ann")))],
    caller: session("Admin", "ann", { session: [everything, deny("kms:*")] }),
    refusal: deniedBy("a session policy"),
  },
  {
    rule: "NotPrincipal with Deny spares whom it names together with the account",
    key: [byRoot, deny("kms:*", { NotPrincipal: { AWS: [userArn("alice"), rootArn()] } })],
    caller: aliceOf(everything),
    refusal: null,
  },
  {
    rule: "NotPrincipal with Deny: the account has to be named, too",
    key: [byRoot, deny("kms:*", { NotPrincipal: { AWS: userArn("alice") } })],
    caller: aliceOf(everything),
    refusal: deniedBy("a resource-based policy"),
  },
  {
    rule: "NotPrincipal with Deny: of a session its role has to be named, too",
    key: [
      byRoot,
      deny("kms:*", { NotPrincipal: { AWS: [sessionArn("Admin", "ann"), rootArn()] } }),
    ],
    caller: adminOf(everything),
    refusal: deniedBy("a resource-based policy"),
  },
  {
    rule: "a Deny wins over a grant",
    key: [byRoot, deny("kms:Encrypt", { Principal: "*" })],
    caller: alice,
    grants: [{ granteePrincipal: userArn("alice"), operations: ["Encrypt"] }],
    refusal: deniedBy("a resource-based policy"),
  },
];

/** "Permissions boundaries" and "Session policies": nothing goes beyond them. */
const limits: PolicyCase[] = [
  {
    rule: "a boundary limits identity-based policies",
    key: [byRoot],
    caller: user("alice", { policies: [everything], boundary: [allow("kms:Decrypt")] }),
    refusal: noBoundary,
  },
  {
    rule: "a boundary allows nothing by itself",
    key: [byRoot],
    caller: user("alice", { boundary: [everything] }),
    refusal: noIdentity(),
  },
  {
    rule: "a boundary that allows, too",
    key: [byRoot],
    caller: user("alice", { policies: [encrypt], boundary: [everything] }),
    refusal: null,
  },
  {
    rule: "a boundary does not limit what a resource-based policy gives a user by name",
    key: [allow("kms:Encrypt", toAws(userArn("alice")))],
    caller: user("alice", { boundary: [allow("s3:*")] }),
    refusal: null,
  },
  {
    rule: "a boundary limits what a resource-based policy gives a role",
    key: [allow("kms:Encrypt", toAws(roleArn("Admin")))],
    caller: session("Admin", "ann", { boundary: [allow("s3:*")] }),
    refusal: noBoundary,
  },
  {
    rule: "session policies limit what a resource-based policy gives a role",
    key: [allow("kms:Encrypt", toAws(roleArn("Admin")))],
    caller: session("Admin", "ann", { session: [allow("s3:*")] }),
    refusal: noSession,
  },
  {
    rule: "neither limits what a resource-based policy gives a session by name",
    key: [allow("kms:Encrypt", toAws(sessionArn("Admin", "ann")))],
    caller: session("Admin", "ann", { boundary: [allow("s3:*")], session: [allow("s3:*")] }),
    refusal: null,
  },
  {
    rule: "session policies limit identity-based policies",
    key: [byRoot],
    caller: session("Admin", "ann", { policies: [everything], session: [allow("kms:Decrypt")] }),
    refusal: noSession,
  },
  {
    rule: "session policies limit a role that no configuration names",
    key: [byRoot],
    caller: session("Admin", "ann", { policies: null, session: [allow("kms:Decrypt")] }),
    refusal: noSession,
  },
];

/** "Allowing users in other accounts to use a KMS key": both sides have to allow. */
const crossAccount: PolicyCase[] = [
  {
    rule: "both accounts allow: the key policy the account",
    key: [byRoot, allow("kms:Encrypt", toAws(rootArn(FOREIGN)))],
    caller: bob(encrypt),
    refusal: null,
  },
  {
    rule: "both accounts allow: the key policy the principal",
    key: [byRoot, allow("kms:Encrypt", toAws(userArn("bob", FOREIGN)))],
    caller: bob(encrypt),
    refusal: null,
  },
  {
    rule: "the key policy alone is not enough",
    key: [byRoot, allow("kms:Encrypt", toAws(userArn("bob", FOREIGN)))],
    caller: bob(),
    refusal: noIdentity(),
  },
  {
    rule: "the IAM policy alone is not enough",
    key: [byRoot],
    caller: bob(everything),
    refusal: noResource(),
  },
  {
    rule: "* is other accounts, too, with their IAM policies",
    key: [allow("kms:Encrypt", { Principal: "*" })],
    caller: bob(),
    refusal: noIdentity(),
  },
  {
    rule: "the root of another account",
    key: [byRoot, allow("kms:Encrypt", toAws(rootArn(FOREIGN)))],
    caller: root(FOREIGN),
    refusal: null,
  },
  {
    rule: "operations that have no cross-account use are refused, whatever policies say",
    key: [byRoot, allow("kms:*", toAws(rootArn(FOREIGN)))],
    caller: bob(everything),
    operation: "DisableKey",
    refusal: noResource("DisableKey"),
  },
  {
    rule: "a boundary counts across accounts",
    key: [byRoot, allow("kms:*", toAws(userArn("bob", FOREIGN)))],
    caller: user("bob", { account: FOREIGN, policies: [encrypt], boundary: [allow("s3:*")] }),
    refusal: noBoundary,
  },
  {
    rule: "kms:CallerAccount keeps other accounts out",
    key: [
      allow("kms:Encrypt", {
        Principal: "*",
        ...when({ StringEquals: { "kms:CallerAccount": OWN } }),
      }),
    ],
    caller: bob(encrypt),
    refusal: noResource(),
  },
];

const granted = (more: Partial<Grant> = {}): readonly Partial<Grant>[] => [
  { granteePrincipal: userArn("alice"), operations: ["Encrypt"], ...more },
];
const inContext = (EncryptionContext: object) => ({ EncryptionContext });

/** "Grants in AWS KMS". */
const grants: PolicyCase[] = [
  {
    rule: "a grant is an alternative to policies",
    key: [byRoot],
    caller: alice,
    grants: granted(),
    refusal: null,
  },
  {
    rule: "a grant is for its operations",
    key: [byRoot],
    caller: alice,
    grants: granted({ operations: ["Decrypt"] }),
    refusal: noIdentity(),
  },
  {
    rule: "a grant is for its grantee",
    key: [byRoot],
    caller: user("carol"),
    grants: granted(),
    refusal: noIdentity(),
  },
  {
    rule: "a grant to a role is for its sessions",
    key: [byRoot],
    caller: admin,
    grants: granted({ granteePrincipal: roleArn("Admin") }),
    refusal: null,
  },
  {
    rule: "a grant to a session",
    key: [byRoot],
    caller: admin,
    grants: granted({ granteePrincipal: sessionArn("Admin", "other") }),
    refusal: noIdentity(),
  },
  {
    rule: "a grant to a principal of another account is enough",
    key: [byRoot],
    caller: bob(),
    grants: granted({ granteePrincipal: userArn("bob", FOREIGN) }),
    refusal: null,
  },
  {
    rule: "a grant to an account lets its IAM policies allow",
    key: [byRoot],
    caller: bob(encrypt),
    grants: granted({ granteePrincipal: rootArn(FOREIGN) }),
    refusal: null,
  },
  {
    rule: "a grant to an account gives nobody in it access by itself",
    key: [byRoot],
    caller: bob(),
    grants: granted({ granteePrincipal: rootArn(FOREIGN) }),
    refusal: noResource(),
  },
  {
    rule: "EncryptionContextEquals: the same pairs, in any order",
    key: [byRoot],
    caller: alice,
    input: inContext({ b: "2", a: "1" }),
    grants: granted({ constraints: { EncryptionContextEquals: { a: "1", b: "2" } } }),
    refusal: null,
  },
  {
    rule: "EncryptionContextEquals: no more pairs",
    key: [byRoot],
    caller: alice,
    input: inContext({ a: "1", b: "2" }),
    grants: granted({ constraints: { EncryptionContextEquals: { a: "1" } } }),
    refusal: noIdentity(),
  },
  {
    rule: "EncryptionContextSubset: all of its pairs",
    key: [byRoot],
    caller: alice,
    input: inContext({ a: "1", b: "2" }),
    grants: granted({ constraints: { EncryptionContextSubset: { a: "1" } } }),
    refusal: null,
  },
  {
    rule: "EncryptionContextSubset: values are case-sensitive",
    key: [byRoot],
    caller: alice,
    input: inContext({ a: "X" }),
    grants: granted({ constraints: { EncryptionContextSubset: { a: "x" } } }),
    refusal: noIdentity(),
  },
  {
    rule: "a constraint wants a context",
    key: [byRoot],
    caller: alice,
    grants: granted({ constraints: { EncryptionContextSubset: { a: "1" } } }),
    refusal: noIdentity(),
  },
  {
    rule: "constraints do not concern DescribeKey",
    key: [byRoot],
    caller: alice,
    operation: "DescribeKey",
    grants: granted({
      operations: ["DescribeKey"],
      constraints: { EncryptionContextEquals: { a: "1" } },
    }),
    refusal: null,
  },
];

const conditioned = (Condition: unknown) => [
  byRoot,
  allow("kms:*", { ...toAws(userArn("alice")), Condition }),
];

/** "Condition keys for AWS KMS" and the global ones: each by a case that it decides. */
const conditions: PolicyCase[] = (
  [
    ["kms:KeySpec", { StringEquals: { "kms:KeySpec": "SYMMETRIC_DEFAULT" } }, {}, true],
    [
      "kms:CustomerMasterKeySpec",
      { StringLike: { "kms:CustomerMasterKeySpec": "RSA*" } },
      {},
      false,
    ],
    ["kms:KeyUsage", { StringEquals: { "kms:KeyUsage": "ENCRYPT_DECRYPT" } }, {}, true],
    ["kms:KeyOrigin", { StringEquals: { "kms:KeyOrigin": "EXTERNAL" } }, {}, false],
    ["kms:MultiRegion", { Bool: { "kms:MultiRegion": "true" } }, {}, false],
    [
      "kms:MultiRegionKeyType: none of a single-Region key",
      { Null: { "kms:MultiRegionKeyType": "true" } },
      {},
      true,
    ],
    [
      "kms:EncryptionAlgorithm has its default",
      { StringEquals: { "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT" } },
      {},
      true,
    ],
    [
      "kms:EncryptionContext:<key>",
      { StringEquals: { "kms:EncryptionContext:App": "x" } },
      inContext({ App: "x" }),
      true,
    ],
    [
      "kms:EncryptionContext:<key>: the name in any case",
      { StringEquals: { "kms:EncryptionContext:APP": "x" } },
      inContext({ app: "x" }),
      true,
    ],
    [
      "kms:EncryptionContext:<key>: the value as it is",
      { StringEquals: { "kms:EncryptionContext:App": "X" } },
      inContext({ App: "x" }),
      false,
    ],
    [
      "kms:EncryptionContext:<key> with colons",
      { StringEquals: { "kms:EncryptionContext:aws:s3:arn": "x" } },
      inContext({ "aws:s3:arn": "x" }),
      true,
    ],
    [
      "kms:EncryptionContextKeys",
      { "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["a", "b"] } },
      inContext({ a: "1", c: "2" }),
      false,
    ],
    [
      "kms:EncryptionContextKeys: any",
      { "ForAnyValue:StringEquals": { "kms:EncryptionContextKeys": "a" } },
      inContext({ a: "1", c: "2" }),
      true,
    ],
    ["kms:CallerAccount", { StringEquals: { "kms:CallerAccount": OWN } }, {}, true],
    [
      "kms:ViaService has no value in a direct call",
      { StringEquals: { "kms:ViaService": "ec2.us-east-1.amazonaws.com" } },
      {},
      false,
    ],
    [
      "kms:RequestAlias has no value without an alias",
      { StringEquals: { "kms:RequestAlias": "alias/a" } },
      {},
      false,
    ],
    [
      "kms:GrantIsForAWSResource is of grants alone",
      { Null: { "kms:GrantIsForAWSResource": "true" } },
      {},
      true,
    ],
    ["aws:RequestedRegion", { StringEquals: { "aws:RequestedRegion": "us-east-1" } }, {}, true],
    [
      "aws:PrincipalArn",
      { ArnLike: { "aws:PrincipalArn": `arn:aws:iam::${OWN}:user/al*` } },
      {},
      true,
    ],
    ["aws:PrincipalAccount", { StringEquals: { "aws:PrincipalAccount": FOREIGN } }, {}, false],
    ["aws:PrincipalType", { StringEquals: { "aws:PrincipalType": "User" } }, {}, true],
    ["aws:PrincipalTag", { StringEquals: { "aws:PrincipalTag/Team": "blue" } }, {}, true],
    ["aws:username", { StringEquals: { "aws:username": "alice" } }, {}, true],
    ["aws:userid", { StringLike: { "aws:userid": "AIDA*" } }, {}, true],
    ["aws:SourceIp", { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } }, {}, true],
    ["aws:SourceIp", { NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" } }, {}, false],
    ["aws:UserAgent", { StringLike: { "aws:UserAgent": "aws-cli/*" } }, {}, true],
    ["aws:SecureTransport", { Bool: { "aws:SecureTransport": "false" } }, {}, false],
    [
      "aws:CurrentTime",
      { DateGreaterThan: { "aws:CurrentTime": "2026-01-01T00:00:00Z" } },
      {},
      false,
    ],
    [
      "aws:CurrentTime",
      { DateLessThanEquals: { "aws:CurrentTime": "2026-01-01T00:00:00Z" } },
      {},
      true,
    ],
    ["aws:EpochTime", { NumericEquals: { "aws:EpochTime": "1767225600" } }, {}, true],
    ["aws:PrincipalIsAWSService", { Bool: { "aws:PrincipalIsAWSService": "false" } }, {}, true],
    ["a key that nobody knows", { StringEquals: { "aws:PrincipalOrgID": "o-1" } }, {}, false],
    [
      "all conditions have to hold",
      { StringEquals: { "kms:KeySpec": "SYMMETRIC_DEFAULT" }, Bool: { "kms:MultiRegion": "true" } },
      {},
      false,
    ],
  ] as [string, unknown, object, boolean][]
).map(([rule, Condition, input, allowed]) => ({
  rule,
  key: conditioned(Condition),
  caller: user("alice", { tags: { team: "blue" } }),
  input,
  refusal: allowed ? null : noIdentity(),
}));

const whose = (Condition: unknown, caller: { tags?: Record<string, string> } = {}) =>
  user("alice", { ...caller, policies: [allow("kms:Encrypt", when(Condition))] });

/** "ABAC for AWS KMS": tags of keys count in IAM policies. */
const attributes: PolicyCase[] = [
  {
    rule: "aws:ResourceTag",
    key: [byRoot],
    caller: whose({ StringEquals: { "aws:ResourceTag/Purpose": "Test" } }),
    tags: { Purpose: "Test" },
    refusal: null,
  },
  {
    rule: "aws:ResourceTag of a key that has another",
    key: [byRoot],
    caller: whose({ StringEquals: { "aws:ResourceTag/Purpose": "Test" } }),
    tags: { Purpose: "Production" },
    refusal: noIdentity(),
  },
  {
    rule: "tags of the principal and of the key are the same",
    key: [byRoot],
    caller: whose(
      { StringEquals: { "aws:ResourceTag/Team": "${aws:PrincipalTag/Team}" } },
      {
        tags: { Team: "blue" },
      },
    ),
    tags: { Team: "blue" },
    refusal: null,
  },
  {
    rule: "a principal without the tag is like no key",
    key: [byRoot],
    caller: whose({ StringEquals: { "aws:ResourceTag/Team": "${aws:PrincipalTag/Team}" } }),
    tags: { Team: "blue" },
    refusal: noIdentity(),
  },
  {
    rule: "an IAM policy on keys of a Region by ARN",
    key: [byRoot],
    caller: user("alice", {
      policies: [allow("kms:Encrypt", { Resource: `arn:aws:kms:us-east-1:${OWN}:key/*` })],
    }),
    refusal: null,
  },
  {
    rule: "an alias ARN in an IAM policy is the alias, not its key",
    key: [byRoot],
    caller: user("alice", {
      policies: [allow("kms:Encrypt", { Resource: `arn:aws:kms:us-east-1:${OWN}:alias/*` })],
    }),
    refusal: noIdentity(),
  },
];

export const policyCases: readonly PolicyCase[] = [
  ...delegation,
  ...named,
  ...denials,
  ...limits,
  ...crossAccount,
  ...grants,
  ...conditions,
  ...attributes,
];

/** The key policy of a case, whoever it locks out. */
export const keyPolicyOf = ({ key }: PolicyCase) => policy(...key);
