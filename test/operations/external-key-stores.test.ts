// External key stores with a real proxy behind them, over HTTPS. Expectations are typed from the API
// reference and from the guide, https://docs.aws.amazon.com/kms/latest/developerguide/keystore-external.html.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sayOfBacking } from "../../src/objects/key-store-backing.ts";
import { resolveTable } from "../../src/xks/endpoint.ts";
import { proxiesBy } from "../../src/xks/proxies.ts";
import { base64, DAY, outcome, World } from "../support/core.ts";
import { type Fault, hangUp, refusal as refusedBy, silence } from "../xks/support/faults.ts";
import { nodeTransport } from "../xks/support/node-transport.ts";
import { healthy, newExternalKey, startProxy, type TestProxy } from "../xks/support/proxy.ts";

const HOME = "us-east-1";
const SERVICE = "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0";
const OTHER_SERVICE = "com.amazonaws.vpce.us-east-1.vpce-svc-0fedcba9876543210";

interface ListEntry {
  readonly ConnectionState: string;
  readonly ConnectionErrorCode?: string;
  readonly XksProxyConfiguration: object;
}

let proxy: TestProxy;
let world: World;

beforeAll(async () => {
  proxy = await startProxy();
});

afterAll(() => proxy.close());

beforeEach(() => {
  world = new World();
  proxy.keys.clear();
  for (const id of ["key-1", "key-2"]) proxy.keys.set(id, newExternalKey());
  proxy.health = healthy();
  proxy.fault = null;
  proxy.requests.length = 0;
  world.proxies = patient();
});

/** The way to the proxy; by `timeoutMs` long enough for the busiest machine. */
const patient = (timeoutMs = 30_000) =>
  proxiesBy({
    transport: nodeTransport({ ...proxy, ca: proxy.authority.pem }),
    listed: resolveTable([`${proxy.host}=${proxy.address}:${proxy.port}`]),
    now: Date.now,
    timeoutMs,
  });

const call = <T = unknown>(operation: string, input: object = {}) =>
  world.call<T>(HOME, operation, input);

const refusal = async (answer: Promise<unknown>) => (await outcome(answer)).split(":")[0];

const credential = () => ({
  AccessKeyId: proxy.credential.accessKeyId,
  RawSecretAccessKey: proxy.credential.rawSecretAccessKey,
});

const properties = () => ({
  CustomKeyStoreName: "store",
  CustomKeyStoreType: "EXTERNAL_KEY_STORE",
  XksProxyConnectivity: "PUBLIC_ENDPOINT",
  XksProxyUriEndpoint: `https://${proxy.host}`,
  XksProxyUriPath: proxy.uriPath,
  XksProxyAuthenticationCredential: credential(),
});

const vpc = (service = SERVICE) => ({
  XksProxyConnectivity: "VPC_ENDPOINT_SERVICE",
  XksProxyVpcEndpointServiceName: service,
});

const create = async (more: object = {}) =>
  (await call<{ CustomKeyStoreId: string }>("CreateCustomKeyStore", { ...properties(), ...more }))
    .CustomKeyStoreId;

const on = (operation: string, CustomKeyStoreId: string, more: object = {}) =>
  call(operation, { CustomKeyStoreId, ...more });

async function describeOne(CustomKeyStoreId: string): Promise<ListEntry> {
  const answer = await call<{ CustomKeyStores: ListEntry[] }>("DescribeCustomKeyStores", {
    CustomKeyStoreId,
  });
  return answer.CustomKeyStores[0] as ListEntry;
}

async function connect(id: string): Promise<ListEntry> {
  await on("ConnectCustomKeyStore", id);
  world.pass(world.connectingMs);
  return describeOne(id);
}

async function disconnect(id: string): Promise<void> {
  await on("DisconnectCustomKeyStore", id);
  world.pass(world.connectingMs);
}

async function connected(more: object = {}): Promise<string> {
  const id = await create(more);
  expect(await connect(id)).toMatchObject({ ConnectionState: "CONNECTED" });
  return id;
}

