// Credentials in time: how soon one that is added or removed counts, and when a session ends. Signatures
// are verified in the way of a deployment, over the tenant's real storage.

import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { signedRequest } from "../../src/api/caller.ts";
import { answerSts } from "../../src/api/sts.ts";
import { readConfiguration } from "../../src/configuration/document.ts";
import type { KmsError } from "../../src/errors.ts";
import { DEFAULT_GENERATION } from "../../src/objects/names.ts";
import { type WorkerSettings, workerSettingsFrom } from "../../src/settings.ts";
import {
  ACCOUNT,
  alice,
  bob,
  configuration,
  kmsCall,
  leavesOf,
  policyArn,
  roleArn,
  signingWith,
  stsCall,
} from "../support/people.ts";
import { type Plain, type Signing, signed } from "../support/signer.ts";
import { pass, SECOND_MS, tenant, useTestClock } from "./account.ts";

const URL = "http://localhost";

useTestClock();

const settings: WorkerSettings = { ...workerSettingsFrom(env), auth: "required" };
const open: WorkerSettings = { ...settings, auth: "open" };

type People = (typeof configuration)["accounts"];

/** Puts a configuration into the tenant, as another isolate would. */
async function put(accounts: object): Promise<void> {
  await tenant().putConfiguration(await readConfiguration(JSON.stringify({ accounts })));
}

/** The accounts without some of their users or roles. */
function without(...names: readonly string[]): object {
  const accounts: People = structuredClone(configuration.accounts);
  for (const account of Object.values(accounts)) {
    for (const part of Object.values(account)) {
      for (const name of names) delete (part as Record<string, unknown>)[name];
    }
  }
  return accounts;
}

const requestOf = ({ path, method, headers, body }: Plain) =>
  new Request(URL + path, { method, headers: headers as [string, string][], body });

const withSettings = (those: WorkerSettings) => ({
  env,
  settings: those,
  generation: DEFAULT_GENERATION,
});

/** Who a request is found to come from: the ARN, or the refusal. */
async function caller(signing: Signing, those = settings): Promise<string> {
  const request = requestOf(signed(kmsCall(URL, "ListKeys"), signing));
  try {
    const found = await signedRequest(request, withSettings(those), "kms");
    return found.caller.principal?.arn ?? `root of ${found.caller.accountId}`;
  } catch (error) {
    return `${(error as KmsError).type}: ${(error as KmsError).text}`;
  }
}

async function sts(signing: Signing, action: string, input = {}, those = settings) {
  const request = requestOf(signed(stsCall(URL, action, input), { ...signing, service: "sts" }));
  const response = await answerSts(request, withSettings(those), "id");
  return leavesOf({ status: response.status, text: await response.text() });
}

const assume = (role: string, input = {}) =>
  sts(alice, "AssumeRole", { RoleArn: roleArn(role), RoleSessionName: "session", ...input });

const ALICE = `arn:aws:iam::${ACCOUNT}:user/alice`;
const APP = `arn:aws:sts::${ACCOUNT}:assumed-role/app/session`;
const UNRECOGNIZED =
  "UnrecognizedClientException: The security token included in the request is invalid.";
const EXPIRED = "ExpiredTokenException: The security token included in the request is expired";

beforeEach(async () => {
  // Whatever an earlier test has left behind is too old to count.
  pass(60 * SECOND_MS);
  await put(configuration.accounts);
});

test("nobody is served before anyone is configured, and the refusal says how to", async () => {
  await put({});
  const refusal = await caller(alice);
  expect(refusal).toMatch(/^UnrecognizedClientException: This edge-kms serves no one: /);
  for (const way of ["--config", "ACCOUNTS", "PUT /_edge-kms/accounts", "AUTH to open"]) {
    expect(refusal).toContain(way);
  }
});

test("a credential that is added is good at once", async () => {
  await put(without("alice"));
  expect(await caller(bob)).toContain("bob");
  expect(await caller(alice)).toBe(UNRECOGNIZED);
  await put(configuration.accounts);
  expect(await caller(alice)).toBe(ALICE);
});

