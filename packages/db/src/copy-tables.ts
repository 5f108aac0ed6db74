import { pipeline } from "node:stream/promises";
import type { Readable } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import { Client, escapeIdentifier } from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { z } from "zod";
import { migrate, readHistory } from "./migrate.ts";
import { type ConnectionOptions, toPoolConfig } from "./open-database.ts";
import { orderTables } from "./table-order.ts";

// All rows of a database as the text of Postgres' own COPY, one text a table: the same for every version and every kind of Postgres,
// and needing no program beside the server (pg_dump must be as new as the server, and the embedded one brings none).

export const tableCopy = z.object({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/),
  columns: z.array(z.string()).min(1),
  rows: z.int().min(0),
});
export type TableCopy = z.output<typeof tableCopy>;

export const databaseCopy = z.object({
  /** Names of the migrations that made the tables, oldest first. */
  migrations: z.array(z.string()).min(1),
  /** In an order in which they can be filled. */
  tables: z.array(tableCopy),
  sequences: z.array(z.object({ name: z.string(), lastValue: z.string().regex(/^-?\d+$/) })),
});
export type DatabaseCopy = z.output<typeof databaseCopy>;

const HISTORY = "_prisma_migrations";

/**
 * Copies every table as it was at one moment, whatever is written meanwhile.
 * @param write takes one table's text; the next table begins when it is done.
 */
export async function exportTables(
  options: ConnectionOptions,
  write: (table: string, text: Readable) => Promise<void>,
): Promise<DatabaseCopy> {
  return withClient(options, async (client) => {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const migrations = await readHistory(client);
    const tables: TableCopy[] = [];
    for (const { name, columns } of await listTables(client)) {
      const text = client.query(copyTo(`COPY ${place(name, columns)} TO STDOUT`));
      await write(name, text);
      tables.push({ name, columns, rows: text.rowCount });
    }
    const sequences = await listSequences(client);
    await client.query("COMMIT");
    return { migrations, tables, sequences };
  });
}

/**
 * Fills a database that has no rows: the tables are made by the migrations that the copy was made under, then all rows are taken
 * in one transaction, or none.
 *
 * @param directory `prisma/migrations`
 * @throws conflict when there are rows, or when the copy is of a newer Flotilla; invalid when the text is not what the copy says.
 */
export async function importTables(
  options: ConnectionOptions,
  copy: DatabaseCopy,
  { directory, read }: { directory: string; read: (table: string) => Readable },
): Promise<void> {
  await withClient(options, async (client) => {
    const filled = await findRows(client, await listTables(client));
    if (filled !== undefined) throw new FlotillaError("conflict", `the database is not empty: there are rows in ${filled}`);
  });
  await migrate(options, directory, copy.migrations);
  await withClient(options, async (client) => {
    const there = new Map((await listTables(client)).map((table) => [table.name, table.columns]));
    await client.query("BEGIN");
    for (const { name, columns, rows } of copy.tables) {
      const known = there.get(name);
      if (known === undefined || known.toSorted().join() !== columns.toSorted().join())
        throw new FlotillaError("invalid", `the copy's table ${name} is not the one that its migrations make`);
      const sink = client.query(copyFrom(`COPY ${place(name, columns)} FROM STDIN`));
      await pipeline(read(name), sink);
      if (sink.rowCount !== rows) throw new FlotillaError("invalid", `table ${name} has ${sink.rowCount} rows instead of ${rows}`);
    }
    for (const { name, lastValue } of copy.sequences)
      await client.query("SELECT setval($1::regclass, $2::bigint)", [escapeIdentifier(name), lastValue]);
    await client.query("COMMIT");
  });
}

async function withClient<T>(options: ConnectionOptions, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(toPoolConfig(options));
  // A connection that breaks also fails the query that runs.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    // Ends what was not committed.
    await client.end();
  }
}

function place(table: string, columns: readonly string[]): string {
  return `${escapeIdentifier(table)} (${columns.map((column) => escapeIdentifier(column)).join(", ")})`;
}

const tableRows = z.array(z.object({ name: z.string(), columns: z.array(z.string()) }));
const referenceRows = z.array(z.object({ from: z.string(), to: z.string() }));

/** The tables with the columns that are stored and not computed, but for the history of migrations; each after those it refers to. */
async function listTables(client: Client): Promise<{ name: string; columns: string[] }[]> {
  const { rows } = await client.query(
    `SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> $1 GROUP BY c.relname`,
    [HISTORY],
  );
  const references = await client.query(
    `SELECT f.relname AS "from", t.relname AS "to" FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
     WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace`,
  );
  const tables = new Map(tableRows.parse(rows).map((table) => [table.name, table]));
  return orderTables([...tables.keys()], referenceRows.parse(references.rows)).flatMap((name) => tables.get(name) ?? []);
}

async function listSequences(client: Client): Promise<DatabaseCopy["sequences"]> {
  const { rows } = await client.query(
    `SELECT sequencename AS name, last_value::text AS "lastValue" FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL ORDER BY 1`,
  );
  return databaseCopy.shape.sequences.parse(rows);
}

async function findRows(client: Client, tables: readonly { name: string }[]): Promise<string | undefined> {
  for (const { name } of tables) {
    const { rowCount } = await client.query(`SELECT 1 FROM ${escapeIdentifier(name)} LIMIT 1`);
    if (rowCount !== null && rowCount > 0) return name;
  }
  return undefined;
}
