// Custom key stores as the API reference has them, with CloudHSM clusters behind them. Expectations
// are typed from https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateCustomKeyStore.html and
// its neighbours, not taken from the code.

import { beforeEach, describe, expect, test } from "vitest";
import type { ClusterFacts } from "../../src/domain/cloudhsm-cluster.ts";
import {
  type ConnectionErrorCode,
  connectionErrorCodes,
} from "../../src/domain/custom-key-store.ts";
import { sayOfBacking } from "../../src/objects/key-store-backing.ts";
import { arnOf, base64, DAY, type KeyMetadata, outcome, START, World } from "../support/core.ts";
import { CLUSTER_STORE, connectedStore } from "../support/key-stores.ts";

const HOME = "us-east-1";
const CLUSTER = CLUSTER_STORE.CloudHsmClusterId;
const OTHER_CLUSTER = "cluster-7zyxwvutsrq";

interface ListEntry {
  readonly CustomKeyStoreId: string;
  readonly CustomKeyStoreName: string;
  readonly ConnectionState: string;
  readonly ConnectionErrorCode?: string;
}

interface Listed {
  readonly CustomKeyStores: readonly ListEntry[];
  readonly Truncated: boolean;
  readonly NextMarker?: string;
}

let world: World;

beforeEach(() => {
  world = new World();
});

const call = <T = unknown>(operation: string, input: object = {}) =>
  world.call<T>(HOME, operation, input);

/** The name of the exception; the text is ours where AWS's is not public. */
const refusal = async (answer: Promise<unknown>) => (await outcome(answer)).split(":")[0];

const create = async (more: object = {}) =>
  (await call<{ CustomKeyStoreId: string }>("CreateCustomKeyStore", { ...CLUSTER_STORE, ...more }))
    .CustomKeyStoreId;

const on = (operation: string, CustomKeyStoreId: string, more: object = {}) =>
  call(operation, { CustomKeyStoreId, ...more });

const describeOne = async (CustomKeyStoreId: string) => {
  const { CustomKeyStores } = await call<Listed>("DescribeCustomKeyStores", { CustomKeyStoreId });
  return CustomKeyStores[0] as ListEntry;
};

const stateOf = async (id: string) => (await describeOne(id)).ConnectionState;

const settle = () => world.pass(world.connectingMs);

const say = (facts: ClusterFacts, id = CLUSTER) =>
  sayOfBacking({ kind: "cluster", id, facts }, world.keyStores(HOME));

/** A store in each connection state. */
async function storeIn(state: string): Promise<string> {
  const id = await create();
  if (state === "DISCONNECTED") return id;
  if (state === "FAILED") say({ connectionError: "NETWORK_ERRORS" });
  await on("ConnectCustomKeyStore", id);
  if (state === "CONNECTING") return id;
  settle();
  say({ connectionError: null });
  if (state !== "DISCONNECTING") return id;
  await on("DisconnectCustomKeyStore", id);
  return id;
}

const createKey = (CustomKeyStoreId: string, more: object = {}) =>
  world.createKey(HOME, { Origin: "AWS_CLOUDHSM", CustomKeyStoreId, ...more });

