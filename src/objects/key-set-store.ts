// What a key set keeps: its shared properties, its key materials, its members, what directories
// have yet to learn, and the tenant's clock as it was last told.

import type { Announced, DirectoryEntry } from "../domain/directory.ts";
import { type Grant, grantChanges } from "../domain/grant.ts";
import type { Key, KeyMaterial, KeySet } from "../domain/key-set.ts";
import type { Region } from "../domain/region.ts";
import type { GrantNews } from "../domain/retirable-grant.ts";
import { GrantOutbox, grantOutboxSchema } from "./grant-outbox.ts";
import { hasSchema, migrate } from "./migrations.ts";

const schema = [
  `CREATE TABLE clock (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     offsetMs INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE shared (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     json TEXT NOT NULL
   ) STRICT;
   CREATE TABLE material (
     position INTEGER PRIMARY KEY,
     json TEXT NOT NULL
   ) STRICT;
   CREATE TABLE key (
     region TEXT PRIMARY KEY,
     json TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE outbox (
     region TEXT PRIMARY KEY,
     json TEXT NOT NULL
   ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE keyGrant (
     region TEXT NOT NULL,
     id TEXT NOT NULL,
     json TEXT NOT NULL,
     PRIMARY KEY (region, id)
   ) STRICT;
   ${grantOutboxSchema}`,
];

interface JsonRow extends Record<string, SqlStorageValue> {
  readonly json: string;
}

/** What the directory of a Region has to be told. */
export interface Untold {
  readonly region: Region;
  readonly entry: DirectoryEntry;
}

/** All of a KeySet that its own rows do not hold. */
type Shared = Omit<KeySet, "keys" | "materials">;

/** All of a Key that its own rows do not hold. */
type KeyAlone = Omit<Key, "grants">;

