// What a caller could try with names and headers: members of every object as names of contexts, tags and
// sessions, on their way through RPC and storage; and requests that say two things at once.

import { afterAll, beforeAll, expect, test } from "vitest";
import { ACCOUNT, alice, callKms, callSts, kmsCall, send, signingWith } from "../support/people.ts";
import { type Server, startMiniflare, startRaw } from "../support/servers.ts";
import { signed } from "../support/signer.ts";

let server: Server;
const root = { accessKeyId: ACCOUNT };
const OTHER = { accessKeyId: "444455556666" };

beforeAll(async () => {
  // Objects of their own isolates, so that everything travels.
  server = await startMiniflare({ auth: "open", log: "error" });
});

afterAll(async () => {
  await server?.stop();
  expect(server?.output()).not.toMatch(/failure/);
});

const kms = (who: { accessKeyId: string }, operation: string, input: unknown) =>
  callKms(server.url, who, operation, input as object);

/** An object with a member of its own of this name, as JSON has it. */
const having = (name: string, value: unknown) => Object.fromEntries([[name, value]]);

test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
  "%s is a name like any other",
  async (name) => {
    const Tags = [{ TagKey: name, TagValue: "v" }];
    const made = await kms(root, "CreateKey", { Tags });
    const KeyId = made.KeyMetadata.Arn;
    expect(await kms(root, "ListResourceTags", { KeyId })).toMatchObject({ Tags });

    const EncryptionContext = having(name, "v");
    const { CiphertextBlob } = await kms(root, "Encrypt", {
      KeyId,
      Plaintext: "eA==",
      EncryptionContext,
    });
    const decrypt = (who: typeof root, context: object) =>
      kms(who, "Decrypt", { KeyId, CiphertextBlob, EncryptionContext: context });
    expect(await decrypt(root, EncryptionContext)).toMatchObject({ status: 200 });
    expect(await decrypt(root, {})).toMatchObject({ __type: "InvalidCiphertextException" });
    expect(await decrypt(root, having(name, "w"))).toMatchObject({
      __type: "InvalidCiphertextException",
    });

    // A constraint that got lost on the way would let everything through.
    const grant = await kms(root, "CreateGrant", {
      KeyId,
      GranteePrincipal: `arn:aws:iam::${OTHER.accessKeyId}:root`,
      Operations: ["Decrypt"],
      Constraints: { EncryptionContextEquals: EncryptionContext },
    });
    expect(grant).toMatchObject({ status: 200 });
    expect(await decrypt(OTHER, EncryptionContext)).toMatchObject({ status: 200 });
    expect(await decrypt(OTHER, {})).toMatchObject({ __type: "AccessDeniedException" });
    const listed = await kms(root, "ListGrants", { KeyId });
    expect(JSON.stringify(listed.Grants[0].Constraints)).toBe(
      JSON.stringify({ EncryptionContextEquals: EncryptionContext }),
    );

    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: "kms:*", Resource: "*" },
        {
          Effect: "Deny",
          Principal: "*",
          Action: "kms:Decrypt",
          Resource: "*",
          Condition: { StringEquals: having(`aws:PrincipalTag/${name}`, "v") },
        },
      ],
    });
    expect(await kms(root, "PutKeyPolicy", { KeyId, Policy })).toMatchObject({ status: 200 });
    const session = async (Value: string) =>
      signingWith(
        await callSts(server.url, root, "AssumeRole", {
          RoleArn: `arn:aws:iam::${ACCOUNT}:role/any`,
          RoleSessionName: "attack",
          "Tags.member.1.Key": name,
          "Tags.member.1.Value": Value,
        }),
      );
    expect(await decrypt(await session("w"), EncryptionContext)).toMatchObject({ status: 200 });
    expect(await decrypt(await session("v"), EncryptionContext)).toMatchObject({
      __type: "AccessDeniedException",
    });
  },
);