test("a secret that is changed is good at once", async () => {
  expect(await caller(alice)).toBe(ALICE);
  const accounts = structuredClone(configuration.accounts);
  accounts[ACCOUNT].users.alice.accessKeys[0] = { id: alice.accessKeyId, secret: "new" };
  await put(accounts);
  expect(await caller({ ...alice, secret: "new" })).toBe(ALICE);
  expect(await caller(alice)).toMatch(/^InvalidSignatureException/);
});

test("a credential that is removed is good for less than five seconds", async () => {
  expect(await caller(alice)).toBe(ALICE);
  await put(without("alice"));
  pass(1 * SECOND_MS);
  expect(await caller(alice)).toBe(ALICE);
  pass(3.9 * SECOND_MS);
  expect(await caller(alice)).toBe(UNRECOGNIZED);
});

test("a busy isolate learns of a removal as soon as one that sleeps", async () => {
  expect(await caller(alice)).toBe(ALICE);
  await put(without("alice"));
  const answers = new Set<string>();
  for (let ms = 0; ms < 4900; ms += 100) {
    pass(100);
    answers.add(await caller(alice));
  }
  expect(answers).toEqual(new Set([ALICE, UNRECOGNIZED]));
  expect(await caller(alice)).toBe(UNRECOGNIZED);
});

test("a session ends at its Expiration, by real time", async () => {
  const session = signingWith(await assume("service/app", { DurationSeconds: "900" }));
  expect(await caller(session)).toBe(APP);
  pass(899 * SECOND_MS);
  expect(await caller(session)).toBe(APP);
  pass(1 * SECOND_MS);
  expect(await caller(session)).toBe(EXPIRED);
  expect(await sts(session, "GetCallerIdentity")).toMatchObject({
    status: 403,
    Code: "ExpiredToken",
    Message: "The security token included in the request is expired",
  });
  // Where everyone is served, too: clients have to learn to renew theirs.
  expect(await caller(session, open)).toBe(EXPIRED);
});

test("the tenant's clock ends no session and no signature", async () => {
  const session = signingWith(await assume("service/app"));
  await tenant().moveClock({ byMs: 8 * 86_400_000 });
  expect(await caller(session)).toBe(APP);
  expect(await caller(alice)).toBe(ALICE);
});

test("a session of a role ends with the role, and not with who began it", async () => {
  const session = signingWith(await assume("service/app"));
  await put(without("alice"));
  pass(5 * SECOND_MS);
  expect(await caller(alice)).toBe(UNRECOGNIZED);
  expect(await caller(session)).toBe(APP);
  await put(without("service/app"));
  pass(5 * SECOND_MS);
  expect(await caller(session)).toBe(UNRECOGNIZED);
});

test("a session of a user ends with the access key it was made by", async () => {
  const session = signingWith(await sts(alice, "GetSessionToken"));
  expect(await caller(session)).toBe(ALICE);
  const accounts = structuredClone(configuration.accounts);
  accounts[ACCOUNT].users.alice.accessKeys[0] = { id: "AKIAALICE00000000002", secret: "new" };
  await put(accounts);
  pass(5 * SECOND_MS);
  expect(await caller(session)).toBe(UNRECOGNIZED);
});

test("a session has the policies and tags that its role has now, and its own", async () => {
  const Policy = JSON.stringify({
    Statement: [{ Effect: "Allow", Action: "kms:Encrypt", Resource: "*" }],
  });
  const own = { "Tags.member.1.Key": "stage", "Tags.member.1.Value": "test", Policy };
  const session = signingWith(await assume("service/app", own));
  const accounts = structuredClone(configuration.accounts);
  Object.assign(accounts[ACCOUNT].roles["service/app"], { policies: [], tags: { app: "other" } });
  await put(accounts);
  pass(5 * SECOND_MS);
  const request = requestOf(signed(kmsCall(URL, "ListKeys"), session));
  const found = await signedRequest(request, withSettings(settings), "kms");
  expect(found.caller.principal).toEqual({
    type: "AssumedRole",
    accountId: ACCOUNT,
    arn: APP,
    principalArn: roleArn("service/app"),
    userId: expect.stringMatching(/^AROA[A-Z2-7]{17}:session$/),
    userName: null,
    tags: { app: "other", stage: "test" },
    sourceIdentity: null,
    policies: [],
    boundary: null,
    sessionPolicies: [{ arn: null, text: Policy }],
  });
});

