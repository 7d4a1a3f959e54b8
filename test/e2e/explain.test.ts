// POST /_edge-kms/explain and `edge-kms explain` against a real server: what they answer, whom they
// answer, and that they change nothing. Each decision is held against the call itself in
// policy-cases.test.ts.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcome } from "../cli/command.ts";
import { ACCOUNT, alice, bob, callKms, configuration, roleArn } from "../support/people.ts";
import { type Server, startRaw } from "../support/servers.ts";

let server: Server;
let key: string;
let primary: string;

const root = { accessKeyId: ACCOUNT };
const userArn = (name: string) => `arn:aws:iam::${ACCOUNT}:user/${name}`;

beforeAll(async () => {
  const { accounts } = configuration;
  const users = {
    ...accounts[ACCOUNT].users,
    tagged: {
      policies: [
        {
          Version: "2012-10-17",
          Statement: [
            { Sid: "other", Effect: "Allow", Action: "s3:*", Resource: "*" },
            {
              Sid: "aliased",
              Effect: "Allow",
              Action: "kms:*",
              Resource: "*",
              Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/orders" } },
            },
          ],
        },
      ],
    },
  };
  const all = { accounts: { ...accounts, [ACCOUNT]: { ...accounts[ACCOUNT], users } } };
  server = await startRaw({ auth: "open", accounts: JSON.stringify(all) });
  const made = await callKms(server.url, root, "CreateKey", {});
  key = made.KeyMetadata.Arn;
  primary = (await callKms(server.url, root, "CreateKey", { MultiRegion: true })).KeyMetadata.Arn;
  await callKms(server.url, root, "CreateAlias", {
    AliasName: "alias/orders",
    TargetKeyId: key.split("/")[1],
  });
});

afterAll(async () => {
  await server?.stop();
  expect(server?.output()).not.toMatch(/failure/);
});

