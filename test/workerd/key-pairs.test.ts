// Key pairs as the objects get them: RSA's from the pool, which makes them in its own isolate here.

import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { fromBase64 } from "../../src/crypto/base64.ts";
import type { KeyPairSpec } from "../../src/crypto/key-pair.ts";
import { KeyPairPoolObject } from "../../src/index.ts";
import { keyPairSource } from "../../src/objects/key-pair-source.ts";
import { DEFAULT_GENERATION, keyPairPoolName } from "../../src/objects/names.ts";
import { Account, everythingIn, nothing, rowsOf, storedState, tenant } from "./account.ts";

const P = "us-east-1";
const RSA_KEY = { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" };

afterEach(() => void vi.restoreAllMocks());

const poolOf = (spec: string) =>
  env.KEY_PAIR_POOLS.getByName(keyPairPoolName(DEFAULT_GENERATION, spec));

/** Counts what is taken from pools. */
const watchPools = () => vi.spyOn(KeyPairPoolObject.prototype, "take");

/** What the pool answers when it has failed. */
const breakPools = () =>
  watchPools().mockImplementation(async () => ({ failure: "the source is broken" }));

const publicKey = async (account: Account, KeyId: string) =>
  (await account.call<{ PublicKey: string }>(P, "GetPublicKey", { KeyId })).PublicKey;

const dataKeyPair = (account: Account, KeyId: string, KeyPairSpec: string) =>
  account.call<{ PrivateKeyPlaintext: string; PublicKey: string }>(P, "GenerateDataKeyPair", {
    KeyId,
    KeyPairSpec,
  });

/** The bits of an RSA public key, and whether it verifies what the private key signs. */
async function examine(pair: { PrivateKeyPlaintext: string; PublicKey: string }) {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const { subtle } = crypto;
  const [signs, verifies] = await Promise.all([
    subtle.importKey("pkcs8", fromBase64(pair.PrivateKeyPlaintext), algorithm, false, ["sign"]),
    subtle.importKey("spki", fromBase64(pair.PublicKey), algorithm, false, ["verify"]),
  ]);
  const message = new TextEncoder().encode("message");
  const signature = await subtle.sign(algorithm, signs, message);
  return {
    bits: (verifies.algorithm as unknown as { modulusLength: number }).modulusLength,
    fits: await subtle.verify(algorithm, verifies, signature, message),
  };
}

describe("RSA key pairs", () => {
  test("of keys and data keys are from the pool of their spec, each a pair of its own", async () => {
    const account = new Account();
    const taken = watchPools();
    const keyIds = await Promise.all(
      Array.from({ length: 3 }, () => account.createKey(P, RSA_KEY)),
    );
    const symmetric = await account.createKey(P);
    const pairs = await Promise.all(
      Array.from({ length: 3 }, () => dataKeyPair(account, symmetric, "RSA_2048")),
    );
    expect(taken).toHaveBeenCalledTimes(6);
    for (const pair of pairs) expect(await examine(pair)).toEqual({ bits: 2048, fits: true });
    const publicKeys = await Promise.all(keyIds.map((KeyId) => publicKey(account, KeyId)));
    expect(new Set([...publicKeys, ...pairs.map((pair) => pair.PublicKey)]).size).toBe(6);
  });

  test.each(["RSA_3072", "RSA_4096"])("of %s have their size", async (spec) => {
    const account = new Account();
    const pair = await dataKeyPair(account, await account.createKey(P), spec);
    expect(await examine(pair)).toEqual({ bits: Number(spec.slice(4)), fits: true });
  });

  test("come from a pool that has been evicted, too", async () => {
    const account = new Account();
    const first = await publicKey(account, await account.createKey(P, RSA_KEY));
    await evictDurableObject(poolOf("RSA_2048"));
    expect(await publicKey(account, await account.createKey(P, RSA_KEY))).not.toBe(first);
  });

  test("are in no storage but that of the keys they were made for", async () => {
    const account = new Account();
    await account.createKey(P, RSA_KEY);
    expect(await everythingIn(poolOf("RSA_2048"))).toEqual(nothing);
  });
});

test("key pairs that are quickly made are made where they are used", async () => {
  const account = new Account();
  const taken = watchPools();
  await account.createKey(P, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
  await account.createKey(P, { KeySpec: "ML_DSA_44", KeyUsage: "SIGN_VERIFY" });
  const symmetric = await account.createKey(P);
  for (const spec of ["ECC_NIST_P521", "ECC_NIST_EDWARDS25519", "ML_KEM_768"]) {
    await dataKeyPair(account, symmetric, spec);
  }
  expect(taken).not.toHaveBeenCalled();
});

describe("a pool that fails", () => {
  test("fails the request, in one line of the log, and leaves no key; the next one works", async () => {
    const account = new Account();
    const pools = breakPools();
    const logged = vi.spyOn(console, "log").mockImplementation(() => {});
    const { status, text, requestId } = await account.send(P, "CreateKey", RSA_KEY);
    expect([status, JSON.parse(text)]).toEqual([
      500,
      { __type: "KMSInternalException", message: `Internal failure. Request ID: ${requestId}` },
    ]);
    expect(logged).toHaveBeenCalledTimes(1);
    const line = JSON.parse(String(logged.mock.calls[0]?.[0]));
    expect(line).toEqual({ requestId, failure: expect.stringContaining("the source is broken") });
    expect(await account.listKeys(P)).toEqual([]);
    pools.mockRestore();
    expect(await account.listKeys(P)).toEqual([]);
    const KeyId = await account.createKey(P, RSA_KEY);
    expect(await account.listKeys(P)).toEqual([KeyId]);
  });

  test("fails data key pairs alone, not the key they are encrypted with", async () => {
    const account = new Account();
    const KeyId = await account.createKey(P);
    breakPools();
    vi.spyOn(console, "log").mockImplementation(() => {});
    const input = { KeyId, KeyPairSpec: "RSA_2048" };
    expect(await account.refusal(P, "GenerateDataKeyPair", input)).toBe("KMSInternalException");
    expect(await account.decrypt(P, await account.encrypt(P, KeyId))).toBe("text");
  });
});

describe("CreateKey that is refused", () => {
  test.each([
    ["MalformedPolicyDocumentException", { Policy: "{}" }],
    ["TagException", { Tags: [{ TagKey: "aws:a", TagValue: "b" }] }],
    ["ValidationException", { KeyUsage: "GENERATE_VERIFY_MAC" }],
    ["UnsupportedOperationException", { Origin: "AWS_CLOUDHSM" }],
  ])("with %s takes no pair and is known nowhere", async (exception, input) => {
    const account = new Account();
    const taken = watchPools();
    expect(await account.refusal(P, "CreateKey", { ...RSA_KEY, ...input })).toBe(exception);
    expect(taken).not.toHaveBeenCalled();
    expect(await everythingIn(account.directory(P))).toEqual(nothing);
    const known = await rowsOf<{ accountId: string }>(tenant(), "directory");
    expect(known.filter(({ accountId }) => accountId === account.id)).toEqual([]);
  });
});

test("a key set that is there is not made anew", async () => {
  const account = new Account();
  const keyId = await account.createKey(P);
  const before = await everythingIn(account.keySet(keyId));
  const reply = await account.keySet(keyId).perform({
    operation: "CreateKey",
    input: {},
    caller: { accountId: account.id, region: P },
    accountId: account.id,
    keyId,
  });
  expect(reply).toEqual({ failure: expect.stringContaining("Invariant broken: no key set has") });
  expect(await everythingIn(account.keySet(keyId))).toEqual(before);
  expect(await storedState(account.keySet(keyId), P)).toBe("Enabled");
});

describe("the launcher's pairs", () => {
  const SPEC: KeyPairSpec = "RSA_3072";
  const answering = (answer: () => Response | Promise<Response>) => {
    const asked: string[] = [];
    const fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
      asked.push(`${init?.method} ${String(input)}`);
      return answer();
    };
    return { asked, source: keyPairSource(SPEC, { fetch } as Fetcher) };
  };

  test("are asked for by the size of the modulus, and read from base64", async () => {
    const { asked, source } = answering(() =>
      Response.json({ privateKey: "AQI=", publicKey: "AwQ=" }),
    );
    expect(await source.make()).toEqual({
      privateKey: new Uint8Array([1, 2]),
      publicKey: new Uint8Array([3, 4]),
    });
    expect(asked).toEqual(["POST http://launcher/rsa/3072"]);
  });

  test.each([
    ["it cannot be reached", () => Promise.reject(new Error("no connection")), "no connection"],
    [
      "it answers with an error",
      () => new Response("secret", { status: 500 }),
      "the launcher answers 500, without a key pair",
    ],
    [
      "its answer is cut off",
      () => new Response('{"privateKey":"secret'),
      "the launcher answers 200, without a key pair",
    ],
  ])("fail where %s, and what it said is told to nobody", async (_case, answer, message) => {
    await expect(answering(answer).source.make()).rejects.toThrow(new Error(message));
  });
});