test("a managed session policy says what it says now, and a session ends with it", async () => {
  const arn = policyArn("team/Encrypt");
  const session = signingWith(
    await assume("service/app", { "PolicyArns.member.1.arn": arn, SourceIdentity: "ann" }),
  );
  const principal = async () => {
    const request = requestOf(signed(kmsCall(URL, "ListKeys"), session));
    return (await signedRequest(request, withSettings(settings), "kms")).caller.principal;
  };
  const accounts = structuredClone(configuration.accounts);
  const text = JSON.stringify(accounts[ACCOUNT].policies["team/Encrypt"]);
  expect(await principal()).toMatchObject({
    arn: APP,
    sourceIdentity: "ann",
    sessionPolicies: [{ arn, text }],
  });
  const other = { Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }] };
  Object.assign(accounts[ACCOUNT].policies, { "team/Encrypt": other });
  await put(accounts);
  pass(5 * SECOND_MS);
  expect(await principal()).toMatchObject({
    sessionPolicies: [{ arn, text: JSON.stringify(other) }],
  });
  await put(without("team/Encrypt"));
  pass(5 * SECOND_MS);
  expect(await caller(session)).toBe(UNRECOGNIZED);
  expect(await caller(session, open)).toBe(UNRECOGNIZED);
});

test("where everyone is served, a managed policy has to be there all the same", async () => {
  await put({});
  const sessionWith = (arn: string) =>
    sts(
      { accessKeyId: ACCOUNT },
      "AssumeRole",
      {
        RoleArn: roleArn("anyone"),
        RoleSessionName: "session",
        "PolicyArns.member.1.arn": arn,
      },
      open,
    );
  expect(await sessionWith(policyArn("team/Encrypt"))).toMatchObject({
    status: 400,
    Code: "ValidationError",
    Message: `Policy ${policyArn("team/Encrypt")} does not exist or is not attachable.`,
  });
  const limited = signingWith(await sessionWith("arn:aws:iam::aws:policy/ReadOnlyAccess"));
  expect(await caller(limited, open)).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/anyone/session`);
});

test("where everyone is served, a session needs no configured role, but a deployment does not take it", async () => {
  const asked = { RoleArn: roleArn("anyone"), RoleSessionName: "session" };
  const anyone = { accessKeyId: ACCOUNT };
  const session = signingWith(await sts(anyone, "AssumeRole", asked, open));
  expect(await caller(session, open)).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/anyone/session`);
  expect(await caller(session)).toBe(UNRECOGNIZED);
  // Nor a session of a role that it does know, if anyone could have begun it.
  const known = { RoleArn: roleArn("service/app"), RoleSessionName: "session" };
  const unverified = signingWith(await sts(anyone, "AssumeRole", known, open));
  expect(await caller(unverified, open)).toBe(APP);
  expect(await caller(unverified)).toBe(UNRECOGNIZED);
});

test("where everyone is served, nobody's word is checked", async () => {
  expect(await caller({ ...alice, secret: "x" }, open)).toBe(ALICE);
  expect(await caller({ accessKeyId: "999988887777", at: 0 }, open)).toBe("root of 999988887777");
  expect(await caller({ accessKeyId: "AKIANOBODY" }, open)).toBe(`root of ${open.account}`);
  expect(await caller({ accessKeyId: ACCOUNT, token: "of AWS itself" }, open)).toBe(
    `root of ${ACCOUNT}`,
  );
});

test("what policies may ask of a request is known", async () => {
  const plain = kmsCall(URL, "ListKeys");
  const from = async (headers: Record<string, string>) => {
    const request = requestOf({
      ...plain,
      headers: [...plain.headers, ...Object.entries(headers)],
    });
    return (await signedRequest(request, withSettings(open), "kms")).caller.request;
  };
  expect(await from({ "user-agent": "aws-cli/2", "cf-connecting-ip": "192.0.2.1" })).toEqual({
    sourceIp: "192.0.2.1",
    userAgent: "aws-cli/2",
    secure: false,
  });
  expect(await from({})).toEqual({ sourceIp: null, userAgent: null, secure: false });
});
