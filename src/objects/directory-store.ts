// What a directory keeps: its keys, its aliases, and the tenant's clock as it was last told.

import type { Alias, Directory, DirectoryEntry } from "../domain/directory.ts";
import type { KeySpec, KeyUsage } from "../domain/key-spec.ts";
import { KeyStoreTable, keyStoreSchema } from "./key-store-table.ts";
import { hasSchema, migrate } from "./migrations.ts";
import { retirableGrantSchema, StoredRetirableGrants } from "./retirable-grant-store.ts";

const schema = [
  `CREATE TABLE clock (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     offsetMs INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE key (
     keyId TEXT PRIMARY KEY,
     version INTEGER NOT NULL,
     present INTEGER NOT NULL,
     createdAt INTEGER NOT NULL,
     goneAt INTEGER,
     keySpec TEXT NOT NULL,
     keyUsage TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE alias (
     name TEXT PRIMARY KEY,
     keyId TEXT NOT NULL,
     createdAt INTEGER NOT NULL,
     updatedAt INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX aliasByKey ON alias (keyId, name)`,
  "ALTER TABLE key ADD COLUMN awsAlias TEXT",
  retirableGrantSchema,
  keyStoreSchema,
];

interface KeyRow extends Record<string, SqlStorageValue> {
  readonly keyId: string;
  readonly version: number;
  readonly present: number;
  readonly createdAt: number;
  readonly goneAt: number | null;
  readonly keySpec: string;
  readonly keyUsage: string;
  readonly awsAlias: string | null;
}

type AliasRow = { [Column in keyof Alias]: Alias[Column] } & Record<string, SqlStorageValue>;

/** A key is in the directory until the instant from which it is gone, told or not. */
const LIVE_KEY = "key.present = 1 AND (key.goneAt IS NULL OR key.goneAt > ?)";
const LIVE_ALIAS = `alias JOIN key ON key.keyId = alias.keyId AND ${LIVE_KEY}`;
const ALIAS_COLUMNS = "alias.name, alias.keyId, alias.createdAt, alias.updatedAt";

