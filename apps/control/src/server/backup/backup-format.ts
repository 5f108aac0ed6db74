// A backup is a tar (POSIX.1-2001 pax), or that encrypted by age (https://age-encryption.org/v1) with a passphrase:
//
//   secrets.json               the control plane's secrets file
//   database/<table>.copy.gz   the rows of a table as Postgres' COPY writes them
//   registry/<key>             a blob of the registry
//   manifest.json              what all of it is, with digests; the last entry, so that a file that was cut off has none
import { databaseCopy } from "@flotilla/db";
import { z } from "zod";

export const MANIFEST = "manifest.json";
export const SECRETS = "secrets.json";
const ENTRY = /^(?:secrets\.json|database\/[a-z][a-z0-9_]*\.copy\.gz|registry\/blobs\/[0-9a-f]{2}\/[0-9a-f]{64}(?:\.[0-9a-f-]{1,64})?)$/;

export const backupFile = z.object({
  path: z.string().regex(ENTRY, "not a file of a backup"),
  size: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type BackupFile = z.output<typeof backupFile>;

export const backupManifest = z.object({
  format: z.literal(1),
  createdAt: z.iso.datetime(),
  /** Version of Flotilla that wrote it. */
  version: z.string().max(100),
  database: databaseCopy,
  /** Whether the registry's blobs are in it. */
  hasRegistry: z.boolean(),
  files: z.array(backupFile),
});
export type BackupManifest = z.output<typeof backupManifest>;

export function isBackupEntry(path: string): boolean {
  return ENTRY.test(path);
}

export function tablePath(table: string): string {
  return `database/${table}.copy.gz`;
}

/** In words, what a backup promises and does not hold; undefined when it is whole. */
export function findDamage(manifest: BackupManifest, found: ReadonlyMap<string, Omit<BackupFile, "path">>): string | undefined {
  for (const { path, size, sha256 } of manifest.files) {
    const file = found.get(path);
    if (file === undefined) return `${path} is missing`;
    if (file.size !== size || file.sha256 !== sha256) return `${path} is not what was written`;
  }
  const promised = new Set(manifest.files.map(({ path }) => path));
  const extra = [...found.keys()].find((path) => !promised.has(path));
  if (extra !== undefined) return `${extra} does not belong to it`;
  const needed = [SECRETS, ...manifest.database.tables.map(({ name }) => tablePath(name))];
  const absent = needed.find((path) => !promised.has(path));
  return absent === undefined ? undefined : `${absent} is not part of it`;
}
