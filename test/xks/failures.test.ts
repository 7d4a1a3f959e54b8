import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  connectionErrorCode,
  createKeyRefusal,
  cryptographicRefusal,
  type FailureName,
  failures,
  healthFailure,
  keyStoreRefusal,
  unfitForUse,
} from "../../src/xks/failures.ts";
import { getHealthStatus, getKeyMetadata } from "../../src/xks/proxy-client.ts";
import { clientOf, requestFor } from "./support/clients.ts";
import { refusal } from "./support/faults.ts";
import { healthy, newExternalKey, startProxy, type TestProxy } from "./support/proxy.ts";

interface Expected {
  readonly message: string;
  readonly createKey: string;
  readonly keyStore: string;
  readonly connect: string;
}

const NOT_INTERPRETED =
  "AWS KMS cannot interpret the response from the external key store proxy. If you see this error repeatedly, consult your external key store proxy administrator.";

// Written out once more, so that a change of the table is a decision and not a slip.
const expected: Record<FailureName, Expected> = {
  ValidationException: {
    message: NOT_INTERPRETED,
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyInvalidResponseException",
    connect: "XKS_PROXY_INVALID_RESPONSE",
  },
  InvalidStateException: {
    message:
      "The external key store proxy rejected the request because the external key is not enabled in the external key manager.",
    createKey: "XksKeyInvalidConfigurationException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_NOT_REACHABLE",
  },
  InvalidCiphertextException: {
    message:
      "The external key store proxy rejected the request because the specified ciphertext or additional authenticated data is corrupted, missing, or otherwise invalid.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyInvalidResponseException",
    connect: "XKS_PROXY_INVALID_RESPONSE",
  },
  InvalidKeyUsageException: {
    message:
      "The external key store proxy rejected the request because the external key does not support the requested operation.",
    createKey: "XksKeyInvalidConfigurationException",
    keyStore: "XksProxyInvalidResponseException",
    connect: "XKS_PROXY_INVALID_RESPONSE",
  },
  AuthenticationFailedException: {
    message:
      "The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify the credentials for your external key store and update if necessary.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyIncorrectAuthenticationCredentialException",
    connect: "INVALID_CREDENTIALS",
  },
  AccessDeniedException: {
    message:
      "The external key store proxy denied access to the operation. Verify that the user and the external key are both authorized for this operation, and try the request again.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyInvalidResponseException",
    connect: "XKS_PROXY_ACCESS_DENIED",
  },
  KeyNotFoundException: {
    message:
      "The external key store proxy rejected the request because it could not find the external key.",
    createKey: "XksKeyNotFoundException",
    keyStore: "XksProxyInvalidResponseException",
    connect: "XKS_PROXY_INVALID_RESPONSE",
  },
  InvalidUriPathException: {
    message:
      "The external key store proxy rejected the request because of an invalid URI path. Verify the URI path for your external key store and update if necessary.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyInvalidConfigurationException",
    connect: "XKS_PROXY_INVALID_CONFIGURATION",
  },
  ThrottlingException: {
    message:
      "The external key store proxy rejected the request due to a very high request rate. Reduce the frequency of your calls using KMS keys in this external key store.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_NOT_REACHABLE",
  },
  UnsupportedOperationException: {
    message:
      "The external key store proxy rejected the request because it does not support the requested cryptographic operation.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyInvalidResponseException",
    connect: "XKS_PROXY_INVALID_RESPONSE",
  },
  DependencyTimeoutException: {
    message:
      "The external key store proxy did not respond to the request in the time allotted. Retry the request. If you see this error repeatedly, report it to your external key store proxy administrator.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_TIMED_OUT",
  },
  InternalException: {
    message:
      "The external key store proxy rejected the request because it cannot communicate with the external key manager. Verify that the external key store proxy configuration is correct and that the external key manager is available.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyInvalidResponseException",
    connect: "XKS_PROXY_INVALID_RESPONSE",
  },
  InvalidResponse: {
    message: NOT_INTERPRETED,
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyInvalidResponseException",
    connect: "XKS_PROXY_INVALID_RESPONSE",
  },
  Unreachable: {
    message:
      "AWS KMS cannot communicate with the external key store proxy. This might be a transient network issue. If you see this error repeatedly, verify that your external key store proxy is active and is connected to the network, and that its endpoint URI is correct in your external key store.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_NOT_REACHABLE",
  },
  TlsFailed: {
    message:
      "AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS configuration, including its certificate.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_INVALID_TLS_CONFIGURATION",
  },
  TimedOut: {
    message:
      "AWS KMS rejected the request because the external key store proxy did not respond in time. Retry the request. If you see this error repeatedly, report it to your external key store proxy administrator.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_TIMED_OUT",
  },
  ManagersUnavailable: {
    message:
      "The external key store proxy is in an unhealthy state. If you see this message repeatedly, notify your external key store proxy administrator.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_NOT_REACHABLE",
  },
  InnerCiphertextInvalid: {
    message:
      "The ciphertext that the external key store proxy submitted for decryption, or the encryption context, is corrupted, missing, or otherwise invalid.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyInvalidResponseException",
    connect: "XKS_PROXY_INVALID_RESPONSE",
  },
};
const names = Object.keys(expected) as FailureName[];