describe("CreateCustomKeyStore", () => {
  test("a new store has an ID and is disconnected", async () => {
    const id = await create();
    expect(id).toMatch(/^cks-[0-9a-f]{17}$/);
    expect(await call("DescribeCustomKeyStores")).toEqual({
      CustomKeyStores: [
        {
          CustomKeyStoreId: id,
          CustomKeyStoreName: "store",
          CloudHsmClusterId: CLUSTER,
          TrustAnchorCertificate: CLUSTER_STORE.TrustAnchorCertificate,
          ConnectionState: "DISCONNECTED",
          CreationDate: START / 1000,
          CustomKeyStoreType: "AWS_CLOUDHSM",
        },
      ],
      Truncated: false,
    });
  });

  test.each<[string, () => void, object]>([
    ["CloudHsmClusterNotFoundException", () => say({ state: "DELETED" }), {}],
    ["CloudHsmClusterNotActiveException", () => say({ state: "INITIALIZED" }), {}],
    ["CloudHsmClusterNotActiveException", () => say({ state: "DELETE_IN_PROGRESS" }), {}],
    ["CloudHsmClusterInvalidConfigurationException", () => say({ hsms: 1 }), {}],
    ["IncorrectTrustAnchorException", () => say({ certificate: "another" }), {}],
    ["ValidationException", () => {}, { CloudHsmClusterId: undefined }],
    ["ValidationException", () => {}, { TrustAnchorCertificate: undefined }],
    ["ValidationException", () => {}, { KeyStorePassword: undefined }],
    ["ValidationException", () => {}, { XksProxyUriPath: "/kms/xks/v1" }],
    ["ValidationException", () => {}, { CustomKeyStoreType: "EXTERNAL_KEY_STORE" }],
  ])("%s", async (name, prepare, more) => {
    prepare();
    expect(await refusal(create(more))).toBe(name);
    expect(await call<Listed>("DescribeCustomKeyStores")).toMatchObject({ CustomKeyStores: [] });
  });

  test("the trust anchor is the cluster's, however its lines end", async () => {
    say({ certificate: CLUSTER_STORE.TrustAnchorCertificate.replaceAll("\n", "\r\n") });
    expect(await refusal(create())).toBe("ok");
  });

  test("CustomKeyStoreNameInUseException; another Region has names of its own", async () => {
    await create();
    expect(await refusal(create({ CloudHsmClusterId: OTHER_CLUSTER }))).toBe(
      "CustomKeyStoreNameInUseException",
    );
    expect(await refusal(world.call("eu-west-1", "CreateCustomKeyStore", CLUSTER_STORE))).toBe(
      "ok",
    );
  });

  test("CloudHsmClusterInUseException: the same cluster, or one of its backup history", async () => {
    await create();
    expect(await refusal(create({ CustomKeyStoreName: "b" }))).toBe(
      "CloudHsmClusterInUseException",
    );
    const second = { CustomKeyStoreName: "b", CloudHsmClusterId: OTHER_CLUSTER };
    say({ backupOf: CLUSTER }, OTHER_CLUSTER);
    expect(await refusal(create(second))).toBe("CloudHsmClusterInUseException");
    say({ backupOf: null }, OTHER_CLUSTER);
    expect(await refusal(create(second))).toBe("ok");
  });

  test("LimitExceededException at the eleventh", async () => {
    const nth = (n: number) => ({
      CustomKeyStoreName: `store ${n}`,
      CloudHsmClusterId: `cluster-${"abcdefghijk"[n]}234567234a`,
    });
    for (let n = 0; n < 10; n++) await create(nth(n));
    expect(await refusal(create(nth(10)))).toBe("LimitExceededException");
    const { CustomKeyStores } = await call<Listed>("DescribeCustomKeyStores");
    await on("DeleteCustomKeyStore", CustomKeyStores[3]?.CustomKeyStoreId ?? "");
    expect(await refusal(create(nth(10)))).toBe("ok");
  });
});

describe("DescribeCustomKeyStores", () => {
  test("by name, by ID, and not by both", async () => {
    const id = await create();
    await create({ CustomKeyStoreName: "b", CloudHsmClusterId: OTHER_CLUSTER });
    const ids = async (input: object) =>
      (await call<Listed>("DescribeCustomKeyStores", input)).CustomKeyStores.map(
        (store) => store.CustomKeyStoreName,
      );
    expect(await ids({})).toHaveLength(2);
    expect(await ids({ CustomKeyStoreId: id })).toEqual(["store"]);
    expect(await ids({ CustomKeyStoreName: "b" })).toEqual(["b"]);
    const both = { CustomKeyStoreId: id, CustomKeyStoreName: "store" };
    expect(await refusal(call("DescribeCustomKeyStores", both))).toBe("ValidationException");
  });

  test.each([
    [{ CustomKeyStoreId: "cks-1234567890abcdef0" }, "CustomKeyStoreNotFoundException"],
    [{ CustomKeyStoreName: "nobody" }, "CustomKeyStoreNotFoundException"],
    [{ CustomKeyStoreId: "__proto__" }, "CustomKeyStoreNotFoundException"],
    [{ Marker: "nonsense" }, "InvalidMarkerException"],
  ])("%j: %s", async (input, name) => {
    expect(await refusal(call("DescribeCustomKeyStores", input))).toBe(name);
  });

  test("in pages", async () => {
    for (const n of ["a", "b", "c"]) {
      await create({ CustomKeyStoreName: n, CloudHsmClusterId: `cluster-${n}${"a".repeat(10)}` });
      world.pass(1);
    }
    const pages = await world.pages<Listed>(HOME, "DescribeCustomKeyStores", { Limit: 2 });
    const names = pages.map((page) => page.CustomKeyStores.map((one) => one.CustomKeyStoreName));
    expect(names).toEqual([["a", "b"], ["c"]]);
  });
});

