import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  decrypt,
  encrypt,
  getHealthStatus,
  getKeyMetadata,
  type ProxyResult,
  TIMEOUT_MS,
} from "../../src/xks/proxy-client.ts";
import type { ProxyCiphertext } from "../../src/xks/responses.ts";
import type { Transport } from "../../src/xks/transport.ts";
import { expired } from "./support/certificates.ts";
import { clientOf, requestFor } from "./support/clients.ts";
import {
  type Fault,
  hangUp,
  instead,
  refusal,
  resealed,
  silence,
  stall,
  withMembers,
} from "./support/faults.ts";
import { healthy, newExternalKey, startProxy, type TestProxy } from "./support/proxy.ts";

let proxy: TestProxy;

beforeAll(async () => {
  proxy = await startProxy();
});
afterAll(() => proxy.close());
afterEach(() => {
  proxy.fault = null;
  proxy.health = healthy();
  proxy.metadata = Buffer.from("key_version=1");
  proxy.ivBytes = 12;
  proxy.keys.clear();
  proxy.keys.set("key-1", newExternalKey());
  proxy.requests.length = 0;
});

const PLAINTEXT = new TextEncoder().encode("Hello World!");
const AAD = new TextEncoder().encode("project=nile,department=marketing");
const NONE = new Uint8Array(0);

function value<T>(result: ProxyResult<T>): T {
  expect(result).toMatchObject({ ok: true });
  return (result as { value: T }).value;
}

const failure = (result: ProxyResult<unknown>) => (result.ok ? "none" : result.failure.name);

const lastBody = () => JSON.parse(proxy.requests.at(-1)?.body.toString() ?? "null");

const health = (client = clientOf(proxy)) =>
  getHealthStatus(client, { kmsOperation: "ConnectCustomKeyStore", kmsRequestId: "r-1" });
const metadataOf = (key = "key-1") =>
  getKeyMetadata(clientOf(proxy), key, requestFor("DescribeKey"));
const encrypted = (plaintext = PLAINTEXT, aad: Uint8Array = AAD, key = "key-1") =>
  encrypt(clientOf(proxy), key, requestFor("Encrypt"), plaintext, aad);
const decrypted = (sealed: ProxyCiphertext, aad: Uint8Array = AAD) =>
  decrypt(clientOf(proxy), "key-1", requestFor("Decrypt"), sealed, aad);

test("KMS waits as long as AWS", () => {
  expect(TIMEOUT_MS).toBe(250);
});

describe("GetHealthStatus", () => {
  test("tells how the proxy and its key managers are", async () => {
    expect(value(await health())).toEqual(proxy.health);
  });

  test("says for which call, and no more", async () => {
    await health();
    expect(proxy.requests).toMatchObject([{ method: "POST", path: `${proxy.uriPath}/health` }]);
    expect(lastBody()).toEqual({
      requestMetadata: { kmsOperation: "ConnectCustomKeyStore", kmsRequestId: "r-1" },
    });
  });
});

describe("GetKeyMetadata", () => {
  test("tells spec, usage and status", async () => {
    expect(value(await metadataOf())).toEqual({
      keySpec: "AES_256",
      keyUsage: ["ENCRYPT", "DECRYPT"],
      keyStatus: "ENABLED",
    });
  });

  test("says who calls, from where and for whom", async () => {
    const request = {
      ...requestFor("DescribeKey"),
      awsSourceVpc: "vpc-1234",
      awsSourceVpce: "vpce-1234",
      kmsViaService: "ebs",
    };
    value(await getKeyMetadata(clientOf(proxy), "key-1", request));
    expect(proxy.requests.at(-1)?.path).toBe(`${proxy.uriPath}/keys/key-1/metadata`);
    expect(lastBody()).toEqual({ requestMetadata: request });
  });

  test("names no KMS key where there is none yet", async () => {
    const { kmsKeyArn: _, ...request } = requestFor("CreateKey");
    value(await getKeyMetadata(clientOf(proxy), "key-1", request));
    expect(lastBody()).toEqual({ requestMetadata: request });
  });

  test.each([".", ".."])("of the key %s is not asked for", async (key) => {
    expect(failure(await metadataOf(key))).toBe("KeyNotFoundException");
    expect(proxy.requests).toEqual([]);
  });

  test.each(["..a", "a-b_c.d", "A".repeat(128)])("of the key %s is asked for", async (key) => {
    proxy.keys.set(key, newExternalKey());
    value(await metadataOf(key));
  });
});