test("every failure is expected here", () => {
  expect(Object.keys(failures).sort()).toEqual([...names].sort());
});

test.each(names)("%s", (name) => {
  const { message, createKey, keyStore, connect } = expected[name];
  expect(cryptographicRefusal(name)).toEqual({ type: "KMSInvalidStateException", message });
  expect(createKeyRefusal(name)).toEqual({ type: createKey, message });
  expect(keyStoreRefusal(name)).toEqual({ type: keyStore, message });
  expect(connectionErrorCode(name)).toBe(connect);
});

describe("with a proxy", () => {
  let proxy: TestProxy;
  beforeAll(async () => {
    proxy = await startProxy();
  });
  afterAll(() => proxy.close());

  const health = () =>
    getHealthStatus(clientOf(proxy), { kmsOperation: "CreateCustomKeyStore", kmsRequestId: "r" });
  const metadata = () => getKeyMetadata(clientOf(proxy), "key-1", requestFor("CreateKey"));

  test("that does not know KMS, a key store is not made", async () => {
    proxy.fault = refusal(401, "AuthenticationFailedException");
    const result = await health();
    proxy.fault = null;
    expect(result.ok || keyStoreRefusal(result.failure.name).type).toBe(
      "XksProxyIncorrectAuthenticationCredentialException",
    );
  });

  test.each([
    [["UNAVAILABLE"], "ManagersUnavailable"],
    [["UNAVAILABLE", "UNAVAILABLE"], "ManagersUnavailable"],
    [["UNAVAILABLE", "DEGRADED"], undefined],
    [["ACTIVE"], undefined],
  ] as const)("whose key managers are %j", async (states, name) => {
    const ekmFleetDetails = states.map((healthStatus) => ({ id: "", model: "", healthStatus }));
    proxy.health = { ...healthy(), ekmFleetDetails };
    const result = await health();
    expect(result.ok && healthFailure(result.value)?.name).toBe(name);
  });

  test.each([
    [{}, null],
    [{ keyUsage: ["DECRYPT", "SIGN", "ENCRYPT"] }, null],
    [
      { keySpec: "RSA_2048", keyStatus: "DISABLED" },
      "The key spec of the external key must be AES_256. The key spec of specified external key is RSA_2048.",
    ],
    [
      { keyStatus: "DISABLED" },
      "The status of the external key must be ENABLED. The status of specified external key is DISABLED.",
    ],
    [
      { keyUsage: ["DECRYPT", "SIGN"] },
      "The key usage of the external key must include ENCRYPT and DECRYPT. The key use of specified external key is DECRYPT, SIGN.",
    ],
    [
      { keyUsage: ["ENCRYPT"] },
      "The key usage of the external key must include ENCRYPT and DECRYPT. The key use of specified external key is ENCRYPT.",
    ],
  ])("whose external key is %j, CreateKey says %j", async (changes, text) => {
    proxy.keys.set("key-1", { ...newExternalKey(), ...changes });
    const result = await metadata();
    expect(result.ok && unfitForUse(result.value)).toBe(text);
  });
});