describe("connection states", () => {
  test("CONNECTING and DISCONNECTING take their time, CONNECTED and DISCONNECTED last", async () => {
    const id = await create();
    expect(await on("ConnectCustomKeyStore", id)).toEqual({});
    world.pass(1999);
    expect(await stateOf(id)).toBe("CONNECTING");
    world.pass(1);
    expect(await stateOf(id)).toBe("CONNECTED");
    world.pass(400 * DAY);
    expect(await stateOf(id)).toBe("CONNECTED");
    expect(await on("DisconnectCustomKeyStore", id)).toEqual({});
    world.pass(1999);
    expect(await stateOf(id)).toBe("DISCONNECTING");
    world.pass(1);
    expect(await stateOf(id)).toBe("DISCONNECTED");
  });

  test("no time at all, where connecting takes none", async () => {
    world.connectingMs = 0;
    const id = await create();
    await on("ConnectCustomKeyStore", id);
    expect(await stateOf(id)).toBe("CONNECTED");
  });

  // By the conditions of CustomKeyStoreInvalidStateException in the API reference.
  test.each<[string, string, string]>([
    ["ConnectCustomKeyStore", "DISCONNECTED", "ok"],
    ["ConnectCustomKeyStore", "CONNECTING", "ok"],
    ["ConnectCustomKeyStore", "CONNECTED", "ok"],
    ["ConnectCustomKeyStore", "DISCONNECTING", "CustomKeyStoreInvalidStateException"],
    ["ConnectCustomKeyStore", "FAILED", "CustomKeyStoreInvalidStateException"],
    ["DisconnectCustomKeyStore", "DISCONNECTED", "CustomKeyStoreInvalidStateException"],
    ["DisconnectCustomKeyStore", "CONNECTING", "ok"],
    ["DisconnectCustomKeyStore", "CONNECTED", "ok"],
    ["DisconnectCustomKeyStore", "DISCONNECTING", "CustomKeyStoreInvalidStateException"],
    ["DisconnectCustomKeyStore", "FAILED", "ok"],
    ["DeleteCustomKeyStore", "DISCONNECTED", "ok"],
    ["DeleteCustomKeyStore", "CONNECTING", "CustomKeyStoreInvalidStateException"],
    ["DeleteCustomKeyStore", "CONNECTED", "CustomKeyStoreInvalidStateException"],
    ["DeleteCustomKeyStore", "DISCONNECTING", "CustomKeyStoreInvalidStateException"],
    ["DeleteCustomKeyStore", "FAILED", "CustomKeyStoreInvalidStateException"],
    ["CreateKey", "DISCONNECTED", "CustomKeyStoreInvalidStateException"],
    ["CreateKey", "CONNECTING", "CustomKeyStoreInvalidStateException"],
    ["CreateKey", "CONNECTED", "ok"],
    ["CreateKey", "DISCONNECTING", "CustomKeyStoreInvalidStateException"],
    ["CreateKey", "FAILED", "CustomKeyStoreInvalidStateException"],
    ["GenerateRandom", "DISCONNECTED", "CustomKeyStoreInvalidStateException"],
    ["GenerateRandom", "CONNECTED", "ok"],
    ["GenerateRandom", "FAILED", "CustomKeyStoreInvalidStateException"],
    ["UpdateCustomKeyStore name", "DISCONNECTED", "ok"],
    ["UpdateCustomKeyStore name", "CONNECTED", "ok"],
    ["UpdateCustomKeyStore name", "CONNECTING", "CustomKeyStoreInvalidStateException"],
    ["UpdateCustomKeyStore name", "DISCONNECTING", "CustomKeyStoreInvalidStateException"],
    ["UpdateCustomKeyStore name", "FAILED", "CustomKeyStoreInvalidStateException"],
    ["UpdateCustomKeyStore password", "DISCONNECTED", "ok"],
    ["UpdateCustomKeyStore password", "CONNECTED", "CustomKeyStoreInvalidStateException"],
    ["UpdateCustomKeyStore password", "CONNECTING", "CustomKeyStoreInvalidStateException"],
    ["UpdateCustomKeyStore password", "DISCONNECTING", "CustomKeyStoreInvalidStateException"],
    ["UpdateCustomKeyStore password", "FAILED", "CustomKeyStoreInvalidStateException"],
  ])("%s of a store that is %s: %s", async (what, state, expected) => {
    const id = await storeIn(state);
    expect(await stateOf(id)).toBe(state);
    const [operation = "", property = ""] = what.split(" ");
    const inputs: Record<string, object> = {
      name: { NewCustomKeyStoreName: "new" },
      password: { KeyStorePassword: "another-one" },
    };
    const more =
      operation === "CreateKey"
        ? { Origin: "AWS_CLOUDHSM" }
        : operation === "GenerateRandom"
          ? { NumberOfBytes: 8 }
          : (inputs[property] ?? {});
    expect(await refusal(on(operation, id, more))).toBe(expected);
  });

  test("ConnectCustomKeyStore of a connected store changes nothing", async () => {
    const id = await storeIn("CONNECTED");
    await on("ConnectCustomKeyStore", id);
    expect(await stateOf(id)).toBe("CONNECTED");
  });

  test.each([
    "ConnectCustomKeyStore",
    "DisconnectCustomKeyStore",
    "DeleteCustomKeyStore",
    "UpdateCustomKeyStore",
  ])("%s of a store that is not there", async (operation) => {
    expect(await refusal(on(operation, "cks-1234567890abcdef0"))).toBe(
      "CustomKeyStoreNotFoundException",
    );
  });
});

