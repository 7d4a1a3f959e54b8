// A server that wants to know its callers: who is let in, who is not, and in which words.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ACCOUNT,
  alice,
  bob,
  callKms,
  callSts,
  configuration,
  getSts,
  jsonOf,
  kmsCall,
  policyArn,
  roleArn,
  send,
  signingWith,
  stsCall,
} from "../support/people.ts";
import { type Server, startRaw } from "../support/servers.ts";
import { type Plain, presigned, type Signing, signed } from "../support/signer.ts";
import { exchange } from "./wire.ts";

let server: Server;
let url: string;

beforeAll(async () => {
  server = await startRaw({ auth: "required", accounts: JSON.stringify(configuration) });
  url = server.url;
});

afterAll(async () => {
  await server?.stop();
  expect(server?.output()).not.toMatch(/error|secret/i);
});

const mismatch = {
  status: 400,
  __type: "InvalidSignatureException",
  message:
    "The request signature we calculated does not match the signature you provided. Check your " +
    "AWS Secret Access Key and signing method. Consult the service documentation for details.",
};
const unrecognized = {
  status: 400,
  __type: "UnrecognizedClientException",
  message: "The security token included in the request is invalid.",
};

const deniedToBob = {
  status: 400,
  __type: "AccessDeniedException",
  Message:
    `User: arn:aws:iam::${ACCOUNT}:user/division/bob is not authorized to perform: kms:ListKeys ` +
    "on resource: * because no identity-based policy allows the kms:ListKeys action",
};

