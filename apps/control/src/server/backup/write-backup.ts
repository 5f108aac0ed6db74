import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { FlotillaError } from "@flotilla/core";
import { type ConnectionOptions, exportTables } from "@flotilla/db";
import { pack, type Pack } from "tar-stream";
import { syncDirectory } from "../sync-directory.ts";
import { type BackupFile, type BackupManifest, isBackupEntry, MANIFEST, SECRETS, tablePath } from "./backup-format.ts";
import { seal } from "./seal-backup.ts";

export type BackupRequest = {
  /** Where the control plane keeps its secrets file and its registry. */
  dataDir: string;
  connection: ConnectionOptions;
  output: string;
  passphrase: string | undefined;
  withRegistry: boolean;
  version: string;
  now: Date;
};

/**
 * Writes a backup while the control plane runs or not: the database as it was at one moment, then the blobs, which are never changed.
 * The file is there, mode 0600, when all of it is on the disk, and not before.
 *
 * @returns what is in it, and how large it is.
 * @throws not_found when there is no control plane here.
 */
export async function writeBackup(request: BackupRequest): Promise<{ manifest: BackupManifest; bytes: number }> {
  const { output, passphrase } = request;
  const spool = `${output}.spool`;
  const partial = `${output}.partial`;
  await rm(spool, { recursive: true, force: true });
  await mkdir(spool, { mode: 0o700 });
  try {
    const archive = pack();
    // tar-stream's own streams are not quite Node's.
    const plain = Readable.from(archive as AsyncIterable<Buffer>);
    const bytes = passphrase === undefined ? plain : await seal(plain, passphrase);
    const written = pipeline(bytes, createWriteStream(partial, { mode: 0o600, flush: true }));
    const [manifest] = await Promise.all([fill(archive, request, spool).catch((error: unknown) => stop(archive, error)), written]);
    await rename(partial, output);
    await syncDirectory(dirname(output));
    return { manifest, bytes: (await stat(output)).size };
  } finally {
    await rm(spool, { recursive: true, force: true });
    await rm(partial, { force: true });
  }
}

function stop(archive: Pack, error: unknown): never {
  archive.destroy(error instanceof Error ? error : new Error(String(error)));
  throw error;
}

async function fill(archive: Pack, request: BackupRequest, spool: string): Promise<BackupManifest> {
  const files: BackupFile[] = [];
  const secrets = await readFile(join(request.dataDir, SECRETS)).catch((error: unknown) => {
    throw new FlotillaError("not_found", `there is no control plane in ${request.dataDir}`, { cause: error });
  });
  files.push(await add(archive, SECRETS, { size: secrets.length, body: Readable.from([secrets]) }));
  const database = await exportTables(request.connection, async (table, text) => {
    // An entry of a tar says its size before its bytes.
    const path = join(spool, `${table}.gz`);
    await pipeline(text, createGzip(), createWriteStream(path, { mode: 0o600 }));
    files.push(await addFile(archive, tablePath(table), path));
    await rm(path);
  });
  if (request.withRegistry) {
    const root = join(request.dataDir, "registry");
    for (const key of await listBlobs(root)) {
      const file = await addFile(archive, `registry/${key}`, join(root, key)).catch(ignoreMissing);
      // Cleaned up meanwhile: nothing of the database's copy needed it.
      if (file !== undefined) files.push(file);
    }
  }
  const { now, version, withRegistry: hasRegistry } = request;
  const manifest: BackupManifest = { format: 1, createdAt: now.toISOString(), version, database, hasRegistry, files };
  const text = Buffer.from(`${JSON.stringify(manifest)}\n`);
  await add(archive, MANIFEST, { size: text.length, body: Readable.from([text]) });
  archive.finalize();
  return manifest;
}

async function addFile(archive: Pack, path: string, source: string): Promise<BackupFile> {
  const { size } = await stat(source);
  return add(archive, path, { size, body: createReadStream(source) });
}

async function add(archive: Pack, path: string, { size, body }: { size: number; body: Readable }): Promise<BackupFile> {
  const hash = createHash("sha256");
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await new Promise<void>((resolve, reject) => {
    const entry = archive.entry({ name: path, size, mode: 0o600 }, (error) => (error ? reject(error) : resolve()));
    pipeline(body, hashing, entry as unknown as NodeJS.WritableStream).catch(reject);
  });
  return { path, size, sha256: hash.digest("hex") };
}

async function listBlobs(root: string): Promise<string[]> {
  const entries = await readdir(join(root, "blobs"), { recursive: true }).catch(() => []);
  return entries
    .map((entry) => `blobs/${entry}`)
    .filter((key) => isBackupEntry(`registry/${key}`))
    .toSorted();
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