describe("attempts to connect", () => {
  test.each<[string, ClusterFacts]>([
    ["CloudHsmClusterNotActiveException", { state: "UNINITIALIZED" }],
    ["CloudHsmClusterInvalidConfigurationException", { hsms: 0 }],
  ])("fail at once and stay DISCONNECTED: %s", async (name, facts) => {
    const id = await create();
    say(facts);
    expect(await refusal(on("ConnectCustomKeyStore", id))).toBe(name);
    expect(await stateOf(id)).toBe("DISCONNECTED");
  });

  test("need no more than one HSM", async () => {
    const id = await create();
    say({ hsms: 1 });
    await on("ConnectCustomKeyStore", id);
    settle();
    expect(await stateOf(id)).toBe("CONNECTED");
  });

  const clusterErrors = connectionErrorCodes.filter((code) => !code.startsWith("XKS_"));

  test.each(clusterErrors)("FAILED with %s, when the cluster is said to be so", async (code) => {
    const id = await create();
    say({ connectionError: code as ConnectionErrorCode });
    await on("ConnectCustomKeyStore", id);
    expect(await describeOne(id)).not.toHaveProperty("ConnectionErrorCode");
    settle();
    expect(await describeOne(id)).toMatchObject({
      ConnectionState: "FAILED",
      ConnectionErrorCode: code,
    });
    await on("DisconnectCustomKeyStore", id);
    settle();
    expect(await describeOne(id)).not.toHaveProperty("ConnectionErrorCode");
  });

  test("CLUSTER_NOT_FOUND: the cluster was deleted", async () => {
    const id = await create();
    say({ state: "DELETED" });
    await on("ConnectCustomKeyStore", id);
    settle();
    expect(await describeOne(id)).toMatchObject({ ConnectionErrorCode: "CLUSTER_NOT_FOUND" });
  });

  test("INSUFFICIENT_CLOUDHSM_HSMS: the last HSM goes while KMS connects", async () => {
    const id = await create();
    await on("ConnectCustomKeyStore", id);
    world.pass(1000);
    say({ hsms: 0 });
    world.pass(1000);
    expect(await describeOne(id)).toMatchObject({
      ConnectionErrorCode: "INSUFFICIENT_CLOUDHSM_HSMS",
    });
  });

  test("what is said of a cluster later does not change how an attempt ended", async () => {
    const id = await create();
    await on("ConnectCustomKeyStore", id);
    world.pass(3000);
    say({ hsms: 0 });
    expect(await stateOf(id)).toBe("CONNECTED");
  });

  const attempt = async (id: string) => {
    await on("ConnectCustomKeyStore", id);
    settle();
    const { ConnectionState, ConnectionErrorCode } = await describeOne(id);
    await on("DisconnectCustomKeyStore", id);
    settle();
    return ConnectionErrorCode ?? ConnectionState;
  };

  test("INVALID_CREDENTIALS until KMS is told the password; then it has one of its own", async () => {
    say({ password: "the-true-one" });
    const id = await create();
    expect(await attempt(id)).toBe("INVALID_CREDENTIALS");
    await on("UpdateCustomKeyStore", id, { KeyStorePassword: "the-true-one" });
    expect(await attempt(id)).toBe("CONNECTED");
    // KMS changes the password when it connects, and knows it.
    expect(await attempt(id)).toBe("CONNECTED");
    await on("UpdateCustomKeyStore", id, { KeyStorePassword: "the-true-one" });
    expect(await attempt(id)).toBe("INVALID_CREDENTIALS");
    say({ password: "the-true-one" });
    expect(await attempt(id)).toBe("CONNECTED");
  });

  test("USER_LOCKED_OUT after five wrong passwords, until the password is set anew", async () => {
    say({ password: "the-true-one" });
    const id = await create();
    for (let n = 0; n < 5; n++) expect(await attempt(id)).toBe("INVALID_CREDENTIALS");
    await on("UpdateCustomKeyStore", id, { KeyStorePassword: "the-true-one" });
    expect(await attempt(id)).toBe("USER_LOCKED_OUT");
    say({ password: "the-true-one" });
    expect(await attempt(id)).toBe("CONNECTED");
  });
});

