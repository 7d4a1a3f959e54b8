// AssumeRole with policies by ARN, a source identity and tags, without HTTP: what a session gets, what it
// hands on, and in which words STS refuses.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

import { describe, expect, test } from "vitest";
import { readConfiguration } from "../../src/configuration/document.ts";
import type { Principal } from "../../src/domain/principal.ts";
import { Accounts, sessionPrincipal, userPrincipal } from "../../src/identity/accounts.ts";
import { type RoleSession, readToken } from "../../src/identity/session.ts";
import { type Answer, stsActions, stsInputs } from "../../src/identity/sts.ts";
import type { StsError } from "../../src/identity/sts-error.ts";
import { readInput } from "../../src/operations/shape.ts";

const HOME = "111122223333";
const AWAY = "444455556666";
const roleArn = (name: string, account = HOME) => `arn:aws:iam::${account}:role/${name}`;
const policyArn = (name: string, account = HOME) => `arn:aws:iam::${account}:policy/${name}`;
const READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess";

const allow = (Action: string | string[], more: object = {}) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, ...more }],
});
const own = (Action: string | string[], more: object = {}) =>
  allow(Action, { Resource: "*", ...more });
const trusting = (Action: string | string[], more: object = {}) =>
  allow(Action, { Principal: { AWS: [HOME, AWAY] }, ...more });
const EVERYTHING = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];

const accounts = new Accounts(
  await readConfiguration(
    JSON.stringify({
      accounts: {
        [HOME]: {
          users: { alice: { policies: [own("*")] } },
          roles: {
            app: { trust: trusting(EVERYTHING), policies: [own("*")] },
            plain: { trust: trusting("sts:AssumeRole"), policies: [own("*")] },
            tagged: { trust: trusting(["sts:AssumeRole", "sts:TagSession"]) },
            named: {
              trust: trusting(EVERYTHING, {
                Condition: { StringEquals: { "sts:SourceIdentity": ["ann", "bob"] } },
              }),
            },
          },
          policies: { "team/Encrypt": own("kms:Encrypt"), Decrypt: own("kms:Decrypt") },
        },
        [AWAY]: {
          users: {
            eve: { policies: [own("sts:AssumeRole")] },
            fay: { policies: [own(["sts:AssumeRole", "sts:SetSourceIdentity"])] },
          },
          policies: { Theirs: own("*") },
        },
      },
    }),
  ),
);

interface Who {
  readonly principal: Principal;
  readonly session: RoleSession | null;
}

function user(name: string, account = HOME): Who {
  const found = accounts.user(account, name);
  if (!found) throw new Error(`no user ${name}`);
  return { principal: userPrincipal("us-east-1", account, found), session: null };
}
const alice = user("alice");

/** What AssumeRole answers; the parameters are held to their shapes, as the edge does. */
async function assume(who: Who, role: string, input: object = {}): Promise<Answer> {
  const asked = { RoleArn: roleArn(role), RoleSessionName: "session", ...input };
  return stsActions.AssumeRole(
    readInput(stsInputs.AssumeRole, asked),
    {
      ...who,
      region: "us-east-1",
      request: { sourceIp: null, userAgent: null, secure: true },
      accessKeyId: "AKIAALICE",
      verified: true,
    },
    {
      accounts,
      sessionKey: async () => new Uint8Array(32),
      now: Date.UTC(2026, 0, 1),
      random: (length) => new Uint8Array(length),
    },
  );
}

/** What the answer's token says. */
function sessionIn({ Credentials }: Answer): RoleSession {
  const { SessionToken } = Credentials as Answer;
  return readToken(String(SessionToken))?.session as RoleSession;
}

/** Whoever signs with the answer. */
function whoIs(answer: Answer): Who {
  const session = sessionIn(answer);
  const role = accounts.role(session.accountId, session.roleName);
  const policies = accounts.sessionPolicies(session) ?? [];
  return { principal: sessionPrincipal("us-east-1", session, role, policies), session };
}

const refused = (answer: Promise<Answer>) =>
  answer.then(
    () => null,
    (error: StsError & { type?: string; text?: string }) => ({
      code: error.code ?? error.type,
      text: error.text ?? error.message,
    }),
  );
const arns = (...all: readonly string[]) => ({ PolicyArns: all.map((arn) => ({ arn })) });
const denied = (who: Who, action: string, role: string) => ({
  code: "AccessDenied",
  text: `User: ${who.principal.arn} is not authorized to perform: sts:${action} on resource: ${roleArn(role)}`,
});