async function ask(question: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}/_edge-kms/explain`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(question),
  });
  const text = await response.text();
  return { status: response.status, ...JSON.parse(text || "{}") };
}

describe("why", () => {
  test("both statements, with their texts", async () => {
    const answer = await ask({ principal: alice.accessKeyId, action: "Encrypt", key });
    expect(answer).toMatchObject({
      status: 200,
      allowed: true,
      principal: userArn("alice"),
      permissions: [
        {
          action: "kms:Encrypt",
          resource: key,
          by: [
            { of: "resource", statement: 0, document: { Sid: "Enable IAM User Permissions" } },
            { of: "identity", policy: 0, statement: 0, document: { Action: "*" } },
          ],
        },
      ],
    });
  });

  test("an alias as the key, and aliases in a condition: what the request is asked for", async () => {
    const tagged = { principal: userArn("tagged"), action: "kms:DescribeKey" };
    expect(await ask({ ...tagged, key: "alias/orders" })).toMatchObject({
      allowed: true,
      permissions: [{ by: [{}, { of: "identity", statement: 1, sid: "aliased" }] }],
    });
    const { permissions } = await ask({ ...tagged, key: primary });
    expect(permissions[0]).toMatchObject({
      allowed: false,
      message: `User: ${userArn("tagged")} is not authorized to perform: kms:DescribeKey on resource: ${primary} because no identity-based policy allows the kms:DescribeKey action`,
      by: [],
    });
    expect(permissions[0].considered.policies[1].statements).toEqual([
      { statement: 0, sid: "other", effect: "Allow", differs: "action" },
      {
        statement: 1,
        sid: "aliased",
        effect: "Allow",
        differs: {
          operator: "ForAnyValue:StringEquals",
          key: "kms:ResourceAliases",
          values: ["alias/orders"],
          actual: [],
        },
      },
    ]);
    const conditions = { "KMS:resourcealiases": ["alias/orders"] };
    expect(await ask({ ...tagged, key: primary, conditions })).toMatchObject({ allowed: true });
  });

  test("a role by its ARN is a session of it, with a policy and tags", async () => {
    const app = { principal: roleArn("service/app"), action: "kms:Encrypt", key };
    expect(await ask(app)).toMatchObject({
      allowed: true,
      principal: `arn:aws:sts::${ACCOUNT}:assumed-role/app/explain`,
    });
    const sessionPolicy = {
      Statement: {
        Effect: "Allow",
        Action: "kms:Encrypt",
        Resource: "*",
        Condition: { StringEquals: { "aws:PrincipalTag/team": "x" } },
      },
    };
    expect(await ask({ ...app, sessionPolicy })).toMatchObject({
      allowed: false,
      permissions: [{ message: expect.stringMatching(/no session policy allows the kms:Encrypt/) }],
    });
    const session = `arn:aws:sts::${ACCOUNT}:assumed-role/app/x`;
    const tagged = { ...app, principal: session, sessionPolicy, sessionTags: { team: "x" } };
    expect(await ask(tagged)).toMatchObject({ allowed: true, principal: session });
  });

  test("a grant, and one whose constraints are not met", async () => {
    const grant = await callKms(server.url, root, "CreateGrant", {
      KeyId: key,
      GranteePrincipal: userArn("division/bob"),
      Operations: ["Decrypt", "RetireGrant"],
      Constraints: { EncryptionContextSubset: { a: "b" } },
    });
    const decrypt = { principal: bob.accessKeyId, action: "kms:Decrypt", key };
    expect(await ask({ ...decrypt, encryptionContext: { a: "b", c: "d" } })).toMatchObject({
      allowed: true,
      permissions: [{ by: [{ kind: "grant", grantId: grant.GrantId }] }],
    });
    expect(await ask(decrypt)).toMatchObject({
      allowed: false,
      permissions: [
        { considered: { grants: [{ grantId: grant.GrantId, differs: "constraints" }] } },
      ],
    });
    const retire = { ...decrypt, action: "kms:RetireGrant", input: { GrantId: grant.GrantId } };
    expect(await ask(retire)).toMatchObject({
      allowed: true,
      permissions: [{ by: [{ kind: "grant" }] }],
    });
    expect(await ask({ ...retire, input: {} })).toMatchObject({ status: 400 });
  });

  test("all that an operation takes", async () => {
    const resources = async (question: object) => {
      const { permissions } = await ask({ principal: ACCOUNT, ...question });
      return permissions.map(({ action, resource }: { action: string; resource: string }) => [
        action,
        resource,
      ]);
    };
    const Tags = [{ TagKey: "a", TagValue: "b" }];
    expect(await resources({ action: "kms:CreateKey", input: { Tags } })).toEqual([
      ["kms:CreateKey", "*"],
      ["kms:TagResource", `arn:aws:kms:us-east-1:${ACCOUNT}:key/*`],
    ]);
    const input = { ReplicaRegion: "eu-west-1", Tags };
    expect(await resources({ action: "kms:ReplicateKey", key: primary, input })).toEqual([
      ["kms:ReplicateKey", primary],
      ["kms:CreateKey", "*"],
      ["kms:TagResource", `arn:aws:kms:eu-west-1:${ACCOUNT}:key/*`],
    ]);
    const AliasName = "alias/x";
    expect(await resources({ action: "kms:CreateAlias", key, input: { AliasName } })).toEqual([
      ["kms:CreateAlias", `arn:aws:kms:us-east-1:${ACCOUNT}:alias/x`],
      ["kms:CreateAlias", key],
    ]);
    expect(await resources({ action: "kms:ReEncryptFrom", key })).toEqual([
      ["kms:ReEncryptFrom", key],
    ]);
    expect(await resources({ action: "kms:GenerateRandom" })).toEqual([
      ["kms:GenerateRandom", "*"],
    ]);
  });

  test("in another account nothing but what its key lets", async () => {
    const answer = await ask({ principal: "777788889999", action: "kms:DisableKey", key });
    expect(answer).toMatchObject({
      allowed: false,
      permissions: [
        { message: expect.stringMatching(/on this resource because the resource does not exist/) },
      ],
    });
  });
});

test("nothing is changed: no key is made, disabled, or used", async () => {
  const before = await callKms(server.url, root, "ListKeys");
  const describe = { KeyId: key };
  const was = await callKms(server.url, root, "DescribeKey", describe);
  for (const action of ["DisableKey", "ScheduleKeyDeletion", "Encrypt", "PutKeyPolicy"]) {
    expect(await ask({ principal: ACCOUNT, action, key })).toMatchObject({ allowed: true });
  }
  expect(await ask({ principal: ACCOUNT, action: "CreateKey" })).toMatchObject({ allowed: true });
  const managed = { principal: ACCOUNT, action: "DescribeKey", key: "alias/aws/s3" };
  expect(await ask(managed)).toMatchObject({ allowed: true });
  expect(await callKms(server.url, root, "ListKeys")).toEqual(before);
  expect(await callKms(server.url, root, "DescribeKey", describe)).toEqual(was);
  const usage = await callKms(server.url, root, "GetKeyLastUsage", describe);
  expect(usage.KeyLastUsage).toEqual({});
});

describe("no answer", () => {
  const good = { principal: ACCOUNT, action: "kms:Encrypt" };
  test.each<[object, RegExp]>([
    [{}, /^The body lacks principal\.$/],
    [{ ...good, more: 1 }, /^more is not known\.$/],
    [{ ...good, key: 1 }, /^key has to be text\.$/],
    [{ ...good, action: "s3:GetObject" }, /^"s3:GetObject" is no action of KMS\.$/],
    [{ ...good, action: "__proto__" }, /is no action of KMS\.$/],
    [{ ...good, action: "ReEncrypt" }, /ask for each\.$/],
    [{ ...good }, /^Say on which key/],
    [{ ...good, region: "mars-1", key: "alias/a" }, /is no Region with KMS\.$/],
    [{ ...good, key: "alias/nothing" }, /^Alias .* is not found\.$/],
    [{ ...good, key: "1234abcd-12ab-34cd-56ef-1234567890ab" }, /does not exist$/],
    [
      { ...good, key: "alias/orders", input: { Nothing: 1 } },
      /^Nothing is no parameter of Encrypt\.$/,
    ],
    [{ ...good, key: "alias/orders", input: { EncryptionAlgorithm: 1 } }, /must be a string$/],
    [
      { ...good, key: "alias/orders", encryptionContext: { a: 1 } },
      /encryptionContext\.a has to be text/,
    ],
    [{ ...good, principal: "eve" }, /^The principal has to be 12 digits/],
    [{ ...good, principal: userArn("eve") }, /^The configuration has no /],
    [
      { ...good, principal: "arn:aws-cn:iam::111122223333:root" },
      /is not of the partition of us-east-1\.$/,
    ],
    [{ ...good, sessionTags: { a: "b" } }, /^Only the session of a role/],
    [
      { ...good, principal: roleArn("x"), sessionPolicy: "{" },
      /^sessionPolicy is refused: .*not valid JSON/,
    ],
    [{ ...good, action: "CreateAlias", key: "alias/orders" }, /^Say which alias/],
  ])("%j", async (question, error) => {
    expect(await ask(question)).toEqual({ status: 400, error: expect.stringMatching(error) });
  });

  test("to what a web page could send, to another Host, and without the token", async () => {
    expect(await ask(good, { "content-type": "text/plain" })).toMatchObject({ status: 415 });
    expect(await ask(good, { origin: "https://example.com" })).toMatchObject({ status: 403 });
    const closed = await startRaw({ auth: "required" });
    try {
      const response = await fetch(`${closed.url}/_edge-kms/explain`, {
        method: "POST",
        body: "{}",
      });
      expect(response.status).toBe(401);
    } finally {
      await closed.stop();
    }
  });

  test("to a body that is too large or too deep", async () => {
    expect(await ask({ ...good, input: { a: "x".repeat(1_100_000) } })).toMatchObject({
      status: 413,
    });
    const send = (body: string) =>
      fetch(`${server.url}/_edge-kms/explain`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
    expect((await send(`${"[".repeat(5000)}${"]".repeat(5000)}`)).status).toBe(400);
    expect((await send("{")).status).toBe(400);
  });
});

test("without the evaluation of policies it says so", async () => {
  const off = await startRaw({ auth: "open", policies: false });
  try {
    const made = await callKms(off.url, root, "CreateKey", {});
    const body = { principal: ACCOUNT, action: "kms:Encrypt", key: made.KeyMetadata.KeyId };
    const response = await fetch(`${off.url}/_edge-kms/explain`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(await response.json()).toMatchObject({ allowed: true, policies: "off" });
  } finally {
    await off.stop();
  }
});

test("the command: text or JSON, and how it ends", async () => {
  const run = (principal: string, ...more: string[]) =>
    outcome(["explain", "--principal", principal, "--action=kms:Encrypt", "--key", key, ...more], {
      env: { PATH: process.env.PATH, AWS_ENDPOINT_URL_KMS: server.url },
    });
  const yes = await run(alice.accessKeyId);
  expect(yes).toMatchObject({ code: 0, stderr: "" });
  expect(yes.stdout).toMatch(/^ALLOWED {2}arn:aws:iam::\d{12}:user\/alice\n/);
  expect(yes.stdout).toContain("by statement 1 of identity-based policy 1\n");
  const no = await run(bob.accessKeyId, "--json");
  expect(no).toMatchObject({ code: 1, stderr: "" });
  expect(JSON.parse(no.stdout)).toMatchObject({ allowed: false });
  expect(await run("eve")).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(/^edge-kms: The principal has to be /),
  });
});
