// A blob while it comes: `<hex>.data` with its bytes from the beginning, `<hex>.json` with what is known to be on the disk.
// As long as the machine was not restarted, all bytes of the data file are what was written (a process that dies loses
// nothing that it wrote). After a restart of the machine only those count that were synced and recorded.
import { FlotillaError } from "@flotilla/core";
import { digestSchema, hexOf, type Descriptor, type Digest } from "@flotilla/image";
import { constants } from "node:fs";
import { open, readFile, rename, rm, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const recordSchema = z.object({
  version: z.literal(1),
  digest: digestSchema,
  bootId: z.string(),
  syncedBytes: z.number().int().nonnegative(),
});

export type PartialBlobOptions = {
  /** A directory for partial blobs only, on the disk that keeps them. */
  directory: string;
  /** Changes when the machine is started anew: `/proc/sys/kernel/random/boot_id`. */
  bootId: string;
  blob: Pick<Descriptor, "digest" | "size">;
};

/** How many bytes may be lost when the machine fails: few enough to fetch again, and hardly a wait for the disk. */
const SYNC_EVERY_BYTES = 256 * 2 ** 20;
const READ_BYTES = 256 * 1024;
const O_RDWR_CREATE_NOFOLLOW = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/** INVARIANT: one user at a time for a digest; whoever opens it holds a lock of that name. */
export class PartialBlob implements AsyncDisposable {
  readonly #options: PartialBlobOptions;
  readonly #file: FileHandle;
  #length: number;
  #syncedBytes: number;
  #background: Promise<void> | undefined;
  #syncError: FlotillaError | undefined;

  private constructor(options: PartialBlobOptions, file: FileHandle, there: { length: number; syncedBytes: number }) {
    this.#options = options;
    this.#file = file;
    this.#length = there.length;
    this.#syncedBytes = there.syncedBytes;
  }

  /** Opens what there is of a blob, or begins it. */
  static async open(options: PartialBlobOptions): Promise<PartialBlob> {
    // Neither truncated nor followed through a link.
    const file = await open(pathsOf(options).data, O_RDWR_CREATE_NOFOLLOW, 0o600);
    try {
      const { size } = await file.stat();
      const { trusted, synced } = await knownBytes(options);
      const length = Math.min(size, options.blob.size, trusted);
      if (length < size) await file.truncate(length);
      const blob = new PartialBlob(options, file, { length, syncedBytes: Math.min(length, synced) });
      await blob.#record();
      return blob;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes that are there. */
  get length(): number {
    return this.#length;
  }

  get dataPath(): string {
    return pathsOf(this.#options).data;
  }

  /** The bytes that are there, from the beginning. */
  async *read(): AsyncGenerator<Buffer, void> {
    for (let at = 0; at < this.#length;) {
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, this.#length - at));
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new FlotillaError("internal", `partial blob ${this.#options.blob.digest} was cut by somebody else`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** @throws FlotillaError `exhausted` when the disk is full. */
  async append(chunk: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < chunk.length;) {
        const { bytesWritten } = await this.#file.write(chunk, done, chunk.length - done, this.#length);
        done += bytesWritten;
        this.#length += bytesWritten;
      }
    } catch (error) {
      const isFull = error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
      throw new FlotillaError(
        isFull ? "exhausted" : "internal",
        `write blob ${this.#options.blob.digest}: ${error instanceof Error ? error.message : "error"}`,
        { cause: error },
      );
    }
    if (this.#syncError !== undefined) throw this.#syncError;
    if (this.#length - this.#syncedBytes >= SYNC_EVERY_BYTES) this.#background ??= this.#syncInBackground();
  }

  /** Waits for the disk where it is at work. @throws FlotillaError when it failed. */
  async settle(): Promise<void> {
    await this.#background;
    if (this.#syncError !== undefined) throw this.#syncError;
  }

  /** Forgets the bytes: they are not what they should be. */
  async reset(): Promise<void> {
    await this.#background;
    await this.#file.truncate(0);
    this.#length = 0;
    this.#syncedBytes = 0;
    await this.#record();
  }

  /** Takes both files away; the blob is elsewhere by now, or nobody wants it. The handle stays to be disposed of. */
  async remove(): Promise<void> {
    await this.#background;
    const { data, record } = pathsOf(this.#options);
    await rm(data, { force: true });
    await rm(record, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#background;
    await this.#file.close();
  }

  async #syncNow(): Promise<void> {
    const upTo = this.#length;
    await this.#file.datasync();
    this.#syncedBytes = upTo;
    await this.#record();
  }

  /** The download goes on while the disk works. The kernel tells of a failed write only once, so the error is kept. */
  async #syncInBackground(): Promise<void> {
    try {
      await this.#syncNow();
    } catch (error) {
      this.#syncError = new FlotillaError("internal", `sync blob ${this.#options.blob.digest} to disk`, { cause: error });
    } finally {
      this.#background = undefined;
    }
  }

  async #record(): Promise<void> {
    const { record } = pathsOf(this.#options);
    const { blob, bootId } = this.#options;
    const text = JSON.stringify({ version: 1, digest: blob.digest, bootId, syncedBytes: this.#syncedBytes } satisfies z.input<
      typeof recordSchema
    >);
    // Not flushed: it says what is true whenever it gets to the disk, and an older one, a part of one or none says less.
    await writeFile(`${record}.new`, text, { mode: 0o600 });
    await rename(`${record}.new`, record);
  }
}

/** How many bytes of the data file may be believed, and how many are known to be on the disk. */
async function knownBytes(options: PartialBlobOptions): Promise<{ trusted: number; synced: number }> {
  let text: string;
  try {
    text = await readFile(pathsOf(options).record, "utf8");
  } catch {
    return { trusted: 0, synced: 0 };
  }
  const record = recordSchema.safeParse(parseJson(text));
  if (!record.success || record.data.digest !== options.blob.digest) return { trusted: 0, synced: 0 };
  const { bootId, syncedBytes: synced } = record.data;
  return { trusted: bootId === options.bootId ? options.blob.size : synced, synced };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pathsOf({ directory, blob }: PartialBlobOptions): { data: string; record: string } {
  return partialPaths(directory, blob.digest);
}

/** The files of a partial blob: whoever takes a whole one away moves `data` and removes `record`. */
export function partialPaths(directory: string, digest: Digest): { data: string; record: string } {
  const base = join(directory, hexOf(digest));
  return { data: `${base}.data`, record: `${base}.json` };
}
