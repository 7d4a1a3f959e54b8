// The wire format, byte for byte, on what `npm start` runs: answers, refusals, targets.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startRaw } from "../support/servers.ts";
import { type Answer, caller, operationNames, post, refused, signedBy, UUID } from "./wire.ts";

const missing = "1234abcd-12ab-34cd-56ef-1234567890ab";
const missingArn = `arn:aws:kms:us-east-1:111122223333:key/${missing}`;

let server: Server | undefined;

beforeAll(async () => {
  server = await startRaw({ auth: "open", creatingMs: 0 });
});

afterAll(async () => {
  await server?.stop();
  // What it prints besides its greeting is about failures of its own.
  expect(server?.output()).not.toMatch(/error/i);
});

const call = caller(() => server);

async function createdKey(body: object = {}): Promise<{ KeyId: string; Arn: string }> {
  const { json } = await call("CreateKey", body);
  return (json as { KeyMetadata: { KeyId: string; Arn: string } }).KeyMetadata;
}

const validation = (...constraints: readonly string[]) => ({
  status: 400,
  __type: "ValidationException",
  message:
    `${constraints.length} validation error${constraints.length === 1 ? "" : "s"} detected: ` +
    constraints.join("; "),
});

describe("answers", () => {
  test("with output", async () => {
    const before = Date.now() / 1000;
    const answer = await call("CreateKey", { MultiRegion: true });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/x-amz-json-1.1");
    expect(answer.headers.get("x-amzn-requestid")).toMatch(UUID);
    const { KeyMetadata } = answer.json as { KeyMetadata: Record<string, unknown> };
    // Seconds with a fraction, and nothing that is null.
    expect(KeyMetadata.CreationDate).toBeGreaterThan(before - 1);
    expect(KeyMetadata.CreationDate).toBeLessThan(Date.now() / 1000 + 1);
    expect(answer.text).not.toContain("null");
    expect(Object.keys(KeyMetadata).toSorted()).toEqual(
      [
        ..."AWSAccountId Arn CreationDate CurrentKeyMaterialId CustomerMasterKeySpec".split(" "),
        ..."Description Enabled EncryptionAlgorithms KeyId KeyManager KeySpec".split(" "),
        ..."KeyState KeyUsage MultiRegion MultiRegionConfiguration Origin".split(" "),
      ].toSorted(),
    );
    const again = await call("ListKeys");
    expect(again.headers.get("x-amzn-requestid")).not.toBe(answer.headers.get("x-amzn-requestid"));
  });

  // Recorded on AWS, of answers and refusals alike (go-cloud's replays of 2023 and 2024).
  test("are for no cache", async () => {
    for (const operation of ["ListKeys", "Encrypt"]) {
      const { headers } = await call(operation);
      expect(headers.get("cache-control")).toBe("no-cache, no-store, must-revalidate, private");
      expect([headers.get("expires"), headers.get("pragma")]).toEqual(["0", "no-cache"]);
    }
  });

  test("blobs are base64 with padding", async () => {
    const { json } = await call("GenerateRandom", { NumberOfBytes: 1 });
    expect((json as { Plaintext: string }).Plaintext).toMatch(/^[A-Za-z0-9+/]{2}==$/);
  });

  test("without output: no body at all", async () => {
    const { KeyId } = await createdKey({ MultiRegion: true });
    const AliasName = "alias/wire";
    const { json: policy } = await call("GetKeyPolicy", { KeyId });
    const { Policy } = policy as { Policy: string };
    const calls: [string, object][] = [
      ["CreateAlias", { AliasName, TargetKeyId: KeyId }],
      ["UpdateAlias", { AliasName, TargetKeyId: KeyId }],
      ["DeleteAlias", { AliasName }],
      ["DisableKey", { KeyId }],
      ["EnableKey", { KeyId }],
      ["EnableKeyRotation", { KeyId }],
      ["DisableKeyRotation", { KeyId }],
      ["PutKeyPolicy", { KeyId, Policy }],
      ["TagResource", { KeyId, Tags: [{ TagKey: "a", TagValue: "b" }] }],
      ["UntagResource", { KeyId, TagKeys: ["a"] }],
      ["UpdateKeyDescription", { KeyId, Description: "" }],
    ];
    for (const [operation, body] of calls) expectEmpty(await call(operation, body));
    await call("ReplicateKey", { KeyId, ReplicaRegion: "eu-west-1" });
    expectEmpty(await call("UpdatePrimaryRegion", { KeyId, PrimaryRegion: "eu-west-1" }));
  });

  function expectEmpty({ status, text, headers }: Answer): void {
    expect({ status, text, length: headers.get("content-length") }).toEqual({
      status: 200,
      text: "",
      length: "0",
    });
    expect(headers.get("content-type")).toBe("application/x-amz-json-1.1");
    expect(headers.get("x-amzn-requestid")).toMatch(UUID);
  }

  test("members that are not known are ignored, those that are null are absent", async () => {
    const { KeyId } = await createdKey({ KeySpec: null, Unknown: [1, { a: null }], Tags: null });
    const { status } = await call("DescribeKey", { KeyId, GrantTokens: null, Tokens: ["x"] });
    expect(status).toBe(200);
  });
});