const createKey = (CustomKeyStoreId: string, XksKeyId = "key-1", more: object = {}) =>
  world.createKey(HOME, { Origin: "EXTERNAL_KEY_STORE", CustomKeyStoreId, XksKeyId, ...more });

/** The paths below the proxy's own that were called, and what KMS said it was doing. */
const asked = () =>
  proxy.requests.map(({ path, body }) => {
    const { requestMetadata } = JSON.parse(body.toString()) as {
      requestMetadata: { kmsOperation: string };
    };
    return `${path.slice(proxy.uriPath.length)} ${requestMetadata.kmsOperation}`;
  });

const named = (status: number, errorName: string): Fault =>
  refusedBy(status, errorName, "secret words");

const faulty = (fault: Fault) => () => {
  proxy.fault = fault;
};

const unhealthy = () => {
  for (const manager of proxy.health.ekmFleetDetails) manager.healthStatus = "UNAVAILABLE";
};

describe("CreateCustomKeyStore", () => {
  test("asks a public proxy for its health, and shows its configuration without the secret", async () => {
    const id = await create();
    expect(asked()).toEqual(["/health CreateCustomKeyStore"]);
    const entry = await describeOne(id);
    expect(entry).toEqual({
      CustomKeyStoreId: id,
      CustomKeyStoreName: "store",
      ConnectionState: "DISCONNECTED",
      CreationDate: world.now / 1000,
      CustomKeyStoreType: "EXTERNAL_KEY_STORE",
      XksProxyConfiguration: {
        Connectivity: "PUBLIC_ENDPOINT",
        AccessKeyId: proxy.credential.accessKeyId,
        UriEndpoint: `https://${proxy.host}`,
        UriPath: proxy.uriPath,
      },
    });
    expect(JSON.stringify(entry)).not.toContain(proxy.credential.rawSecretAccessKey);
  });

  test("does not call a proxy behind a VPC endpoint service yet", async () => {
    proxy.fault = hangUp;
    const id = await create(vpc());
    expect(asked()).toEqual([]);
    expect((await describeOne(id)).XksProxyConfiguration).toEqual({
      Connectivity: "VPC_ENDPOINT_SERVICE",
      AccessKeyId: proxy.credential.accessKeyId,
      UriEndpoint: `https://${proxy.host}`,
      UriPath: proxy.uriPath,
      VpcEndpointServiceName: SERVICE,
      VpcEndpointServiceOwner: "111122223333",
    });
  });

  test.each<[string, () => void, object]>([
    [
      "XksProxyIncorrectAuthenticationCredentialException",
      () => {},
      {
        XksProxyAuthenticationCredential: {
          AccessKeyId: "A".repeat(20),
          RawSecretAccessKey: "s".repeat(43),
        },
      },
    ],
    ["XksProxyInvalidConfigurationException", () => {}, { XksProxyUriPath: "/no/such/kms/xks/v1" }],
    [
      "XksProxyInvalidResponseException",
      () => Object.assign(proxy.health, { xksProxyFleetSize: 0 }),
      {},
    ],
    ["XksProxyUriUnreachableException", unhealthy, {}],
    ["XksProxyUriUnreachableException", faulty(hangUp), {}],
    [
      "XksProxyUriUnreachableException",
      () => {
        proxy.fault = silence;
        world.proxies = patient(100);
      },
      {},
    ],
    ["XksProxyUriUnreachableException", () => {}, { XksProxyUriEndpoint: "https://localhost" }],
    ["XksProxyUriUnreachableException", () => {}, { XksProxyUriEndpoint: "https://127.0.0.1" }],
    ["XksProxyUriUnreachableException", () => {}, { XksProxyUriEndpoint: "https://10.0.0.1" }],
    ["XksProxyUriUnreachableException", () => {}, { XksProxyUriEndpoint: "https://a.internal" }],
    ["ValidationException", () => {}, { XksProxyUriEndpoint: undefined }],
    ["ValidationException", () => {}, { XksProxyUriPath: undefined }],
    ["ValidationException", () => {}, { XksProxyConnectivity: undefined }],
    ["ValidationException", () => {}, { XksProxyAuthenticationCredential: undefined }],
    ["ValidationException", () => {}, { XksProxyVpcEndpointServiceName: SERVICE }],
    ["ValidationException", () => {}, { XksProxyVpcEndpointServiceOwner: "111122223333" }],
    ["ValidationException", () => {}, { XksProxyConnectivity: "VPC_ENDPOINT_SERVICE" }],
    ["ValidationException", () => {}, { CloudHsmClusterId: "cluster-2a34b5cdefg" }],
    ["ValidationException", () => {}, { KeyStorePassword: "password" }],
  ])("%s", async (name, prepare, more) => {
    prepare();
    expect(await refusal(create(more))).toBe(name);
    expect(await call("DescribeCustomKeyStores")).toMatchObject({ CustomKeyStores: [] });
  });

  test("a refusal says nothing of the proxy's words", async () => {
    proxy.fault = named(500, "InternalException");
    expect(await outcome(create())).toMatch(
      /^XksProxyInvalidResponseException: The external key store proxy rejected the request because it cannot communicate with the external key manager\./,
    );
    expect(await outcome(create())).not.toContain("secret words");
  });

  const HOST = { XksProxyUriEndpoint: "https://other.example.com" };
  const PATH = { XksProxyUriPath: "/other/kms/xks/v1" };

  test.each<[string, object, object]>([
    ["XksProxyUriInUseException", vpc(), vpc(OTHER_SERVICE)],
    ["XksProxyUriEndpointInUseException", vpc(), { ...vpc(OTHER_SERVICE), ...PATH }],
    ["XksProxyUriEndpointInUseException", {}, { ...vpc(), ...PATH }],
    ["XksProxyVpcEndpointServiceInUseException", vpc(), { ...vpc(), ...HOST }],
    ["ok", vpc(), { ...vpc(OTHER_SERVICE), ...HOST }],
    [
      "XksProxyVpcEndpointServiceNotFoundException",
      vpc(),
      { ...vpc("com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"), ...HOST },
    ],
  ])("%s for a second store", async (name, first, second) => {
    await create(first);
    expect(await refusal(create({ CustomKeyStoreName: "second", ...second }))).toBe(name);
  });

  test("XksProxyUriInUseException however the host is spelled; public endpoints may share one", async () => {
    await create();
    const second = { CustomKeyStoreName: "second" };
    const shouted = { XksProxyUriEndpoint: `https://${proxy.host.toUpperCase()}` };
    expect(await refusal(create({ ...second, ...shouted }))).toBe("XksProxyUriInUseException");
    // Another path of the same proxy is asked, which has nothing there.
    expect(await refusal(create({ ...second, ...PATH }))).toBe(
      "XksProxyInvalidConfigurationException",
    );
  });

  test.each([
    ["NOT_FOUND", "XksProxyVpcEndpointServiceNotFoundException"],
    ["INVALID_CONFIGURATION", "XksProxyVpcEndpointServiceInvalidConfigurationException"],
  ] as const)("a VPC endpoint service that is %s: %s", async (state, name) => {
    const said = { kind: "endpointService", id: SERVICE, facts: { state } } as const;
    sayOfBacking(said, world.keyStores(HOME));
    expect(await refusal(create(vpc()))).toBe(name);
  });
});

