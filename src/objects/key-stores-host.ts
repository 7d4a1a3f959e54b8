// The custom key stores of a directory, as the operations on them want to be served.

import { noKeyStores } from "../domain/custom-key-store.ts";
import { parseQuotas } from "../domain/quota.ts";
import type { KeyStoresHost } from "../operations/perform-on-key-stores.ts";
import type { WorkerSettings } from "../settings.ts";
import type { KeyStoreTable } from "./key-store-table.ts";
import { proxiesOf } from "./proxies.ts";

export interface StoredKeyStores extends KeyStoresHost {
  readonly keys: KeyStoresHost["keys"] & { release(keyId: string): void };
}

/** `table` is null while the directory has not been written to, and holds no key store. */
export function keyStoresHost(
  env: Env,
  settings: WorkerSettings,
  table: () => KeyStoreTable | null,
  now: () => number,
): StoredKeyStores {
  const quotas = parseQuotas(settings.quotas);
  return {
    load: () => table()?.load() ?? noKeyStores,
    save(before, after) {
      if (before !== after) written(table()).save(before, after);
    },
    keys: {
      hasKeys: (storeId) => table()?.hasKeys(storeId) ?? false,
      hasExternalKey: (storeId, xksKeyId) => table()?.hasExternalKey(storeId, xksKeyId) ?? false,
      admit: (keyId, wanted) => written(table()).admit(keyId, wanted),
      release: (keyId) => table()?.release(keyId),
    },
    moment: () => ({
      now: now(),
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
      connectingMs: settings.connectingMs,
      quotas,
    }),
    proxies: proxiesOf(env, settings),
  };
}

function written(table: KeyStoreTable | null): KeyStoreTable {
  if (!table) throw new Error("key stores are written to before the tenant knows the directory");
  return table;
}