describe("Encrypt and Decrypt", () => {
  test.each([
    ["metadata and a long IV", 16, "key_version=1", AAD],
    ["no metadata", 12, null, AAD],
    ["20 bytes of metadata", 12, "x".repeat(20), AAD],
    ["no authenticated data", 12, "m", NONE],
    ["8,192 bytes of authenticated data", 12, null, randomBytes(8192)],
  ] as const)("a round trip with %s", async (_, ivBytes, metadata, aad) => {
    proxy.ivBytes = ivBytes;
    proxy.metadata = metadata === null ? null : Buffer.from(metadata);
    const sealed = value(await encrypted(PLAINTEXT, aad));
    expect(sealed.initializationVector.length).toBe(ivBytes);
    expect(Buffer.from(sealed.ciphertextMetadata).toString()).toBe(metadata ?? "");
    expect(value(await decrypted(sealed, aad))).toEqual(PLAINTEXT);
  });

  test.each([1, 29, 4124, 4300])("a round trip of %i bytes", async (length) => {
    const plaintext = new Uint8Array(randomBytes(length));
    const sealed = value(await encrypted(plaintext));
    expect(sealed.ciphertext).not.toEqual(plaintext);
    expect(value(await decrypted(sealed))).toEqual(plaintext);
  });

  test("Encrypt asks as specified", async () => {
    await encrypted();
    expect(proxy.requests.at(-1)).toMatchObject({
      path: `${proxy.uriPath}/keys/key-1/encrypt`,
      headers: { host: proxy.host, "content-type": "application/json" },
    });
    expect(lastBody()).toEqual({
      requestMetadata: requestFor("Encrypt"),
      additionalAuthenticatedData: "cHJvamVjdD1uaWxlLGRlcGFydG1lbnQ9bWFya2V0aW5n",
      plaintext: "SGVsbG8gV29ybGQh",
      encryptionAlgorithm: "AES_GCM",
      ciphertextDataIntegrityValueAlgorithm: "SHA_256",
    });
  });

  // The ciphertext of the specification's own example, whose key nobody has.
  test("Decrypt asks as specified", async () => {
    const sealed = {
      ciphertext: Buffer.from("ghxkK1txeDNn3q8Y", "base64"),
      ciphertextMetadata: Buffer.from("a2V5X3ZlcnNpb249MQ==", "base64"),
      initializationVector: Buffer.from("HMrlRw85cAJUd5Ax", "base64"),
      authenticationTag: Buffer.from("vBxN2ncH1oEkR8WVXpmyYQ==", "base64"),
    };
    expect(failure(await decrypted(sealed))).toBe("InvalidCiphertextException");
    expect(proxy.requests.at(-1)?.path).toBe(`${proxy.uriPath}/keys/key-1/decrypt`);
    expect(lastBody()).toEqual({
      requestMetadata: requestFor("Decrypt"),
      additionalAuthenticatedData: "cHJvamVjdD1uaWxlLGRlcGFydG1lbnQ9bWFya2V0aW5n",
      ciphertext: "ghxkK1txeDNn3q8Y",
      ciphertextMetadata: "a2V5X3ZlcnNpb249MQ==",
      encryptionAlgorithm: "AES_GCM",
      initializationVector: "HMrlRw85cAJUd5Ax",
      authenticationTag: "vBxN2ncH1oEkR8WVXpmyYQ==",
    });
  });

  test("the integrity value of the specification's example is right", async () => {
    proxy.fault = instead(
      200,
      JSON.stringify({
        authenticationTag: "vBxN2ncH1oEkR8WVXpmyYQ==",
        ciphertext: "ghxkK1txeDNn3q8Y",
        ciphertextDataIntegrityValue: "qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=",
        ciphertextMetadata: "a2V5X3ZlcnNpb249MQ==",
        initializationVector: "HMrlRw85cAJUd5Ax",
      }),
    );
    expect(value(await encrypted()).ciphertext.length).toBe(PLAINTEXT.length);
  });

  test("members without a byte are left out", async () => {
    proxy.metadata = null;
    const sealed = value(await encrypted(PLAINTEXT, NONE));
    expect(lastBody()).not.toHaveProperty("additionalAuthenticatedData");
    value(await decrypted(sealed, NONE));
    expect(lastBody()).not.toHaveProperty("additionalAuthenticatedData");
    expect(lastBody()).not.toHaveProperty("ciphertextMetadata");
  });

  test.each([
    "ciphertext",
    "ciphertextMetadata",
    "initializationVector",
    "authenticationTag",
  ] as const)("a changed %s does not decrypt", async (member) => {
    const sealed = value(await encrypted());
    const changed = Uint8Array.from(sealed[member], (byte, at) => (at === 0 ? byte ^ 1 : byte));
    const result = await decrypted({ ...sealed, [member]: changed });
    expect(failure(result)).toBe("InvalidCiphertextException");
  });

  test("metadata does not pass for authenticated data", async () => {
    const sealed = value(await encrypted(PLAINTEXT, NONE));
    const moved = { ...sealed, ciphertextMetadata: NONE };
    const result = await decrypted(moved, sealed.ciphertextMetadata);
    expect(failure(result)).toBe("InvalidCiphertextException");
  });
});

