// The index behind ListRetirableGrants, as a directory keeps it. A grant that was retired leaves its
// row, empty, until its key is gone: whatever was said of it earlier may still be under way.

import type { Grant } from "../domain/grant.ts";
import {
  type GrantedKey,
  type GrantPosition,
  type ListedGrant,
  type RetirableGrant,
  type RetirableGrants,
  wentWithKey,
} from "../domain/retirable-grant.ts";

export const retirableGrantSchema = `
  CREATE TABLE grantedKey (
    accountId TEXT NOT NULL,
    keyId TEXT NOT NULL,
    version INTEGER NOT NULL,
    present INTEGER NOT NULL,
    createdAt INTEGER NOT NULL,
    goneAt INTEGER,
    PRIMARY KEY (accountId, keyId)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE retirableGrant (
    accountId TEXT NOT NULL,
    keyId TEXT NOT NULL,
    grantId TEXT NOT NULL,
    version INTEGER NOT NULL,
    keyCreatedAt INTEGER NOT NULL,
    principal TEXT,
    json TEXT,
    PRIMARY KEY (accountId, keyId, grantId)
  ) STRICT;
  CREATE INDEX retirableByPrincipal ON retirableGrant (principal, accountId, keyId, grantId)`;

type Row = Record<string, SqlStorageValue>;

interface GrantedKeyRow extends Row {
  readonly accountId: string;
  readonly keyId: string;
  readonly version: number;
  readonly present: number;
  readonly createdAt: number;
  readonly goneAt: number | null;
}

interface GrantRow extends Row {
  readonly accountId: string;
  readonly keyId: string;
  readonly json: string;
}

const SELECT_OF_PRINCIPAL = `
  SELECT held.accountId, held.keyId, held.json
  FROM retirableGrant AS held JOIN grantedKey AS key
    ON key.accountId = held.accountId AND key.keyId = held.keyId
    AND key.createdAt = held.keyCreatedAt
    AND key.present = 1 AND (key.goneAt IS NULL OR key.goneAt > ?)
  WHERE held.principal = ? AND (held.accountId, held.keyId, held.grantId) > (?, ?, ?)
  ORDER BY held.accountId, held.keyId, held.grantId
  LIMIT ?`;

export class StoredRetirableGrants implements RetirableGrants {
  readonly #sql: SqlStorage;
  readonly #now: number;

  constructor(sql: SqlStorage, now: number) {
    this.#sql = sql;
    this.#now = now;
  }

  ofPrincipal(principal: string, after: GrantPosition | null, limit: number): ListedGrant[] {
    const { accountId, keyId, grantId } = after ?? { accountId: "", keyId: "", grantId: "" };
    return this.#sql
      .exec<GrantRow>(
        SELECT_OF_PRINCIPAL,
        ...[this.#now, principal, accountId, keyId, grantId, limit],
      )
      .toArray()
      .map(({ json, ...of }) => ({ ...of, grant: JSON.parse(json) as Grant }));
  }

  put(about: GrantedKey | RetirableGrant): void {
    if ("grantId" in about) this.#putGrant(about);
    else this.#putKey(about);
  }

  #putKey(told: GrantedKey): void {
    const { accountId, keyId, version } = told;
    const known = this.#key(accountId, keyId);
    if (known && known.version >= version) return;
    this.#forgetGrants(told);
    this.#sql.exec(
      "INSERT OR REPLACE INTO grantedKey VALUES (?, ?, ?, ?, ?, ?)",
      ...[accountId, keyId, version, told.present ? 1 : 0, told.createdAt, told.goneAt],
    );
  }

  /** Those that went with their key. */
  #forgetGrants(key: GrantedKey): void {
    const { accountId, keyId } = key;
    const rows = this.#sql
      .exec<Pick<RetirableGrant, "grantId" | "version" | "keyCreatedAt"> & Row>(
        `SELECT grantId, version, keyCreatedAt FROM retirableGrant
         WHERE accountId = ? AND keyId = ?`,
        ...[accountId, keyId],
      )
      .toArray();
    for (const row of rows) {
      if (!wentWithKey(row, key)) continue;
      this.#sql.exec(
        "DELETE FROM retirableGrant WHERE accountId = ? AND keyId = ? AND grantId = ?",
        ...[accountId, keyId, row.grantId],
      );
    }
  }

  #putGrant(told: RetirableGrant): void {
    const { accountId, keyId, grantId, version, grant } = told;
    const key = this.#key(accountId, keyId);
    if (key && wentWithKey(told, key)) return;
    this.#sql.exec(
      `INSERT INTO retirableGrant VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
       ON CONFLICT DO UPDATE SET version = ?4, keyCreatedAt = ?5, principal = ?6, json = ?7
       WHERE version < ?4`,
      ...[accountId, keyId, grantId, version, told.keyCreatedAt],
      ...(grant ? [grant.retiringPrincipal, JSON.stringify(grant)] : [null, null]),
    );
  }

  #key(accountId: string, keyId: string): GrantedKey | null {
    const select = "SELECT * FROM grantedKey WHERE accountId = ? AND keyId = ?";
    const [row] = this.#sql.exec<GrantedKeyRow>(select, accountId, keyId);
    return row ? { ...row, present: row.present === 1 } : null;
  }
}
