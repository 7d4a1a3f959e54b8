// Request bodies that nobody's SDK sends: each is refused as what it is, none is a failure.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startRaw } from "../support/servers.ts";
import { caller, exchange, refused } from "./wire.ts";

const missing = "1234abcd-12ab-34cd-56ef-1234567890ab";
const MAX_BODY_BYTES = 1024 * 1024;

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

const serialization = expect.objectContaining({ status: 400, __type: "SerializationException" });

test("an empty one counts as {}", async () => {
  expect((await call("ListKeys", "")).status).toBe(200);
});

test("what is no JSON object", async () => {
  const broken = ["{", "}", "{'a':1}", '{"a":1}x', "nul", '{"a":\n"b', "\u0000", "{}{}", " "];
  for (const body of [...broken, "[]", '"text"', "1", "null", "true", "[{}]"]) {
    expect({ body, ...refused(await call("ListKeys", body)) }).toEqual(
      expect.objectContaining({ body, status: 400, __type: "SerializationException" }),
    );
  }
});

test("wrong JSON types", async () => {
  for (const [operation, body] of [
    ["DescribeKey", { KeyId: 1 }],
    ["DescribeKey", { KeyId: ["x"] }],
    ["DescribeKey", { KeyId: { a: "x" } }],
    ["DescribeKey", { KeyId: missing, GrantTokens: "x" }],
    ["DescribeKey", { KeyId: missing, GrantTokens: [1] }],
    ["DescribeKey", { KeyId: missing, GrantTokens: [null] }],
    ["CreateKey", { MultiRegion: "true" }],
    ["CreateKey", { MultiRegion: 1 }],
    ["CreateKey", { Tags: {} }],
    ["CreateKey", { Tags: ["x"] }],
    ["CreateKey", { Tags: [null] }],
    ["CreateKey", { Tags: [{ TagKey: 1, TagValue: "x" }] }],
    ["Encrypt", { KeyId: missing, Plaintext: "eA==", EncryptionContext: [] }],
    ["Encrypt", { KeyId: missing, Plaintext: "eA==", EncryptionContext: { a: 1 } }],
    ["Encrypt", { KeyId: missing, Plaintext: "eA==", EncryptionContext: { a: null } }],
    ["Encrypt", { KeyId: missing, Plaintext: [1, 2, 3] }],
    ["GenerateRandom", { NumberOfBytes: "16" }],
    ["GenerateRandom", { NumberOfBytes: 1.5 }],
    ["GenerateRandom", { NumberOfBytes: true }],
  ] as const) {
    expect(refused(await call(operation, body))).toEqual(serialization);
  }
});

test("bad base64", async () => {
  for (const Plaintext of [
    "x",
    "eA=",
    "eA",
    "e A=",
    "eA==\n",
    "_-8=",
    "é===",
    "====",
    "eA==eA==",
  ]) {
    expect(refused(await call("Encrypt", { KeyId: missing, Plaintext }))).toEqual(serialization);
  }
});

test("huge, tiny and odd numbers", async () => {
  for (const number of ["1e400", "-1e400", "1.0000001", "1e-400000", "9".repeat(400)]) {
    const { status } = await call("GenerateRandom", `{"NumberOfBytes":${number}}`);
    expect({ number, status }).toEqual({ number, status: 400 });
  }
  for (const number of ["9007199254740993", "-1", "-0", "1e3000", "4294967297"]) {
    const { status } = await call("ListKeys", `{"Limit":${number}}`);
    expect({ number, status }).toEqual({ number, status: 400 });
  }
  expect((await call("GenerateRandom", '{"NumberOfBytes":1.6e1}')).status).toBe(200);
});

test("at most 64 levels deep", async () => {
  const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  // The object around it is a level too.
  expect((await call("ListKeys", `{"a":${nested(63)}}`)).status).toBe(200);
  expect(refused(await call("ListKeys", `{"a":${nested(64)}}`))).toEqual(serialization);
  expect(refused(await call("ListKeys", `{"a":${nested(100_000)}}`))).toEqual(serialization);
  expect(refused(await call("ListKeys", "[".repeat(500_000)))).toEqual(serialization);
  const objects = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
  expect(refused(await call("ListKeys", objects))).toEqual(serialization);
});

test("at most 1 MiB long, told or found out", async () => {
  const padded = (length: number) => `{"a":"${"x".repeat(length - 8)}"}`;
  const tooLarge = { status: 413, __type: "RequestEntityTooLargeException" };
  const full = new TextEncoder().encode(padded(MAX_BODY_BYTES));
  const over = new TextEncoder().encode(padded(MAX_BODY_BYTES + 1));
  for (const bytes of [full, chunked(full)]) {
    expect((await call("ListKeys", bytes)).status).toBe(200);
  }
  for (const bytes of [over, chunked(over), new Uint8Array(2 * MAX_BODY_BYTES)]) {
    expect(refused(await call("ListKeys", bytes))).toMatchObject(tooLarge);
  }
  // Far too long a body is not read to its end: the client may find the connection closed.
  const answer = await call("ListKeys", new Uint8Array(20 * MAX_BODY_BYTES)).catch(() => null);
  if (answer) expect(refused(answer)).toMatchObject(tooLarge);
  expect((await call("ListKeys")).status).toBe(200);
});

