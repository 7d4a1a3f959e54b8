// Custom key stores through AWS's client against the server that `npm start` runs: a CloudHSM key store
// over the control API, and an external key store with a real proxy, which the server reaches through
// --xks-resolve and trusts through --xks-ca.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CreateCustomKeyStoreCommandInput, KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kms, moveClock, refuses, testAccount } from "../support/clients.ts";
import { type Server, startRaw } from "../support/servers.ts";
import { newExternalKey, startProxy, type TestProxy } from "../xks/support/proxy.ts";
import { created, described } from "./suite/stage.ts";

const REGION = "us-east-1";
const CLUSTER = "cluster-2a34b5cdefg";

const folder = mkdtempSync(join(tmpdir(), "edge-kms-stores-"));
const data = join(folder, "data");
let proxy: TestProxy;
let stranger: TestProxy;
let server: Server;
let us: KMS;

const hostsOf = (...proxies: TestProxy[]) =>
  proxies.map(({ host, address, port }) => `${host}=${address}:${port}`).join(",");

const start = () => {
  const xksCa = join(folder, "ca.pem");
  writeFileSync(xksCa, proxy.authority.pem);
  return startRaw({
    auth: "open",
    log: "request",
    movableClock: true,
    xksResolve: hostsOf(proxy, stranger),
    xksCa,
    xksTimeoutMs: 30_000,
    data,
  });
};

beforeAll(async () => {
  proxy = await startProxy();
  // Of another authority, which nobody has said to trust.
  stranger = await startProxy({ host: "stranger.example.com" });
  for (let n = 2; n < 9; n++) proxy.keys.set(`key-${n}`, newExternalKey());
  server = await start();
  us = kms(server.url, REGION);
});

afterAll(async () => {
  await server.stop();
  for (const one of [proxy, stranger]) await one.close();
  rmSync(folder, { recursive: true, force: true });
});

const settle = () => moveClock(server.url, "PT2S");

/** Says something of a cluster; the answer is what is known of it. */
async function say(facts: object, cluster = CLUSTER): Promise<unknown> {
  const url = `${server.url}/_edge-kms/clusters/${cluster}?account=${testAccount}&region=${REGION}`;
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(facts),
  });
  return response.json();
}

const stateOf = async (CustomKeyStoreId: string) => {
  const { CustomKeyStores } = await us.describeCustomKeyStores({ CustomKeyStoreId });
  const { ConnectionState, ConnectionErrorCode } = CustomKeyStores?.[0] ?? {};
  return ConnectionErrorCode ?? ConnectionState;
};

