// Who may assume a role: trust policies against callers, by the rules of IAM's evaluation logic.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

import { describe, expect, test } from "vitest";
import type { Principal } from "../../src/domain/principal.ts";
import { type AssumeRequest, mayAssume } from "../../src/identity/may-assume.ts";
import { inline } from "../support/principals.ts";

const HOME = "111122223333";
const AWAY = "444455556666";
const ROLE = `arn:aws:iam::${HOME}:role/app`;

const statement = (Effect: string, rest: object) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect, ...rest }] });
const own = (effect: string, Action: string, Resource = "*") =>
  inline(statement(effect, { Action, Resource }));
const trusting = (AWS: unknown, rest: object = {}) =>
  statement("Allow", { Principal: { AWS }, Action: "sts:AssumeRole", ...rest });

function user(accountId: string, rest: Partial<Principal> = {}): Principal {
  const arn = `arn:aws:iam::${accountId}:user/alice`;
  return {
    type: "User",
    accountId,
    arn,
    principalArn: arn,
    userId: "AIDAEXAMPLE",
    userName: "alice",
    tags: { team: "orders" },
    sourceIdentity: null,
    policies: [],
    boundary: null,
    sessionPolicies: null,
    ...rest,
  };
}

const asked = (caller: Principal, more: Partial<AssumeRequest> = {}): AssumeRequest => ({
  action: "AssumeRole",
  roleArn: ROLE,
  roleAccountId: HOME,
  caller,
  region: "us-east-1",
  request: { sourceIp: "203.0.113.9", userAgent: "aws-cli/2.31", secure: true },
  now: Date.UTC(2026, 0, 1),
  sessionName: "alice",
  externalId: "the-id",
  sourceIdentity: "ann",
  tags: new Map(),
  transitiveTagKeys: [],
  ...more,
});
const may = (trust: string, caller: Principal, more: Partial<AssumeRequest> = {}) =>
  mayAssume({ trust, tags: { app: "shop" } }, asked(caller, more)).allowed;

const allowed = { policies: [own("Allow", "sts:AssumeRole", ROLE)] };
const ALICE = `arn:aws:iam::${HOME}:user/alice`;
const ALICE_AWAY = `arn:aws:iam::${AWAY}:user/alice`;
const session = user(HOME, {
  type: "AssumedRole",
  arn: `arn:aws:sts::${HOME}:assumed-role/ci/run`,
  principalArn: `arn:aws:iam::${HOME}:role/ci`,
  userName: null,
});

describe("whom the trust policy names", () => {
  test.each<[string, string, Principal, boolean]>([
    ["the user itself: enough in its own account", trusting(ALICE), user(HOME), true],
    ["another user", trusting(`${ALICE}2`), user(HOME, allowed), false],
    [
      "its account: the user's own policies decide, and have nothing",
      trusting(HOME),
      user(HOME),
      false,
    ],
    ["its account, and they allow", trusting(HOME), user(HOME, allowed), true],
    [
      "its account by ARN, in a list",
      trusting([ALICE_AWAY, `arn:aws:iam::${HOME}:root`]),
      user(HOME, allowed),
      true,
    ],
    [
      "its account, and they allow another role",
      trusting(HOME),
      user(HOME, { policies: [own("Allow", "sts:*", `${ROLE}2`)] }),
      false,
    ],
    [
      "its account, and nobody configured the caller",
      trusting(HOME),
      user(HOME, { policies: null }),
      true,
    ],
    ["everyone", trusting("*"), user(HOME), true],
    ["a role, of its session", trusting(`arn:aws:iam::${HOME}:role/ci`), session, true],
    ["a session", trusting(session.arn), session, true],
    ["another session", trusting(`${session.arn}2`), session, false],
    [
      "a user of another account, which has to allow it, too",
      trusting(ALICE_AWAY),
      user(AWAY),
      false,
    ],
    ["the same, allowed there", trusting(ALICE_AWAY), user(AWAY, allowed), true],
    ["another account, allowed there", trusting(AWAY), user(AWAY, allowed), true],
    ["everyone, but in another account nobody allows it", trusting("*"), user(AWAY), false],
    [
      "a service",
      statement("Allow", { Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }),
      user(HOME, allowed),
      false,
    ],
    [
      "setting a source identity, and nothing else",
      trusting(ALICE, { Action: "sts:SetSourceIdentity" }),
      user(HOME),
      false,
    ],
    ["another action", trusting(ALICE, { Action: "sts:TagSession" }), user(HOME), false],
    ["any action, in any case", trusting(ALICE, { Action: ["STS:assume*"] }), user(HOME), true],
    [
      "all but another action",
      trusting(ALICE, { Action: undefined, NotAction: "sts:TagSession" }),
      user(HOME),
      true,
    ],
  ])("%s", (_what, trust, caller, expected) => {
    expect(may(trust, caller)).toBe(expected);
  });
});

