import { join } from "node:path";
import type { Logger } from "@flotilla/core";
import type { ConnectionOptions } from "@flotilla/db";
import type { ControlConfig } from "../env.ts";
import { lockDirectory } from "../lock-directory.ts";
import { findRunningPostgres, startPostgres } from "../postgres/start-postgres.ts";

export type OpenDatabase = { connection: ConnectionOptions; close(): Promise<void> };

/** The database of a control plane, whether it runs or not: an embedded one that nobody runs is started for as long as it is used. */
export async function openBackupDatabase(
  config: Pick<ControlConfig, "dataDir" | "databaseUrl">,
  { password, logger }: { password: string; logger: Logger },
): Promise<OpenDatabase> {
  if (config.databaseUrl !== undefined) return { connection: { url: config.databaseUrl }, close: () => Promise.resolve() };
  const directory = join(config.dataDir, "postgres");
  const running = findRunningPostgres({ directory, password });
  if (running !== undefined) return { connection: running.connection, close: () => running.stop() };
  const lock = await lockDirectory(config.dataDir);
  try {
    const postgres = await startPostgres({ directory, password, logger });
    return {
      connection: postgres.connection,
      close: async () => {
        await postgres.stop();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
