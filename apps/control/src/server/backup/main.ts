// `flotilla backup` and `flotilla restore`, as a process of their own: `node main.ts backup|restore FILE [options]`. The command line
// has been checked by apps/cli; what this prints is for it too: sentences, or with --json one document.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { readControlConfig } from "../env.ts";
import { createPinoLogger } from "../pino-logger.ts";
import { ensureSecrets } from "../secrets-file.ts";
import { SECRETS } from "./backup-format.ts";
import { openBackupDatabase } from "./open-backup-database.ts";
import { restoreBackup } from "./restore-backup.ts";
import { parsePassphrase } from "./seal-backup.ts";
import { writeBackup } from "./write-backup.ts";

const VERSION = "0.1.0";
const MIGRATIONS = join(import.meta.dirname, "..", "..", "..", "..", "..", "prisma", "migrations");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "passphrase-file": { type: "string" },
    "without-registry": { type: "boolean", default: false },
    force: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

async function main(): Promise<void> {
  const [verb = "", path = ""] = positionals;
  // Where it listens, and how, is nothing to a backup.
  const { FLOTILLA_DATA, DATABASE_URL } = process.env;
  const config = readControlConfig({ FLOTILLA_DATA, DATABASE_URL });
  const file = resolve(path);
  const passphraseFile = values["passphrase-file"];
  const passphrase = passphraseFile === undefined ? undefined : parsePassphrase(readText(passphraseFile));
  const logger = createPinoLogger({ level: "error", isTerminal: process.stderr.isTTY });
  const now = new Date();
  if (verb === "backup") {
    if (existsSync(file) && !values.force) throw new FlotillaError("conflict", `${file} is there already: --force replaces it`);
    if (!existsSync(join(config.dataDir, SECRETS))) throw new FlotillaError("not_found", `there is no control plane in ${config.dataDir}`);
    const { postgresPassword: password } = ensureSecrets(config.dataDir);
    const database = await openBackupDatabase(config, { password, logger });
    try {
      const { dataDir } = config;
      const withRegistry = !values["without-registry"];
      const request = { dataDir, connection: database.connection, output: file, passphrase, withRegistry, version: VERSION, now };
      const { manifest, bytes } = await writeBackup(request);
      say(describe("wrote", file, manifest), { file, bytes, ...summary(manifest), isEncrypted: passphrase !== undefined });
      if (passphrase === undefined)
        note("it holds every key of the control plane: keep it as you keep those (--passphrase-file encrypts it)");
    } finally {
      await database.close();
    }
    return;
  }
  const { manifest, aside } = await restoreBackup({
    file,
    config,
    passphrase,
    isForced: values.force,
    migrations: MIGRATIONS,
    logger,
    now,
  });
  say(describe("restored", file, manifest), { file, dataDir: config.dataDir, ...summary(manifest), aside });
  if (aside !== null) note(`what was there is in ${aside}`);
  if (!manifest.hasRegistry) note("it has no images of the registry: push them again");
}

type Manifest = Awaited<ReturnType<typeof restoreBackup>>["manifest"];

function summary({ createdAt, version, database, files, hasRegistry }: Manifest): Record<string, unknown> {
  const rows = database.tables.reduce((sum, table) => sum + table.rows, 0);
  const blobs = files.filter(({ path }) => path.startsWith("registry/")).length;
  return { createdAt, version, tables: database.tables.length, rows, hasRegistry, blobs };
}

function describe(verb: string, file: string, manifest: Manifest): string {
  const { tables, rows, blobs } = summary(manifest);
  const images = manifest.hasRegistry ? `${String(blobs)} blobs of the registry` : "without the registry";
  return `${verb} ${file} of ${manifest.createdAt}: ${String(rows)} rows of ${String(tables)} tables, ${images}`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new FlotillaError("not_found", `the passphrase file ${path} cannot be read`, { cause: error });
  }
}

function say(text: string, document: unknown): void {
  process.stdout.write(values.json ? `${JSON.stringify(document)}\n` : `${text}\n`);
}

function note(text: string): void {
  if (!values.json) process.stderr.write(`flotilla: ${text}\n`);
}

try {
  await main();
} catch (error) {
  const { code, message } = toFlotillaError(error);
  if (values.json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  else process.stderr.write(`flotilla: ${message}\n`);
  process.exitCode = 1;
}