test("text in chunks that split a character", async () => {
  const body = new TextEncoder().encode('{"Description":"größer: 🔑"}');
  const { json } = await call("CreateKey", chunked(body, 1));
  expect(json).toMatchObject({ KeyMetadata: { Description: "größer: 🔑" } });
});

test("what is no UTF-8, and what is no text", async () => {
  const head = [...new TextEncoder().encode('{"Description":"')];
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]) {
    const body = Uint8Array.from([...head, ...bytes, 0x22, 0x7d]);
    for (const sent of [body, chunked(body)]) {
      expect([200, 400]).toContain((await call("CreateKey", sent)).status);
    }
  }
  for (const text of ["\\u0000", "\\ud800", "\\udc00\\ud800", "\\u202e", "\\uffff"]) {
    const { status } = await call("CreateKey", `{"Description":"${text}"}`);
    expect([200, 400]).toContain(status);
    expect((await call("DescribeKey", `{"KeyId":"alias/${text}"}`)).status).toBe(400);
  }
});

test("members that objects have by themselves", async () => {
  const proto = `{"__proto__":{"KeyId":"${missing}"},"constructor":1,"toString":null}`;
  expect(refused(await call("DescribeKey", proto))).toMatchObject({
    __type: "ValidationException",
  });
  expect((await call("ListKeys", '{"__proto__":null,"hasOwnProperty":1}')).status).toBe(200);
  const KeyId = await createdKey();
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", ""]) {
    const context = `"EncryptionContext":{${JSON.stringify(name)}:"x","a":"b"}`;
    const { json } = await call("Encrypt", `{"KeyId":"${KeyId}","Plaintext":"eA==",${context}}`);
    const blob = `"CiphertextBlob":"${(json as { CiphertextBlob: string }).CiphertextBlob}"`;
    expect({ name, ...refused(await call("Decrypt", `{${blob},${context}}`)) }).toMatchObject({
      name,
      status: 200,
      Plaintext: "eA==",
    });
    const without = '"EncryptionContext":{"a":"b"}';
    expect({ name, ...refused(await call("Decrypt", `{${blob},${without}}`)) }).toEqual({
      name,
      status: 400,
      __type: "InvalidCiphertextException",
    });
  }
});

test("a member given twice counts once", async () => {
  const { status } = await call("DescribeKey", `{"KeyId":1,"KeyId":"${missing}"}`);
  expect(status).toBe(400);
});

test("bodies that break off, and lengths that are none", async () => {
  const url = server?.url ?? "";
  const head = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: TrentService.ListKeys\r\n";
  const broken = await exchange(url, `${head}Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n`);
  expect(broken).toMatch(/^HTTP\/1.1 400 .*"__type":"SerializationException"/s);
  // Nobody is there any more to be answered; that it is no failure shows in the output.
  await exchange(url, `${head}Content-Length: 20\r\n\r\n{}`);
  for (const length of ["-5", "0x2", "2, 3", "99999999999999999999", ""]) {
    const answer = await exchange(url, `${head}Content-Length: ${length}\r\n\r\n{}`);
    expect({ length, answer }).toMatchObject({ answer: expect.stringMatching(/^HTTP\/1.1 400 /) });
  }
  const waiting = `${head}Expect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`;
  expect(await exchange(url, waiting)).toMatch(/^HTTP\/1.1 100 .*HTTP\/1.1 200 /s);
});

test("documents inside of members", async () => {
  const KeyId = await createdKey();
  for (const Policy of [
    "[".repeat(30_000),
    `${'{"a":'.repeat(6000)}1${"}".repeat(6000)}`,
    '{"__proto__":{"Statement":[]}}',
    '{"Statement":1e400}',
    "null",
    "\u0001",
    "x".repeat(131_072),
    "x".repeat(131_073),
  ]) {
    const { status, json } = await call("PutKeyPolicy", { KeyId, Policy });
    expect({ Policy: Policy.slice(0, 20), status, json }).toMatchObject({ status: 400 });
  }
});

async function createdKey(): Promise<string> {
  const { json } = await call("CreateKey");
  return (json as { KeyMetadata: { KeyId: string } }).KeyMetadata.KeyId;
}

/** The bytes as a body of unknown length. */
function chunked(bytes: Uint8Array, size = 100_000): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(sent, sent + size));
      sent += size;
    },
  });
}
