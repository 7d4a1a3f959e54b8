// What KMS tells its own caller when an external key store proxy fails it, in one table.
//
// Which exception: the table "KMS considerations" of the proxy API specification, which the guide's
// page on monitoring repeats. Which text: the guide's page on troubleshooting, and the
// specification's where the guide has none. What neither says is marked "inferred".
// https://github.com/aws/aws-kms-xksproxy-api-spec/blob/main/xks_proxy_api_spec.md#error-codes
// https://docs.aws.amazon.com/kms/latest/developerguide/xks-troubleshooting.html
// https://docs.aws.amazon.com/kms/latest/developerguide/xks-monitoring.html

import type { ExternalKeyMetadata, HealthStatus } from "./responses.ts";

interface Row {
  /** The same for every operation. */
  readonly message: string;
  readonly createKey:
    | "CustomKeyStoreInvalidStateException"
    | "XksKeyInvalidConfigurationException"
    | "XksKeyNotFoundException";
  /** CreateCustomKeyStore and UpdateCustomKeyStore. */
  readonly keyStore:
    | "XksProxyIncorrectAuthenticationCredentialException"
    | "XksProxyInvalidConfigurationException"
    | "XksProxyInvalidResponseException"
    | "XksProxyUriUnreachableException";
  /** The ConnectionErrorCode of a key store that ConnectCustomKeyStore leaves FAILED. */
  readonly connect:
    | "INVALID_CREDENTIALS"
    | "XKS_PROXY_ACCESS_DENIED"
    | "XKS_PROXY_INVALID_CONFIGURATION"
    | "XKS_PROXY_INVALID_RESPONSE"
    | "XKS_PROXY_INVALID_TLS_CONFIGURATION"
    | "XKS_PROXY_NOT_REACHABLE"
    | "XKS_PROXY_TIMED_OUT";
}

const REJECTED = "The external key store proxy rejected the request because";

const notInterpreted: Row = {
  message:
    "AWS KMS cannot interpret the response from the external key store proxy. If you see this " +
    "error repeatedly, consult your external key store proxy administrator.",
  createKey: "CustomKeyStoreInvalidStateException",
  keyStore: "XksProxyInvalidResponseException",
  connect: "XKS_PROXY_INVALID_RESPONSE",
};

/** By the `errorName` of a proxy. What no health check should give is taken as an odd answer. */
const refusals = {
  ValidationException: notInterpreted,
  InvalidStateException: {
    message: `${REJECTED} the external key is not enabled in the external key manager.`,
    createKey: "XksKeyInvalidConfigurationException",
    keyStore: "XksProxyUriUnreachableException", // inferred
    connect: "XKS_PROXY_NOT_REACHABLE", // inferred
  },
  InvalidCiphertextException: {
    // So recorded in the guide's CloudTrail example; the specification has "or encryption context".
    message:
      `${REJECTED} the specified ciphertext or additional authenticated data is corrupted, ` +
      "missing, or otherwise invalid.",
    createKey: "CustomKeyStoreInvalidStateException", // inferred
    keyStore: "XksProxyInvalidResponseException", // inferred
    connect: "XKS_PROXY_INVALID_RESPONSE", // inferred
  },
  InvalidKeyUsageException: {
    message: `${REJECTED} the external key does not support the requested operation.`,
    createKey: "XksKeyInvalidConfigurationException",
    keyStore: "XksProxyInvalidResponseException", // inferred
    connect: "XKS_PROXY_INVALID_RESPONSE", // inferred
  },
  AuthenticationFailedException: {
    message:
      `${REJECTED} it could not authenticate AWS KMS. Verify the credentials for your external ` +
      "key store and update if necessary.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyIncorrectAuthenticationCredentialException",
    connect: "INVALID_CREDENTIALS",
  },
  AccessDeniedException: {
    message:
      "The external key store proxy denied access to the operation. Verify that the user and the " +
      "external key are both authorized for this operation, and try the request again.",
    // The specification has KMSInvalidStateException, which CreateKey does not have.
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyInvalidResponseException", // inferred
    connect: "XKS_PROXY_ACCESS_DENIED",
  },
  KeyNotFoundException: {
    message: `${REJECTED} it could not find the external key.`,
    createKey: "XksKeyNotFoundException",
    keyStore: "XksProxyInvalidResponseException", // inferred
    connect: "XKS_PROXY_INVALID_RESPONSE", // inferred
  },
  InvalidUriPathException: {
    message:
      `${REJECTED.replace("because", "because of")} an invalid URI path. Verify the URI path for ` +
      "your external key store and update if necessary.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyInvalidConfigurationException",
    connect: "XKS_PROXY_INVALID_CONFIGURATION",
  },
  ThrottlingException: {
    message:
      "The external key store proxy rejected the request due to a very high request rate. " +
      "Reduce the frequency of your calls using KMS keys in this external key store.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_NOT_REACHABLE", // inferred
  },
  UnsupportedOperationException: {
    message: `${REJECTED} it does not support the requested cryptographic operation.`,
    // The specification's XksKeyInvalidResponseException is in no model of KMS.
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyInvalidResponseException", // inferred
    connect: "XKS_PROXY_INVALID_RESPONSE", // inferred
  },
  DependencyTimeoutException: {
    message:
      "The external key store proxy did not respond to the request in the time allotted. Retry " +
      "the request. If you see this error repeatedly, report it to your external key store proxy " +
      "administrator.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_TIMED_OUT",
  },
  InternalException: {
    message:
      `${REJECTED} it cannot communicate with the external key manager. Verify that the external ` +
      "key store proxy configuration is correct and that the external key manager is available.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyInvalidResponseException",
    connect: "XKS_PROXY_INVALID_RESPONSE", // inferred
  },
} as const satisfies Record<string, Row>;

