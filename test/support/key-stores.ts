// Custom key stores of the core without a platform: kept in memory, and without a way to any proxy
// unless a test makes one.

import {
  type CustomKeyStore,
  type KeyStores,
  type KeyStoresMoment,
  noKeyStores,
} from "../../src/domain/custom-key-store.ts";
import type { KeyStoreWanted } from "../../src/operations/key-store-of-key.ts";
import type { KeyStoresHost } from "../../src/operations/perform-on-key-stores.ts";
import type { Proxies } from "../../src/xks/proxies.ts";
import type { World } from "./core.ts";

/** As in the Durable Object: how long a key counts that nobody has told of. */
const ADMISSION_MS = 60_000;

interface Around {
  readonly moment: () => KeyStoresMoment;
  readonly proxies: () => Proxies;
  /** Whether the directory has a live key of this ID. */
  readonly hasKey: (keyId: string) => boolean;
}

interface Admitted extends KeyStoreWanted {
  readonly at: number;
}

export class MemoryKeyStores implements KeyStoresHost {
  readonly #around: Around;
  #kept: KeyStores = noKeyStores;
  readonly #admitted = new Map<string, Admitted>();

  constructor(around: Around) {
    this.#around = around;
  }

  fork(around: Around): MemoryKeyStores {
    const other = new MemoryKeyStores(around);
    other.#kept = this.#kept;
    for (const [keyId, admitted] of this.#admitted) other.#admitted.set(keyId, admitted);
    return other;
  }

  load(): KeyStores {
    return this.#kept;
  }

  save(_before: KeyStores, after: KeyStores): void {
    this.#kept = after;
  }

  moment(): KeyStoresMoment {
    return this.#around.moment();
  }

  get proxies(): Proxies {
    return this.#around.proxies();
  }

  readonly keys: KeyStoresHost["keys"] = {
    hasKeys: (storeId) => this.#any((admitted) => admitted.id === storeId),
    hasExternalKey: (storeId, xksKeyId) =>
      this.#any((admitted) => admitted.id === storeId && admitted.xksKeyId === xksKeyId),
    admit: (keyId, wanted) =>
      void this.#admitted.set(keyId, { ...wanted, at: this.#around.moment().now }),
  };

  release(keyId: string): void {
    this.#admitted.delete(keyId);
  }

  /** A store as it is kept, secrets included. */
  stored(name: string): CustomKeyStore {
    const store = Object.values(this.#kept.stores).find((each) => each.name === name);
    if (!store) throw new Error(`no key store ${name}`);
    return store;
  }

  #any(matches: (admitted: Admitted) => boolean): boolean {
    const young = this.#around.moment().now - ADMISSION_MS;
    return [...this.#admitted].some(
      ([keyId, admitted]) =>
        matches(admitted) && (admitted.at > young || this.#around.hasKey(keyId)),
    );
  }
}

/** What a CloudHSM key store is made of; of the cluster nothing has been said. */
export const CLUSTER_STORE = {
  CustomKeyStoreName: "store",
  CloudHsmClusterId: "cluster-2a34b5cdefg",
  KeyStorePassword: "kmsPswd",
  TrustAnchorCertificate: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
};

/** A new CloudHSM key store that is connected; returns its ID. */
export async function connectedStore(world: World, region: string): Promise<string> {
  const created = world.call<{ CustomKeyStoreId: string }>(
    region,
    "CreateCustomKeyStore",
    CLUSTER_STORE,
  );
  const { CustomKeyStoreId } = await created;
  await world.call(region, "ConnectCustomKeyStore", { CustomKeyStoreId });
  world.pass(world.connectingMs);
  return CustomKeyStoreId;
}

const unexpected = () => Promise.reject(new Error("no proxy was expected to be called"));

export const noProxies: Proxies = {
  health: unexpected,
  keyMetadata: unexpected,
  encrypt: unexpected,
  decrypt: unexpected,
};
