// The table of policy cases over HTTP: principals of a --config file, keys and grants made by calls, and
// `explain` asked about each call. Every case has two accounts of its own.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Grant } from "../../src/domain/grant.ts";
import { uniqueId } from "../../src/identity/unique-id.ts";
import { callSts, jsonOf, kmsCall, send, signingWith } from "../support/people.ts";
import { keyPolicyOf, type PolicyCase, policyCases, refusalOf } from "../support/policy-cases.ts";
import { FOREIGN, OWN } from "../support/principals.ts";
import { type Server, startRaw } from "../support/servers.ts";
import { type Signing, signed } from "../support/signer.ts";

/** What cannot be the same over HTTP, with the reason. */
const others: Readonly<Record<string, string>> = {
  "the root user has no automatic access": "who signs as an account is not kept out of its keys",
  "aws:CurrentTime": "the table's time stands still",
  "aws:EpochTime": "the table's time stands still",
  "aws:SecureTransport": "the server speaks HTTP",
};

interface HttpCase extends PolicyCase {
  readonly own: string;
  readonly accessKeyId: string;
}

/** The case with accounts of its own, an address of this machine, and IDs as IAM's here. */
function httpCase(each: PolicyCase, index: number): HttpCase {
  const digits = String(index).padStart(11, "0");
  const own = `1${digits}`;
  const text = JSON.stringify(each)
    .replaceAll(OWN, own)
    .replaceAll(FOREIGN, `4${digits}`)
    .replaceAll("AROAADMINXXXXXXXXXXXX", uniqueId("AROA", `${own}/role/Admin`))
    .replaceAll("203.0.113.", "127.0.0.");
  return { ...(JSON.parse(text) as PolicyCase), own, accessKeyId: `AKIA${digits}` };
}

const cases = policyCases.filter(({ rule }) => !Object.hasOwn(others, rule)).map(httpCase);

type Written = Record<string, Record<"users" | "roles", Record<string, object>>>;

const trust = (account: string) => ({
  Statement: { Effect: "Allow", Principal: { AWS: account }, Action: "sts:AssumeRole" },
});

/** The caller of a case, and everybody else whom its policies and grants name. */
function configure(accounts: Written, each: HttpCase): void {
  const of = (account: string) => (accounts[account] ??= { users: {}, roles: {} });
  const { caller, accessKeyId } = each;
  const unconfigured = caller.policies === null ? caller.principalArn : null;
  const named = JSON.stringify([keyPolicyOf(each), each.grants ?? []]);
  for (const [arn, account = "", kind, name = ""] of named.matchAll(
    /arn:aws:(?:iam|sts)::(\d{12}):(user|role|assumed-role)\/([\w-]+)/g,
  )) {
    if (arn === unconfigured) continue;
    if (kind === "user") of(account).users[name] = {};
    else of(account).roles[name] = { trust: trust(account) };
  }
  if (caller.policies === null) return;
  const { policies, tags, boundary, accountId } = caller;
  const has = { policies, tags, ...(boundary !== null && { boundary }) };
  const name = caller.principalArn.slice(caller.principalArn.lastIndexOf("/") + 1);
  if (caller.type === "User") {
    const accessKeys = [{ id: accessKeyId, secret: "secret" }];
    of(accountId).users[name] = { ...has, accessKeys };
  } else of(accountId).roles[name] = { ...has, trust: trust(accountId) };
}

let server: Server;
const folder = mkdtempSync(join(tmpdir(), "edge-kms-test-"));

beforeAll(async () => {
  const accounts: Written = {};
  for (const each of cases) configure(accounts, each);
  const config = join(folder, "edge-kms.json");
  writeFileSync(config, JSON.stringify({ accounts }));
  server = await startRaw({ auth: "open", config });
});

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(server?.output()).not.toMatch(/failure/);
});

const USER_AGENT = "aws-cli/2.31";

async function kms(signing: Signing, operation: string, input: object) {
  const plain = kmsCall(server.url, operation, input);
  const headers = [...plain.headers, ["User-Agent", USER_AGENT] as const];
  return jsonOf(await send(server.url, signed({ ...plain, headers }, signing)));
}

async function signingOf({ caller, accessKeyId }: HttpCase): Promise<Signing> {
  if (caller.type === "Account") return { accessKeyId: caller.accountId };
  if (caller.type === "User") return { accessKeyId, secret: "secret" };
  const [Policy] = caller.sessionPolicies ?? [];
  const session = await callSts(server.url, { accessKeyId: caller.accountId }, "AssumeRole", {
    RoleArn: caller.principalArn,
    RoleSessionName: caller.arn.slice(caller.arn.lastIndexOf("/") + 1),
    ...(Policy !== undefined && { Policy }),
  });
  expect(session).toMatchObject({ status: 200, Arn: caller.arn });
  return signingWith(session);
}

async function explained(each: HttpCase, operation: string, key: string) {
  const { caller, input = {} } = each;
  const [sessionPolicy] = caller.sessionPolicies ?? [];
  const response = await fetch(`${server.url}/_edge-kms/explain`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      principal: caller.arn,
      action: `kms:${operation}`,
      key,
      input,
      sourceIp: "127.0.0.1",
      userAgent: USER_AGENT,
      secureTransport: false,
      ...(sessionPolicy !== undefined && { sessionPolicy }),
    }),
  });
  return (await response.json()) as {
    allowed: boolean;
    permissions: { message: string | null; by: unknown[] }[];
  };
}

/** A grant of the table as CreateGrant takes it. */
const grantInput = (KeyId: string, grant: Partial<Grant>) => ({
  KeyId,
  GranteePrincipal: grant.granteePrincipal,
  Operations: grant.operations,
  ...(grant.constraints && { Constraints: grant.constraints }),
});

test("the table is here but for what has a reason", () => {
  const left = policyCases.filter(({ rule }) => Object.hasOwn(others, rule));
  expect(new Set(left.map(({ rule }) => rule))).toEqual(new Set(Object.keys(others)));
  expect(cases.length).toBeGreaterThan(90);
});

test.each(cases.map((each) => [each.rule, each] as const))("%s", async (_rule, each) => {
  const { own, operation = "Encrypt", input = {}, tags = {}, grants = [] } = each;
  const owner = { accessKeyId: own };
  const made = await kms(owner, "CreateKey", {
    Policy: keyPolicyOf(each),
    BypassPolicyLockoutSafetyCheck: true,
    Tags: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
  });
  expect(made).toMatchObject({ status: 200 });
  const { Arn: KeyId } = made.KeyMetadata as { Arn: string };
  for (const grant of grants) {
    expect(await kms(owner, "CreateGrant", grantInput(KeyId, grant))).toMatchObject({
      status: 200,
    });
  }
  const message = each.refusal === null ? null : refusalOf(each, KeyId);
  const asked = { KeyId, ...(operation === "Encrypt" && { Plaintext: "eA==" }), ...input };
  const answer = await kms(await signingOf(each), operation, asked);
  expect(answer).toMatchObject(
    message === null ? { status: 200 } : { __type: "AccessDeniedException", Message: message },
  );

  const { allowed, permissions } = await explained(each, operation, KeyId);
  expect({ allowed, messages: permissions.map((one) => one.message) }).toEqual({
    allowed: message === null,
    messages: [message],
  });
  if (allowed) expect(permissions[0]?.by).not.toEqual([]);
});