/** Every way for a request to a proxy to fail: the proxy's words, and what KMS finds by itself. */
export const failures = {
  ...refusals,
  InvalidResponse: notInterpreted,
  Unreachable: {
    message:
      "AWS KMS cannot communicate with the external key store proxy. This might be a transient " +
      "network issue. If you see this error repeatedly, verify that your external key store " +
      "proxy is active and is connected to the network, and that its endpoint URI is correct in " +
      "your external key store.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_NOT_REACHABLE",
  },
  TlsFailed: {
    message:
      "AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS " +
      "configuration, including its certificate.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_INVALID_TLS_CONFIGURATION",
  },
  TimedOut: {
    // Seen in public code that reads KMS's messages, too.
    message:
      "AWS KMS rejected the request because the external key store proxy did not respond in " +
      "time. Retry the request. If you see this error repeatedly, report it to your external key " +
      "store proxy administrator.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_TIMED_OUT",
  },
  /** A healthy answer that calls every external key manager UNAVAILABLE. */
  ManagersUnavailable: {
    message:
      "The external key store proxy is in an unhealthy state. If you see this message " +
      "repeatedly, notify your external key store proxy administrator.",
    createKey: "CustomKeyStoreInvalidStateException",
    keyStore: "XksProxyUriUnreachableException",
    connect: "XKS_PROXY_NOT_REACHABLE",
  },
  /** What the proxy decrypted is nothing that KMS encrypted. */
  InnerCiphertextInvalid: {
    message:
      "The ciphertext that the external key store proxy submitted for decryption, or the " +
      "encryption context, is corrupted, missing, or otherwise invalid.",
    createKey: "CustomKeyStoreInvalidStateException", // cannot happen there
    keyStore: "XksProxyInvalidResponseException", // nor there
    connect: "XKS_PROXY_INVALID_RESPONSE", // nor there
  },
} as const satisfies Record<string, Row>;

export type FailureName = keyof typeof failures;

/** One failed request; `detail` is for a log, KMS's caller is told the message of the name. */
export interface ProxyFailure {
  readonly name: FailureName;
  readonly detail: string;
}

/** The failure that a proxy's `errorName` is; null for a name that no specification has. */
export const refusalNamed = (errorName: string): FailureName | null =>
  Object.hasOwn(refusals, errorName) ? (errorName as keyof typeof refusals) : null;

/** Cryptographic operations have one exception for all of them, so that no old client breaks. */
export const cryptographicRefusal = (name: FailureName) => ({
  type: "KMSInvalidStateException" as const,
  message: failures[name].message,
});

export const createKeyRefusal = (name: FailureName) => ({
  type: failures[name].createKey,
  message: failures[name].message,
});

export const keyStoreRefusal = (name: FailureName) => ({
  type: failures[name].keyStore,
  message: failures[name].message,
});

export const connectionErrorCode = (name: FailureName) => failures[name].connect;

/** A proxy that answers, but says that it can do nothing. */
export const healthFailure = ({ ekmFleetDetails }: HealthStatus): ProxyFailure | null =>
  ekmFleetDetails.every(({ healthStatus }) => healthStatus === "UNAVAILABLE")
    ? { name: "ManagersUnavailable", detail: "every external key manager is UNAVAILABLE" }
    : null;

/**
 * Why CreateKey cannot use an external key, with the text of its
 * XksKeyInvalidConfigurationException; null for a key that it can use.
 */
export function unfitForUse(key: ExternalKeyMetadata): string | null {
  const { keySpec, keyUsage, keyStatus } = key;
  if (keySpec !== "AES_256") {
    return `The key spec of the external key must be AES_256. The key spec of specified external key is ${keySpec}.`;
  }
  if (keyStatus !== "ENABLED") {
    return `The status of the external key must be ENABLED. The status of specified external key is ${keyStatus}.`;
  }
  if (!keyUsage.includes("ENCRYPT") || !keyUsage.includes("DECRYPT")) {
    return (
      "The key usage of the external key must include ENCRYPT and DECRYPT. " +
      `The key use of specified external key is ${keyUsage.join(", ")}.`
    );
  }
  return null;
}
