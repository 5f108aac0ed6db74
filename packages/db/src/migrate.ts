import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { Client } from "pg";
import { z } from "zod";
import { type ConnectionOptions, toPoolConfig } from "./open-database.ts";

// Applies Prisma's own migration files and keeps Prisma's own table, so that Prisma's tools can take over at any time.
// `prisma migrate` itself needs a native engine that is downloaded at run time, which a bare machine may not reach.

export type MigrationReport = { applied: string[]; alreadyApplied: number };

/** Key of the advisory lock: the one that `prisma migrate` takes, so that both never run together. */
const ADVISORY_LOCK = 72_707_369;

const HISTORY_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL, "checksum" VARCHAR(64) NOT NULL, "finished_at" TIMESTAMPTZ,
  "migration_name" VARCHAR(255) NOT NULL, "logs" TEXT, "rolled_back_at" TIMESTAMPTZ,
  "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(), "applied_steps_count" INTEGER NOT NULL DEFAULT 0)`;

const historyRow = z.object({ migration_name: z.string(), checksum: z.string(), finished_at: z.date().nullable() });

/**
 * Brings the database to the newest schema. Each migration is one transaction with its row of history, so a kill leaves
 * it either applied or not; several control planes that start together wait for each other.
 *
 * @param directory `prisma/migrations`
 * @param only just these migrations: the schema as an older version had it.
 * @throws conflict when an applied migration was edited, or when the database, or `only`, is newer than this program.
 */
export async function migrate(options: ConnectionOptions, directory: string, only?: readonly string[]): Promise<MigrationReport> {
  const files = select(await readMigrations(directory), only);
  const client = new Client(toPoolConfig(options));
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [ADVISORY_LOCK]);
    await client.query(HISTORY_TABLE);
    const result = await client.query(
      'SELECT "migration_name", "checksum", "finished_at" FROM "_prisma_migrations" WHERE "rolled_back_at" IS NULL',
    );
    const history = new Map(
      z
        .array(historyRow)
        .parse(result.rows)
        .map((row) => [row.migration_name, row]),
    );
    checkHistory(files, history);
    const pending = files.filter((file) => !history.has(file.name));
    for (const file of pending) await apply(client, file);
    return { applied: pending.map((file) => file.name), alreadyApplied: history.size };
  } finally {
    // Ending the session frees the advisory lock.
    await client.end();
  }
}

/** Names of the applied migrations, oldest first. */
export async function readHistory(client: Client): Promise<string[]> {
  const { rows } = await client.query(
    'SELECT "migration_name" FROM "_prisma_migrations" WHERE "rolled_back_at" IS NULL AND "finished_at" IS NOT NULL ORDER BY "migration_name"',
  );
  return z
    .array(historyRow.pick({ migration_name: true }))
    .parse(rows)
    .map(({ migration_name: name }) => name);
}

function select(files: MigrationFile[], only: readonly string[] | undefined): MigrationFile[] {
  const unknown = only?.find((name) => !files.some((file) => file.name === name));
  if (unknown !== undefined)
    throw new FlotillaError("conflict", `migrate: this version of Flotilla is too old: it does not know ${unknown}`);
  return only === undefined ? files : files.filter(({ name }) => only.includes(name));
}

type MigrationFile = { name: string; sql: string; checksum: string };

async function readMigrations(directory: string): Promise<MigrationFile[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const files = await Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(directory, name, "migration.sql"), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
  if (files.length === 0) throw new FlotillaError("internal", `migrate: ${directory} holds no migration`);
  return files;
}

function checkHistory(files: readonly MigrationFile[], history: ReadonlyMap<string, z.output<typeof historyRow>>): void {
  const known = new Map(files.map((file) => [file.name, file]));
  for (const row of history.values()) {
    const file = known.get(row.migration_name);
    if (file === undefined) {
      throw new FlotillaError(
        "conflict",
        `migrate: the database has migration ${row.migration_name}, which this version of Flotilla does not know: it is older than the database`,
      );
    }
    if (row.checksum !== file.checksum) throw new FlotillaError("conflict", `migrate: ${file.name} was edited after it was applied`);
    if (row.finished_at === null)
      throw new FlotillaError("conflict", `migrate: ${file.name} did not finish: resolve it with prisma migrate resolve`);
  }
}

async function apply(client: Client, file: MigrationFile): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(file.sql);
    await client.query(
      'INSERT INTO "_prisma_migrations" ("id", "checksum", "migration_name", "finished_at", "applied_steps_count") VALUES ($1, $2, $3, now(), 1)',
      [randomUUID(), file.checksum, file.name],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw new FlotillaError("internal", `migrate: apply ${file.name}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