describe("the signature", () => {
  const AUTHORIZATION =
    /^AWS4-HMAC-SHA256 Credential=HGIE2BUAFNDMBCMSQVWLGCEXAMPLE\/\d{8}\/us-east-1\/kms-xks-proxy\/aws4_request, SignedHeaders=host;x-amz-date, Signature=[0-9a-f]{64}$/;

  test("has the form of the specification", async () => {
    value(await health());
    expect(proxy.requests.at(-1)?.headers.authorization).toMatch(AUTHORIZATION);
  });

  test.each([
    ["another secret", { rawSecretAccessKey: "x".repeat(43) }],
    ["another access key", { accessKeyId: "A".repeat(20) }],
  ])("with %s is refused", async (_, other) => {
    const credential = { ...proxy.credential, ...other };
    const result = await health(clientOf(proxy, { credential }));
    expect(failure(result)).toBe("AuthenticationFailedException");
  });

  test("for another Region is refused", async () => {
    const result = await health(clientOf(proxy, { region: "eu-west-1" }));
    expect(failure(result)).toBe("AuthenticationFailedException");
  });

  test.each([
    [-290, "none"],
    [290, "none"],
    [-310, "AuthenticationFailedException"],
    [310, "AuthenticationFailedException"],
  ])("of a clock %i s off: %s", async (seconds, expected) => {
    const now = () => Date.now() + seconds * 1000;
    expect(failure(await health(clientOf(proxy, { now })))).toBe(expected);
  });

  const genuine: Transport = (url, init) => clientOf(proxy).transport(url, init);
  const onTheWay: Record<string, Transport> = {
    signature: (url, init) => {
      const authorization = (init.headers.authorization ?? "").replace(/.$/, (digit) =>
        digit === "0" ? "1" : "0",
      );
      return genuine(url, { ...init, headers: { ...init.headers, authorization } });
    },
    body: (url, init) => genuine(url, { ...init, body: init.body.replace("r-1", "r-2") }),
    path: (url, init) => genuine(url.replace("/health", "/keys/key-1/metadata"), init),
    date: (url, init) => {
      const date = init.headers["x-amz-date"] ?? "";
      const headers = { ...init.headers, "x-amz-date": date.replace(/.Z$/, "xZ") };
      return genuine(url, { ...init, headers });
    },
  };
  test.each(Object.keys(onTheWay))("does not survive a change of the %s", async (what) => {
    const changed = onTheWay[what] as Transport;
    const result = await health(clientOf(proxy, { transport: changed }));
    expect(failure(result)).toBe("AuthenticationFailedException");
  });
});

describe("a refusal by the proxy itself", () => {
  test("of an unknown key", async () => {
    expect(failure(await encrypted(PLAINTEXT, AAD, "key-2"))).toBe("KeyNotFoundException");
  });

  test("of a disabled key", async () => {
    proxy.keys.set("key-1", { ...newExternalKey(), keyStatus: "DISABLED" });
    expect(failure(await encrypted())).toBe("InvalidStateException");
    expect(value(await metadataOf()).keyStatus).toBe("DISABLED");
  });

  test("of a key that only decrypts", async () => {
    proxy.keys.set("key-1", { ...newExternalKey(), keyUsage: ["DECRYPT"] });
    expect(failure(await encrypted())).toBe("InvalidKeyUsageException");
  });

  test("of a path that is not its own", async () => {
    const client = clientOf(proxy, { uriPath: "/other/kms/xks/v1" });
    expect(failure(await health(client))).toBe("InvalidUriPathException");
  });

  test("of more than it takes", async () => {
    const result = await encrypted(new Uint8Array(4301));
    expect(failure(result)).toBe("UnsupportedOperationException");
  });
});

