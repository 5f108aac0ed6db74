import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@flotilla/core";
import { startPostgres } from "../../apps/control/src/server/postgres/start-postgres.ts";
import { ensureSecrets } from "../../apps/control/src/server/secrets-file.ts";
import { prepareControlData } from "./control-data.ts";

export type SharedDatabase = { url: string; secretsFile: string; close(): Promise<void> };

/** A migrated Postgres for several control planes, and the secrets that they share. */
export async function startSharedDatabase(): Promise<SharedDatabase> {
  const dir = mkdtempSync(join(tmpdir(), "flx-"));
  await prepareControlData(dir);
  const { postgresPassword: password } = ensureSecrets(dir);
  const postgres = await startPostgres({ directory: join(dir, "postgres"), password, logger: silentLogger });
  const query = new URLSearchParams({ host: join(dir, "postgres") });
  return {
    url: `postgresql://flotilla:${encodeURIComponent(password)}@localhost/postgres?${query.toString()}`,
    secretsFile: join(dir, "secrets.json"),
    close: async () => {
      await postgres.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