describe("a denial wins", () => {
  const both = (rest: object) =>
    JSON.stringify({
      Statement: [
        { Effect: "Allow", Principal: "*", Action: "*" },
        { Effect: "Deny", Action: "sts:AssumeRole", ...rest },
      ],
    });
  test.each<[string, string, Principal, boolean]>([
    ["of the trust policy", both({ Principal: { AWS: ALICE } }), user(HOME, allowed), false],
    [
      "for others than those it excepts",
      both({ NotPrincipal: { AWS: [ALICE, HOME] } }),
      user(HOME),
      true,
    ],
    ["for who is not excepted", both({ NotPrincipal: { AWS: `${ALICE}2` } }), user(HOME), false],
    [
      "of the caller's own policy",
      trusting(ALICE),
      user(HOME, { policies: [own("Deny", "sts:*")] }),
      false,
    ],
    ["of the boundary", trusting(ALICE), user(HOME, { boundary: own("Deny", "*") }), false],
    [
      "of the session's policy",
      trusting(ALICE),
      user(HOME, { sessionPolicies: [own("Deny", "*")] }),
      false,
    ],
    [
      "under a condition",
      both({ Principal: "*", Condition: { DateLessThan: { "aws:CurrentTime": "2030" } } }),
      user(HOME),
      false,
    ],
  ])("%s", (_what, trust, caller, expected) => {
    expect(may(trust, caller)).toBe(expected);
  });

  test("a boundary and a session's policy have to allow what the caller's own policies allow", () => {
    const trust = trusting(HOME);
    expect(may(trust, user(HOME, { ...allowed, boundary: own("Allow", "kms:*") }))).toBe(false);
    expect(may(trust, user(HOME, { ...allowed, boundary: own("Allow", "*") }))).toBe(true);
    expect(may(trust, user(HOME, { ...allowed, sessionPolicies: [own("Allow", "kms:*")] }))).toBe(
      false,
    );
  });
});

