import type { FileHandle } from "node:fs/promises";
import { HashThreads, type RunningHash } from "./hash-threads.ts";

/** What is gathered before a thread gets it; each upload has two of these under way. */
const PORTION_BYTES = 1024 * 1024;
/** Portions that wait for the next upload; more are left to the garbage collector. */
const MAX_SPARE = 6;
/** Uploads whose hash is kept between two of their requests; what is not kept is hashed again from the file. */
const MAX_KEPT = 1_000;
/**
 * So many bytes are brought to the disk while the rest comes in, so that little is left to wait for at the end. Few enough
 * calls that a disk with a journal does not have to write it all the time.
 */
const SYNC_EVERY_BYTES = 32 * 1024 * 1024;

/** `changedNs`: when the file was changed last, which is another time when another control plane has written to it since. */
type Kept = { hash: RunningHash; offset: number; changedNs: bigint };

/** Writes uploads into files and knows their SHA-256 at the end. */
export class UploadFiles {
  readonly #threads = new HashThreads();
  readonly #kept = new Map<string, Kept>();
  readonly #spare: SharedArrayBuffer[] = [];

  /** Writes a body behind the first `offset` bytes of a file. Pieces are copied before the next one is asked for. */
  async append(file: FileHandle, at: { key: string; offset: number }, body: AsyncIterable<Uint8Array>): Promise<void> {
    const hash = (await this.#take(file, at)) ?? (await this.#hashStored(file, at.offset));
    try {
      const bytes = await this.#write({ file, hash, position: at.offset }, body);
      this.#keep(at.key, { hash, offset: at.offset + bytes, changedNs: await changedNs(file) });
    } catch (error) {
      // It may be ahead of the file.
      hash.forget();
      throw error;
    }
  }

  /** SHA-256 of the first `size` bytes, which are there. */
  async digest(file: FileHandle, at: { key: string; size: number }): Promise<string> {
    const hash = (await this.#take(file, { key: at.key, offset: at.size })) ?? (await this.#hashStored(file, at.size));
    return hash.digest();
  }

  forget(key: string): void {
    this.#kept.get(key)?.hash.forget();
    this.#kept.delete(key);
  }

  close(): Promise<void> {
    return this.#threads.close();
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.set(key, kept);
    const oldest = this.#kept.size > MAX_KEPT ? this.#kept.keys().next().value : undefined;
    if (oldest !== undefined) this.forget(oldest);
  }

  async #take(file: FileHandle, { key, offset }: { key: string; offset: number }): Promise<RunningHash | undefined> {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    if (kept === undefined || !kept.hash.isAlive) return undefined;
    if (kept.offset === offset && kept.changedNs === (await changedNs(file))) return kept.hash;
    kept.hash.forget();
    return undefined;
  }

  /** In steps, so that other uploads of the thread go on beside it. */
  async #hashStored(file: FileHandle, size: number): Promise<RunningHash> {
    const hash = this.#threads.begin();
    for (let position = 0; position < size;) {
      const length = Math.min(PORTION_BYTES * 4, size - position);
      const bytes = await hash.run({ kind: "read", fd: file.fd, length, position });
      if (bytes === 0) throw new Error("the file became shorter while it was hashed");
      position += bytes;
    }
    return hash;
  }

  async #write(to: { file: FileHandle; hash: RunningHash; position: number }, body: AsyncIterable<Uint8Array>): Promise<number> {
    const filling = { memory: this.#spare.pop() ?? new SharedArrayBuffer(PORTION_BYTES), bytes: 0 };
    let other = this.#spare.pop() ?? new SharedArrayBuffer(PORTION_BYTES);
    let position = to.position;
    let pending: Promise<unknown> = Promise.resolve();
    const writeBack = new WriteBack(to.file);
    const flush = async (): Promise<void> => {
      await pending;
      if (filling.bytes === 0) return;
      const { memory, bytes: length } = filling;
      pending = to.hash.run({ kind: "write", fd: to.file.fd, memory, length, position });
      // A failure is thrown where it is awaited, and must not count as unhandled until then.
      pending.catch(() => undefined);
      position += length;
      [filling.memory, filling.bytes, other] = [other, 0, memory];
      writeBack.wrote(length);
    };
    try {
      for await (const piece of body) {
        for (let done = 0; done < piece.length;) {
          const part = piece.subarray(done, done + PORTION_BYTES - filling.bytes);
          new Uint8Array(filling.memory, filling.bytes).set(part);
          filling.bytes += part.length;
          done += part.length;
          if (filling.bytes === PORTION_BYTES) await flush();
        }
      }
    } finally {
      // Also what came before a broken connection counts: the upload goes on behind it.
      try {
        await flush();
        await pending;
      } finally {
        await writeBack.end();
      }
      if (this.#spare.length < MAX_SPARE) this.#spare.push(filling.memory, other);
    }
    return position - to.position;
  }
}

async function changedNs(file: FileHandle): Promise<bigint> {
  return (await file.stat({ bigint: true })).mtimeNs;
}

/** Brings what was written to the disk from time to time. */
class WriteBack {
  readonly #file: FileHandle;
  #bytes = 0;
  #running: Promise<unknown> | undefined;
  #failure: Error | undefined;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  wrote(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < SYNC_EVERY_BYTES || this.#running !== undefined) return;
    this.#bytes = 0;
    this.#running = this.#file.datasync().then(
      () => (this.#running = undefined),
      (error: unknown) => {
        // The kernel tells of it once, so it is kept, and nothing is synced any more.
        this.#failure = error instanceof Error ? error : new Error("the disk did not take the upload", { cause: error });
      },
    );
  }

  /** The file may be closed then. @throws when the disk did not take something: none of the upload may be believed. */
  async end(): Promise<void> {
    await this.#running;
    if (this.#failure === undefined) return;
    await this.#file.truncate(0);
    throw this.#failure;
  }
}
