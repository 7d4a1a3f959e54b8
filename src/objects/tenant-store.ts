// What a tenant keeps: its directories, and its clock's offset.

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
];

/** A directory of the tenant. */
export interface DirectoryRow extends Record<string, SqlStorageValue> {
  readonly accountId: string;
  readonly region: string;
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

  #migrate(): void {
    if (this.#ready) return;
    this.#storage.transactionSync(() => migrate(this.#storage.sql, schema));
    this.#ready = true;
  }
}