export class KeySetStore {
  /** Readable once there is a schema, which there is as soon as there is a set. */
  readonly grantOutbox: GrantOutbox;
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  #ready = false;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.grantOutbox = new GrantOutbox(storage.sql);
    if (hasSchema(storage.sql)) this.#migrate();
  }

  /** The set, or null where there is none, or no longer. */
  load(): KeySet | null {
    if (!this.#ready) return null;
    const [shared] = this.#sql.exec<JsonRow>("SELECT json FROM shared");
    if (!shared) return null;
    const materials = this.#rows<KeyMaterial>("SELECT json FROM material ORDER BY position");
    const keys = this.#rows<KeyAlone>("SELECT json FROM key").map((key) => ({
      ...key,
      grants: this.#rows<Grant>(
        "SELECT json FROM keyGrant WHERE region = ? ORDER BY id",
        key.region,
      ),
    }));
    return {
      ...(JSON.parse(shared.json) as Shared),
      materials,
      keys: Object.fromEntries(keys.map((key) => [key.region, key])),
    };
  }

  /** The clock's offset in milliseconds, as it was last told. */
  offset(): number {
    if (!this.#ready) return 0;
    const [row] = this.#sql.exec<{ offsetMs: number }>("SELECT offsetMs FROM clock");
    return row?.offsetMs ?? 0;
  }

  putOffset(offsetMs: number): void {
    this.#migrate();
    this.#sql.exec("INSERT OR REPLACE INTO clock VALUES (1, ?)", offsetMs);
  }

  /** Writes what changed, and what directories have to learn of it, in one transaction. */
  save(before: KeySet | null, { set: after, entries, grants }: Announced) {
    this.#migrate();
    this.#storage.transactionSync(() => {
      if (after) this.#write(before, after);
      else this.#erase();
      for (const [region, entry] of entries) {
        this.#sql.exec(
          "INSERT OR REPLACE INTO outbox VALUES (?, ?)",
          region,
          JSON.stringify(entry),
        );
      }
      this.grantOutbox.put(grants);
    });
  }

  untold(): readonly Untold[] {
    if (!this.#ready) return [];
    return this.#sql
      .exec<JsonRow & { readonly region: Region }>("SELECT region, json FROM outbox")
      .toArray()
      .map(({ region, json }) => ({ region, entry: JSON.parse(json) as DirectoryEntry }));
  }

  /** Whether any directory has yet to learn of anything. */
  hasUntold(): boolean {
    return this.#ready && (this.untold().length > 0 || !this.grantOutbox.isEmpty());
  }

  /** Forgets what was told, unless there is newer to tell. */
  forget(told: readonly Untold[], toldOfGrants: readonly GrantNews[]): void {
    this.#storage.transactionSync(() => {
      this.grantOutbox.forget(toldOfGrants);
      for (const { region, entry } of told) {
        this.#sql.exec(
          "DELETE FROM outbox WHERE region = ? AND json_extract(json, '$.version') = ?",
          region,
          entry.version,
        );
      }
    });
  }

  /** Makes ready to save a set without waiting for anything but the set itself. */
  makeReady(): void {
    this.#migrate();
  }

  /** Leaves nothing behind, not even the schema; nor the object's alarm. */
  async deleteAll(): Promise<void> {
    this.#ready = false; // Whoever saves meanwhile makes the schema anew.
    await this.#storage.deleteAll();
  }

  /** Immutable values make "what changed" an identity check. */
  #write(before: KeySet | null, after: KeySet): void {
    const { keys, materials, ...shared } = after;
    const json = JSON.stringify(shared);
    if (before === null || json !== JSON.stringify(sharedOf(before))) {
      this.#sql.exec("INSERT OR REPLACE INTO shared VALUES (1, ?)", json);
    }
    materials.forEach((material, position) => {
      if (before?.materials[position] === material) return;
      const insert = "INSERT OR REPLACE INTO material VALUES (?, ?)";
      this.#sql.exec(insert, position, JSON.stringify(material));
    });
    for (const key of Object.values(keys)) this.#writeKey(before?.keys[key.region] ?? null, key);
    for (const region of Object.keys(before?.keys ?? {})) {
      if (keys[region]) continue;
      this.#sql.exec("DELETE FROM key WHERE region = ?", region);
      this.#sql.exec("DELETE FROM keyGrant WHERE region = ?", region);
    }
  }

  /** A key may have 50,000 grants: each has a row of its own, and none is written again. */
  #writeKey(before: Key | null, key: Key): void {
    if (before === key) return;
    const { region, grants } = key;
    const json = JSON.stringify(aloneOf(key));
    if (before === null || json !== JSON.stringify(aloneOf(before))) {
      this.#sql.exec("INSERT OR REPLACE INTO key VALUES (?, ?)", region, json);
    }
    const { added, removed } = grantChanges(before?.grants ?? [], grants);
    for (const { id } of removed) {
      this.#sql.exec("DELETE FROM keyGrant WHERE region = ? AND id = ?", region, id);
    }
    for (const grant of added) {
      const insert = "INSERT INTO keyGrant VALUES (?, ?, ?)";
      this.#sql.exec(insert, region, grant.id, JSON.stringify(grant));
    }
  }

  #erase(): void {
    for (const table of ["shared", "material", "key", "keyGrant"])
      this.#sql.exec(`DELETE FROM ${table}`);
  }

  #rows<T>(select: string, ...values: readonly string[]): T[] {
    return this.#sql
      .exec<JsonRow>(select, ...values)
      .toArray()
      .map(({ json }) => JSON.parse(json) as T);
  }

  #migrate(): void {
    if (this.#ready) return;
    this.#storage.transactionSync(() => migrate(this.#sql, schema));
    this.#ready = true;
  }
}

function sharedOf({ keys: _keys, materials: _materials, ...shared }: KeySet): Shared {
  return shared;
}

function aloneOf({ grants: _grants, ...alone }: Key): KeyAlone {
  return alone;
}