describe("KMS", () => {
  test("serves who signs with a configured key, in that user's account", async () => {
    const made = await callKms(url, alice, "CreateKey");
    expect(made).toMatchObject({ status: 200, KeyMetadata: { AWSAccountId: ACCOUNT } });
    const ireland = await callKms(url, { ...alice, region: "eu-west-1" }, "CreateKey");
    expect(ireland.KeyMetadata.Arn).toMatch(`arn:aws:kms:eu-west-1:${ACCOUNT}:key/`);
    // Known, and allowed nothing.
    expect(await callKms(url, bob, "ListKeys")).toMatchObject(deniedToBob);
  });

  test("refuses whom nobody configured, and an account as an access key", async () => {
    for (const accessKeyId of ["AKIANOBODY0000000001", ACCOUNT, "__proto__", "constructor"]) {
      expect(await callKms(url, { accessKeyId }, "ListKeys")).toEqual(unrecognized);
    }
  });

  test("refuses a wrong secret, and another's", async () => {
    expect(await callKms(url, { ...alice, secret: "x" }, "ListKeys")).toEqual(mismatch);
    expect(await callKms(url, { ...alice, secret: bob.secret }, "ListKeys")).toEqual(mismatch);
  });

  test("refuses a request without a signature", async () => {
    expect(jsonOf(await send(url, kmsCall(url, "ListKeys")))).toEqual({
      status: 400,
      __type: "MissingAuthenticationTokenException",
      message: "Missing Authentication Token",
    });
  });

  test("refuses what has been exchanged on the way", async () => {
    const good = signed(kmsCall(url, "ListKeys"), alice);
    expect((await send(url, good)).status).toBe(200);
    const replaced = (name: string, value: string): Plain => ({
      ...good,
      headers: good.headers.map(([own, old]) => [own, own === name ? value : old]),
    });
    const authorization = new Map(good.headers).get("Authorization") ?? "";
    for (const exchanged of [
      { ...good, body: '{"Limit":1}' },
      { ...good, body: "{} " },
      replaced("X-Amz-Target", "TrentService.CreateKey"),
      replaced("Content-Type", "application/json"),
      { ...good, query: "a=b" },
      replaced(
        "Authorization",
        authorization.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")),
      ),
    ]) {
      expect(jsonOf(await send(url, exchanged))).toEqual(mismatch);
    }
    // For another's service or Region the signature is another.
    const regional = authorization.replace("us-east-1", "eu-west-1");
    expect(jsonOf(await send(url, replaced("Authorization", regional)))).toEqual(mismatch);
    const others = authorization.replace("/kms/", "/sts/");
    expect(jsonOf(await send(url, replaced("Authorization", others))).message).toBe(
      "Credential should be scoped to correct service: 'kms'.",
    );
  });

  test("refuses a request that is repeated, or made, outside of five minutes of real time", async () => {
    const minute = 60_000;
    const listed = (at: number) => callKms(url, { ...alice, at }, "ListKeys");
    expect(await listed(Date.now() - 4 * minute)).toMatchObject({ status: 200 });
    expect(await listed(Date.now() + 4 * minute)).toMatchObject({ status: 200 });
    expect(await listed(Date.now() - 6 * minute)).toMatchObject({
      status: 400,
      __type: "InvalidSignatureException",
      message: expect.stringMatching(
        /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
      ),
    });
    expect(await listed(Date.now() + 6 * minute)).toMatchObject({
      status: 400,
      __type: "InvalidSignatureException",
      message: expect.stringMatching(
        /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 5 min\.\)$/,
      ),
    });
  });

  test("refuses a payload that is not signed, as any service but S3", async () => {
    const plain = kmsCall(url, "ListKeys");
    const unsigned = {
      ...plain,
      headers: [...plain.headers, ["X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"] as const],
    };
    const request = signed(unsigned, { ...alice, payloadHash: "UNSIGNED-PAYLOAD" });
    expect(jsonOf(await send(url, request))).toEqual(mismatch);
  });

  test("takes a presigned request, for as long as it says", async () => {
    const plain = kmsCall(url, "ListKeys");
    expect((await send(url, presigned(plain, alice))).status).toBe(200);
    const old = presigned(plain, { ...alice, at: Date.now() - 61_000, expires: "60" });
    expect(jsonOf(await send(url, old)).message).toMatch(/^Signature expired: .* - 1 min\.\)$/);
    const tampered = presigned(plain, alice);
    expect(jsonOf(await send(url, { ...tampered, body: '{"Limit":1}' }))).toEqual(mismatch);
  });

  test("checks the signature before it says anything about the request", async () => {
    for (const [operation, body] of [
      ["NoSuchOperation", "{}"],
      ["ListKeys", "{"],
      ["ListKeys", "\xff"],
    ] as const) {
      const plain = { ...kmsCall(url, operation), body };
      expect(jsonOf(await send(url, signed(plain, { ...alice, secret: "x" })))).toEqual(mismatch);
      expect(jsonOf(await send(url, signed(plain, alice))).__type).toMatch(
        /^(UnknownOperation|Serialization)Exception$/,
      );
    }
  });

  test("takes bytes that are no text for what was signed", async () => {
    const plain = kmsCall(url, "ListKeys");
    const { headers } = signed({ ...plain, body: "\ufffd" }, alice);
    const body = Uint8Array.of(0xff);
    const response = await fetch(url, {
      method: "POST",
      headers: headers as [string, string][],
      body,
    });
    expect(await response.json()).toMatchObject({ __type: "InvalidSignatureException" });
  });
});

