// The schema of an object's SQLite database, as numbered steps that are each applied once.

/**
 * Whether the database has a schema. Asked before the first read, so that an object that someone
 * merely asked for leaves no table behind.
 */
export const hasSchema = (sql: SqlStorage) =>
  sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'migration'").toArray().length > 0;

/** Applies the steps that this database has not seen. Runs inside the caller's transaction. */
export function migrate(sql: SqlStorage, steps: readonly string[]): void {
  sql.exec("CREATE TABLE IF NOT EXISTS migration (step INTEGER PRIMARY KEY) STRICT");
  const { done } = sql.exec<{ done: number }>("SELECT count(*) AS done FROM migration").one();
  steps.slice(done).forEach((step, index) => {
    sql.exec(step);
    sql.exec("INSERT INTO migration (step) VALUES (?)", done + index + 1);
  });
}