async function connected(CustomKeyStoreId: string): Promise<string> {
  await us.connectCustomKeyStore({ CustomKeyStoreId });
  await settle();
  return CustomKeyStoreId;
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** Encrypts and decrypts, and makes a data key. */
async function works(KeyId: string): Promise<void> {
  const { CiphertextBlob } = await us.encrypt({ KeyId, Plaintext: bytes("text") });
  const { Plaintext } = await us.decrypt({ CiphertextBlob });
  expect(Buffer.from(Plaintext ?? []).toString()).toBe("text");
  const dataKey = await us.generateDataKey({ KeyId, KeySpec: "AES_256" });
  const again = await us.decrypt({ CiphertextBlob: dataKey.CiphertextBlob });
  expect(again.Plaintext).toEqual(dataKey.Plaintext);
}

describe("a CloudHSM key store", () => {
  test("from its creation to its deletion", async () => {
    expect(await say({ password: "the-true-one", certificate: "CA" })).toEqual({
      id: CLUSTER,
      state: "ACTIVE",
      hsms: 2,
      certificate: "CA",
      backupOf: null,
      connectionError: null,
      failedLogins: 0,
      passwordSet: true,
    });
    const store = {
      CustomKeyStoreName: "hsm",
      CloudHsmClusterId: CLUSTER,
      KeyStorePassword: "wrong-one",
      TrustAnchorCertificate: "CA",
    };
    const wrong = us.createCustomKeyStore({ ...store, TrustAnchorCertificate: "other" });
    await refuses(wrong, "IncorrectTrustAnchorException");
    const { CustomKeyStoreId = "" } = await us.createCustomKeyStore(store);
    await connected(CustomKeyStoreId);
    expect(await stateOf(CustomKeyStoreId)).toBe("INVALID_CREDENTIALS");
    await us.disconnectCustomKeyStore({ CustomKeyStoreId });
    await settle();
    await us.updateCustomKeyStore({ CustomKeyStoreId, KeyStorePassword: "the-true-one" });
    await connected(CustomKeyStoreId);
    expect(await stateOf(CustomKeyStoreId)).toBe("CONNECTED");

    const KeyId = created(await us.createKey({ Origin: "AWS_CLOUDHSM", CustomKeyStoreId }));
    await works(KeyId);
    await us.disconnectCustomKeyStore({ CustomKeyStoreId });
    expect(await described(us, KeyId)).toMatchObject({
      KeyState: "Unavailable",
      CustomKeyStoreId,
      CloudHsmClusterId: CLUSTER,
    });
    const encrypt = us.encrypt({ KeyId, Plaintext: bytes("x") });
    await refuses(encrypt, "KMSInvalidStateException", / is unavailable\.$/);
    await settle();
    await connected(CustomKeyStoreId);
    await works(KeyId);
    const random = await us.generateRandom({ NumberOfBytes: 16, CustomKeyStoreId });
    expect(random.Plaintext).toHaveLength(16);

    await us.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    await us.disconnectCustomKeyStore({ CustomKeyStoreId });
    await settle();
    const remove = () => us.deleteCustomKeyStore({ CustomKeyStoreId });
    await refuses(remove(), "CustomKeyStoreHasCMKsException");
    await moveClock(server.url, "P7D");
    await remove();
    await refuses(stateOf(CustomKeyStoreId), "CustomKeyStoreNotFoundException");
  });

  test.each([
    ["cluster-1", {}],
    [CLUSTER, { state: "ON_FIRE" }],
    [CLUSTER, { hsms: -1 }],
    [CLUSTER, { password: "short" }],
    [CLUSTER, { connectionError: "XKS_PROXY_TIMED_OUT" }],
    [CLUSTER, { backupOf: CLUSTER }],
    [CLUSTER, { failedLogins: 3 }],
    [CLUSTER, []],
  ])("of %s nobody can say %j", async (cluster, facts) => {
    expect(await say(facts, cluster)).toEqual({ error: expect.any(String) });
  });
});

describe("an external key store", () => {
  const storeOf = (one: TestProxy): CreateCustomKeyStoreCommandInput => ({
    CustomKeyStoreName: one.host,
    CustomKeyStoreType: "EXTERNAL_KEY_STORE",
    XksProxyConnectivity: "PUBLIC_ENDPOINT",
    XksProxyUriEndpoint: `https://${one.host}`,
    XksProxyUriPath: one.uriPath,
    XksProxyAuthenticationCredential: {
      AccessKeyId: one.credential.accessKeyId,
      RawSecretAccessKey: one.credential.rawSecretAccessKey,
    },
  });
  let CustomKeyStoreId = "";
  let KeyId = "";
  let CiphertextBlob: Uint8Array | undefined;

  test("is made and connected, and its keys work", async () => {
    ({ CustomKeyStoreId = "" } = await us.createCustomKeyStore(storeOf(proxy)));
    await connected(CustomKeyStoreId);
    expect(await stateOf(CustomKeyStoreId)).toBe("CONNECTED");
    const Origin = "EXTERNAL_KEY_STORE";
    KeyId = created(await us.createKey({ Origin, CustomKeyStoreId, XksKeyId: "key-1" }));
    expect(await described(us, KeyId)).toMatchObject({ XksKeyConfiguration: { Id: "key-1" } });
    const taken = us.createKey({ Origin, CustomKeyStoreId, XksKeyId: "key-1" });
    await refuses(taken, "XksKeyAlreadyInUseException");
    await works(KeyId);
    ({ CiphertextBlob } = await us.encrypt({ KeyId, Plaintext: bytes("kept") }));
  });

  test("the proxy is told KMS's request ID", async () => {
    const { $metadata } = await us.encrypt({ KeyId, Plaintext: bytes("x") });
    const body = JSON.parse(proxy.requests.at(-1)?.body.toString() ?? "") as {
      requestMetadata: object;
    };
    expect(body.requestMetadata).toEqual({
      awsPrincipalArn: `arn:aws:iam::${testAccount}:root`,
      kmsKeyArn: `arn:aws:kms:${REGION}:${testAccount}:key/${KeyId}`,
      kmsOperation: "Encrypt",
      kmsRequestId: $metadata.requestId,
    });
  });

  test("survives a restart of the server, credential and all", async () => {
    await server.stop();
    server = await start();
    us = kms(server.url, REGION);
    const { Plaintext } = await us.decrypt({ CiphertextBlob });
    expect(Buffer.from(Plaintext ?? []).toString()).toBe("kept");
  });

  test("eight calls at once", async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, n) => us.encrypt({ KeyId, Plaintext: bytes(`${n}`) })),
    );
    const opened = await Promise.all(all.map((one) => us.decrypt(one)));
    expect(opened.map((one) => Buffer.from(one.Plaintext ?? []).toString())).toEqual(
      Array.from({ length: 8 }, (_, n) => `${n}`),
    );
  });

  test("one that nobody vouches for, and ones on this machine that are not listed", async () => {
    const failures = async (XksProxyUriEndpoint: string) =>
      refuses(
        us.createCustomKeyStore({
          ...storeOf(stranger),
          XksProxyUriEndpoint,
          CustomKeyStoreName: "none",
        }),
        "XksProxyUriUnreachableException",
      );
    await failures(`https://${stranger.host}`);
    expect(stranger.requests).toEqual([]);
    const names = ["localhost", "127.0.0.1", "2130706433", "a.localhost", "10.0.0.1"];
    for (const host of names) await failures(`https://${host}`);
    // The model's pattern leaves no room for a port.
    await refuses(
      us.createCustomKeyStore({
        ...storeOf(stranger),
        XksProxyUriEndpoint: "https://localhost:8443",
      }),
      "ValidationException",
    );
  });

  test("no secret is in the log, nor in an answer", async () => {
    const { rawSecretAccessKey } = proxy.credential;
    const shown = JSON.stringify(await us.describeCustomKeyStores({}));
    expect(shown).toContain(proxy.credential.accessKeyId);
    expect(shown).not.toContain(rawSecretAccessKey);
    // The line may come a moment after the answer that it is about.
    await expect.poll(server.output).toContain("TrentService.DescribeCustomKeyStores");
    expect(server.output()).not.toContain(rawSecretAccessKey);
  });
});

test("an authority that is none, and a host that is none, are refused at the start", async () => {
  const none = join(folder, "none.pem");
  writeFileSync(none, "no certificate");
  await expect(startRaw({ xksCa: none })).rejects.toThrow(
    `edge-kms: --xks-ca expects a file with certificates in PEM, not ${none}`,
  );
  await expect(startRaw({ xksResolve: "nonsense" })).rejects.toThrow(
    'edge-kms: XKS_RESOLVE expects HOST=ADDRESS:PORT, not "nonsense"',
  );
});
