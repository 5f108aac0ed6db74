import { createHash } from "node:crypto";
import { createWriteStream, mkdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { FlotillaError } from "@flotilla/core";
import { extract } from "tar-stream";
import { type BackupFile, type BackupManifest, backupManifest, findDamage, isBackupEntry, MANIFEST } from "./backup-format.ts";
import { isSealed, unseal } from "./seal-backup.ts";

/** A manifest names each blob with its digest: room for a million of them. */
const MAX_MANIFEST_BYTES = 512 * 1024 * 1024;

/**
 * Unpacks a backup below a directory, which nothing else is in. Paths are those that backups have; nothing in the file can name another.
 * @throws invalid when it is damaged, cut off, or no backup; forbidden without the right passphrase.
 */
export async function readArchive(file: string, target: string, passphrase: string | undefined): Promise<BackupManifest> {
  const opened = await openArchive(file, passphrase);
  const found = new Map<string, Omit<BackupFile, "path">>();
  let manifest: BackupManifest | undefined;
  try {
    const archive = extract();
    const reading = pipeline(opened.bytes, archive as unknown as NodeJS.WritableStream);
    // Whoever reads the entries hears of it too.
    reading.catch(() => undefined);
    for await (const entry of archive) {
      const { name, type, size } = entry.header;
      const body = Readable.from(entry as AsyncIterable<Buffer>);
      if (type !== "file" || (name !== MANIFEST && !isBackupEntry(name))) throw damaged(`${name} is no file of a backup`);
      if (name === MANIFEST) manifest = await readManifest(body, size);
      else found.set(name, await unpack(body, join(target, name)));
    }
    await reading;
  } catch (error) {
    if (error instanceof FlotillaError) throw error;
    throw damaged(error instanceof Error ? error.message : String(error), error);
  } finally {
    await opened.close();
  }
  if (manifest === undefined) throw damaged("its end is missing");
  const damage = findDamage(manifest, found);
  if (damage !== undefined) throw damaged(damage);
  return manifest;
}

async function openArchive(file: string, passphrase: string | undefined): Promise<{ bytes: Readable; close(): Promise<void> }> {
  const handle = await open(file, "r").catch((error: unknown) => {
    throw new FlotillaError("not_found", `${file} cannot be read`, { cause: error });
  });
  const close = (): Promise<void> => handle.close();
  try {
    const head = Buffer.alloc(64);
    await handle.read(head, 0, head.length, 0);
    const stored = handle.createReadStream({ start: 0, autoClose: false });
    if (!isSealed(head)) return { bytes: stored, close };
    if (passphrase === undefined) throw new FlotillaError("invalid", "this backup is encrypted: give its passphrase by --passphrase-file");
    return { bytes: await unseal(stored, passphrase), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readManifest(body: Readable, size: number): Promise<BackupManifest> {
  if (size > MAX_MANIFEST_BYTES) throw damaged("its manifest is too large");
  const parsed = backupManifest.safeParse(JSON.parse((await buffer(body)).toString("utf8")));
  if (!parsed.success) throw damaged(`its manifest is not one that this version knows (${parsed.error.issues[0]?.path.join(".") ?? ""})`);
  return parsed.data;
}

async function unpack(body: Readable, path: string): Promise<Omit<BackupFile, "path">> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const hash = createHash("sha256");
  let size = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(body, counting, createWriteStream(path, { mode: 0o600, flags: "wx", flush: true }));
  return { size, sha256: hash.digest("hex") };
}

function damaged(what: string, cause?: unknown): FlotillaError {
  return new FlotillaError("invalid", `this is no whole backup: ${what}`, { cause });
}
