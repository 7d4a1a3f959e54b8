// Custom key stores: making, connecting, changing and deleting them. What is particular to CloudHSM
// clusters and to external key store proxies is beside this, in files of their own.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-store-overview.html#custom-key-store-overview

import { toHex } from "../crypto/base64.ts";
import {
  type Connection,
  type ConnectionState,
  type CustomKeyStore,
  type ExternalKeyStore,
  type KeyStores,
  storeNamed,
  storesOf,
  storeWithId,
  withoutStore,
  withStore,
} from "../domain/custom-key-store.ts";
import { requireQuota } from "../domain/quota.ts";
import { KmsError, validation } from "../errors.ts";
import { connectionErrorCode, keyStoreRefusal } from "../xks/failures.ts";
import { connectableCluster, newCluster, relatedCluster } from "./cloudhsm-key-stores.ts";
import { changedProxy, endpointServiceError, newProxy } from "./external-key-stores.ts";
import { timestamp } from "./key-metadata.ts";
import {
  acceptedChanges,
  acceptedProperties,
  type CreateInput,
  createInput,
  customKeyStoreId,
  customKeyStoreName,
  type UpdateInput,
  updateInput,
} from "./key-store-properties.ts";
import {
  connectionStateUnfit,
  hasKeys,
  keyStoreNotFound,
  nameInUse,
} from "./key-store-refusals.ts";
import * as members from "./members.ts";
import { type KeyStoresView, onKeyStores } from "./operation.ts";
import { pageOf } from "./pages.ts";
import { required } from "./shape.ts";

const KEY_STORE_PAGE = { standard: 1000, max: 1000 };

const onOne = { input: { CustomKeyStoreId: required(customKeyStoreId) } };

export const customKeyStores = {
  /** The new store is disconnected; a proxy with a public endpoint has been called by then. */
  CreateCustomKeyStore: onKeyStores({
    input: createInput,
    adds: true,
    asks: (input, view) => publicProxy(created(input, view)),
    run(input, view, failure) {
      const store = created(input, view);
      if (failure) throw refused(failure);
      return {
        keyStores: withStore(view.keyStores, store),
        output: { CustomKeyStoreId: store.id },
      };
    },
  }),

  DescribeCustomKeyStores: onKeyStores({
    input: {
      CustomKeyStoreId: customKeyStoreId,
      CustomKeyStoreName: customKeyStoreName,
      Limit: members.limit,
      Marker: members.marker,
    },
    run(input, { keyStores }) {
      const shown = described(input, keyStores);
      const { items, output } = pageOf("DescribeCustomKeyStores", shown, input, KEY_STORE_PAGE);
      return { keyStores, output: { CustomKeyStores: items.map(listEntry), ...output } };
    },
  }),

  UpdateCustomKeyStore: onKeyStores({
    input: updateInput,
    asks(input, view) {
      const before = requireStore(view.keyStores, input.CustomKeyStoreId);
      const after = updated(input, view);
      if (after.type !== "EXTERNAL_KEY_STORE") return null;
      if (before.type === "EXTERNAL_KEY_STORE" && after.proxy === before.proxy) return null;
      return after.connection.state === "CONNECTED" ? after.proxy : publicProxy(after);
    },
    run(input, view, failure) {
      const store = updated(input, view);
      if (failure) throw refused(failure);
      return { keyStores: withStore(view.keyStores, store), output: {} };
    },
  }),

  /** Keys that wait for their deletion are keys, too. */
  DeleteCustomKeyStore: onKeyStores({
    ...onOne,
    run({ CustomKeyStoreId }, { keyStores, keys }) {
      const store = requireStore(keyStores, CustomKeyStoreId);
      requireConnection(store, "DISCONNECTED");
      if (keys.hasKeys(store.id)) throw hasKeys(store);
      return { keyStores: withoutStore(keyStores, store.id), output: {} };
    },
  }),

  /** Begins to connect; how it ends shows later. A store that is connected stays it. */
  ConnectCustomKeyStore: onKeyStores({
    ...onOne,
    asks({ CustomKeyStoreId }, view) {
      const store = requireStore(view.keyStores, CustomKeyStoreId);
      if (store.connection.state !== "DISCONNECTED" || store.type === "AWS_CLOUDHSM") return null;
      return endpointServiceError(store.proxy, view) ? null : store.proxy;
    },
    run({ CustomKeyStoreId }, view, failure) {
      const { keyStores, at } = view;
      const store = requireStore(keyStores, CustomKeyStoreId);
      requireConnection(store, "DISCONNECTED", "CONNECTED", "CONNECTING");
      if (store.connection.state !== "DISCONNECTED") return { keyStores, output: {} };
      const error =
        store.type === "AWS_CLOUDHSM"
          ? connectableCluster(store, keyStores.clusters)
          : (endpointServiceError(store.proxy, view) ?? (failure && connectionErrorCode(failure)));
      const connection = { state: "CONNECTING", endsAt: at.now + at.connectingMs, error } as const;
      return { keyStores: withConnection(keyStores, store, connection), output: {} };
    },
  }),

  DisconnectCustomKeyStore: onKeyStores({
    ...onOne,
    run({ CustomKeyStoreId }, { keyStores, at }) {
      const store = requireStore(keyStores, CustomKeyStoreId);
      requireConnection(store, "CONNECTED", "CONNECTING", "FAILED");
      const connection = { state: "DISCONNECTING", endsAt: at.now + at.connectingMs } as const;
      return { keyStores: withConnection(keyStores, store, connection), output: {} };
    },
  }),
};