export class DirectoryStore {
  readonly #storage: DurableObjectStorage;
  #ready = false;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    if (hasSchema(storage.sql)) this.#migrate();
  }

  /** The clock's offset in milliseconds, or null while the tenant does not know the directory. */
  offset(): number | null {
    if (!this.#ready) return null;
    const [row] = this.#storage.sql.exec<{ offsetMs: number }>("SELECT offsetMs FROM clock");
    return row?.offsetMs ?? null;
  }

  putOffset(offsetMs: number): void {
    this.#migrate();
    this.#storage.sql.exec(
      "INSERT INTO clock VALUES (1, ?1) ON CONFLICT DO UPDATE SET offsetMs = max(offsetMs, ?1)",
      offsetMs,
    );
  }

  /** The IDs of all keys that may still have something before them. */
  keyIds(): readonly string[] {
    if (!this.#ready) return [];
    return this.#storage.sql
      .exec<{ keyId: string }>("SELECT keyId FROM key WHERE present = 1")
      .toArray()
      .map(({ keyId }) => keyId);
  }

  /** Some of the IDs of all keys that were ever here. */
  someKeyIds(limit: number): readonly string[] {
    if (!this.#ready) return [];
    return this.#storage.sql
      .exec<{ keyId: string }>("SELECT keyId FROM key LIMIT ?", limit)
      .toArray()
      .map(({ keyId }) => keyId);
  }

  /** How many customer managed keys there are at `now` besides those of these IDs. */
  keysBesides(keyIds: readonly string[], now: number): number {
    if (!this.#ready) return 0;
    return this.#storage.sql
      .exec<{ count: number }>(
        `SELECT count(*) AS count FROM key WHERE ${LIVE_KEY} AND awsAlias IS NULL
         AND keyId NOT IN (SELECT value FROM json_each(?))`,
        ...[now, JSON.stringify(keyIds)],
      )
      .one().count;
  }

  forgetKeys(keyIds: readonly string[]): void {
    if (!this.#ready) return;
    const forget = "DELETE FROM key WHERE keyId IN (SELECT value FROM json_each(?))";
    this.#storage.sql.exec(forget, JSON.stringify(keyIds));
  }

  /** Leaves nothing behind, not even the schema. */
  async deleteAll(): Promise<void> {
    this.#ready = false;
    await this.#storage.deleteAll();
  }

  /** Runs `change` in one transaction. */
  transaction<T>(change: () => T): T {
    return this.#storage.transactionSync(change);
  }

  /** The directory as it is at `now`; of one that nobody has written to, an empty one. */
  at(now: number): Directory {
    return this.#ready ? new StoredDirectory(this.#storage.sql, now) : emptyDirectory;
  }

  /** The custom key stores kept here, or null where nobody has written anything yet. */
  keyStores(now: () => number): KeyStoreTable | null {
    return this.#ready ? new KeyStoreTable(this.#storage.sql, now) : null;
  }

  #migrate(): void {
    if (this.#ready) return;
    this.#storage.transactionSync(() => migrate(this.#storage.sql, schema));
    this.#ready = true;
  }
}

class StoredDirectory implements Directory {
  readonly retirable: StoredRetirableGrants;
  readonly #sql: SqlStorage;
  readonly #now: number;

  constructor(sql: SqlStorage, now: number) {
    this.retirable = new StoredRetirableGrants(sql, now);
    this.#sql = sql;
    this.#now = now;
  }

  keys(after: string, limit: number): readonly DirectoryEntry[] {
    const select = `SELECT * FROM key WHERE ${LIVE_KEY} AND keyId > ? ORDER BY keyId LIMIT ?`;
    return this.#sql.exec<KeyRow>(select, this.#now, after, limit).toArray().map(entryOf);
  }

  key(keyId: string): DirectoryEntry | null {
    const select = `SELECT * FROM key WHERE ${LIVE_KEY} AND keyId = ?`;
    const [row] = this.#sql.exec<KeyRow>(select, this.#now, keyId);
    return row ? entryOf(row) : null;
  }

  aliases(after: string, limit: number, keyId: string | null): readonly Alias[] {
    const ofKey = keyId === null ? "" : "AND alias.keyId = ?";
    return this.#sql
      .exec<AliasRow>(
        `SELECT ${ALIAS_COLUMNS} FROM ${LIVE_ALIAS} WHERE alias.name > ? ${ofKey}
         ORDER BY alias.name LIMIT ?`,
        ...[this.#now, after, ...(keyId === null ? [] : [keyId]), limit],
      )
      .toArray();
  }

  alias(name: string): Alias | null {
    const select = `SELECT ${ALIAS_COLUMNS} FROM ${LIVE_ALIAS} WHERE alias.name = ?`;
    const [row] = this.#sql.exec<AliasRow>(select, this.#now, name);
    return row ?? null;
  }

  aliasCount(keyId: string): number {
    return this.#sql
      .exec<{ count: number }>("SELECT count(*) AS count FROM alias WHERE keyId = ?", keyId)
      .one().count;
  }

  keyCount(): number {
    const select = `SELECT count(*) AS count FROM key WHERE ${LIVE_KEY} AND awsAlias IS NULL`;
    return this.#sql.exec<{ count: number }>(select, this.#now).one().count;
  }

  /** A key that is gone, or another one under its ID, leaves no alias of the old one behind. */
  putKey(entry: DirectoryEntry): void {
    const [known] = this.#sql.exec<KeyRow>("SELECT * FROM key WHERE keyId = ?", entry.keyId);
    if (known && known.version >= entry.version) return;
    if (!entry.present || (known && known.createdAt !== entry.createdAt)) {
      this.#sql.exec("DELETE FROM alias WHERE keyId = ?", entry.keyId);
    }
    this.#sql.exec(
      "INSERT OR REPLACE INTO key VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      entry.keyId,
      entry.version,
      entry.present ? 1 : 0,
      entry.createdAt,
      entry.goneAt,
      entry.keySpec,
      entry.keyUsage,
      entry.awsAlias ?? null,
    );
  }

  /** A name may still be there for a key that is gone: it is free, and taken over. */
  putAlias({ name, keyId, createdAt, updatedAt }: Alias): void {
    const insert = "INSERT OR REPLACE INTO alias VALUES (?, ?, ?, ?)";
    this.#sql.exec(insert, name, keyId, createdAt, updatedAt);
  }

  deleteAlias(name: string): void {
    this.#sql.exec("DELETE FROM alias WHERE name = ?", name);
  }
}

const entryOf = ({ awsAlias, ...row }: KeyRow): DirectoryEntry => ({
  ...row,
  present: row.present === 1,
  keySpec: row.keySpec as KeySpec,
  keyUsage: row.keyUsage as KeyUsage,
  ...(awsAlias !== null && { awsAlias }),
});

function unwritable(): never {
  throw new Error("a directory is written to before the tenant knows it");
}

const emptyDirectory: Directory = {
  keys: () => [],
  key: () => null,
  aliases: () => [],
  alias: () => null,
  aliasCount: () => 0,
  keyCount: () => 0,
  putKey: unwritable,
  putAlias: unwritable,
  deleteAlias: unwritable,
  retirable: { ofPrincipal: () => [], put: unwritable },
};
