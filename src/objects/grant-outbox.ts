// What a key set has yet to tell the directories of accounts that may retire its grants. A row is all
// there is to say of a grant, or of its key, to one directory; a newer one takes its place.

import type { Region } from "../domain/region.ts";
import type { GrantNews } from "../domain/retirable-grant.ts";

export const grantOutboxSchema = `
  CREATE TABLE grantOutbox (
    accountId TEXT NOT NULL,
    region TEXT NOT NULL,
    subject TEXT NOT NULL,
    version INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (accountId, region, subject)
  ) STRICT`;

/** The directory that some news are for. */
export interface NewsAddress {
  readonly accountId: string;
  readonly region: Region;
}

interface NewsRow extends Record<string, SqlStorageValue> {
  readonly json: string;
}

/** How much is told at once, in rows and in characters of JSON. */
const MAX_BATCH_ROWS = 500;
const MAX_BATCH_LENGTH = 4_000_000;

export class GrantOutbox {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Runs inside the transaction that saves the change. */
  put(news: readonly GrantNews[]): void {
    for (const { accountId, region, about } of news) {
      this.#sql.exec(
        "INSERT OR REPLACE INTO grantOutbox VALUES (?, ?, ?, ?, ?)",
        ...[accountId, region, subjectOf(about), about.version, JSON.stringify(about)],
      );
    }
  }

  isEmpty(): boolean {
    return this.#sql.exec("SELECT 1 FROM grantOutbox LIMIT 1").toArray().length === 0;
  }

  addresses(): readonly NewsAddress[] {
    return this.#sql
      .exec<{ accountId: string; region: Region }>(
        "SELECT DISTINCT accountId, region FROM grantOutbox",
      )
      .toArray();
  }

  /** Some of what a directory has not heard; none when it has heard everything. */
  batch({ accountId, region }: NewsAddress): readonly GrantNews[] {
    const news: GrantNews[] = [];
    let length = 0;
    const rows = this.#sql.exec<NewsRow>(
      "SELECT json FROM grantOutbox WHERE accountId = ? AND region = ? ORDER BY subject LIMIT ?",
      ...[accountId, region, MAX_BATCH_ROWS],
    );
    for (const { json } of rows) {
      length += json.length;
      if (news.length > 0 && length > MAX_BATCH_LENGTH) break;
      news.push({ accountId, region, about: JSON.parse(json) as GrantNews["about"] });
    }
    return news;
  }

  /** Forgets what was told, unless there is newer to tell. */
  forget(told: readonly GrantNews[]): void {
    for (const { accountId, region, about } of told) {
      this.#sql.exec(
        `DELETE FROM grantOutbox
         WHERE accountId = ? AND region = ? AND subject = ? AND version = ?`,
        ...[accountId, region, subjectOf(about), about.version],
      );
    }
  }
}

/** A grant by its ID; the key, which comes first, by nothing. */
const subjectOf = (about: GrantNews["about"]) => ("grantId" in about ? about.grantId : "");

/** News for one directory together. */
export function byAddress(
  news: readonly GrantNews[],
): Iterable<readonly [GrantNews, ...GrantNews[]]> {
  const groups = new Map<string, [GrantNews, ...GrantNews[]]>();
  for (const item of news) {
    const name = `${item.accountId}/${item.region}`;
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups.values();
}