/** A step of GenerateRandom: whether a CloudHSM key store can give random bytes. */
export const keyStoreSteps = {
  GenerateRandomInKeyStore: onKeyStores({
    ...onOne,
    run({ CustomKeyStoreId }, { keyStores }) {
      const store = requireStore(keyStores, CustomKeyStoreId);
      if (store.type !== "AWS_CLOUDHSM") {
        throw new KmsError(
          "UnsupportedOperationException",
          `GenerateRandom is not supported in the external key store ${store.id}.`,
        );
      }
      requireConnection(store, "CONNECTED");
      return { keyStores, output: null };
    },
  }),
};

export function requireStore(keyStores: KeyStores, id: string): CustomKeyStore {
  const store = storeWithId(keyStores, id);
  if (!store) throw keyStoreNotFound();
  return store;
}

export function requireConnection(store: CustomKeyStore, ...states: ConnectionState[]): void {
  if (states.includes(store.connection.state)) return;
  throw connectionStateUnfit(store, states.join(" or "));
}

const withConnection = (keyStores: KeyStores, store: CustomKeyStore, connection: Connection) =>
  withStore(keyStores, { ...store, connection });

/** KMS calls a proxy behind a VPC endpoint service no earlier than when it connects to it. */
const publicProxy = (store: CustomKeyStore) =>
  store.type === "EXTERNAL_KEY_STORE" && store.proxy.connectivity === "PUBLIC_ENDPOINT"
    ? store.proxy
    : null;

function refused(failure: Parameters<typeof keyStoreRefusal>[0]): KmsError {
  const { type, message } = keyStoreRefusal(failure);
  return new KmsError(type, message);
}

/** The store that a request asks for, held to every rule but the health of its proxy. */
function created(input: CreateInput, view: KeyStoresView): CustomKeyStore {
  const accepted = acceptedProperties(input, view.caller);
  const { keyStores, at } = view;
  if (storeNamed(keyStores, input.CustomKeyStoreName)) throw nameInUse(input.CustomKeyStoreName);
  requireQuota("CUSTOM_KEY_STORES", storesOf(keyStores).length + 1, at.quotas);
  const store = {
    id: `cks-${toHex(at.random(9)).slice(0, 17)}`,
    name: input.CustomKeyStoreName,
    createdAt: at.now,
    connection: { state: "DISCONNECTED" },
  } as const;
  return accepted.type === "AWS_CLOUDHSM"
    ? { ...store, ...newCluster(accepted, keyStores) }
    : { ...store, type: accepted.type, proxy: newProxy(accepted.proxy, view) };
}

/** The store as a request changes it, held to every rule but the health of its proxy. */
function updated(input: UpdateInput, view: KeyStoresView): CustomKeyStore {
  const { keyStores } = view;
  const store = requireStore(keyStores, input.CustomKeyStoreId);
  const { anytime, disconnected } = acceptedChanges(input, store);
  if (disconnected) requireConnection(store, "DISCONNECTED");
  else if (anytime) requireConnection(store, "DISCONNECTED", "CONNECTED");
  const name = input.NewCustomKeyStoreName ?? store.name;
  if (name !== store.name && storeNamed(keyStores, name)) throw nameInUse(name);
  return store.type === "AWS_CLOUDHSM"
    ? { ...store, name, ...relatedCluster(input, store, keyStores) }
    : { ...store, name, proxy: changedProxy(input, store, view) };
}

interface DescribeInput {
  readonly CustomKeyStoreId?: string | undefined;
  readonly CustomKeyStoreName?: string | undefined;
}

function described(input: DescribeInput, keyStores: KeyStores): readonly CustomKeyStore[] {
  const { CustomKeyStoreId: id, CustomKeyStoreName: name } = input;
  if (id !== undefined && name !== undefined) {
    throw validation("Specify either CustomKeyStoreId or CustomKeyStoreName, but not both.");
  }
  if (id !== undefined) return [requireStore(keyStores, id)];
  if (name === undefined) return storesOf(keyStores);
  const store = storeNamed(keyStores, name);
  if (!store) throw keyStoreNotFound();
  return [store];
}

const listEntry = (store: CustomKeyStore) => ({
  CustomKeyStoreId: store.id,
  CustomKeyStoreName: store.name,
  ...(store.type === "AWS_CLOUDHSM" && {
    CloudHsmClusterId: store.clusterId,
    TrustAnchorCertificate: store.trustAnchorCertificate,
  }),
  ConnectionState: store.connection.state,
  ...(store.connection.state === "FAILED" && { ConnectionErrorCode: store.connection.error }),
  CreationDate: timestamp(store.createdAt),
  CustomKeyStoreType: store.type,
  ...(store.type === "EXTERNAL_KEY_STORE" && { XksProxyConfiguration: proxyEntry(store) }),
});

/** The credential's secret half is never shown. */
const proxyEntry = ({ proxy }: ExternalKeyStore) => ({
  Connectivity: proxy.connectivity,
  AccessKeyId: proxy.credential.accessKeyId,
  UriEndpoint: proxy.uriEndpoint,
  UriPath: proxy.uriPath,
  ...(proxy.vpcEndpointServiceName !== null && {
    VpcEndpointServiceName: proxy.vpcEndpointServiceName,
    VpcEndpointServiceOwner: proxy.vpcEndpointServiceOwner,
  }),
});