describe("PolicyArns", () => {
  test("are the session's, after its inline policy", async () => {
    const Policy = JSON.stringify(own("kms:Sign"));
    const answer = await assume(alice, "app", {
      Policy,
      ...arns(policyArn("team/Encrypt"), READ_ONLY),
    });
    expect(answer.PackedPolicySize).toBeGreaterThan(0);
    expect(answer).not.toHaveProperty("SourceIdentity");
    expect(whoIs(answer).principal.sessionPolicies).toEqual([
      { arn: null, text: Policy },
      { arn: policyArn("team/Encrypt"), text: JSON.stringify(own("kms:Encrypt")) },
      { arn: READ_ONLY, text: expect.stringContaining("kms:Describe*") },
    ]);
  });

  test("that are not there, or not the role's account's, are refused", async () => {
    for (const arn of [
      policyArn("Encrypt"),
      policyArn("team/encrypt"),
      policyArn("Theirs", AWAY),
      policyArn("Any", "777788889999"),
      "arn:aws:iam::aws:policy/AmazonS3FullAccess",
      "arn:aws:iam::aws:policy/ViewOnlyAccess",
    ]) {
      expect(await refused(assume(alice, "app", arns(READ_ONLY, arn)))).toEqual({
        code: "ValidationError",
        text: `Policy ${arn} does not exist or is not attachable.`,
      });
    }
  });

  test("tell nothing to who may not assume the role", async () => {
    const eve = user("eve", AWAY);
    const tagged = { Tags: [{ Key: "a", Value: "b" }] };
    for (const name of ["Decrypt", "Nothing"]) {
      const input = { ...arns(policyArn(name)), ...tagged };
      expect(await refused(assume(eve, "plain", input))).toEqual(
        denied(eve, "TagSession", "plain"),
      );
    }
  });

  test.each([
    roleArn("app"),
    "arn:aws-cn:iam::aws:policy/ReadOnlyAccess",
    "arn:aws:iam::111122223333:policy/",
    "ReadOnlyAccess-ReadOnly",
  ])("%s is no managed policy's ARN", async (arn) => {
    expect(await refused(assume(alice, "app", arns(arn)))).toEqual({
      code: "ValidationError",
      text: "Request ARN is invalid",
    });
    expect(await refused(assume(alice, "app", { PolicyArns: [{}] }))).toMatchObject({
      text: "Request ARN is invalid",
    });
  });

  test("are ten at most", async () => {
    const ten = Array.from({ length: 10 }, () => READ_ONLY);
    expect(sessionIn(await assume(alice, "app", arns(...ten))).policyArns).toEqual(ten);
    expect(await refused(assume(alice, "app", arns(...ten, READ_ONLY)))).toEqual({
      code: "ValidationException",
      text: expect.stringMatching(
        /^1 validation error detected: Value '\[\{arn=arn:aws:iam::aws:policy\/ReadOnlyAccess\}, .*\]' at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10$/,
      ),
    });
    expect(await refused(assume(alice, "app", arns("too short")))).toMatchObject({
      text: "1 validation error detected: Value 'too short' at 'policyArns.1.member.arn' failed to satisfy constraint: Member must have length greater than or equal to 20",
    });
  });

  test("and the inline policy have 2048 characters together", async () => {
    const document = JSON.stringify(own("kms:Sign"));
    const room = 2048 - READ_ONLY.length;
    const input = (length: number) => ({ Policy: document.padEnd(length), ...arns(READ_ONLY) });
    expect(sessionIn(await assume(alice, "app", input(room))).policyArns).toEqual([READ_ONLY]);
    expect(await refused(assume(alice, "app", input(room + 1)))).toEqual({
      code: "ValidationError",
      text: "The session policy and the ARNs of managed policies have more than 2048 characters.",
    });
    expect(await refused(assume(alice, "app", { Policy: document.padEnd(2049) }))).toMatchObject({
      text: expect.stringMatching(/at 'policy' .* less than or equal to 2048$/),
    });
  });
});

describe("the packed size", () => {
  const tags = (count: number) => ({
    Tags: Array.from({ length: count }, (_, n) => ({ Key: `T${n + 1}`, Value: "a".repeat(250) })),
  });

  test("of tags is as seen on AWS", async () => {
    expect(await refused(assume(alice, "app", tags(9)))).toEqual({
      code: "PackedPolicyTooLarge",
      text: "Packed size of session tags consumes 498% of allotted space.",
    });
    expect((await assume(alice, "app", tags(1))).PackedPolicySize).toBe(56);
    expect(await assume(alice, "app")).not.toHaveProperty("PackedPolicySize");
  });

  test("is that of policies, ARNs and tags together, in the words for policies", async () => {
    const document = JSON.stringify(own("kms:Sign"));
    const { PackedPolicySize: alone } = await assume(alice, "app", arns(READ_ONLY));
    expect(alone).toBe(1);
    expect(await refused(assume(alice, "app", { ...tags(2), Policy: document }))).toEqual({
      code: "PackedPolicyTooLarge",
      text: "Packed policy consumes 113% of allotted space, please use smaller policy.",
    });
  });

  test("counts tags that the caller's session hands on", async () => {
    const input = { ...tags(1), TransitiveTagKeys: ["T1"] };
    const first = whoIs(await assume(alice, "app", input));
    expect((await assume(first, "app")).PackedPolicySize).toBe(56);
  });
});

