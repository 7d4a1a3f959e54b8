// What the registry of tenants keeps: which generation a name means, and which generations no name
// means any more, or not yet, whose objects may hold something.

import { type TenantLimits, tenantLimitNames } from "../domain/tenant-limits.ts";
import { hasSchema, migrate } from "./migrations.ts";

const schema = [
  `CREATE TABLE tenant (
     name TEXT PRIMARY KEY,
     generation TEXT NOT NULL UNIQUE,
     createdAt INTEGER NOT NULL,
     expiresAt INTEGER,
     keys INTEGER,
     requestsPerSecond INTEGER,
     storage INTEGER,
     tokenDigest TEXT
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE leftover (generation TEXT PRIMARY KEY) STRICT, WITHOUT ROWID`,
];

/** A tenant that has a name, with the limits that were set for it. */
export interface NamedTenant extends TenantLimits {
  readonly name: string;
  readonly generation: string;
  /** Real time, in milliseconds since the epoch; as `expiresAt`, where null is never. */
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** SHA-256 in base64 of the token of its control API; null where it has none. */
  readonly tokenDigest: string | null;
}

const columns = [
  ...(["name", "generation", "createdAt", "expiresAt", "tokenDigest"] as const),
  ...tenantLimitNames,
] satisfies (keyof NamedTenant)[];

type Row = { [Column in keyof NamedTenant]: NamedTenant[Column] } & Record<string, SqlStorageValue>;

export class TenantRegistryStore {
  readonly #storage: DurableObjectStorage;
  #ready = false;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    if (hasSchema(storage.sql)) this.#migrate();
  }

  /** The tenant of a name, unless its time is up at `now`. */
  find(name: string, now: number): NamedTenant | null {
    return (
      this.#rows("WHERE name = ? AND (expiresAt IS NULL OR expiresAt > ?)", name, now)[0] ?? null
    );
  }

  list(now: number): readonly NamedTenant[] {
    return this.#rows("WHERE expiresAt IS NULL OR expiresAt > ? ORDER BY name", now);
  }

  expired(now: number): readonly NamedTenant[] {
    return this.#rows("WHERE expiresAt <= ?", now);
  }

  /** When the next tenant's time is up, or null. */
  nextExpiry(): number | null {
    if (!this.#ready) return null;
    const select = "SELECT min(expiresAt) AS at FROM tenant";
    return this.#storage.sql.exec<{ at: number | null }>(select).one().at;
  }

  /** Gives a name to a generation, which is then no leftover; or changes what is said of it. */
  put(tenant: NamedTenant): void {
    const put = `INSERT OR REPLACE INTO tenant (${columns}) VALUES (${columns.map(() => "?")})`;
    this.#migrate();
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec("DELETE FROM leftover WHERE generation = ?", tenant.generation);
      this.#storage.sql.exec(put, ...columns.map((column) => tenant[column]));
    });
  }

  /** Takes a name from its generation, which is then a leftover. */
  remove({ name, generation }: NamedTenant): void {
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec("DELETE FROM tenant WHERE name = ?", name);
      this.putLeftover(generation);
    });
  }

  leftovers(): readonly string[] {
    if (!this.#ready) return [];
    return this.#storage.sql
      .exec<{ generation: string }>("SELECT generation FROM leftover")
      .toArray()
      .map(({ generation }) => generation);
  }

  putLeftover(generation: string): void {
    this.#migrate();
    this.#storage.sql.exec("INSERT OR IGNORE INTO leftover VALUES (?)", generation);
  }

  forgetLeftover(generation: string): void {
    this.#storage.sql.exec("DELETE FROM leftover WHERE generation = ?", generation);
  }

  #rows(where: string, ...values: readonly SqlStorageValue[]): NamedTenant[] {
    if (!this.#ready) return [];
    return this.#storage.sql.exec<Row>(`SELECT * FROM tenant ${where}`, ...values).toArray();
  }

  #migrate(): void {
    if (this.#ready) return;
    this.#storage.transactionSync(() => migrate(this.#storage.sql, schema));
    this.#ready = true;
  }
}