describe("refusals", () => {
  test("most have a message in lower case", async () => {
    const answer = await call("DescribeKey", { KeyId: missing });
    expect(refused(answer)).toEqual({
      status: 400,
      __type: "NotFoundException",
      message: `Key '${missingArn}' does not exist`,
    });
    expect(answer.headers.get("content-type")).toBe("application/x-amz-json-1.1");
    expect(answer.headers.get("x-amzn-requestid")).toMatch(UUID);
  });

  test("AccessDeniedException has a Message, and status 400 like all others", async () => {
    const { Arn } = await createdKey();
    const stranger = { authorization: signedBy({ accessKey: "444455556666" }) };
    expect(refused(await call("DescribeKey", { KeyId: Arn }, stranger))).toEqual({
      status: 400,
      __type: "AccessDeniedException",
      Message: expect.stringContaining("is not authorized to perform: kms:DescribeKey"),
    });
  });

  test("InvalidCiphertextException has neither", async () => {
    const { text, status } = await call("Decrypt", { CiphertextBlob: "bm9uc2Vuc2U=" });
    expect({ status, text }).toEqual({
      status: 400,
      text: '{"__type":"InvalidCiphertextException"}',
    });
  });

  test("a ValidationException names every broken constraint", async () => {
    expect(refused(await call("DescribeKey"))).toEqual(
      validation("Value null at 'keyId' failed to satisfy constraint: Member must not be null"),
    );
    const body = { KeyId: "", Limit: 0, Marker: "x".repeat(1025) };
    const long = "x".repeat(1025);
    expect(refused(await call("ListResourceTags", body))).toEqual(
      validation(
        "Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
        "Value '' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\\p{ASCII}+$",
        "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
        `Value '${long}' at 'marker' failed to satisfy constraint: Member must have length less than or equal to 1024`,
      ),
    );
    expect(refused(await call("DescribeKey", { KeyId: "k".repeat(2049) }))).toEqual(
      validation(
        `Value '${"k".repeat(2049)}' at 'keyId' failed to satisfy constraint: ` +
          "Member must have length less than or equal to 2048",
      ),
    );
    const spec = refused(await call("GenerateDataKey", { KeyId: missing, KeySpec: "AES_512" }));
    expect(spec).toMatchObject({
      __type: "ValidationException",
      message: expect.stringMatching(
        /^1 validation error detected: Value 'AES_512' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: \[(AES_256, AES_128|AES_128, AES_256)\]$/,
      ),
    });
    // What is secret is not repeated.
    const secret = { KeyId: missing, Plaintext: btoa("s".repeat(4097)) };
    expect(refused(await call("Encrypt", secret))).toEqual(
      validation(
        "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
      ),
    );
  });
});

describe("routes and targets", () => {
  test("health", async () => {
    const response = await fetch(`${server?.url}/health`);
    expect({ status: response.status, body: await response.json() }).toEqual({
      status: 200,
      body: { status: "ok" },
    });
  });

  test("what is not POST / is not there", async () => {
    const headers = {
      "x-amz-target": "TrentService.ListKeys",
      "content-type": "application/json",
      authorization: signedBy(),
    };
    for (const [method, path] of [
      ["GET", "/"],
      ["PUT", "/"],
      ["DELETE", "/"],
      ["GET", "/nothing"],
      ["POST", "/nothing"],
      ["POST", "/health"],
      ["GET", "/_edge-kms"],
      ["GET", "/_edge-kms/clock"],
      ["POST", "/_edge-kms/clock"],
      ["GET", "/..%2f..%2fetc/passwd"],
    ] as const) {
      const response = await fetch(`${server?.url}${path}`, {
        method,
        headers,
        ...(method !== "GET" && { body: "{}" }),
      });
      expect(`${method} ${path} ${response.status}`).toMatch(/ (404|405)$/);
      await response.arrayBuffer();
    }
  });

  test("an unknown target has no message", async () => {
    const names = ["Nothing", "listkeys", "", "__proto__", "constructor", "toString"];
    // Steps of composed operations are no operations.
    const steps = ["ReEncryptFrom", "ReEncryptTo", "CreateAliasTarget", "PutNewAlias", "MoveAlias"];
    for (const name of [...names, ...steps]) {
      const { status, text } = await call(name);
      expect({ name, status, text }).toEqual({
        name,
        status: 400,
        text: '{"__type":"UnknownOperationException"}',
      });
    }
    for (const target of ["ListKeys", "trentservice.ListKeys", "DynamoDB_20120810.ListTables"]) {
      const { text } = await call("", {}, { "x-amz-target": target });
      expect(text).toBe('{"__type":"UnknownOperationException"}');
    }
    const { text } = await post(server?.url ?? "", {}, {});
    expect(text).toBe('{"__type":"UnknownOperationException"}');
  });

  test("every operation of the API is known; what is not built says so", async () => {
    expect(operationNames.length).toBeGreaterThanOrEqual(54);
    for (const operation of operationNames) {
      const { status, json } = await call(operation);
      const { __type, message } = json as { __type?: string; message?: string };
      expect({ operation, status, __type }).not.toMatchObject({
        __type: "UnknownOperationException",
      });
      expect([200, 400]).toContain(status);
      if (__type === "UnsupportedOperationException") {
        expect(message).toBe(`${operation} is not built yet.`);
      }
    }
  });

  test("values that are not built say so too", async () => {
    const KeyUsage = "SIGN_VERIFY";
    for (const body of [
      { KeySpec: "RSA_2048", KeyUsage },
      { KeySpec: "ML_DSA_65", KeyUsage },
      { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
    ]) {
      const { status, json } = await call("CreateKey", body);
      if (status === 200) continue;
      expect({ status, ...(json as object) }).toEqual({
        status: 400,
        __type: "UnsupportedOperationException",
        message: expect.stringMatching(/ is not built yet\.$/),
      });
    }
  });
});
