// What a directory keeps of custom key stores: the stores, what was said of clusters and VPC endpoint
// services, and which keys are in which store. Proxies' secrets are in the rows of the stores.

import { type CustomKeyStore, type KeyStores, noKeyStores } from "../domain/custom-key-store.ts";
import type { KeyStoreWanted } from "../operations/key-store-of-key.ts";
import type { KeysInStores } from "../operations/operation.ts";

/** The step of a directory's schema that this is. */
export const keyStoreSchema = `
  CREATE TABLE keyStore (
    part TEXT NOT NULL,
    id TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (part, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE keyInStore (
    keyId TEXT PRIMARY KEY,
    storeId TEXT NOT NULL,
    xksKeyId TEXT,
    admittedAt INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX keyByStore ON keyInStore (storeId, xksKeyId)`;

/** How long a key counts as its store's that no key set has told the directory of. */
const ADMISSION_MS = 60_000;

type Row = { readonly part: keyof KeyStores; readonly id: string; readonly json: string };

export class KeyStoreTable implements KeysInStores {
  readonly #sql: SqlStorage;
  readonly #now: () => number;

  /** `now` is the tenant's time, in ms since the epoch. */
  constructor(sql: SqlStorage, now: () => number) {
    this.#sql = sql;
    this.#now = now;
  }

  load(): KeyStores {
    const parts: Record<keyof KeyStores, Record<string, unknown>> = {
      stores: {},
      clusters: {},
      endpointServices: {},
    };
    for (const { part, id, json } of this.#sql.exec<Row>("SELECT part, id, json FROM keyStore")) {
      parts[part][id] = JSON.parse(json);
    }
    return parts as unknown as KeyStores;
  }

  /** Immutable values make "what changed" an identity check. */
  save(before: KeyStores, after: KeyStores): void {
    for (const part of Object.keys(noKeyStores) as (keyof KeyStores)[]) {
      const [old, fresh] = [before[part], after[part]] as Record<string, unknown>[];
      if (!old || !fresh || old === fresh) continue;
      for (const [id, value] of Object.entries(fresh)) {
        if (old[id] === value) continue;
        const insert = "INSERT OR REPLACE INTO keyStore VALUES (?, ?, ?)";
        this.#sql.exec(insert, part, id, JSON.stringify(value));
      }
      for (const id of Object.keys(old).filter((each) => !Object.hasOwn(fresh, each))) {
        this.#sql.exec("DELETE FROM keyStore WHERE part = ? AND id = ?", part, id);
      }
    }
  }

  hasKeys(storeId: CustomKeyStore["id"]): boolean {
    return this.#any("storeId = ?", storeId);
  }

  hasExternalKey(storeId: string, xksKeyId: string): boolean {
    return this.#any("storeId = ? AND xksKeyId = ?", storeId, xksKeyId);
  }

  admit(keyId: string, { id, xksKeyId }: KeyStoreWanted): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO keyInStore VALUES (?, ?, ?, ?)",
      ...[keyId, id, xksKeyId, this.#now()],
    );
  }

  release(keyId: string): void {
    this.#sql.exec("DELETE FROM keyInStore WHERE keyId = ?", keyId);
  }

  /** Whether a key is there; of those that match, the ones that are gone are forgotten. */
  #any(condition: string, ...values: readonly string[]): boolean {
    const now = this.#now();
    const gone = `${condition} AND admittedAt <= ? AND NOT EXISTS (
      SELECT 1 FROM key WHERE key.keyId = keyInStore.keyId
      AND key.present = 1 AND (key.goneAt IS NULL OR key.goneAt > ?))`;
    this.#sql.exec(`DELETE FROM keyInStore WHERE ${gone}`, ...values, now - ADMISSION_MS, now);
    const select = `SELECT 1 FROM keyInStore WHERE ${condition} LIMIT 1`;
    return this.#sql.exec(select, ...values).toArray().length > 0;
  }
}