describe("ConnectCustomKeyStore", () => {
  test("asks the proxy for its health, of either connectivity", async () => {
    for (const more of [{}, vpc()]) {
      world = new World();
      world.proxies = patient();
      const id = await create(more);
      proxy.requests.length = 0;
      expect(await connect(id)).toMatchObject({ ConnectionState: "CONNECTED" });
      expect(asked()).toEqual(["/health ConnectCustomKeyStore"]);
    }
  });

  test.each<[string, () => void]>([
    ["INVALID_CREDENTIALS", faulty(named(401, "AuthenticationFailedException"))],
    ["XKS_PROXY_ACCESS_DENIED", faulty(named(403, "AccessDeniedException"))],
    ["XKS_PROXY_INVALID_CONFIGURATION", faulty(named(404, "InvalidUriPathException"))],
    ["XKS_PROXY_INVALID_RESPONSE", () => Object.assign(proxy.health, { xksProxyFleetSize: 0 })],
    ["XKS_PROXY_NOT_REACHABLE", unhealthy],
    ["XKS_PROXY_NOT_REACHABLE", faulty(hangUp)],
    [
      "XKS_PROXY_TIMED_OUT",
      () => {
        proxy.fault = silence;
        world.proxies = patient(100);
      },
    ],
  ])("FAILED with %s, and again after that", async (code, prepare) => {
    const id = await create();
    prepare();
    expect(await connect(id)).toMatchObject({
      ConnectionState: "FAILED",
      ConnectionErrorCode: code,
    });
    proxy.fault = null;
    proxy.health = healthy();
    world.proxies = patient();
    await disconnect(id);
    expect(await connect(id)).toMatchObject({ ConnectionState: "CONNECTED" });
  });

  test("FAILED with XKS_PROXY_INVALID_TLS_CONFIGURATION for a certificate nobody vouches for", async () => {
    const id = await create();
    const stranger = await startProxy();
    world.proxies = proxiesBy({
      transport: nodeTransport({ ...proxy, ca: stranger.authority.pem }),
      listed: resolveTable([`${proxy.host}=${proxy.address}:${proxy.port}`]),
      now: Date.now,
      timeoutMs: 30_000,
    });
    await stranger.close();
    expect(await connect(id)).toMatchObject({
      ConnectionErrorCode: "XKS_PROXY_INVALID_TLS_CONFIGURATION",
    });
  });

  test.each([
    ["NOT_FOUND", "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND"],
    ["INVALID_CONFIGURATION", "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION"],
  ] as const)("a VPC endpoint service that is %s: %s", async (state, code) => {
    const id = await create(vpc());
    const said = { kind: "endpointService", id: SERVICE, facts: { state } } as const;
    sayOfBacking(said, world.keyStores(HOME));
    expect(await connect(id)).toMatchObject({ ConnectionErrorCode: code });
  });
});

