import { DatabaseSync } from "node:sqlite";
import { FlotillaError } from "@flotilla/core";

/**
 * Holds a data directory for one process: an exclusive transaction on a SQLite file, which the kernel releases when the
 * process ends in whatever way.
 * @throws FlotillaError `conflict` when another process holds it.
 */
export function lockInstance(path: string): { release(): void } {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    throw new FlotillaError("conflict", `lock ${path}: another agent uses this data`, { cause: error });
  }
  return { release: () => database.close() };
}
