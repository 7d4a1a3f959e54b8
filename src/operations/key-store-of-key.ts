// What a key and its custom key store have to do with each other: the store's state is the store's
// own, so a key asks for it with every call, and is Unavailable as long as the store is not connected.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html

import type { Bytes } from "../crypto/bytes.ts";
import { clusterOf } from "../domain/cloudhsm-cluster.ts";
import type {
  CustomKeyStore,
  CustomKeyStoreType,
  KeyStores,
  ProxyConfiguration,
} from "../domain/custom-key-store.ts";
import { isInCustomKeyStore, type Key, type KeySet, keysOf, withKeys } from "../domain/key-set.ts";
import { KmsError, validation } from "../errors.ts";
import type { ProxyCiphertext } from "../xks/responses.ts";

/** The store that a new key is to be in. */
export interface KeyStoreWanted {
  readonly id: string;
  readonly type: CustomKeyStoreType;
  /** The external key, of a store of that type. */
  readonly xksKeyId: string | null;
}

interface NewKeyInput {
  readonly Origin?: string | undefined;
  readonly CustomKeyStoreId?: string | undefined;
  readonly XksKeyId?: string | undefined;
  readonly MultiRegion?: boolean | undefined;
}

/** The store that CreateKey is told of; null for an origin that has none. */
export function keyStoreWanted(input: NewKeyInput): KeyStoreWanted | null {
  const { Origin: origin = "AWS_KMS", CustomKeyStoreId: id, XksKeyId: xksKeyId } = input;
  const type = origin === "AWS_CLOUDHSM" || origin === "EXTERNAL_KEY_STORE" ? origin : null;
  const external = type === "EXTERNAL_KEY_STORE";
  if (xksKeyId !== undefined && !external) throw notValidFor("XksKeyId", origin);
  if (!type) {
    if (id !== undefined) throw notValidFor("CustomKeyStoreId", origin);
    return null;
  }
  if (id === undefined) throw requiredFor("CustomKeyStoreId", origin);
  if (external && xksKeyId === undefined) throw requiredFor("XksKeyId", origin);
  if (input.MultiRegion) {
    throw new KmsError(
      "UnsupportedOperationException",
      `Multi-Region keys of origin ${origin} are not supported.`,
    );
  }
  return { id, type, xksKeyId: xksKeyId ?? null };
}

const notValidFor = (member: string, origin: string) =>
  validation(`${member} is not valid for keys of origin ${origin}.`);

const requiredFor = (member: string, origin: string) =>
  validation(`${member} is required for keys of origin ${origin}.`);

/** A custom key store as its keys see it, at one moment. */
export interface KeyStoreOfKey {
  readonly id: string;
  readonly connected: boolean;
  /** Of a store that is connected: why its keys cannot be used all the same; null where they can. */
  readonly failure: string | null;
  readonly cloudHsmClusterId: string | null;
  readonly proxy: ProxyConfiguration | null;
}

/** The same with the way to the key's external key, where it has one. */
export interface OpenKeyStore extends KeyStoreOfKey {
  readonly externalKey: ExternalKey | null;
}

/** A key in an external key manager. Both throw the KmsError that a failure is to KMS's caller. */
export interface ExternalKey {
  encrypt(plaintext: Bytes, authenticatedData: Bytes): Promise<ProxyCiphertext>;
  decrypt(sealed: ProxyCiphertext, authenticatedData: Bytes): Promise<Bytes>;
}

/** What the keys of a store are to know of it. */
export function keyStoreOfKey({ clusters }: KeyStores, store: CustomKeyStore): KeyStoreOfKey {
  const connected = store.connection.state === "CONNECTED";
  if (store.type === "EXTERNAL_KEY_STORE") {
    const { id, proxy } = store;
    return { id, connected, failure: null, cloudHsmClusterId: null, proxy };
  }
  const { state, hsms } = clusterOf(clusters, store.clusterId);
  // A connection outlasts its cluster: the guide, "How to fix a failing KMS key".
  const usable = state === "ACTIVE" && hsms > 0;
  return {
    id: store.id,
    connected,
    failure: usable ? null : "KMS cannot communicate with your CloudHSM cluster.",
    cloudHsmClusterId: store.clusterId,
    proxy: null,
  };
}

/**
 * The set as its custom key store makes it: Unavailable while the store is not connected, and after
 * that what it was, or what EnableKey and DisableKey have asked for since. The same object comes back
 * where nothing is different.
 */
export function inKeyStore(set: KeySet, { connected, cloudHsmClusterId }: KeyStoreOfKey): KeySet {
  const { customKeyStore } = set;
  const moved = customKeyStore && customKeyStore.cloudHsmClusterId !== cloudHsmClusterId;
  const here = moved ? { ...set, customKeyStore: { ...customKeyStore, cloudHsmClusterId } } : set;
  const changed = keysOf(here)
    .map((key) => (connected ? available(key) : unavailable(key)))
    .filter((key) => key !== here.keys[key.region]);
  return changed.length === 0 ? here : withKeys(here, ...changed);
}

function unavailable(key: Key): Key {
  const { state } = key;
  if (state !== "Enabled" && state !== "Disabled") return key;
  return { ...key, state: "Unavailable", whenAvailable: state };
}

function available(key: Key): Key {
  if (key.state !== "Unavailable") return key;
  return { ...key, state: key.whenAvailable ?? "Enabled" };
}

/** The key after EnableKey or DisableKey, which wait for an Unavailable key to become available. */
export const switched = (key: Key, to: "Enabled" | "Disabled"): Key =>
  key.state === "Unavailable" ? { ...key, whenAvailable: to } : { ...key, state: to };

/** Refuses what no key of a custom key store can do, with the text recorded for imported keys. */
export function requireNoKeyStore({ set, arn }: { readonly set: KeySet; readonly arn: string }) {
  if (!isInCustomKeyStore(set)) return;
  throw new KmsError(
    "UnsupportedOperationException",
    `${arn} origin is ${set.origin} which is not valid for this operation.`,
  );
}