describe("UpdateCustomKeyStore", () => {
  test("a name is one that no other store has; its own will do", async () => {
    const id = await create();
    await create({ CustomKeyStoreName: "b", CloudHsmClusterId: OTHER_CLUSTER });
    const rename = (NewCustomKeyStoreName: string) =>
      on("UpdateCustomKeyStore", id, { NewCustomKeyStoreName });
    expect(await refusal(rename("b"))).toBe("CustomKeyStoreNameInUseException");
    expect(await rename("store")).toEqual({});
    expect(await rename("new")).toEqual({});
    expect((await describeOne(id)).CustomKeyStoreName).toBe("new");
  });

  test.each<[string, ClusterFacts]>([
    ["ok", { backupOf: CLUSTER }],
    ["CloudHsmClusterNotRelatedException", {}],
    ["CloudHsmClusterNotFoundException", { backupOf: CLUSTER, state: "DELETED" }],
    ["CloudHsmClusterNotActiveException", { backupOf: CLUSTER, state: "INITIALIZED" }],
    ["CloudHsmClusterInvalidConfigurationException", { backupOf: CLUSTER, hsms: 1 }],
  ])("to another cluster: %s", async (expected, facts) => {
    const id = await create();
    say(facts, OTHER_CLUSTER);
    const update = on("UpdateCustomKeyStore", id, { CloudHsmClusterId: OTHER_CLUSTER });
    expect(await refusal(update)).toBe(expected);
    expect(await describeOne(id)).toMatchObject({
      CloudHsmClusterId: expected === "ok" ? OTHER_CLUSTER : CLUSTER,
    });
  });

  test("to a sister of the cluster, both made from one backup, and the keys follow", async () => {
    const original = "cluster-22222222222";
    say({ backupOf: original });
    say({ backupOf: original }, OTHER_CLUSTER);
    const id = await connectedStore(world, HOME);
    const { KeyId } = await createKey(id);
    const blob = await world.encrypt(HOME, KeyId);
    await on("DisconnectCustomKeyStore", id);
    settle();
    await on("UpdateCustomKeyStore", id, { CloudHsmClusterId: OTHER_CLUSTER });
    await on("ConnectCustomKeyStore", id);
    settle();
    expect(await world.describe(HOME, KeyId)).toMatchObject({ CloudHsmClusterId: OTHER_CLUSTER });
    expect((await world.decrypt(HOME, blob)).Plaintext).toBe(base64("text"));
  });

  test("properties of the other type of store are refused", async () => {
    const id = await create();
    const update = on("UpdateCustomKeyStore", id, { XksProxyUriPath: "/kms/xks/v1" });
    expect(await refusal(update)).toBe("ValidationException");
  });
});

