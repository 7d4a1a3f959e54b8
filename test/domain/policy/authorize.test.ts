// The evaluator alone: the table of policy cases, and what holds of any policies.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Grant } from "../../../src/domain/grant.ts";
import {
  type AuthorizationRequest,
  authorize,
  authorizeRetirement,
} from "../../../src/domain/policy/authorize.ts";
import { type Decision, grounds } from "../../../src/domain/policy/decision.ts";
import { policyIn } from "../../../src/domain/policy/policy.ts";
import type { Principal } from "../../../src/domain/principal.ts";
import { contextOf, encryptionContext } from "../../../src/operations/condition-keys.ts";
import type { Question } from "../../../src/operations/question.ts";
import { keyPolicyOf, type PolicyCase, policyCases } from "../../support/policy-cases.ts";
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
} from "../../support/principals.ts";

const ARN = `arn:aws:kms:us-east-1:${OWN}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const read = (text: string) => policyIn(text, "identity");

const grantOf = (more: Partial<Grant>): Grant => ({
  id: "1".repeat(64),
  name: "",
  createdAt: 0,
  granteePrincipal: null,
  granteeServicePrincipal: null,
  retiringPrincipal: null,
  retiringServicePrincipal: null,
  issuingAccount: rootArn(),
  operations: [],
  constraints: null,
  ...more,
});

function decisionIn(each: PolicyCase): Decision {
  const { caller, operation = "Encrypt", input = {}, tags = {}, grants = [] } = each;
  const question: Question = {
    action: operation,
    region: "us-east-1",
    caller,
    request: { sourceIp: "203.0.113.9", userAgent: "aws-cli/2.31", secure: true },
    now: Date.UTC(2026, 0, 1),
    input: input as Question["input"],
    key: {
      accountId: OWN,
      keySpec: "SYMMETRIC_DEFAULT",
      keyUsage: "ENCRYPT_DECRYPT",
      origin: "AWS_KMS",
      multiRegion: false,
      type: null,
      tags: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
      arn: ARN,
    },
  };
  const key = {
    accountId: OWN,
    policy: policyIn(keyPolicyOf(each), "key"),
    grants: grants.map(grantOf),
    use: { encryptionContext: encryptionContext(question), child: null },
  };
  return authorize(
    { action: operation, resource: ARN, caller, key, context: contextOf(question) },
    read,
  );
}

describe("policy cases", () => {
  test.each(policyCases.map((each) => [each.rule, each] as const))("%s", (_rule, each) => {
    const decision = decisionIn(each);
    const refusal = decision.allowed
      ? null
      : grounds(decision, `kms:${each.operation ?? "Encrypt"}`);
    expect(refusal).toBe(each.refusal);
  });
});

describe("why", () => {
  const alice = user("alice", { policies: [deny("s3:*"), allow("kms:Encrypt", { Sid: "mine" })] });
  const byRoot = allow("kms:*", { ...toAws(rootArn()), Sid: "root" });

  test("a statement on each side", () => {
    const decision = decisionIn({ rule: "", key: [byRoot], caller: alice, refusal: null });
    expect(decision).toEqual({
      allowed: true,
      by: [
        { kind: "statement", of: "resource", policy: 0, statement: 0, sid: "root" },
        { kind: "statement", of: "identity", policy: 0, statement: 1, sid: "mine" },
      ],
    });
  });

  test("the account of somebody whom no configuration names", () => {
    const caller = session("Admin", "ann", { policies: null });
    expect(decisionIn({ rule: "", key: [byRoot], caller, refusal: null })).toEqual({
      allowed: true,
      by: [
        { kind: "statement", of: "resource", policy: 0, statement: 0, sid: "root" },
        { kind: "account", accountId: OWN },
      ],
    });
  });

  test("a grant", () => {
    const grants = [{ id: "2".repeat(64), granteePrincipal: alice.arn, operations: ["Decrypt"] }];
    const each = { rule: "", key: [byRoot], caller: alice, operation: "Decrypt", refusal: null };
    expect(decisionIn({ ...each, grants: grants as Partial<Grant>[] })).toEqual({
      allowed: true,
      by: [{ kind: "grant", grantId: "2".repeat(64) }],
    });
  });

  test("the Deny that decided, and nothing where nothing allows", () => {
    const key = [byRoot, deny("kms:Enc*", { Principal: "*", Sid: "no" })];
    expect(decisionIn({ rule: "", key, caller: alice, refusal: "" })).toEqual({
      allowed: false,
      of: "resource",
      by: { kind: "statement", of: "resource", policy: 0, statement: 1, sid: "no" },
    });
    const each = { rule: "", key: [byRoot], caller: alice, operation: "Decrypt", refusal: "" };
    expect(decisionIn(each)).toEqual({ allowed: false, of: "identity", by: null });
  });
});

describe("a grant to make grants", () => {
  const parent = { granteePrincipal: userArn("alice"), operations: ["CreateGrant", "Encrypt"] };
  const mayMake = (constraints: Grant["constraints"], child: Partial<Grant>) => {
    const grant = grantOf({ ...(parent as Partial<Grant>), constraints });
    const { operations = ["Encrypt"], constraints: own = null } = child;
    const key = {
      accountId: OWN,
      policy: policyIn(policy(allow("kms:*", toAws(rootArn()))), "key"),
      grants: [grant],
      use: { encryptionContext: null, child: { operations, constraints: own } },
    };
    const context = { valueOf: () => undefined };
    const request = { action: "CreateGrant", resource: ARN, caller: user("alice"), key, context };
    return authorize(request, read).allowed;
  };
  const equals = (pairs: Record<string, string>) => ({ EncryptionContextEquals: pairs });
  const subset = (pairs: Record<string, string>) => ({ EncryptionContextSubset: pairs });

  test.each<[string, Grant["constraints"], Partial<Grant>, boolean]>([
    ["the same operations", null, {}, true],
    ["other operations", null, { operations: ["Decrypt"] }, false],
    ["some of both", null, { operations: ["Encrypt", "Decrypt"] }, false],
    ["a constraint more", null, { constraints: equals({ a: "1" }) }, true],
    ["a constraint less", equals({ a: "1" }), {}, false],
    ["the same constraint", equals({ a: "1" }), { constraints: equals({ a: "1" }) }, true],
    ["another constraint", equals({ a: "1" }), { constraints: equals({ a: "2" }) }, false],
    ["a looser kind", equals({ a: "1" }), { constraints: subset({ a: "1" }) }, false],
    ["a stricter kind", subset({ a: "1" }), { constraints: equals({ a: "1", b: "2" }) }, true],
    ["a larger subset", subset({ a: "1" }), { constraints: subset({ a: "1", b: "2" }) }, true],
    ["a smaller subset", subset({ a: "1", b: "2" }), { constraints: subset({ a: "1" }) }, false],
  ])("%s", (_name, constraints, child, expected) => {
    expect(mayMake(constraints, child)).toBe(expected);
  });
});

describe("who may retire a grant", () => {
  const grant = grantOf({
    granteePrincipal: userArn("grantee", FOREIGN),
    retiringPrincipal: roleArn("Retirer", FOREIGN),
    operations: ["Encrypt", "RetireGrant"],
  });
  const may = (caller: Principal, given = grant) =>
    authorizeRetirement(
      { resource: ARN, caller, context: { valueOf: () => undefined } },
      given,
      read,
    ).allowed;

  test.each<[string, Principal, boolean]>([
    ["its retiring principal", session("Retirer", "x", { account: FOREIGN }), true],
    ["its grantee, where it says so", user("grantee", { account: FOREIGN }), true],
    ["the account that made it", root(), true],
    ["whom that account lets", user("alice", { policies: [allow("kms:RetireGrant")] }), true],
    ["not whom it does not let", user("alice"), false],
    ["not others", user("other", { account: FOREIGN, policies: [allow("*")] }), false],
    [
      "not whom an IAM policy denies it",
      user("grantee", { account: FOREIGN, policies: [deny("kms:Retire*")] }),
      false,
    ],
  ])("%s", (_who, caller, expected) => {
    expect(may(caller)).toBe(expected);
  });

  test("a Deny of one's own tells nobody whom the grant does not concern that it is there", () => {
    const of = (caller: Principal) =>
      authorizeRetirement(
        { resource: ARN, caller, context: { valueOf: () => undefined } },
        grant,
        read,
      );
    const no = [deny("kms:*")];
    expect(of(user("other", { account: FOREIGN, policies: no }))).toMatchObject({
      of: "resource",
      by: null,
    });
    expect(of(user("grantee", { account: FOREIGN, policies: no }))).toMatchObject({
      of: "identity",
      by: { kind: "statement" },
    });
  });

  test("not its grantee, where it does not say so", () => {
    const other = { ...grant, operations: ["Encrypt"] as const };
    expect(may(user("grantee", { account: FOREIGN }), other)).toBe(false);
  });
});

// Any policies.

const actions = ["kms:Encrypt", "kms:Decrypt"];
const specs = ["a", "b"];
const named = [
  "*",
  rootArn(),
  rootArn(FOREIGN),
  userArn("alice"),
  userArn("bob", FOREIGN),
  roleArn("Admin"),
  sessionArn("Admin", "ann"),
];

const some = (values: readonly string[]) => fc.subarray([...values], { minLength: 1 });
const bare = fc
  .tuple(
    fc.constantFrom("Allow", "Deny", "Allow"),
    some([...actions, "*"]),
    fc.boolean(),
    fc.option(some(specs)),
  )
  .map(
    ([Effect, list, except, spec]): Statement => ({
      Effect,
      [except ? "NotAction" : "Action"]: list,
      Resource: "*",
      ...(spec && { Condition: { StringEquals: { "kms:KeySpec": spec } } }),
    }),
  );
const ofKey = fc
  .tuple(bare, some(named), fc.boolean())
  .map(([each, AWS, except]) => ({ ...each, [except ? "NotPrincipal" : "Principal"]: { AWS } }));
const statements = fc.array(bare, { minLength: 1, maxLength: 3 });

const someGrant = fc.record({
  granteePrincipal: fc.constantFrom(...named.slice(1)),
  operations: fc.constantFrom<Grant["operations"][]>(["Encrypt"], ["Decrypt"]),
});

interface World {
  readonly key: Statement[];
  readonly grants: readonly Pick<Grant, "granteePrincipal" | "operations">[];
  readonly policies: Statement[] | null;
  readonly boundary: Statement[] | null;
  readonly session: Statement[] | null;
  readonly who: string;
  readonly action: string;
  readonly spec: string;
}

const world: fc.Arbitrary<World> = fc.record({
  key: fc.array(ofKey, { minLength: 1, maxLength: 4 }),
  grants: fc.array(someGrant, { maxLength: 2 }),
  policies: fc.option(statements),
  boundary: fc.option(statements),
  session: fc.option(statements),
  who: fc.constantFrom("alice", "ann", "bob", "root"),
  action: fc.constantFrom(...actions),
  spec: fc.constantFrom(...specs),
});

function callerIn({ who, policies, boundary, session: limit }: World): Principal {
  const own = { policies, ...(boundary && { boundary }) };
  if (who === "root") return root();
  if (who === "alice") return user("alice", own);
  if (who === "bob") return user("bob", { ...own, account: FOREIGN });
  return session("Admin", "ann", { ...own, ...(limit && { session: limit }) });
}

function isAllowed(given: World): boolean {
  const key = {
    accountId: OWN,
    policy: policyIn(policy(...given.key), "key"),
    grants: given.grants.map(grantOf),
    use: { encryptionContext: {}, child: null },
  };
  const request: AuthorizationRequest = {
    action: given.action.slice(4),
    resource: ARN,
    caller: callerIn(given),
    key,
    context: { valueOf: (name) => (name === "kms:KeySpec" ? given.spec : undefined) },
  };
  return authorize(request, read).allowed;
}

/** The rules once more, over plain JSON and as plainly as they can be put. */
function model(given: World): boolean {
  const { key, grants, policies, boundary, session: limit, who, action, spec } = given;
  const about = (each: Statement) => {
    const list = (each.Action ?? each.NotAction) as string[];
    const isNamed = list.includes("*") || list.includes(action);
    const condition = each.Condition as { StringEquals: Record<string, string[]> } | undefined;
    const isSpec = condition?.StringEquals["kms:KeySpec"]?.includes(spec) ?? true;
    return isNamed === (each.Action !== undefined) && isSpec;
  };
  const names = {
    root: [rootArn()],
    alice: [userArn("alice"), rootArn()],
    bob: [userArn("bob", FOREIGN), rootArn(FOREIGN)],
    ann: [sessionArn("Admin", "ann"), roleArn("Admin"), rootArn()],
  }[who] as string[];
  const listed = (each: Statement) =>
    ((each.Principal ?? each.NotPrincipal) as { AWS: string[] }).AWS;
  const own =
    who === "root"
      ? { policies: null, boundary: null, limit: null }
      : { policies, boundary, limit };
  if (who !== "ann") own.limit = null;
  const has = (list: Statement[] | null, effect: string) =>
    (list ?? []).some((each) => each.Effect === effect && about(each));

  const denies = key.some((each) => {
    if (each.Effect !== "Deny" || !about(each)) return false;
    const list = listed(each);
    if (each.Principal) return list.includes("*") || names.some((name) => list.includes(name));
    return !list.includes("*") && !names.every((name) => list.includes(name));
  });
  if (denies || has(own.policies, "Deny") || has(own.boundary, "Deny") || has(own.limit, "Deny")) {
    return false;
  }
  const allows = (name: string) =>
    key.some((each) => {
      if (each.Effect !== "Allow" || !about(each)) return false;
      if (each.Principal) return listed(each).includes(name);
      const list = listed(each);
      return name === "*" && !list.includes("*") && !names.some((own) => list.includes(own));
    });
  const inBoundary = own.boundary === null || has(own.boundary, "Allow");
  const inSession = own.limit === null || has(own.limit, "Allow");
  const byIdentity =
    (own.policies === null || has(own.policies, "Allow")) && inBoundary && inSession;
  // A grant to the account, the last of the names, leaves it to the account.
  const granted = grants.some(({ granteePrincipal, operations }) => {
    if (!operations.some((operation) => `kms:${operation}` === action)) return false;
    const at = names.indexOf(granteePrincipal ?? "");
    return at >= 0 && (at < names.length - 1 || byIdentity);
  });
  if (granted) return true;
  switch (who) {
    case "root":
      return allows("*") || allows(rootArn());
    case "alice":
      return allows("*") || allows(userArn("alice")) || (allows(rootArn()) && byIdentity);
    case "bob":
      return (allows("*") || names.some(allows)) && byIdentity;
    default:
      return (
        allows(sessionArn("Admin", "ann")) ||
        ((allows("*") || allows(roleArn("Admin"))) && inBoundary && inSession) ||
        (allows(rootArn()) && byIdentity)
      );
  }
}

describe("any policies", () => {
  test("are evaluated as the rules say", () => {
    let allowed = 0;
    fc.assert(
      fc.property(world, (given) => {
        const expected = model(given);
        if (expected) allowed++;
        expect(isAllowed(given)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
    expect(allowed).toBeGreaterThan(100);
  });

  test("with a Deny more never allow what they refused", () => {
    const place = fc.constantFrom("key", "policies", "boundary", "session" as const);
    fc.assert(
      fc.property(world, place, ofKey, bare, fc.nat(3), (given, where, keyDeny, other, at) => {
        if (isAllowed(given)) return;
        const before = given[where as "key"];
        // Where there was no policy, one that allows everything but this comes to limit the caller.
        const list = before ?? [allow("*")];
        const added = { ...(where === "key" ? keyDeny : other), Effect: "Deny" };
        const after = [...list.slice(0, at), added, ...list.slice(at)];
        expect(isAllowed({ ...given, [where]: after })).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });
});
