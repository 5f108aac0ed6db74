import { constants, createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import type { BlobStorage, ByteRange, StoredObject } from "@flotilla/services";
import { syncDirectory } from "../sync-directory.ts";
import { UploadFiles } from "./upload-files.ts";

/** Keys come from our own code; this is the last line of defence against one that was built from a client's text. */
const KEY = /^[a-z0-9]+(?:[.-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[.-][a-z0-9]+)*)*$/;
/** Bytes that are read at once: large enough that system calls do not count. */
const READ_BYTES = 512 * 1024;
/** Two of these are in memory for each blob that is being sent. */
const SEND_BYTES = 512 * 1024;

/** Blobs as files below one directory. */
export class FileStorage implements BlobStorage {
  readonly #root: string;
  readonly #uploads = new UploadFiles();

  constructor(root: string) {
    this.#root = root;
  }

  async append(key: string, offset: number, body: AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.#path(key);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await openForAppend(path, offset);
    try {
      await this.#uploads.append(file, { key, offset }, body);
    } finally {
      await file.close();
    }
  }

  async digest(key: string, size: number): Promise<string> {
    const file = await open(this.#path(key), "r").catch((error: unknown) => {
      throw isMissing(error) ? tooShort() : error;
    });
    try {
      if ((await file.stat()).size < size) throw tooShort();
      return await this.#uploads.digest(file, { key, size });
    } finally {
      await file.close();
    }
  }

  async promote(from: string, to: string): Promise<void> {
    const target = this.#path(to);
    const source = this.#path(from);
    const file = await open(source, "r").catch((error: unknown) => {
      throw isMissing(error) ? new FlotillaError("gone", "the uploaded bytes are gone") : error;
    });
    try {
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await rename(source, target).catch((error: unknown) => {
        throw isMissing(error) ? new FlotillaError("gone", "the uploaded bytes are gone") : error;
      });
      this.#uploads.forget(from);
      // After the rename, so that a journal takes both at once. No row names the target before this returns.
      await file.sync();
    } finally {
      await file.close();
    }
    await syncDirectory(dirname(target));
  }

  async read(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    const file = await openToRead(this.#path(key));
    return createReadStream("", { fd: file, highWaterMark: READ_BYTES, ...(range === undefined ? {} : range) });
  }

  async send(key: string, range: ByteRange, sink: (piece: Uint8Array) => Promise<void>): Promise<void> {
    const file = await openToRead(this.#path(key));
    try {
      const length = range.end - range.start + 1;
      const size = Math.min(SEND_BYTES, length);
      const buffers = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(length > size ? size : 0)] as const;
      let sent = 0;
      let next = readPiece(file, buffers[0], range);
      for (let turn = 1; sent < length; turn++) {
        const piece = await next;
        if (piece.length === 0) throw new FlotillaError("internal", `storage: ${key} ends before byte ${range.end}`);
        sent += piece.length;
        const start = range.start + sent;
        if (sent < length) next = readPiece(file, buffers[turn % 2 === 0 ? 0 : 1], { start, end: range.end });
        // The sink may fail first: the read's own end is then waited for before the file is closed.
        await sink(piece).catch(async (error: unknown) => {
          await next.catch(() => undefined);
          throw error;
        });
      }
    } finally {
      await file.close();
    }
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    try {
      const found = await stat(this.#path(key));
      return { key, size: found.size, modifiedMs: found.mtimeMs };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    this.#uploads.forget(key);
    await rm(this.#path(key), { force: true });
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    const entries = await readdir(this.#path(prefix), { withFileTypes: true }).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
    for (const entry of entries) {
      const key = `${prefix}/${entry.name}`;
      if (entry.isDirectory()) yield* this.list(key);
      // A file may be gone since it was listed.
      const found = entry.isFile() ? await this.stat(key) : undefined;
      if (found !== undefined) yield found;
    }
  }

  /** Ends the threads that write and hash; nothing is appended any more. */
  close(): Promise<void> {
    return this.#uploads.close();
  }

  #path(key: string): string {
    if (!KEY.test(key)) throw new FlotillaError("internal", `storage: ${JSON.stringify(key)} is not a key`);
    return join(this.#root, key);
  }
}

function openToRead(path: string): Promise<FileHandle> {
  return open(path, "r").catch((error: unknown) => {
    throw isMissing(error) ? new FlotillaError("not_found", "the stored bytes are gone") : error;
  });
}

async function readPiece(file: FileHandle, buffer: Buffer, { start, end }: ByteRange): Promise<Buffer> {
  const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - start + 1), start);
  return buffer.subarray(0, bytesRead);
}

/** Opens for writing at `offset`, with whatever a killed writer left behind it cut off. */
async function openForAppend(path: string, offset: number): Promise<FileHandle> {
  const file = await open(path, offset === 0 ? constants.O_RDWR | constants.O_CREAT : constants.O_RDWR, 0o600).catch((error: unknown) => {
    throw isMissing(error) ? tooShort() : error;
  });
  try {
    const { size } = await file.stat();
    if (size < offset) throw tooShort();
    // Not for nothing: it would count as a change of the file.
    if (size > offset) await file.truncate(offset);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function tooShort(): FlotillaError {
  return new FlotillaError("gone", "the bytes before this offset are gone");
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