describe("keys in a CloudHSM key store", () => {
  test("are described with their place", async () => {
    const id = await connectedStore(world, HOME);
    const key = await createKey(id);
    const { KeyId, Arn } = key;
    expect(key).toEqual({
      AWSAccountId: "111122223333",
      KeyId,
      Arn,
      CreationDate: world.now / 1000,
      Enabled: true,
      Description: "",
      KeyUsage: "ENCRYPT_DECRYPT",
      KeyState: "Enabled",
      CustomKeyStoreId: id,
      CloudHsmClusterId: CLUSTER,
      Origin: "AWS_CLOUDHSM",
      KeyManager: "CUSTOMER",
      CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
      KeySpec: "SYMMETRIC_DEFAULT",
      EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
      MultiRegion: false,
    });
    expect(await world.describe(HOME, KeyId)).toEqual(key);
  });

  test("work, and are Unavailable while the store is not connected", async () => {
    const id = await connectedStore(world, HOME);
    const { KeyId, Arn } = await createKey(id);
    const blob = await world.encrypt(HOME, KeyId, "text", { EncryptionContext: { a: "b" } });
    const decrypt = () => world.decrypt(HOME, blob, { EncryptionContext: { a: "b" } });
    expect((await decrypt()).Plaintext).toBe(base64("text"));
    const states: Record<string, string> = {};
    const look = async () => {
      states[await stateOf(id)] =
        `${(await world.describe(HOME, KeyId)).KeyState} ${await outcome(decrypt())}`;
    };
    await on("DisconnectCustomKeyStore", id);
    await look();
    settle();
    await look();
    await on("ConnectCustomKeyStore", id);
    await look();
    settle();
    await look();
    await on("DisconnectCustomKeyStore", id);
    settle();
    say({ connectionError: "NETWORK_ERRORS" });
    await on("ConnectCustomKeyStore", id);
    settle();
    await look();
    const unavailable = `Unavailable KMSInvalidStateException: ${Arn} is unavailable.`;
    expect(states).toEqual({
      DISCONNECTING: unavailable,
      DISCONNECTED: unavailable,
      CONNECTING: unavailable,
      CONNECTED: "Enabled ok",
      FAILED: unavailable,
    });
  });

  test("using one changes nothing, and what was disabled comes back disabled", async () => {
    const id = await connectedStore(world, HOME);
    const { KeyId } = await createKey(id);
    await on("DisconnectCustomKeyStore", id);
    settle();
    const before = world.saved(KeyId);
    await world.describe(HOME, KeyId);
    await outcome(world.encrypt(HOME, KeyId));
    expect(world.saved(KeyId)).toBe(before);
  });

  test.each<[string, ClusterFacts]>([
    ["all its HSMs", { hsms: 0 }],
    ["the cluster", { state: "DELETED" }],
  ])("fail where a connected store loses %s", async (_, facts) => {
    const id = await connectedStore(world, HOME);
    const { KeyId } = await createKey(id);
    const blob = await world.encrypt(HOME, KeyId);
    say(facts);
    expect(await stateOf(id)).toBe("CONNECTED");
    expect((await world.describe(HOME, KeyId)).KeyState).toBe("Enabled");
    const failing = "KMSInvalidStateException: KMS cannot communicate with your CloudHSM cluster.";
    expect(await outcome(world.decrypt(HOME, blob))).toBe(failing);
    expect(await outcome(world.dataKey(HOME, KeyId))).toBe(failing);
  });

  test.each<[string, object]>([
    ["UnsupportedOperationException", { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" }],
    ["UnsupportedOperationException", { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" }],
    ["UnsupportedOperationException", { MultiRegion: true }],
    ["UnsupportedOperationException", { Origin: "EXTERNAL_KEY_STORE", XksKeyId: "key-1" }],
    ["ValidationException", { XksKeyId: "key-1" }],
    ["ValidationException", { Origin: "AWS_KMS" }],
    ["ValidationException", { Origin: undefined }],
    ["ValidationException", { CustomKeyStoreId: undefined }],
    ["ValidationException", { Origin: "EXTERNAL_KEY_STORE" }],
    ["CustomKeyStoreNotFoundException", { CustomKeyStoreId: "cks-1234567890abcdef0" }],
    ["MalformedPolicyDocumentException", { Policy: "no policy" }],
    ["TagException", { Tags: [{ TagKey: "aws:a", TagValue: "" }] }],
  ])("are not created: %s for %j", async (name, more) => {
    const id = await connectedStore(world, HOME);
    expect(await refusal(createKey(id, more))).toBe(name);
    await on("DisconnectCustomKeyStore", id);
    settle();
    expect(await on("DeleteCustomKeyStore", id)).toEqual({});
  });

  test.each<ClusterFacts>([{ hsms: 1 }, { state: "DEGRADED" }, { state: "DELETED" }])(
    "are not created in a cluster of %j",
    async (facts) => {
      const id = await connectedStore(world, HOME);
      say(facts);
      // The only exception that CreateKey has for clusters.
      expect(await refusal(createKey(id))).toBe("CloudHsmClusterInvalidConfigurationException");
    },
  );

  test.each<[string, object]>([
    ["EnableKeyRotation", {}],
    ["DisableKeyRotation", {}],
    ["GetKeyRotationStatus", {}],
    ["RotateKeyOnDemand", {}],
    ["ListKeyRotations", {}],
    ["GenerateDataKeyPair", { KeyPairSpec: "ECC_NIST_P256" }],
    ["GenerateDataKeyPairWithoutPlaintext", { KeyPairSpec: "ECC_NIST_P256" }],
  ])("cannot %s", async (operation, more) => {
    const { KeyId, Arn } = await createKey(await connectedStore(world, HOME));
    expect(await outcome(call(operation, { KeyId, ...more }))).toBe(
      `UnsupportedOperationException: ${Arn} origin is AWS_CLOUDHSM which is not valid for this operation.`,
    );
  });

  test("cannot be replicated", async () => {
    const { KeyId, Arn } = await createKey(await connectedStore(world, HOME));
    expect(await outcome(call("ReplicateKey", { KeyId, ReplicaRegion: "eu-west-1" }))).toBe(
      `UnsupportedOperationException: ${Arn} is not a multi-region primary key.`,
    );
  });

  test("re-encrypt from and to one another and ordinary keys", async () => {
    const id = await connectedStore(world, HOME);
    const { KeyId } = await createKey(id);
    const { KeyId: ordinary } = await world.createKey(HOME);
    const from = await world.encrypt(HOME, ordinary);
    const there = await call<{ CiphertextBlob: string; KeyId: string }>("ReEncrypt", {
      CiphertextBlob: from,
      DestinationKeyId: KeyId,
    });
    expect(there.KeyId).toBe(arnOf(HOME, KeyId));
    const back = await call<{ CiphertextBlob: string }>("ReEncrypt", {
      CiphertextBlob: there.CiphertextBlob,
      DestinationKeyId: ordinary,
    });
    expect((await world.decrypt(HOME, back.CiphertextBlob)).Plaintext).toBe(base64("text"));
  });

  test("GenerateRandom takes its bytes from the store", async () => {
    const CustomKeyStoreId = await connectedStore(world, HOME);
    const answer = await call<{ Plaintext: string }>("GenerateRandom", {
      NumberOfBytes: 32,
      CustomKeyStoreId,
    });
    expect(Buffer.from(answer.Plaintext, "base64")).toHaveLength(32);
    const nowhere = { NumberOfBytes: 32, CustomKeyStoreId: "cks-1234567890abcdef0" };
    expect(await refusal(call("GenerateRandom", nowhere))).toBe("CustomKeyStoreNotFoundException");
  });
});

describe("DeleteCustomKeyStore", () => {
  test("not with keys, not even with those that wait for their deletion", async () => {
    const id = await connectedStore(world, HOME);
    const { KeyId }: KeyMetadata = await createKey(id);
    await on("DisconnectCustomKeyStore", id);
    settle();
    expect(await refusal(on("DeleteCustomKeyStore", id))).toBe("CustomKeyStoreHasCMKsException");
    await call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    world.pass(7 * DAY - 1);
    expect(await refusal(on("DeleteCustomKeyStore", id))).toBe("CustomKeyStoreHasCMKsException");
    world.pass(1);
    expect(await on("DeleteCustomKeyStore", id)).toEqual({});
    expect(await refusal(on("DeleteCustomKeyStore", id))).toBe("CustomKeyStoreNotFoundException");
  });

  test("its name and its cluster are free again", async () => {
    await on("DeleteCustomKeyStore", await create());
    expect(await refusal(create())).toBe("ok");
  });
});