describe("SourceIdentity", () => {
  test("is answered, and in every request of the session", async () => {
    const answer = await assume(alice, "named", { SourceIdentity: "ann" });
    expect(answer.SourceIdentity).toBe("ann");
    expect(whoIs(answer).principal.sourceIdentity).toBe("ann");
  });

  test("has to be one that the trust policy lets", async () => {
    const by = (input: object) => refused(assume(alice, "named", input));
    expect(await by({ SourceIdentity: "eve" })).toEqual(denied(alice, "AssumeRole", "named"));
    expect(await by({})).toEqual(denied(alice, "AssumeRole", "named"));
  });

  test("takes sts:SetSourceIdentity in the trust policy, from another account on both sides", async () => {
    const input = { SourceIdentity: "ann" };
    expect(await refused(assume(alice, "plain", input))).toEqual(
      denied(alice, "SetSourceIdentity", "plain"),
    );
    const [eve, fay] = [user("eve", AWAY), user("fay", AWAY)];
    expect(await refused(assume(eve, "app", input))).toEqual(
      denied(eve, "SetSourceIdentity", "app"),
    );
    expect((await assume(fay, "app", input)).SourceIdentity).toBe("ann");
    expect(await refused(assume(fay, "plain", input))).toEqual(
      denied(fay, "SetSourceIdentity", "plain"),
    );
  });

  test("goes on through a chain, each link of which has to let it", async () => {
    const first = whoIs(await assume(alice, "app", { SourceIdentity: "ann" }));
    const answer = await assume(first, "app", { RoleSessionName: "second" });
    expect(answer.SourceIdentity).toBe("ann");
    const second = whoIs(answer);
    expect(second.principal.sourceIdentity).toBe("ann");
    expect((await assume(second, "app", { SourceIdentity: "ann" })).SourceIdentity).toBe("ann");
    expect(await refused(assume(second, "plain"))).toEqual(
      denied(second, "SetSourceIdentity", "plain"),
    );
  });

  test("cannot be changed, but be set late", async () => {
    const first = whoIs(await assume(alice, "app", { SourceIdentity: "ann" }));
    expect(await refused(assume(first, "app", { SourceIdentity: "Ann" }))).toEqual({
      code: "InvalidParameterValue",
      text: "The source identity can't be set because it conflicts with that of the calling session.",
    });
    const anonymous = whoIs(await assume(alice, "app"));
    expect((await assume(anonymous, "app", { SourceIdentity: "bob" })).SourceIdentity).toBe("bob");
  });

  test.each(["a", "a b", "aws:x", "x".repeat(65)])("%j is none", async (SourceIdentity) => {
    expect(await refused(assume(alice, "app", { SourceIdentity }))).toMatchObject({
      code: "ValidationException",
      text: expect.stringMatching(/at 'sourceIdentity' failed to satisfy constraint/),
    });
  });
});

describe("tags", () => {
  test("that are handed on take sts:TagSession, too", async () => {
    const tag = { Tags: [{ Key: "team", Value: "a" }], TransitiveTagKeys: ["team"] };
    const first = whoIs(await assume(alice, "app", tag));
    expect(await refused(assume(first, "plain"))).toEqual(denied(first, "TagSession", "plain"));
    const second = whoIs(await assume(first, "tagged"));
    expect(second.principal.tags).toEqual({ team: "a" });
    // One that is not transitive stays.
    const { TransitiveTagKeys: _, ...mere } = tag;
    const other = whoIs(await assume(alice, "app", mere));
    expect(whoIs(await assume(other, "plain")).principal.tags).toEqual({});
  });

  test.each([
    { Key: "aws:team", Value: "a" },
    { Key: "AWS:team", Value: "a" },
    { Key: "team", Value: "aws:a" },
  ])("%j is AWS's own", async (tag) => {
    expect(await refused(assume(alice, "app", { Tags: [tag] }))).toEqual({
      code: "InvalidParameterValue",
      text: "Tag keys and values that begin with aws: are reserved.",
    });
  });
});