test("a policy's members are those of policies", async () => {
  const { KeyMetadata } = await kms(root, "CreateKey", {});
  const { KeyId } = KeyMetadata;
  const put = (Policy: string) => kms(root, "PutKeyPolicy", { KeyId, Policy });
  const statement = `"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"`;
  for (const text of [
    `{"__proto__":{"Statement":[{${statement}}]}}`,
    `{"Statement":[{"__proto__":{${statement}}}]}`,
    `{"Statement":[{${statement},"Condition":{"__proto__":{"aws:x":"y"}}}]}`,
    `{"Statement":[{${statement},"Condition":{"constructor":{"aws:x":"y"}}}]}`,
    `{"Statement":[{${statement.replace('"*"', '{"__proto__":"x"}')}}]}`,
    `{"Statement":${"[".repeat(15_000)}${"]".repeat(15_000)}}`,
  ]) {
    expect({ text: text.slice(0, 80), ...(await put(text)) }).toMatchObject({
      __type: "MalformedPolicyDocumentException",
    });
  }
});

test("a session that nobody gave hands on no more than it says", async () => {
  // Where everyone is served nobody vouches for a token either: it may say what it likes.
  const session = {
    kind: "role",
    accountId: ACCOUNT,
    roleName: "any",
    sessionName: "forged",
    tags: {},
    transitive: ["constructor", "__proto__"],
    policy: null,
    policyArns: [] as string[],
    sourceIdentity: "nobody",
    accessKeyId: "ASIAFORGED0000000001",
    expiresAt: Date.now() + 60_000,
    verified: false,
  };
  const assumedBy = (said: typeof session) => {
    const token = Buffer.concat([Buffer.alloc(32), Buffer.from(JSON.stringify(said))]);
    const signing = { accessKeyId: said.accessKeyId, secret: "x", token: token.toString("base64") };
    return callSts(server.url, signing, "AssumeRole", {
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/next`,
      RoleSessionName: "chained",
    });
  };
  for (const arn of ["__proto__", `arn:aws:iam::${ACCOUNT}:policy/__proto__`]) {
    expect(await assumedBy({ ...session, policyArns: [arn] })).toMatchObject({ status: 403 });
  }
  const chained = await assumedBy(session);
  expect(chained).toMatchObject({ status: 200, SourceIdentity: "nobody" });
  const said = Buffer.from(String(chained.SessionToken), "base64").subarray(32).toString();
  expect(said).toContain('"tags":{"constructor":"","__proto__":""}');
  expect(await callKms(server.url, signingWith(chained), "ListKeys")).toMatchObject({
    status: 200,
  });
});

test("two targets are none", async () => {
  const plain = kmsCall(server.url, "ListKeys");
  const second = ["X-Amz-Target", "TrentService.CreateKey"] as const;
  const answer = await send(
    server.url,
    signed({ ...plain, headers: [...plain.headers, second] }, alice),
  );
  expect(answer.status).toBe(400);
  expect(answer.text).toContain("UnknownOperationException");
});

test("a client's word of its address is not heard", async () => {
  const raw = await startRaw({ auth: "open" });
  try {
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: "kms:*", Resource: "*" },
        {
          Effect: "Deny",
          Principal: "*",
          Action: "kms:DescribeKey",
          Resource: "*",
          Condition: { IpAddress: { "aws:SourceIp": "127.0.0.0/8" } },
        },
      ],
    });
    const { KeyMetadata } = await callKms(raw.url, root, "CreateKey", { Policy });
    const plain = kmsCall(raw.url, "DescribeKey", { KeyId: KeyMetadata.KeyId });
    for (const name of ["cf-connecting-ip", "x-forwarded-for", "x-real-ip", "forwarded"]) {
      const headers = [...plain.headers, [name, "192.0.2.1"] as const];
      const answer = await send(raw.url, signed({ ...plain, headers }, root));
      expect({ name, ...JSON.parse(answer.text) }).toMatchObject({
        name,
        __type: "AccessDeniedException",
      });
    }
  } finally {
    await raw.stop();
  }
});
