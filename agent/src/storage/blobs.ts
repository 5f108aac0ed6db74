import { createHash, randomUUID } from "node:crypto";
import { createReadStream, renameSync } from "node:fs";
import { open, readdir, rename, stat, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { digestOfHex, isDigest, type Digest } from "@flotilla/image";
import { toStorageError } from "./storage-error.ts";
import type { StorePaths } from "./store-paths.ts";

export type StoredBlob = { digest: Digest; sizeBytes: number };

const READ_CHUNK_BYTES = 1024 * 1024;

/** Content-addressed files, `blobs/sha256/HEX`. A blob appears under its name only when all of it is on disk. */
export class Blobs {
  readonly #paths: StorePaths;

  constructor(paths: StorePaths) {
    this.#paths = paths;
  }

  /** Opens a new blob. Call `commit` or `abort` at the end, whatever happens. */
  async create(): Promise<BlobWriter> {
    const path = join(this.#paths.tmp, `blob-${randomUUID()}`);
    try {
      return new BlobWriter({ paths: this.#paths, path, file: await open(path, "wx", 0o600) });
    } catch (error) {
      throw toStorageError("write blob", error);
    }
  }

  read(digest: Digest, startByte = 0): Readable {
    return createReadStream(this.#paths.blob(digest), { highWaterMark: READ_CHUNK_BYTES, start: startByte });
  }

  /** Gives a blob its name whose content was verified and put on the disk elsewhere on this file system. The caller leases it. */
  adopt(path: string, digest: Digest): void {
    renameSync(path, this.#paths.blob(digest));
  }

  /** Size in bytes, undefined when there is no such blob. */
  async findSize(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(this.#paths.blob(digest))).size;
    } catch {
      return undefined;
    }
  }

  /** Digests of all blobs on disk. */
  async list(): Promise<Digest[]> {
    const names = await readdir(this.#paths.blobs);
    return names.map((name) => `sha256:${name}`).filter(isDigest);
  }

  path(digest: Digest): string {
    return this.#paths.blob(digest);
  }
}

type BlobWriterOptions = { paths: StorePaths; path: string; file: FileHandle };

export class BlobWriter {
  readonly #paths: StorePaths;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #sizeBytes = 0;
  #isClosed = false;

  constructor(options: BlobWriterOptions) {
    this.#paths = options.paths;
    this.#path = options.path;
    this.#file = options.file;
  }

  /** Writes what passes through. */
  async *through(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      await this.write(chunk);
      yield chunk;
    }
  }

  async write(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk);
    try {
      let done = 0;
      while (done < chunk.length) done += (await this.#file.write(chunk, done)).bytesWritten;
    } catch (error) {
      throw toStorageError("write blob", error);
    }
    this.#sizeBytes += chunk.length;
  }

  /**
   * Gives the blob its name. The data is on disk before the name is.
   * @param hold called with the digest before the name appears: the caller leases it, so that a collection in between
   * does not take an old blob of the same content away.
   */
  async commit(hold: (digest: Digest) => void): Promise<StoredBlob> {
    try {
      await this.#file.datasync();
      await this.#close();
      const digest = digestOfHex(this.#hash.digest("hex"));
      hold(digest);
      await rename(this.#path, this.#paths.blob(digest));
      return { digest, sizeBytes: this.#sizeBytes };
    } catch (error) {
      throw toStorageError("write blob", error);
    }
  }

  /** Takes the temporary file away; does nothing after `commit`. */
  async abort(): Promise<void> {
    await this.#close();
    await unlink(this.#path).catch(() => undefined);
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#file.close();
  }
}
