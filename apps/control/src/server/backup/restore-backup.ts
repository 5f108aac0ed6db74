import { createReadStream, existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { FlotillaError, type Logger } from "@flotilla/core";
import { importTables } from "@flotilla/db";
import type { ControlConfig } from "../env.ts";
import { lockDirectory } from "../lock-directory.ts";
import { startPostgres } from "../postgres/start-postgres.ts";
import { ensureSecrets } from "../secrets-file.ts";
import { syncDirectory } from "../sync-directory.ts";
import { type BackupManifest, SECRETS, tablePath } from "./backup-format.ts";
import { readArchive } from "./read-archive.ts";

export type RestoreRequest = {
  file: string;
  config: Pick<ControlConfig, "dataDir" | "databaseUrl">;
  passphrase: string | undefined;
  /** Puts a control plane that is there aside instead of refusing. */
  isForced: boolean;
  migrations: string;
  logger: Logger;
  now: Date;
};

/**
 * Makes a control plane from a backup. All of it is made beside, with a Postgres of its own, and takes its place by one rename: a kill
 * before that leaves nothing but a directory that the next try removes. Only an outside database (`DATABASE_URL`), which must have no
 * rows, is filled before the rename, in one transaction.
 *
 * @returns what was in it, and where an earlier control plane was put aside.
 * @throws conflict when a control plane is there or runs; invalid for a damaged file; forbidden for a wrong passphrase.
 */
export async function restoreBackup(request: RestoreRequest): Promise<{ manifest: BackupManifest; aside: string | null }> {
  const { config, file, passphrase, now } = request;
  const { dataDir } = config;
  const isThere = existsSync(join(dataDir, SECRETS));
  if (isThere && !request.isForced)
    throw new FlotillaError("conflict", `there is a control plane in ${dataDir} already: --force puts it aside and restores in its place`);
  const lock = existsSync(dataDir) ? await lockDirectory(dataDir) : undefined;
  const staging = `${dataDir}.restoring`;
  try {
    await rm(staging, { recursive: true, force: true });
    await mkdir(dirname(dataDir), { recursive: true });
    await mkdir(staging, { mode: 0o711 });
    const manifest = await readArchive(file, staging, passphrase);
    await fillDatabase(request, { staging, manifest });
    await rm(join(staging, "database"), { recursive: true, force: true });
    const aside = existsSync(dataDir) ? `${dataDir}.before-${now.toISOString().replaceAll(/[-:]|\.\d+/g, "")}` : null;
    if (aside !== null) await rename(dataDir, aside);
    await rename(staging, dataDir);
    await syncDirectory(dirname(dataDir));
    return { manifest, aside };
  } finally {
    await rm(staging, { recursive: true, force: true });
    await lock?.release();
  }
}

async function fillDatabase(request: RestoreRequest, made: { staging: string; manifest: BackupManifest }): Promise<void> {
  const { config, migrations: directory, logger } = request;
  const { staging, manifest } = made;
  const read = (table: string): Readable => {
    const zipped = createReadStream(join(staging, tablePath(table)));
    const text = createGunzip();
    zipped.once("error", (error) => text.destroy(error));
    return zipped.pipe(text);
  };
  if (config.databaseUrl !== undefined) return importTables({ url: config.databaseUrl }, manifest.database, { directory, read });
  const { postgresPassword: password } = ensureSecrets(staging);
  const postgres = await startPostgres({ directory: join(staging, "postgres"), password, logger });
  try {
    await importTables(postgres.connection, manifest.database, { directory, read });
  } finally {
    await postgres.stop();
  }
}
