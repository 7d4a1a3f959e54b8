import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ciphertextHeader, ciphertextOrigin } from "../../src/crypto/ciphertext-blob.ts";
import {
  decodeOuter,
  encodeOuter,
  innerBlob,
  innerCiphertext,
  proxyAuthenticatedData,
} from "../../src/xks/double-encryption.ts";
import { decrypt, encrypt, type ProxyResult } from "../../src/xks/proxy-client.ts";
import { clientOf, requestFor } from "./support/clients.ts";
import { startProxy, type TestProxy } from "./support/proxy.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const origin = {
  accountId: "111122223333",
  keyId: "1234abcd-12ab-34cd-56ef-1234567890ab",
  keyMaterialId: "0123456789abcdef".repeat(4),
};
const header = ciphertextHeader(origin);

const bytes = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => new Uint8Array(array));
const outer = fc.record({
  initializationVector: fc.oneof(bytes(12), bytes(16)),
  ciphertextMetadata: bytes(0, 20),
  authenticationTag: bytes(16),
  ciphertext: bytes(29, 200),
});

describe("the caller's ciphertext", () => {
  test("is what was put together", () => {
    fc.assert(
      fc.property(outer, (sealed) => {
        const blob = encodeOuter(header, sealed);
        expect(decodeOuter(blob)).toEqual({ header, outer: sealed });
        expect(ciphertextOrigin(blob)).toEqual(origin);
      }),
    );
  });

  test("has this layout", () => {
    const filled = (length: number, byte: number) => new Uint8Array(length).fill(byte);
    const blob = encodeOuter(header, {
      initializationVector: filled(12, 1),
      ciphertextMetadata: filled(3, 2),
      authenticationTag: filled(16, 3),
      ciphertext: filled(29, 4),
    });
    expect(Buffer.from(blob.subarray(64)).toString("hex")).toBe(
      `010c03${"01".repeat(12)}${"02".repeat(3)}${"03".repeat(16)}${"04".repeat(29)}`,
    );
  });

  test("fits the 6,144 bytes of CiphertextBlob at its longest", () => {
    const blob = encodeOuter(header, {
      initializationVector: new Uint8Array(16),
      ciphertextMetadata: new Uint8Array(20),
      authenticationTag: new Uint8Array(16),
      ciphertext: new Uint8Array(28 + 4096),
    });
    expect(blob.length).toBe(4243);
  });

  test("is nothing when it is too short, at any length", () => {
    const blob = encodeOuter(header, {
      initializationVector: new Uint8Array(16),
      ciphertextMetadata: new Uint8Array(20),
      authenticationTag: new Uint8Array(16),
      ciphertext: new Uint8Array(29),
    });
    for (let length = 0; length < blob.length; length++) {
      expect(decodeOuter(blob.subarray(0, length))).toBeNull();
    }
  });

  test.each([
    ["another form", 64, 2],
    ["an IV of 13 bytes", 65, 13],
    ["an IV of no bytes", 65, 0],
    ["21 bytes of metadata", 66, 21],
  ])("is nothing with %s", (_, at, byte) => {
    const blob = new Uint8Array(300);
    blob.set([1, 12, 0], 64);
    expect(decodeOuter(blob)).not.toBeNull();
    blob[at] = byte;
    expect(decodeOuter(blob)).toBeNull();
  });
});

test("KMS's own ciphertext comes apart and together", () => {
  fc.assert(
    fc.property(bytes(93, 300), (blob) => {
      const parts = innerCiphertext(blob);
      expect(parts.header.length).toBe(64);
      expect(innerBlob(parts)).toEqual(blob);
    }),
  );
});

describe("what the proxy authenticates", () => {
  const text = (context: Record<string, string> | undefined) =>
    Buffer.from(proxyAuthenticatedData(header, context).subarray(64)).toString();

  test("begins with the header", () => {
    expect(proxyAuthenticatedData(header, { a: "b" }).subarray(0, 64)).toEqual(header);
  });

  test.each([
    [undefined, ""],
    [{}, ""],
    [{ b: "2", a: "1" }, '[["a","1"],["b","2"]]'],
    [{ 'a"': "\n" }, String.raw`[["a\"","\n"]]`],
    [{ schlüssel: "🔑" }, '[["schlüssel","🔑"]]'],
  ])("of the context %j", (context, expected) => {
    expect(text(context)).toBe(expected);
  });

  test("does not depend on the order of the context, and tells any two apart", () => {
    const contexts = fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 });
    fc.assert(
      fc.property(contexts, contexts, (a, b) => {
        const sorted = (context: object) => JSON.stringify(Object.entries(context).sort());
        expect(text(a) === text(b)).toBe(sorted(a) === sorted(b));
      }),
    );
  });

  test("is no longer than a proxy must take", () => {
    const room = 8192 - 64 - '[["a",""]]'.length;
    expect(text({ a: "x".repeat(room) }).length).toBe(8192 - 64);
    expect(text({ a: "x".repeat(room + 1) })).toBe("");
  });
});

describe("both encryptions, with a proxy", () => {
  let proxy: TestProxy;
  beforeAll(async () => {
    proxy = await startProxy();
  });
  afterAll(() => proxy.close());

  const material = randomBytes(32);
  const value = <T>(result: ProxyResult<T>): T => {
    expect(result).toMatchObject({ ok: true });
    return (result as { value: T }).value;
  };

  /** KMS's own layer: header, IV, ciphertext, tag. */
  function encryptedByKms(plaintext: Uint8Array): Bytes {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", material, iv).setAAD(header);
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return new Uint8Array(Buffer.concat([header, iv, sealed, cipher.getAuthTag()]));
  }

  function decryptedByKms(blob: Bytes): Buffer {
    const decipher = createDecipheriv("aes-256-gcm", material, blob.subarray(64, 76));
    decipher.setAAD(blob.subarray(0, 64)).setAuthTag(blob.subarray(-16));
    return Buffer.concat([decipher.update(blob.subarray(76, -16)), decipher.final()]);
  }

  test.each([1, 32, 4096])("%i bytes go there and back", async (length) => {
    const plaintext = randomBytes(length);
    const inner = innerCiphertext(encryptedByKms(plaintext));
    const aad = proxyAuthenticatedData(inner.header, { purpose: "test" });
    const client = clientOf(proxy);
    const sealed = await encrypt(client, "key-1", requestFor("Encrypt"), inner.sealed, aad);
    const blob = encodeOuter(inner.header, value(sealed));

    const decoded = decodeOuter(blob);
    if (!decoded) throw new Error("not a ciphertext");
    const again = proxyAuthenticatedData(decoded.header, { purpose: "test" });
    const opened = value(
      await decrypt(client, "key-1", requestFor("Decrypt"), decoded.outer, again),
    );
    const kmsBlob = innerBlob({ header: decoded.header, sealed: opened });
    expect(decryptedByKms(kmsBlob)).toEqual(plaintext);
  });

  test("the proxy never sees the plaintext, nor its key the header", async () => {
    proxy.requests.length = 0;
    const plaintext = Buffer.from("a plaintext that is easy to find, wherever it may be");
    const inner = innerCiphertext(encryptedByKms(plaintext));
    const aad = proxyAuthenticatedData(inner.header, undefined);
    await encrypt(clientOf(proxy), "key-1", requestFor("Encrypt"), inner.sealed, aad);
    const body = JSON.parse(proxy.requests[0]?.body.toString() ?? "null");
    const seen = Buffer.from(body.plaintext, "base64");
    expect(seen.length).toBe(plaintext.length + 28);
    expect(seen.includes(plaintext.subarray(0, 8))).toBe(false);
  });
});