const refusals = [
  [400, "ValidationException"],
  [400, "InvalidStateException"],
  [400, "InvalidCiphertextException"],
  [400, "InvalidKeyUsageException"],
  [401, "AuthenticationFailedException"],
  [403, "AccessDeniedException"],
  [404, "KeyNotFoundException"],
  [404, "InvalidUriPathException"],
  [429, "ThrottlingException"],
  [500, "InternalException"],
  [501, "UnsupportedOperationException"],
  [503, "DependencyTimeoutException"],
] as const;

describe("errorName", () => {
  test.each(refusals)("%i %s", async (status, errorName) => {
    proxy.fault = refusal(status, errorName, "why");
    const failed = { ok: false, failure: { name: errorName, detail: "why" } };
    expect(await health()).toEqual(failed);
    expect(await metadataOf()).toEqual(failed);
    expect(await encrypted()).toEqual(failed);
  });

  test("decides, whatever the status", async () => {
    proxy.fault = refusal(500, "AccessDeniedException");
    expect(await encrypted()).toEqual({
      ok: false,
      failure: { name: "AccessDeniedException", detail: "" },
    });
  });

  test.each([
    ["a line feed and more\n\u{1f600}", "a line feed and more???"],
    ["x".repeat(600), "x".repeat(511)],
    [42, ""],
  ])("a message such as %j is made fit for a log", async (errorMessage, detail) => {
    proxy.fault = instead(500, JSON.stringify({ errorName: "InternalException", errorMessage }));
    expect(await health()).toEqual({ ok: false, failure: { name: "InternalException", detail } });
  });
});

const member = (name: string, ...values: readonly unknown[]) =>
  values.map((wrong): [string, Fault] => [
    `${name} ${JSON.stringify(wrong)?.slice(0, 40)}`,
    withMembers({ [name]: wrong }),
  ]);
const base64 = (length: number) => Buffer.alloc(length, 7).toString("base64");
const manager = { id: "1", model: "m", healthStatus: "ACTIVE" };
const notBase64 = ["", 5, null, undefined, "SGVsbG8", "SGVsbG8gV29ybGQ_", "SGVs bG8=", "===="];