describe("UpdateCustomKeyStore", () => {
  const elsewhere = { XksProxyUriEndpoint: "https://other.example.com" };

  test("credential and path may change while the store is connected, and are tried first", async () => {
    const id = await connected();
    const { KeyId } = await createKey(id);
    const blob = await world.encrypt(HOME, KeyId);
    const fresh = { AccessKeyId: "B".repeat(20), RawSecretAccessKey: "n".repeat(43) };
    const update = () =>
      on("UpdateCustomKeyStore", id, { XksProxyAuthenticationCredential: fresh });
    expect(await refusal(update())).toBe("XksProxyIncorrectAuthenticationCredentialException");
    const before = { ...proxy.credential };
    Object.assign(proxy.credential, {
      accessKeyId: fresh.AccessKeyId,
      rawSecretAccessKey: fresh.RawSecretAccessKey,
    });
    try {
      expect(await refusal(world.decrypt(HOME, blob))).toBe("KMSInvalidStateException");
      expect(await update()).toEqual({});
      expect((await world.decrypt(HOME, blob)).Plaintext).toBe(base64("text"));
      expect((await describeOne(id)).XksProxyConfiguration).toMatchObject({
        AccessKeyId: fresh.AccessKeyId,
      });
    } finally {
      Object.assign(proxy.credential, before);
    }
    const path = on("UpdateCustomKeyStore", id, { XksProxyUriPath: "/no/kms/xks/v1" });
    expect(await refusal(path)).toBe("XksProxyInvalidConfigurationException");
  });

  test("anything else wants the store disconnected; a name alone calls nobody", async () => {
    const id = await connected();
    for (const more of [
      elsewhere,
      { ...vpc(), ...elsewhere },
      { XksProxyVpcEndpointServiceOwner: "111122223333" },
    ]) {
      expect(await refusal(on("UpdateCustomKeyStore", id, more))).toBe(
        "CustomKeyStoreInvalidStateException",
      );
    }
    proxy.requests.length = 0;
    await on("UpdateCustomKeyStore", id, { NewCustomKeyStoreName: "new" });
    expect(asked()).toEqual([]);
  });

  test("from a public endpoint to a VPC endpoint service and back", async () => {
    const id = await create();
    expect(await refusal(on("UpdateCustomKeyStore", id, vpc()))).toBe("ValidationException");
    expect(
      await refusal(
        on("UpdateCustomKeyStore", id, {
          XksProxyConnectivity: "VPC_ENDPOINT_SERVICE",
          ...elsewhere,
        }),
      ),
    ).toBe("ValidationException");
    await on("UpdateCustomKeyStore", id, { ...vpc(), ...elsewhere });
    expect((await describeOne(id)).XksProxyConfiguration).toMatchObject({
      Connectivity: "VPC_ENDPOINT_SERVICE",
      UriEndpoint: "https://other.example.com",
      VpcEndpointServiceName: SERVICE,
      VpcEndpointServiceOwner: "111122223333",
    });
    await on("UpdateCustomKeyStore", id, {
      XksProxyConnectivity: "PUBLIC_ENDPOINT",
      XksProxyUriEndpoint: `https://${proxy.host}`,
    });
    expect((await describeOne(id)).XksProxyConfiguration).toEqual({
      Connectivity: "PUBLIC_ENDPOINT",
      AccessKeyId: proxy.credential.accessKeyId,
      UriEndpoint: `https://${proxy.host}`,
      UriPath: proxy.uriPath,
    });
  });

  test("not to what another store has", async () => {
    await create();
    const id = await create({ CustomKeyStoreName: "second", ...vpc(), ...elsewhere });
    const taken = { XksProxyUriEndpoint: `https://${proxy.host}` };
    expect(await refusal(on("UpdateCustomKeyStore", id, taken))).toBe("XksProxyUriInUseException");
    const cluster = { CloudHsmClusterId: "cluster-2a34b5cdefg" };
    expect(await refusal(on("UpdateCustomKeyStore", id, cluster))).toBe("ValidationException");
  });
});