describe("requests that a client's library would not send", () => {
  const host = () => new URL(url).host;
  /** A signed request as text, with lines added to its head. */
  const raw = (lines: readonly string[], { headers, body, path }: Plain) =>
    [
      `POST ${path} HTTP/1.1`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
      ...lines,
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n");
  const answerTo = async (text: string) => (await exchange(url, text)).split("\r\n\r\n")[1] ?? "";
  const listing = () => signed(kmsCall(url, "ListKeys"), alice);

  test("as it is signed, it is served", async () => {
    expect(await answerTo(raw([], listing()))).toContain('"Keys"');
  });

  test.each<[string, readonly string[]]>([
    ["a second target", ["X-Amz-Target: TrentService.CreateKey"]],
    ["a second date", ["X-Amz-Date: 20150830T123600Z"]],
    ["a second Authorization", ["Authorization: AWS4-HMAC-SHA256 Credential=x"]],
    ["a header that should have been signed", ["X-Amz-Content-Sha256: UNSIGNED-PAYLOAD"]],
    ["a second host", ["Host: elsewhere"]],
    ["a continued line", ["X-Amz-Target: x", " TrentService.CreateKey"]],
    ["a token of nobody", ["X-Amz-Security-Token: x"]],
    ["a second length", ["Content-Length: 0"]],
    ["a length and chunks", ["Transfer-Encoding: chunked"]],
  ])("%s", async (_what, lines) => {
    const text = await exchange(url, raw(lines, listing()));
    expect(text).toMatch(/^HTTP\/1\.1 [45]\d\d /);
    expect(text).not.toContain('"Keys"');
  });

  test("a header twice is signed as AWS says, joined with a comma", async () => {
    const plain = kmsCall(url, "ListKeys");
    const twice = signed(
      { ...plain, headers: [...plain.headers, ["X-A", "1"], ["X-A", "2"]] },
      alice,
    );
    expect(await answerTo(raw([], twice))).toContain('"Keys"');
    expect(await answerTo(raw(["X-A: 3"], twice))).toContain("InvalidSignatureException");
  });

  test("another path is no KMS, whatever its dots mean", async () => {
    for (const path of ["/x/..", "//", "/%2e"]) {
      const plain = { ...kmsCall(url, "ListKeys"), path };
      const text = await exchange(url, raw([], signed(plain, alice)));
      expect(text).not.toContain("HTTP/1.1 500");
    }
    expect(host()).toMatch(/^127\.0\.0\.1:/);
  });
});

describe("STS", () => {
  test("says who calls", async () => {
    expect(await callSts(url, alice, "GetCallerIdentity")).toMatchObject({
      status: 200,
      Arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
      UserId: expect.stringMatching(/^AIDA[A-Z2-7]{17}$/),
      Account: ACCOUNT,
    });
    expect(await callSts(url, bob, "GetCallerIdentity")).toMatchObject({
      Arn: `arn:aws:iam::${ACCOUNT}:user/division/bob`,
    });
    const china = { ...alice, region: "cn-north-1" };
    expect(await callSts(url, china, "GetCallerIdentity")).toMatchObject({
      Arn: `arn:aws-cn:iam::${ACCOUNT}:user/alice`,
    });
  });

  test("says who presigned, as clusters ask", async () => {
    expect(await getSts(url, alice, "GetCallerIdentity")).toMatchObject({
      status: 200,
      Arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
    });
    expect(await getSts(url, { ...alice, secret: "x" }, "GetCallerIdentity")).toMatchObject({
      status: 403,
      Code: "SignatureDoesNotMatch",
    });
    const late = { ...alice, at: Date.now() - 16 * 60_000 };
    expect(await getSts(url, late, "GetCallerIdentity")).toMatchObject({
      Code: "SignatureDoesNotMatch",
      Message: expect.stringMatching(/^Signature expired: .* - 15 min\.\)$/),
    });
  });

  test("refuses in words of its own", async () => {
    expect(await callSts(url, { ...alice, secret: "x" }, "GetCallerIdentity")).toMatchObject({
      status: 403,
      Type: "Sender",
      Code: "SignatureDoesNotMatch",
      Message: mismatch.message,
      RequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(await callSts(url, { accessKeyId: "AKIANOBODY" }, "GetCallerIdentity")).toMatchObject({
      status: 403,
      Code: "InvalidClientTokenId",
      Message: unrecognized.message,
    });
    expect((await send(url, stsCall(url, "GetCallerIdentity"))).text).toContain(
      "<Code>MissingAuthenticationToken</Code>",
    );
    expect(await callSts(url, alice, "GetFederationToken<&>")).toMatchObject({
      status: 400,
      Code: "InvalidAction",
      Message: "Could not find operation GetFederationToken<&> for version 2011-06-15",
    });
    expect(await callSts(url, alice, "toString")).toMatchObject({ Code: "InvalidAction" });
  });
});

const assume = (signing: Signing, role: string, input: Record<string, string> = {}) =>
  callSts(url, signing, "AssumeRole", {
    RoleArn: roleArn(role),
    RoleSessionName: "session",
    ...input,
  });

describe("sessions", () => {
  test("of a role serve as the role's", async () => {
    const leaves = await assume(alice, "service/app", { DurationSeconds: "900" });
    expect(leaves).toMatchObject({
      status: 200,
      AccessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
      SecretAccessKey: expect.stringMatching(/^[A-Za-z0-9+/]{40}$/),
      Expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/app/session`,
      AssumedRoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}:session$/),
    });
    expect(Math.round((Date.parse(String(leaves.Expiration)) - Date.now()) / 60_000)).toBe(15);
    const session = signingWith(leaves);
    expect(await callKms(url, session, "ListKeys")).toMatchObject({ status: 200 });
    expect(await callSts(url, session, "GetCallerIdentity")).toMatchObject({
      Arn: leaves.Arn,
      UserId: leaves.AssumedRoleId,
      Account: ACCOUNT,
    });
    expect(await getSts(url, session, "GetCallerIdentity")).toMatchObject({ Arn: leaves.Arn });
  });

  test("of a user serve as the user's, and make no others of their own kind", async () => {
    const session = signingWith(await callSts(url, bob, "GetSessionToken"));
    expect(await callKms(url, session, "ListKeys")).toMatchObject(deniedToBob);
    expect(await callSts(url, session, "GetCallerIdentity")).toMatchObject({
      Arn: `arn:aws:iam::${ACCOUNT}:user/division/bob`,
    });
    expect(await callSts(url, session, "GetSessionToken")).toMatchObject({
      status: 403,
      Code: "AccessDenied",
      Message: "Cannot call GetSessionToken with session credentials",
    });
  });

  test("are nothing without their token, with another's, or with one that was changed", async () => {
    const session = signingWith(await assume(alice, "service/app"));
    const other = signingWith(await callSts(url, alice, "GetSessionToken"));
    const { token, ...bare } = session;
    expect(await callKms(url, bare, "ListKeys")).toEqual(unrecognized);
    expect(await callKms(url, { ...session, token: other.token }, "ListKeys")).toEqual(
      unrecognized,
    );
    expect(await callKms(url, { ...alice, token }, "ListKeys")).toEqual(unrecognized);
    expect(await callKms(url, { ...session, secret: other.secret }, "ListKeys")).toEqual(mismatch);
    const bytes = Buffer.from(token, "base64");
    const text = bytes.toString("latin1");
    for (const forged of [
      Buffer.from(text.replace("service/app", "service/apq"), "latin1").toString("base64"),
      Buffer.from(text.replace(/"expiresAt":1/, '"expiresAt":9'), "latin1").toString("base64"),
      bytes.subarray(32).toString("base64"),
      Buffer.concat([Buffer.alloc(32), bytes.subarray(32)]).toString("base64"),
      token.slice(4),
      `${token}AAAA`,
      "x",
      "{}",
      "%",
    ]) {
      expect(await callKms(url, { ...session, token: forged }, "ListKeys")).toEqual(unrecognized);
    }
  });

  test("begin only where the trust policy and the caller's own policies allow", async () => {
    const denied = (who: string, role: string, action = "sts:AssumeRole") => ({
      status: 403,
      Code: "AccessDenied",
      Message: `User: arn:aws:iam::${ACCOUNT}:user/${who} is not authorized to perform: ${action} on resource: ${roleArn(role)}`,
    });
    expect(await assume(bob, "service/app")).toMatchObject(denied("division/bob", "service/app"));
    expect(await assume(alice, "guarded")).toMatchObject(denied("alice", "guarded"));
    expect(await assume(alice, "guarded", { ExternalId: "other" })).toMatchObject({ status: 403 });
    expect(await assume(alice, "guarded", { ExternalId: "the-id" })).toMatchObject({ status: 200 });
    expect(await assume(alice, "partner")).toMatchObject(denied("alice", "partner"));
    for (const name of ["nobody", "app", "service/app/x"]) {
      expect(await assume(alice, name)).toMatchObject(denied("alice", name));
    }
  });

  test("take tags, hand the transitive on, and a policy of their own", async () => {
    const tagged = {
      "Tags.member.1.Key": "Project",
      "Tags.member.1.Value": "a b",
      "Tags.member.2.Key": "Stage",
      "Tags.member.2.Value": "",
      "TransitiveTagKeys.member.1": "Project",
    };
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: ["kms:*", "sts:*"], Resource: "*" }],
    });
    const first = await assume(alice, "service/app", { ...tagged, Policy });
    expect(first).toMatchObject({ status: 200, PackedPolicySize: expect.stringMatching(/^\d+$/) });
    const chained = await assume(signingWith(first), "service/app");
    expect(chained).toMatchObject({ status: 200 });
    const json = Buffer.from(String(chained.SessionToken), "base64").subarray(32).toString();
    expect(JSON.parse(json)).toMatchObject({ tags: { Project: "a b" }, transitive: ["Project"] });
    expect(
      await assume(signingWith(first), "service/app", {
        "Tags.member.1.Key": "project",
        "Tags.member.1.Value": "x",
      }),
    ).toMatchObject({ Code: "InvalidParameterValue" });
    expect(
      await assume(signingWith(first), "service/app", { DurationSeconds: "3601" }),
    ).toMatchObject({
      Code: "ValidationError",
      Message:
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
    });
  });

  test("are limited by managed policies", async () => {
    const made = await callKms(url, alice, "CreateKey");
    const { KeyId } = made.KeyMetadata;
    const limited = (input: Record<string, string>) => assume(alice, "service/app", input);
    const answer = await limited({
      "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/SecurityAudit",
      "PolicyArns.member.2.arn": policyArn("team/Encrypt"),
    });
    expect(answer).toMatchObject({ status: 200, PackedPolicySize: "3" });
    const session = signingWith(answer);
    expect(await callKms(url, session, "DescribeKey", { KeyId })).toMatchObject({ status: 200 });
    const encrypt = { KeyId, Plaintext: "eA==" };
    expect(await callKms(url, session, "Encrypt", encrypt)).toMatchObject({ status: 200 });
    expect(await callKms(url, session, "DisableKey", { KeyId })).toMatchObject({
      __type: "AccessDeniedException",
      Message: expect.stringMatching(/because no session policy allows the kms:DisableKey action$/),
    });
    expect(await callSts(url, session, "GetCallerIdentity")).toMatchObject({ Arn: answer.Arn });
    expect(await limited({ "PolicyArns.member.1.arn": policyArn("team/Decrypt") })).toMatchObject({
      status: 400,
      Code: "ValidationError",
      Message: `Policy ${policyArn("team/Decrypt")} does not exist or is not attachable.`,
    });
  });

  test("say on whose behalf, and hand it on", async () => {
    const first = await assume(alice, "service/app", { SourceIdentity: "alice" });
    expect(first).toMatchObject({ status: 200, SourceIdentity: "alice" });
    const second = await assume(signingWith(first), "service/app", { RoleSessionName: "second" });
    expect(second).toMatchObject({ status: 200, SourceIdentity: "alice" });
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { AWS: roleArn("service/app") },
          Action: "kms:DescribeKey",
          Resource: "*",
          Condition: { StringEquals: { "aws:SourceIdentity": "alice" } },
        },
      ],
    });
    const input = { Policy, BypassPolicyLockoutSafetyCheck: true };
    const { KeyId } = (await callKms(url, alice, "CreateKey", input)).KeyMetadata;
    expect(await callKms(url, signingWith(second), "DescribeKey", { KeyId })).toMatchObject({
      status: 200,
    });
    const anonymous = signingWith(await assume(alice, "service/app"));
    expect(await callKms(url, anonymous, "DescribeKey", { KeyId })).toMatchObject({
      __type: "AccessDeniedException",
    });
    expect(
      await assume(signingWith(second), "service/app", { SourceIdentity: "bob" }),
    ).toMatchObject({ status: 400, Code: "InvalidParameterValue" });
  });

  test.each<[string, Record<string, string>, object]>([
    [
      "a managed policy that is a role",
      { "PolicyArns.member.1.arn": "arn:aws:iam::111122223333:role/app" },
      { Code: "ValidationError", Message: "Request ARN is invalid" },
    ],
    [
      "eleven managed policies",
      Object.fromEntries(
        Array.from({ length: 11 }, (_, n) => [
          `PolicyArns.member.${n + 1}.arn`,
          "arn:aws:iam::aws:policy/ReadOnlyAccess",
        ]),
      ),
      { Code: "ValidationError", Message: /at 'policyArns' .* less than or equal to 10$/ },
    ],
    [
      "a source identity of one letter",
      { SourceIdentity: "x" },
      {
        Code: "ValidationError",
        Message:
          "1 validation error detected: Value 'x' at 'sourceIdentity' failed to satisfy " +
          "constraint: Member must have length greater than or equal to 2",
      },
    ],
    [
      "a session name of one letter",
      { RoleSessionName: "x" },
      {
        Code: "ValidationError",
        Message:
          "1 validation error detected: Value 'x' at 'roleSessionName' failed to satisfy " +
          "constraint: Member must have length greater than or equal to 2",
      },
    ],
    [
      "a session name with a blank",
      { RoleSessionName: "a b" },
      {
        Code: "ValidationError",
        Message:
          "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy " +
          "constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
      },
    ],
    [
      "a quarter of an hour less a second",
      { DurationSeconds: "899" },
      {
        Code: "ValidationError",
        Message:
          "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy " +
          "constraint: Member must have value greater than or equal to 900",
      },
    ],
    ["a duration that is no number", { DurationSeconds: "soon" }, { Code: "MalformedInput" }],
    [
      "no role's ARN",
      { RoleArn: "arn:aws:iam::111122223333:user/alice" },
      { Code: "ValidationError", Message: "Request ARN is invalid" },
    ],
    [
      "a role of another partition",
      { RoleArn: "arn:aws-cn:iam::111122223333:role/app" },
      { Code: "ValidationError", Message: "Request ARN is invalid" },
    ],
    ["a policy that is no JSON", { Policy: "{" }, { Code: "MalformedPolicyDocument", status: 400 }],
    [
      "a policy with a principal",
      {
        Policy: JSON.stringify({
          Statement: [{ Effect: "Allow", Action: "*", Resource: "*", Principal: "*" }],
        }),
      },
      { Code: "MalformedPolicyDocument" },
    ],
    [
      "one tag twice",
      {
        "Tags.member.1.Key": "a",
        "Tags.member.1.Value": "",
        "Tags.member.2.Key": "A",
        "Tags.member.2.Value": "",
      },
      { Code: "InvalidParameterValue", Message: /^Duplicate tag keys found/ },
    ],
    [
      "a tag without a value",
      { "Tags.member.1.Key": "a" },
      {
        Code: "ValidationError",
        Message:
          "1 validation error detected: Value null at 'tags.1.member.value' failed to satisfy " +
          "constraint: Member must not be null",
      },
    ],
    [
      "a transitive tag that is none",
      { "TransitiveTagKeys.member.1": "a" },
      { Code: "InvalidParameterValue" },
    ],
    [
      "a code of a device",
      { SerialNumber: "arn:aws:iam::1:mfa/x", TokenCode: "123456" },
      { Code: "AccessDenied" },
    ],
  ])("%s is refused", async (_what, input, expected) => {
    const answer = await assume(alice, "service/app", input);
    for (const [name, value] of Object.entries(expected)) {
      if (value instanceof RegExp) expect(answer[name]).toMatch(value);
      else expect(answer[name]).toBe(value);
    }
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });

  test("too much policy and too many tags", async () => {
    const tags = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [
        [`Tags.member.${n + 1}.Key`, `key${n}`],
        [`Tags.member.${n + 1}.Value`, "x".repeat(256)],
      ]).flat(),
    );
    expect(await assume(alice, "service/app", tags)).toMatchObject({
      status: 400,
      Code: "PackedPolicyTooLarge",
      Message: expect.stringMatching(
        /^Packed size of session tags consumes \d+% of allotted space\.$/,
      ),
    });
  });
});
