import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { silentLogger } from "@flotilla/core";
import { migrate } from "@flotilla/db";
import { startPostgres } from "../../apps/control/src/server/postgres/start-postgres.ts";
import { ensureSecrets } from "../../apps/control/src/server/secrets-file.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const MIGRATIONS = join(ROOT, "prisma", "migrations");
const OUTPUT = join(ROOT, ".test-output");
const run = promisify(execFile);

/**
 * Gives a control plane that starts on `dataDir` (`$FLOTILLA_DATA/control`) its secrets and an empty, migrated Postgres, copied
 * from one that was made once: initdb and 20 migrations cost more than most files of tests do. What makes a database is tested
 * by test/integration/start.test.ts and by every start of the product.
 */
export async function prepareControlData(dataDir: string): Promise<void> {
  const template = join(OUTPUT, `control-data-${schemaHash()}`);
  if (!existsSync(template)) await makeTemplate(template);
  const { postgresPassword } = ensureSecrets(template);
  ensureSecrets(dataDir);
  const path = join(dataDir, "secrets.json");
  const secrets = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...secrets, postgresPassword }));
  await run("cp", ["-a", "--reflink=auto", join(template, "postgres"), join(dataDir, "postgres")]);
}

/** Made beside, then renamed: of two that make it at once the first one's is taken. */
async function makeTemplate(path: string): Promise<void> {
  mkdirSync(OUTPUT, { recursive: true });
  const temporary = mkdtempSync(join(OUTPUT, "control-data-new-"));
  const { postgresPassword: password } = ensureSecrets(temporary);
  const postgres = await startPostgres({ directory: join(temporary, "postgres"), password, logger: silentLogger });
  try {
    await migrate(postgres.connection, MIGRATIONS);
  } finally {
    await postgres.stop();
  }
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(path)) throw error;
  }
}

function schemaHash(): string {
  const hash = createHash("sha256");
  for (const file of globSync("*/migration.sql", { cwd: MIGRATIONS }).sort()) hash.update(readFileSync(join(MIGRATIONS, file)));
  return hash.digest("hex").slice(0, 16);
}
