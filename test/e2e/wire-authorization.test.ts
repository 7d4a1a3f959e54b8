// Who a request says it comes from, and servers that serve nobody.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startMiniflare, startRaw } from "../support/servers.ts";
import { caller, operationNames, post, refused, signedBy } from "./wire.ts";

let server: Server | undefined;

beforeAll(async () => {
  server = await startRaw({ auth: "open" });
});

afterAll(async () => {
  await server?.stop();
  // What it prints besides its greeting is about failures of its own.
  expect(server?.output()).not.toMatch(/error/i);
});

const call = caller(() => server);

const listed = (authorization: string) => call("ListKeys", {}, { authorization });

test("a request without Authorization is served for the default account", async () => {
  const headers = { "x-amz-target": "TrentService.CreateKey" };
  const { json } = await post(server?.url ?? "", headers, {}, null);
  expect(json).toMatchObject({
    KeyMetadata: {
      AWSAccountId: "000000000000",
      Arn: expect.stringMatching(/^arn:aws:kms:us-east-1:/),
    },
  });
});

test("the Region and the partition are those of the credential scope", async () => {
  for (const [region, prefix] of [
    ["eu-central-1", "arn:aws:kms:eu-central-1:"],
    ["cn-north-1", "arn:aws-cn:kms:cn-north-1:"],
    ["us-gov-west-1", "arn:aws-us-gov:kms:us-gov-west-1:"],
  ] as const) {
    const { json } = await call("CreateKey", {}, { authorization: signedBy({ region }) });
    expect(json).toMatchObject({
      KeyMetadata: { Arn: expect.stringMatching(`^${prefix}111122223333:key/`) },
    });
  }
});

test("headers that name nobody", async () => {
  for (const authorization of [
    "x",
    "Basic dXNlcjpwYXNz",
    "Bearer token",
    "AWS4-HMAC-SHA256",
    "AWS4-HMAC-SHA256 Credential=",
    "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=0",
    "AWS4-HMAC-SHA256 Credential=/20261122/us-east-1/kms/aws4_request, Signature=0",
    "AWS4-HMAC-SHA256 Credential=k/20261122/us-east-1/kms, Signature=0",
    "AWS4-HMAC-SHA256 Credential, Signature=0",
    `AWS4-HMAC-SHA256 ${"Credential=k/".repeat(500)}`,
  ]) {
    const { status, json } = await listed(authorization);
    expect({ authorization, status, json }).toMatchObject({
      status: 400,
      json: { __type: "IncompleteSignatureException", message: expect.any(String) },
    });
  }
});

test("Regions and services that are none of KMS", async () => {
  for (const region of ["mars-north-1", "US-EAST-1", "", "us-east-1a", "aws-global", "*"]) {
    expect({ region, ...refused(await listed(signedBy({ region }))) }).toEqual({
      region,
      status: 400,
      __type: "InvalidSignatureException",
      message: "Credential should be scoped to a valid region.",
    });
  }
  for (const service of ["s3", "KMS", ""]) {
    expect({ service, ...refused(await listed(signedBy({ service }))) }).toEqual({
      service,
      status: 400,
      __type: "InvalidSignatureException",
      message: "Credential should be scoped to correct service: 'kms'.",
    });
  }
  const authorization = signedBy().replace("aws4_request", "aws3_request");
  expect(refused(await listed(authorization))).toEqual({
    status: 400,
    __type: "InvalidSignatureException",
    message:
      "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3_request'.",
  });
});

describe.each([
  // A deployment that does not say whom it serves.
  ["AUTH missing", () => startMiniflare()],
  ["AUTH=required", () => startRaw({ auth: "required" })],
])("%s", (_name, start) => {
  let closed: Server | undefined;
  beforeAll(async () => {
    closed = await start();
  });
  afterAll(() => closed?.stop());

  test("serves nobody, and says why", async () => {
    for (const operation of operationNames) {
      const headers = { "x-amz-target": `TrentService.${operation}` };
      for (const authorization of [signedBy(), null, ""]) {
        const answer = await post(closed?.url ?? "", headers, {}, authorization);
        expect({ operation, ...refused(answer) }).toEqual({
          operation,
          status: 400,
          __type: "UnrecognizedClientException",
          message: expect.stringContaining("AUTH"),
        });
      }
    }
    expect((await fetch(`${closed?.url}/health`)).status).toBe(200);
  });
});