describe("an answer that KMS cannot interpret", () => {
  const anyOperation: [string, Fault][] = [
    ["a refusal without a body", instead(500, "")],
    ["a refusal in HTML", instead(503, "<html>no</html>", { "content-type": "text/html" })],
    ["a refusal of no known name", refusal(400, "NoSuchException")],
    ["a refusal named as a member of all objects", refusal(400, "constructor")],
    ["a refusal without a name", instead(400, "{}")],
    ["a refusal whose name is no string", instead(400, '{"errorName":["InternalException"]}')],
    ["no JSON", instead(200, "OK")],
    ["half of its JSON", instead(200, '{"plaintext":')],
    ["JSON that is no object", instead(200, "[]")],
    ["JSON null", instead(200, "null")],
    [
      "bytes that are not UTF-8, where nobody looks",
      ({ status, body }) => ({
        status,
        body: Buffer.from(body.toString().replace("{", '{"more":"\xff",'), "latin1"),
      }),
    ],
    ["nothing at all", instead(200, "")],
    ["an empty object", instead(200, "{}")],
    ["another status than 200", (genuine) => ({ ...genuine, status: 201 })],
    ["a redirection", instead(302, "", { location: "https://elsewhere.example.com/" })],
    ["too much", (genuine) => ({ ...genuine, body: `${genuine.body}${" ".repeat(65_536)}` })],
  ];
  test.each(anyOperation)("%s", async (_, fault) => {
    proxy.fault = fault;
    expect(failure(await health())).toBe("InvalidResponse");
    expect(failure(await encrypted())).toBe("InvalidResponse");
  });

  test.each([
    ...member("xksProxyFleetSize", 0, -1, 1.5, "2", null, undefined, 1e300),
    ...member("xksProxyVendor", 1, null, undefined),
    ...member("xksProxyModel", undefined),
    ...member("ekmVendor", undefined),
    ...member("ekmFleetDetails", [], undefined, {}, Array(11).fill(manager), ["x"], [null]),
    ...member("ekmFleetDetails", [{ ...manager, id: 1 }], [{ ...manager, model: undefined }]),
    ...member("ekmFleetDetails", [{ ...manager, healthStatus: "active" }]),
  ])("GetHealthStatus: %s", async (_, fault) => {
    proxy.fault = fault;
    expect(failure(await health())).toBe("InvalidResponse");
  });

  test.each([
    ...member("keySpec", 256, undefined),
    ...member("keyUsage", "ENCRYPT", undefined, [1], Array(11).fill("ENCRYPT")),
    ...member("keyStatus", "enabled", "DESTROYED", undefined),
  ])("GetKeyMetadata: %s", async (_, fault) => {
    proxy.fault = fault;
    expect(failure(await metadataOf())).toBe("InvalidResponse");
  });

  test.each([
    ...member("ciphertext", ...notBase64, base64(11), base64(13)),
    ...member("initializationVector", ...notBase64, base64(11), base64(13), base64(17)),
    ...member("authenticationTag", ...notBase64, base64(15), base64(17)),
    ...member("ciphertextMetadata", ...notBase64.slice(1, 3), base64(21), base64(20)),
    ...member("ciphertextDataIntegrityValue", ...notBase64, base64(31), base64(32)),
  ])("Encrypt: %s", async (_, fault) => {
    proxy.fault = fault;
    expect(failure(await encrypted())).toBe("InvalidResponse");
  });

  test.each([
    ["ciphertext", [11, 13]],
    ["initializationVector", [0, 11, 13, 15, 17]],
    ["authenticationTag", [0, 12, 15, 17]],
    ["ciphertextMetadata", [21, 255]],
  ] as const)("Encrypt: a %s of a wrong length, vouched for", async (name, lengths) => {
    for (const length of lengths) {
      proxy.fault = resealed({ [name]: base64(length) }, AAD);
      expect(failure(await encrypted()), `${length}`).toBe("InvalidResponse");
    }
  });

  test("Encrypt: is none with right lengths, vouched for", async () => {
    for (const [name, length] of [
      ["ciphertext", 12],
      ["initializationVector", 16],
      ["authenticationTag", 16],
      ["ciphertextMetadata", 0],
      ["ciphertextMetadata", 20],
    ] as const) {
      proxy.fault = resealed({ [name]: base64(length) }, AAD);
      expect(value(await encrypted())[name].length).toBe(length);
    }
  });

  test.each(member("plaintext", ...notBase64, base64(11), base64(13)))(
    "Decrypt: %s",
    async (_, fault) => {
      const sealed = value(await encrypted());
      proxy.fault = fault;
      expect(failure(await decrypted(sealed))).toBe("InvalidResponse");
    },
  );

  test("is not one with more members than are known", async () => {
    proxy.fault = withMembers({ more: { of: "it" } });
    value(await health());
    value(await decrypted(value(await encrypted())));
  });
});

describe("no answer", () => {
  test.each([
    ["that never begins", silence],
    ["that never ends", stall],
  ])("in time: one %s", async (_, fault) => {
    proxy.fault = fault;
    expect(failure(await health(clientOf(proxy, { timeoutMs: 100 })))).toBe("TimedOut");
  });

  test("where the connection is cut", async () => {
    proxy.fault = hangUp;
    expect(failure(await health())).toBe("Unreachable");
  });

  test("where nothing listens", async () => {
    const gone = await startProxy();
    await gone.close();
    expect(failure(await health(clientOf(gone)))).toBe("Unreachable");
  });

  test("where the transport fails in a way of its own", async () => {
    const transport = () => Promise.reject(new Error("no network"));
    expect(await health(clientOf(proxy, { transport }))).toEqual({
      ok: false,
      failure: { name: "Unreachable", detail: "no network" },
    });
  });

  test("where a server does not speak TLS", async () => {
    const plain = createServer((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
    await new Promise<void>((listening) => plain.listen(0, "127.0.0.1", listening));
    const { port } = plain.address() as { port: number };
    const result = await health(clientOf({ ...proxy, port }));
    plain.close();
    expect(failure(result)).toBe("TlsFailed");
  });

  test.each([
    ["of another host", (host: string) => ({ certificate: "other.example.com", host })],
    ["that has expired", (host: string) => ({ certificate: host, host, validity: expired })],
  ])("where the certificate is one %s", async (_, of) => {
    const { host, certificate, validity } = { validity: undefined, ...of(proxy.host) };
    const other = await startProxy({
      host,
      certificate: (authority) => authority.issue(certificate, validity),
    });
    const result = await health(clientOf(other));
    await other.close();
    expect(failure(result)).toBe("TlsFailed");
  });

  test("where nobody vouches for the certificate", async () => {
    const other = await startProxy();
    const result = await health(clientOf({ ...other, authority: proxy.authority }));
    await other.close();
    expect(failure(result)).toBe("TlsFailed");
  });
});