describe("conditions", () => {
  const tags = new Map([
    ["a", "1"],
    ["b", "2"],
  ]);
  test.each<[object, boolean]>([
    [{ StringEquals: { "sts:ExternalId": "the-id" } }, true],
    [{ StringEquals: { "STS:externalid": ["x", "the-id"] } }, true],
    [{ StringEquals: { "sts:ExternalId": "The-id" } }, false],
    [{ StringEqualsIgnoreCase: { "sts:ExternalId": "The-id" } }, true],
    [{ StringNotEquals: { "sts:ExternalId": "the-id" } }, false],
    [{ StringLike: { "sts:ExternalId": "the-*" } }, true],
    [{ StringEquals: { "sts:SourceIdentity": ["bob", "ann"] } }, true],
    [{ StringLike: { "STS:sourceidentity": "b*" } }, false],
    [{ StringEquals: { "aws:SourceIdentity": "ann" } }, false],
    [{ StringEquals: { "sts:RoleSessionName": `$\{aws:username}` } }, true],
    [{ StringEquals: { "sts:RoleSessionName": `$\{aws:nothing}` } }, false],
    [{ StringEquals: { "aws:PrincipalTag/Team": "orders" } }, true],
    [{ ArnLike: { "aws:PrincipalArn": "arn:aws:iam::*:user/*" } }, true],
    [{ StringEquals: { "aws:SourceVpc": "x" } }, false],
    [{ StringEqualsIfExists: { "aws:SourceVpc": "x" } }, true],
    [{ StringNotEquals: { "aws:SourceVpc": "x" } }, true],
    [{ Null: { "sts:ExternalId": "false" } }, true],
    [{ Null: { "sts:ExternalId": true } }, false],
    [{ "ForAllValues:StringEquals": { "aws:TagKeys": ["a", "b", "c"] } }, true],
    [{ "ForAllValues:StringEquals": { "aws:TagKeys": ["a"] } }, false],
    [{ "ForAnyValue:StringEquals": { "aws:TagKeys": ["b"] } }, true],
    [{ NumericLessThan: { "aws:MultiFactorAuthAge": "1" } }, false],
    [{ StringEquals: { "sts:ExternalId": "the-id", "sts:RoleSessionName": "x" } }, false],
    [{ DateGreaterThan: { "aws:CurrentTime": "2025-12-31T00:00:00Z" } }, true],
    [{ IpAddress: { "aws:SourceIp": "203.0.113.0/24" } }, true],
    [{ NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" } }, false],
    [{ Bool: { "aws:SecureTransport": "true" } }, true],
    [{ StringEquals: { "aws:RequestTag/A": "1" } }, true],
    [{ StringEquals: { "aws:RequestTag/A": "2" } }, false],
    [{ StringEquals: { "aws:ResourceTag/app": "shop" } }, true],
    [{ StringEquals: { "iam:ResourceTag/App": "shop" } }, true],
    [{ StringEquals: { "aws:ResourceAccount": HOME } }, true],
    [{ StringEquals: { "aws:RequestedRegion": "us-east-1" } }, true],
    [{ "ForAnyValue:StringEquals": { "sts:TransitiveTagKeys": "a" } }, true],
    [{ StringEquals: { "kms:CallerAccount": HOME } }, false],
    [{ StringEquals: { "aws:RequestTag/constructor": "x" } }, false],
  ])("%j", (Condition, expected) => {
    const more = { tags, transitiveTagKeys: ["a"] };
    expect(may(trusting(ALICE, { Condition }), user(HOME), more)).toBe(expected);
  });

  test("a source identity that the caller's session has is not one that is asked for", () => {
    const chained = { ...session, sourceIdentity: "ann" };
    const role = `arn:aws:iam::${HOME}:role/ci`;
    const given = trusting(role, { Condition: { StringEquals: { "aws:SourceIdentity": "ann" } } });
    const asked = trusting(role, { Condition: { StringEquals: { "sts:SourceIdentity": "ann" } } });
    const not = { sourceIdentity: undefined };
    expect(may(given, chained, not)).toBe(true);
    expect(may(asked, chained, not)).toBe(false);
    expect(may(asked, chained)).toBe(true);
    expect(may(given, session)).toBe(false);
  });

  test("without an external ID its condition does not hold", () => {
    const trust = trusting(ALICE, { Condition: { StringEquals: { "sts:ExternalId": "the-id" } } });
    expect(may(trust, user(HOME), { externalId: undefined })).toBe(false);
  });
});

describe("a role that no configuration names", () => {
  const mayOther = (caller: Principal) => mayAssume(null, asked(caller)).allowed;

  test("is anyone's, but who may is still said by their own policies", () => {
    expect(mayOther(user(HOME))).toBe(true);
    expect(mayOther(user(AWAY, { policies: null }))).toBe(true);
    expect(mayOther(user(AWAY))).toBe(false);
    expect(mayOther(user(HOME, { policies: [own("Deny", "sts:AssumeRole")] }))).toBe(false);
    for (const action of ["TagSession", "SetSourceIdentity"] as const) {
      expect(mayAssume(null, asked(user(HOME), { action })).allowed).toBe(true);
    }
  });
});
