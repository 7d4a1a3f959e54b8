// What a tenant keeps: its directories, its clock's offset, its principals, the key of their
// sessions, and whether it is there at all.

import type { TenantLimitName, TenantLimits } from "../domain/tenant-limits.ts";
import { hasSchema, migrate } from "./migrations.ts";

const schema = [
  `CREATE TABLE directory (
     accountId TEXT NOT NULL,
     region TEXT NOT NULL,
     PRIMARY KEY (accountId, region)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE clock (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     offsetMs INTEGER NOT NULL,
     pushedOffsetMs INTEGER NOT NULL
   ) STRICT;
   INSERT INTO clock VALUES (1, 0, 0)`,
  `CREATE TABLE configuration (version INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
   CREATE TABLE session_key (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     key BLOB NOT NULL
   ) STRICT`,
  `CREATE TABLE life (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     keys INTEGER,
     storage INTEGER
   ) STRICT;
   CREATE TABLE size (object TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
];

/** The limits that are held here; requests are counted where they come in. */
export type LimitOfHolding = Exclude<TenantLimitName, "requestsPerSecond">;

/** A directory of the tenant. */
export interface DirectoryRow extends Record<string, SqlStorageValue> {
  readonly accountId: string;
  readonly region: string;
}

interface ConfigurationRow extends Record<string, SqlStorageValue> {
  readonly version: number;
  readonly json: string;
}

interface ClockRow extends Record<string, SqlStorageValue> {
  readonly offsetMs: number;
  readonly pushedOffsetMs: number;
}

export class TenantStore {
  readonly #storage: DurableObjectStorage;
  #ready = false;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    if (hasSchema(storage.sql)) this.#migrate();
  }

  /** Both offsets in milliseconds: the clock's, and the one that every key set has been told. */
  clock(): { readonly offsetMs: number; readonly pushedOffsetMs: number } {
    if (!this.#ready) return { offsetMs: 0, pushedOffsetMs: 0 };
    return this.#storage.sql.exec<ClockRow>("SELECT offsetMs, pushedOffsetMs FROM clock").one();
  }

  directories(): readonly DirectoryRow[] {
    if (!this.#ready) return [];
    return this.#storage.sql
      .exec<DirectoryRow>("SELECT accountId, region FROM directory")
      .toArray();
  }

  putDirectory(accountId: string, region: string): void {
    this.#migrate();
    this.#storage.sql.exec("INSERT OR IGNORE INTO directory VALUES (?, ?)", accountId, region);
  }

  putOffset(offsetMs: number): void {
    this.#migrate();
    this.#storage.sql.exec("UPDATE clock SET offsetMs = max(offsetMs, ?)", offsetMs);
  }

  putPushedOffset(offsetMs: number): void {
    this.#storage.sql.exec("UPDATE clock SET pushedOffsetMs = max(pushedOffsetMs, ?)", offsetMs);
  }

  /** The configuration and its version; null before the first. */
  configuration(): ConfigurationRow | null {
    if (!this.#ready) return null;
    const rows = this.#storage.sql.exec<ConfigurationRow>(
      "SELECT version, json FROM configuration",
    );
    return rows.toArray()[0] ?? null;
  }

  /** Puts a configuration in the place of the one there is. */
  putConfiguration(json: string): void {
    this.#migrate();
    const version = (this.configuration()?.version ?? 0) + 1;
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec("DELETE FROM configuration");
      this.#storage.sql.exec("INSERT INTO configuration VALUES (?, ?)", version, json);
    });
  }

  /** The key that session tokens are made with: the given one, unless there is one. */
  sessionKey(fresh: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    this.#migrate();
    this.#storage.sql.exec("INSERT OR IGNORE INTO session_key VALUES (1, ?)", fresh.buffer);
    const row = this.#storage.sql.exec<{ key: ArrayBuffer }>("SELECT key FROM session_key").one();
    return new Uint8Array(row.key);
  }

  /** Whether the tenant was opened, and is not being erased. */
  isOpen(): boolean {
    return this.#ready && this.#storage.sql.exec("SELECT 1 FROM life").toArray().length > 0;
  }

  /** Opens the tenant, or changes how much it may hold. */
  open({ keys, storage }: Pick<TenantLimits, LimitOfHolding>): void {
    this.#migrate();
    this.#storage.sql.exec("INSERT OR REPLACE INTO life VALUES (1, ?, ?)", keys, storage);
  }

  /** Takes in how large an object's database is, in bytes. */
  putSize(object: string, bytes: number): void {
    this.#migrate();
    if (bytes > 0)
      this.#storage.sql.exec("INSERT OR REPLACE INTO size VALUES (?, ?)", object, bytes);
    else this.#storage.sql.exec("DELETE FROM size WHERE object = ?", object);
  }

  /** How many bytes its objects hold, as far as they have said. */
  size(): number {
    if (!this.#ready) return 0;
    const select = "SELECT coalesce(sum(bytes), 0) AS bytes FROM size";
    return this.#storage.sql.exec<{ bytes: number }>(select).one().bytes;
  }

  forgetSizes(): void {
    if (this.#ready) this.#storage.sql.exec("DELETE FROM size");
  }

  close(): void {
    if (this.#ready) this.#storage.sql.exec("DELETE FROM life");
  }

  /** A limit that was set for the tenant, or null. */
  limit(name: LimitOfHolding): number | null {
    if (!this.#ready) return null;
    const select = "SELECT keys, storage FROM life";
    const [row] = this.#storage.sql.exec<Record<LimitOfHolding, number | null>>(select);
    return row?.[name] ?? null;
  }

  forgetDirectory({ accountId, region }: DirectoryRow): void {
    const remove = "DELETE FROM directory WHERE accountId = ? AND region = ?";
    this.#storage.sql.exec(remove, accountId, region);
  }

  /** Leaves nothing behind, not even the schema; nor the object's alarm. */
  async deleteAll(): Promise<void> {
    this.#ready = false;
    await this.#storage.deleteAll();
  }

  #migrate(): void {
    if (this.#ready) return;
    this.#storage.transactionSync(() => migrate(this.#storage.sql, schema));
    this.#ready = true;
  }
}
