import { chmodSync, closeSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";

/** A module's tables: statements are applied in order, once; new ones are appended, old ones never edited. */
export type Migration = { module: string; steps: readonly string[] };

/**
 * The agent's durable state: one SQLite file in WAL mode. Each module owns tables of its own and hands its migration in;
 * rows that come back are `unknown` until the module's schema has parsed them.
 */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #rollbackListeners: (() => void)[] = [];

  /** @param path file path, or ":memory:" in tests. */
  constructor(path: string) {
    if (path !== ":memory:") restrict(path);
    this.#db = new DatabaseSync(path);
    this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;");
    this.#db.exec("CREATE TABLE IF NOT EXISTS migrations (module TEXT PRIMARY KEY, applied INTEGER NOT NULL) STRICT");
  }

  migrate(migration: Migration): void {
    this.transaction(() => {
      const row = this.get("SELECT applied FROM migrations WHERE module = ?", migration.module);
      const applied = typeof row?.["applied"] === "number" ? row["applied"] : 0;
      for (const step of migration.steps.slice(applied)) this.#db.exec(step);
      this.run(
        "INSERT INTO migrations (module, applied) VALUES (?, ?) ON CONFLICT (module) DO UPDATE SET applied = excluded.applied",
        migration.module,
        migration.steps.length,
      );
    });
  }

  run(sql: string, ...values: SqlValue[]): { changes: number; lastInsertRowid: number } {
    const result = this.#statement(sql).run(...values);
    return { changes: Number(result.changes), lastInsertRowid: Number(result.lastInsertRowid) };
  }

  get(sql: string, ...values: SqlValue[]): Record<string, unknown> | undefined {
    return this.#statement(sql).get(...values);
  }

  all(sql: string, ...values: SqlValue[]): Record<string, unknown>[] {
    return this.#statement(sql).all(...values);
  }

  /** Runs `work` in one transaction (nested calls join it); what it throws rolls all of it back. */
  transaction<T>(work: () => T): T {
    if (this.#db.isTransaction) return work();
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk has rolled back already: rolling back again would hide it behind an error of its own.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      for (const listener of this.#rollbackListeners) listener();
      throw error;
    }
  }

  /** Calls `listener` whenever what a transaction had written is no more: whoever keeps rows in memory reads them anew. */
  onRollback(listener: () => void): void {
    this.#rollbackListeners.push(listener);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** There are credentials in it: root's alone. SQLite gives its journals the mode of the file. */
function restrict(path: string): void {
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
}

export type SqlValue = null | number | bigint | string | Uint8Array;
