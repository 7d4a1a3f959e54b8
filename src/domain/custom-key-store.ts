// The custom key stores of one account in one Region: what each is backed by, whether it is
// connected, and what time does to that. Pure, immutable data; knows no storage and no proxy.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-store-overview.html#custom-key-store-overview

import { toHex } from "../crypto/base64.ts";
import { type Clusters, clusterOf, logIn } from "./cloudhsm-cluster.ts";
import type { Moment } from "./moment.ts";

/** Why an attempt to connect failed, in the order of the API reference. */
export const connectionErrorCodes = [
  "INVALID_CREDENTIALS",
  "CLUSTER_NOT_FOUND",
  "NETWORK_ERRORS",
  "INTERNAL_ERROR",
  "INSUFFICIENT_CLOUDHSM_HSMS",
  "USER_LOCKED_OUT",
  "USER_NOT_FOUND",
  "USER_LOGGED_IN",
  "SUBNET_NOT_FOUND",
  "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET",
  "XKS_PROXY_ACCESS_DENIED",
  "XKS_PROXY_NOT_REACHABLE",
  "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND",
  "XKS_PROXY_INVALID_RESPONSE",
  "XKS_PROXY_INVALID_CONFIGURATION",
  "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION",
  "XKS_PROXY_TIMED_OUT",
  "XKS_PROXY_INVALID_TLS_CONFIGURATION",
] as const;

export type ConnectionErrorCode = (typeof connectionErrorCodes)[number];

/** A connection with what belongs to its state. Instants are ms since the epoch. */
export type Connection =
  | { readonly state: "CONNECTED" | "DISCONNECTED" }
  | {
      readonly state: "CONNECTING";
      readonly endsAt: number;
      /** What the proxy of an external key store has said already; null for nothing bad. */
      readonly error: ConnectionErrorCode | null;
    }
  | { readonly state: "DISCONNECTING"; readonly endsAt: number }
  | { readonly state: "FAILED"; readonly error: ConnectionErrorCode };

export type ConnectionState = Connection["state"];

interface AnyKeyStore {
  /** `cks-` and 17 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly connection: Connection;
}

export interface CloudHsmKeyStore extends AnyKeyStore {
  readonly type: "AWS_CLOUDHSM";
  readonly clusterId: string;
  readonly trustAnchorCertificate: string;
  /** The password of `kmsuser` as KMS knows it. */
  readonly password: string;
}

export interface ExternalKeyStore extends AnyKeyStore {
  readonly type: "EXTERNAL_KEY_STORE";
  readonly proxy: ProxyConfiguration;
}

export type CustomKeyStore = CloudHsmKeyStore | ExternalKeyStore;
export type CustomKeyStoreType = CustomKeyStore["type"];

export const connectivities = ["PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE"] as const;

/** How an external key store's proxy is reached, and as whom. */
export interface ProxyConfiguration {
  readonly connectivity: (typeof connectivities)[number];
  readonly uriEndpoint: string;
  readonly uriPath: string;
  /** Both only with the connectivity VPC_ENDPOINT_SERVICE. */
  readonly vpcEndpointServiceName: string | null;
  readonly vpcEndpointServiceOwner: string | null;
  readonly credential: ProxyCredential;
}

/** Known to the proxy and to KMS; the secret is in no answer and no log. */
export interface ProxyCredential {
  readonly accessKeyId: string;
  readonly rawSecretAccessKey: string;
}

export const endpointServiceStates = ["AVAILABLE", "INVALID_CONFIGURATION", "NOT_FOUND"] as const;

/** Amazon VPC endpoint services by their names; one that is not here is AVAILABLE. */
export interface EndpointServices {
  readonly [name: string]: { readonly state: (typeof endpointServiceStates)[number] };
}

/** Everything an account has in a Region that has to do with custom key stores. */
export interface KeyStores {
  readonly stores: { readonly [id: string]: CustomKeyStore };
  readonly clusters: Clusters;
  readonly endpointServices: EndpointServices;
}

export const noKeyStores: KeyStores = { stores: {}, clusters: {}, endpointServices: {} };

/** What key stores ask of their surroundings. */
export interface KeyStoresMoment extends Pick<Moment, "now" | "random" | "quotas"> {
  /** How long connecting and disconnecting take. */
  readonly connectingMs: number;
}

/** In the order of their creation. */
export const storesOf = ({ stores }: KeyStores): readonly CustomKeyStore[] =>
  Object.values(stores).sort(
    (a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : Number(a.id > b.id)),
  );

export const storeWithId = ({ stores }: KeyStores, id: string): CustomKeyStore | null =>
  (Object.hasOwn(stores, id) ? stores[id] : undefined) ?? null;

export const storeNamed = (keyStores: KeyStores, name: string): CustomKeyStore | null =>
  storesOf(keyStores).find((store) => store.name === name) ?? null;

/** The key stores with one added or replaced. */
export const withStore = (keyStores: KeyStores, store: CustomKeyStore): KeyStores => ({
  ...keyStores,
  stores: { ...keyStores.stores, [store.id]: store },
});

export function withoutStore(keyStores: KeyStores, id: string): KeyStores {
  const { [id]: _gone, ...stores } = keyStores.stores;
  return { ...keyStores, stores };
}

const dueOf = ({ connection }: CustomKeyStore) =>
  "endsAt" in connection ? connection.endsAt : Number.POSITIVE_INFINITY;

/**
 * The key stores as they are at `at.now`; the same object where nothing was due. What is due happens
 * in the order of its instants: of two stores on related clusters, one may lock the other out.
 */
export function advanceKeyStores(keyStores: KeyStores, at: KeyStoresMoment): KeyStores {
  let current = keyStores;
  for (;;) {
    const next = storesOf(current)
      .filter((store) => dueOf(store) <= at.now)
      .sort((a, b) => dueOf(a) - dueOf(b))[0];
    if (!next) return current;
    current = settledConnection(current, next, at);
  }
}

function settledConnection(
  keyStores: KeyStores,
  store: CustomKeyStore,
  { random }: KeyStoresMoment,
): KeyStores {
  const { connection } = store;
  if (connection.state !== "CONNECTING") {
    return withStore(keyStores, { ...store, connection: { state: "DISCONNECTED" } });
  }
  if (store.type === "EXTERNAL_KEY_STORE") {
    return withStore(keyStores, { ...store, connection: outcome(connection.error) });
  }
  const { clusters } = keyStores;
  const before = clusterOf(clusters, store.clusterId);
  // 32 alphanumeric characters, the longest password that CloudHSM takes.
  const { error, cluster, password } = logIn(before, store.password, toHex(random(16)));
  const next =
    cluster === before
      ? keyStores
      : { ...keyStores, clusters: { ...clusters, [store.clusterId]: cluster } };
  return withStore(next, { ...store, password, connection: outcome(error) });
}

const outcome = (error: ConnectionErrorCode | null): Connection =>
  error === null ? { state: "CONNECTED" } : { state: "FAILED", error };
