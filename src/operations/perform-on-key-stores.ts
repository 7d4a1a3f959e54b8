// The one path of everything that is asked of custom key stores: of the stores themselves, and of the
// store that a key is in. What has to be asked of a proxy is asked first; the check and the write that
// follow have nothing between them.

import { rootArn } from "../domain/arn.ts";
import {
  advanceKeyStores,
  type CustomKeyStore,
  type KeyStores,
  type KeyStoresMoment,
  type ProxyConfiguration,
} from "../domain/custom-key-store.ts";
import { KmsError } from "../errors.ts";
import { createKeyRefusal, unfitForUse } from "../xks/failures.ts";
import type { Proxies, ProxyAddress } from "../xks/proxies.ts";
import { requireRoomForKey } from "./cloudhsm-key-stores.ts";
import { requireConnection, requireStore } from "./custom-key-stores.ts";
import { keyStoreOperations, operations } from "./index.ts";
import { type KeyStoreOfKey, type KeyStoreWanted, keyStoreOfKey } from "./key-store-of-key.ts";
import { externalKeyInUse } from "./key-store-refusals.ts";
import type { Caller, KeysInStores, Output } from "./operation.ts";
import { requireByAccount } from "./permission.ts";

/** One request to the custom key stores of an account in a Region. */
export interface KeyStoresCall {
  readonly operation: string;
  readonly input: object;
  readonly caller: Caller;
  readonly requestId: string;
}

/** A key that is to be created in a custom key store. */
export interface Admission {
  readonly keyId: string;
  readonly wanted: KeyStoreWanted;
  readonly caller: Caller;
  readonly requestId: string;
}

/** Where custom key stores are kept. */
export interface KeyStoresHost {
  /** As they were last saved. */
  load(): KeyStores;
  /** Writes what is different; nothing where they are the same object. */
  save(before: KeyStores, after: KeyStores): void;
  readonly keys: KeysInStores & {
    /** Counts a key as its store's until it is there, or for a minute. */
    admit(keyId: string, wanted: KeyStoreWanted): void;
  };
  moment(): KeyStoresMoment;
  readonly proxies: Proxies;
}

/** Performs an operation on custom key stores. Throws the KmsError AWS would answer. */
export async function performOnKeyStores(
  { operation, input, caller, requestId }: KeyStoresCall,
  host: KeyStoresHost,
): Promise<Output> {
  const record = keyStoreOperations[operation];
  if (!record) throw new Error(`no operation ${operation} on custom key stores`);
  const before = viewOf(host, caller);
  // What callers cannot name is a step of something else, which has asked.
  if (Object.hasOwn(operations, operation)) {
    const { now } = before.at;
    requireByAccount({ action: operation, caller, input, now, resource: "*" });
  }
  const proxy = record.asks?.(input, before) ?? null;
  const request = { kmsOperation: operation, kmsRequestId: requestId };
  const failure = proxy && (await host.proxies.health(addressOf(proxy, caller), request));
  const view = viewOf(host, caller);
  const { keyStores, output } = record.run(input, view, failure?.name ?? null);
  host.save(view.keyStores, advanceKeyStores(keyStores, view.at));
  return output;
}

/** The store of a key, as it is now. */
export function keyStoreNow(id: string, host: KeyStoresHost): KeyStoreOfKey {
  const keyStores = keyStoresOf(host);
  return keyStoreOfKey(keyStores, requireStore(keyStores, id));
}

/**
 * Lets a key into a store, of which it counts as one from then on. Throws what CreateKey answers
 * where the store is not connected, or its cluster or the external key does not fit.
 */
export async function admitKey(admission: Admission, host: KeyStoresHost): Promise<KeyStoreOfKey> {
  const { proxy } = keyStoreOfKey(...requireAdmission(admission, host));
  if (proxy) await requireExternalKey(admission, proxy, host.proxies);
  const [keyStores, store] = requireAdmission(admission, host);
  host.keys.admit(admission.keyId, admission.wanted);
  return keyStoreOfKey(keyStores, store);
}

function requireAdmission(
  { wanted }: Admission,
  host: KeyStoresHost,
): readonly [KeyStores, CustomKeyStore] {
  const keyStores = keyStoresOf(host);
  const store = requireStore(keyStores, wanted.id);
  if (store.type !== wanted.type) {
    throw new KmsError(
      "UnsupportedOperationException",
      `The custom key store ${store.id} is of type ${store.type}, which is not valid for keys of origin ${wanted.type}.`,
    );
  }
  requireConnection(store, "CONNECTED");
  if (store.type === "AWS_CLOUDHSM") requireRoomForKey(store, keyStores.clusters);
  if (wanted.xksKeyId !== null && host.keys.hasExternalKey(store.id, wanted.xksKeyId)) {
    throw externalKeyInUse(wanted.xksKeyId);
  }
  return [keyStores, store];
}

async function requireExternalKey(
  { wanted, caller, requestId }: Admission,
  proxy: ProxyConfiguration,
  proxies: Proxies,
): Promise<void> {
  const key = { ...addressOf(proxy, caller), xksKeyId: wanted.xksKeyId ?? "" };
  const result = await proxies.keyMetadata(key, {
    kmsOperation: "CreateKey",
    kmsRequestId: requestId,
    awsPrincipalArn: principalArnOf(caller),
  });
  if (!result.ok) {
    const { type, message } = createKeyRefusal(result.failure.name);
    throw new KmsError(type, message);
  }
  const unfit = unfitForUse(result.value);
  if (unfit !== null) throw new KmsError("XksKeyInvalidConfigurationException", unfit);
}

/** Who calls, as a proxy is told. */
export const principalArnOf = ({ principal, region, accountId }: Caller) =>
  principal?.arn ?? rootArn(region, accountId);

/** A proxy, called from the Region that its key store is in. */
export const addressOf = (
  { uriEndpoint, uriPath, credential }: ProxyConfiguration,
  { region }: Pick<Caller, "region">,
): ProxyAddress => ({ uriEndpoint, uriPath, credential, region });

/** As they are now. */
export const keyStoresOf = (host: KeyStoresHost): KeyStores => loadAt(host, host.moment());

/** As they are at a moment. What time did is saved, whatever the call comes to. */
function loadAt(host: KeyStoresHost, at: KeyStoresMoment): KeyStores {
  const before = host.load();
  const after = advanceKeyStores(before, at);
  host.save(before, after);
  return after;
}

function viewOf(host: KeyStoresHost, caller: Caller) {
  const at = host.moment();
  return { keyStores: loadAt(host, at), keys: host.keys, caller, at };
}