describe("CreateKey", () => {
  test("looks at the external key, and describes the key with it", async () => {
    const id = await connected();
    proxy.requests.length = 0;
    const key = await createKey(id);
    expect(asked()).toEqual(["/keys/key-1/metadata CreateKey"]);
    expect(key).toMatchObject({
      KeyState: "Enabled",
      Origin: "EXTERNAL_KEY_STORE",
      CustomKeyStoreId: id,
      XksKeyConfiguration: { Id: "key-1" },
      KeyManager: "CUSTOMER",
    });
    expect(key).not.toHaveProperty("CloudHsmClusterId");
    expect(key).not.toHaveProperty("CurrentKeyMaterialId");
    expect(await world.describe(HOME, key.KeyId)).toEqual(key);
  });

  const spoiled = (change: object) => () => {
    Object.assign(proxy.keys.get("key-1") ?? {}, change);
  };

  test.each<[string, () => void]>([
    ["XksKeyNotFoundException", () => void proxy.keys.delete("key-1")],
    ["XksKeyInvalidConfigurationException", spoiled({ keySpec: "RSA_2048" })],
    ["XksKeyInvalidConfigurationException", spoiled({ keyStatus: "DISABLED" })],
    ["XksKeyInvalidConfigurationException", spoiled({ keyUsage: ["ENCRYPT"] })],
    ["CustomKeyStoreInvalidStateException", faulty(hangUp)],
    ["CustomKeyStoreInvalidStateException", faulty(named(403, "AccessDeniedException"))],
  ])("%s", async (name, prepare) => {
    const id = await connected();
    prepare();
    expect(await refusal(createKey(id))).toBe(name);
    await disconnect(id);
    expect(await on("DeleteCustomKeyStore", id)).toEqual({});
  });

  test("XksKeyAlreadyInUseException for as long as the other key is there", async () => {
    const id = await connected();
    const { KeyId } = await createKey(id);
    expect(await refusal(createKey(id))).toBe("XksKeyAlreadyInUseException");
    expect(await refusal(createKey(id, "key-2"))).toBe("ok");
    await call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    expect(await refusal(createKey(id))).toBe("XksKeyAlreadyInUseException");
    world.pass(7 * DAY);
    expect(await refusal(createKey(id))).toBe("ok");
  });

  test("two at once for one external key: one gets it", async () => {
    const id = await connected();
    const both = await Promise.all([refusal(createKey(id)), refusal(createKey(id))]);
    expect(both.sort()).toEqual(["XksKeyAlreadyInUseException", "ok"]);
  });

  test("an external key whose KMS key was refused is free", async () => {
    const id = await connected();
    expect(await refusal(createKey(id, "key-1", { Policy: "no policy" }))).toBe(
      "MalformedPolicyDocumentException",
    );
    expect(await refusal(createKey(id))).toBe("ok");
  });

  test("not with a key in a CloudHSM key store's clothes", async () => {
    const id = await connected();
    const input = { Origin: "AWS_CLOUDHSM", CustomKeyStoreId: id };
    expect(await refusal(world.createKey(HOME, input))).toBe("UnsupportedOperationException");
  });

  test("GenerateRandom is for CloudHSM key stores", async () => {
    const CustomKeyStoreId = await connected();
    const random = call("GenerateRandom", { NumberOfBytes: 8, CustomKeyStoreId });
    expect(await refusal(random)).toBe("UnsupportedOperationException");
  });
});

describe("keys in an external key store", () => {
  const keyIn = async () => (await createKey(await connected())).KeyId;

  test("encrypt twice: what KMS made, the proxy encrypts; neither sees the plaintext's other half", async () => {
    const KeyId = await keyIn();
    proxy.requests.length = 0;
    const context = { EncryptionContext: { purpose: "test" } };
    const blob = await world.encrypt(HOME, KeyId, "plaintext", context);
    expect(asked()).toEqual(["/keys/key-1/encrypt Encrypt"]);
    const [sent] = proxy.requests;
    const body = JSON.parse(sent?.body.toString() ?? "") as Record<string, string>;
    const inner = Buffer.from(body.plaintext ?? "", "base64");
    expect(inner).toHaveLength("plaintext".length + 12 + 16);
    expect(inner.includes("plaintext")).toBe(false);
    expect(Buffer.from(body.additionalAuthenticatedData ?? "", "base64").toString()).toContain(
      '[["purpose","test"]]',
    );
    expect((await world.decrypt(HOME, blob, context)).Plaintext).toBe(base64("plaintext"));
    expect(asked()).toEqual(["/keys/key-1/encrypt Encrypt", "/keys/key-1/decrypt Decrypt"]);
  });

  test("tell the proxy who calls which key for what", async () => {
    const KeyId = await keyIn();
    await world.encrypt(HOME, KeyId);
    const { requestMetadata } = JSON.parse(proxy.requests.at(-1)?.body.toString() ?? "") as {
      requestMetadata: object;
    };
    expect(requestMetadata).toEqual({
      awsPrincipalArn: "arn:aws:iam::111122223333:root",
      kmsKeyArn: `arn:aws:kms:us-east-1:111122223333:key/${KeyId}`,
      kmsOperation: "Encrypt",
      kmsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test("make data keys and re-encrypt", async () => {
    const KeyId = await keyIn();
    const { KeyId: ordinary } = await world.createKey(HOME);
    const dataKey = await world.dataKey(HOME, KeyId);
    expect((await world.decrypt(HOME, dataKey.CiphertextBlob)).Plaintext).toBe(dataKey.Plaintext);
    proxy.requests.length = 0;
    const away = await call<{ CiphertextBlob: string }>("ReEncrypt", {
      CiphertextBlob: dataKey.CiphertextBlob,
      DestinationKeyId: ordinary,
    });
    const back = await call<{ CiphertextBlob: string }>("ReEncrypt", {
      CiphertextBlob: away.CiphertextBlob,
      DestinationKeyId: KeyId,
    });
    expect(asked()).toEqual(["/keys/key-1/decrypt ReEncrypt", "/keys/key-1/encrypt ReEncrypt"]);
    expect((await world.decrypt(HOME, back.CiphertextBlob)).Plaintext).toBe(dataKey.Plaintext);
  });

  test("the largest plaintext passes", async () => {
    const KeyId = await keyIn();
    const Plaintext = Buffer.alloc(4096, 1).toString("base64");
    const { CiphertextBlob } = await call<{ CiphertextBlob: string }>("Encrypt", {
      KeyId,
      Plaintext,
    });
    expect((await world.decrypt(HOME, CiphertextBlob)).Plaintext).toBe(Plaintext);
  });

  test("a dry run calls no proxy", async () => {
    const KeyId = await keyIn();
    const blob = await world.encrypt(HOME, KeyId);
    proxy.requests.length = 0;
    const DryRun = true;
    const encrypt = world.encrypt(HOME, KeyId, "text", { DryRun });
    expect(await refusal(encrypt)).toBe("DryRunOperationException");
    const decrypt = world.decrypt(HOME, blob, { DryRun });
    expect(await refusal(decrypt)).toBe("DryRunOperationException");
    expect(asked()).toEqual([]);
  });

  test("a disabled key, or one of a disconnected store, calls no proxy", async () => {
    const id = await connected();
    const { KeyId, Arn } = await createKey(id);
    proxy.requests.length = 0;
    await call("DisableKey", { KeyId });
    expect(await outcome(world.encrypt(HOME, KeyId))).toBe(
      `DisabledException: ${Arn} is disabled.`,
    );
    await call("EnableKey", { KeyId });
    await disconnect(id);
    expect(await outcome(world.encrypt(HOME, KeyId))).toBe(
      `KMSInvalidStateException: ${Arn} is unavailable.`,
    );
    expect(asked()).toEqual([]);
  });

  // The texts of the guide, https://docs.aws.amazon.com/kms/latest/developerguide/xks-troubleshooting.html
  test.each<[string, () => void]>([
    [
      "The external key store proxy rejected the request because it could not find the external key.",
      () => void proxy.keys.delete("key-1"),
    ],
    [
      "The external key store proxy rejected the request because the external key is not enabled in the external key manager.",
      () => Object.assign(proxy.keys.get("key-1") ?? {}, { keyStatus: "DISABLED" }),
    ],
    [
      "The external key store proxy rejected the request due to a very high request rate. Reduce the frequency of your calls using KMS keys in this external key store.",
      faulty(named(429, "ThrottlingException")),
    ],
  ])("fail with KMSInvalidStateException: %s", async (message, prepare) => {
    const KeyId = await keyIn();
    prepare();
    expect(await outcome(world.encrypt(HOME, KeyId))).toBe(`KMSInvalidStateException: ${message}`);
  });

  test("another external key under the same ID does not decrypt", async () => {
    const KeyId = await keyIn();
    const blob = await world.encrypt(HOME, KeyId);
    proxy.keys.set("key-1", newExternalKey());
    expect(await outcome(world.decrypt(HOME, blob))).toBe(
      "KMSInvalidStateException: The external key store proxy rejected the request because the specified ciphertext or additional authenticated data is corrupted, missing, or otherwise invalid.",
    );
  });

  test("a wrong encryption context is refused by the proxy, a long one by KMS", async () => {
    const KeyId = await keyIn();
    const blob = await world.encrypt(HOME, KeyId);
    expect(await refusal(world.decrypt(HOME, blob, { EncryptionContext: { a: "b" } }))).toBe(
      "KMSInvalidStateException",
    );
    // Longer than a proxy has to take: KMS's own layer alone authenticates it.
    const EncryptionContext = { a: "b".repeat(9000) };
    const long = await world.encrypt(HOME, KeyId, "text", { EncryptionContext });
    expect((await world.decrypt(HOME, long, { EncryptionContext })).Plaintext).toBe(base64("text"));
    const other = { EncryptionContext: { a: "c".repeat(9000) } };
    expect(await outcome(world.decrypt(HOME, long, other))).toBe(
      "KMSInvalidStateException: The ciphertext that the external key store proxy submitted for decryption, or the encryption context, is corrupted, missing, or otherwise invalid.",
    );
  });

  test("a ciphertext that is no double one is InvalidCiphertextException", async () => {
    const KeyId = await keyIn();
    const blob = Buffer.from(await world.encrypt(HOME, KeyId), "base64");
    blob[64] = 9;
    expect(await refusal(world.decrypt(HOME, blob.toString("base64")))).toBe(
      "InvalidCiphertextException",
    );
  });
});
