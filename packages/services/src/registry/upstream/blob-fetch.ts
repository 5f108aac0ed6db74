import { FlotillaError, isFlotillaError, toFlotillaError } from "@flotilla/core";
import type { BlobStorage, ByteRange } from "../blob-storage.ts";

/** Bytes that are written at once, and that readers wait for at most. */
const PORTION_BYTES = 1024 * 1024;

/**
 * A blob that comes in from an upstream while any number of readers are sent it from where it is written. The last byte is
 * held back until the whole is verified and stored: nobody gets all of something that is wrong.
 */
export class BlobFetch {
  readonly size: number;
  readonly #storage: BlobStorage;
  #key: string;
  /** Bytes that readers may have. */
  #readable = 0;
  #error: FlotillaError | undefined;
  #changed = Promise.withResolvers<void>();
  #isEnded = false;

  /** @param where where it is written first, and how many bytes it shall have. */
  constructor(storage: BlobStorage, where: { key: string; size: number }) {
    this.#storage = storage;
    this.#key = where.key;
    this.size = where.size;
  }

  /**
   * Takes the bytes in. @param keep stores what was written under its final key, which it returns.
   * @throws what the source or `keep` throws; readers get the same, and what was written is removed.
   */
  async run(source: AsyncIterable<Uint8Array>, keep: (key: string) => Promise<string>): Promise<void> {
    try {
      await this.#write(source);
      this.#key = await keep(this.#key);
      this.#readable = this.size;
    } catch (error) {
      this.#error = toFlotillaError(error);
      await this.#storage.delete(this.#key).catch(() => undefined);
      throw error;
    } finally {
      this.#isEnded = true;
      this.#tell();
    }
  }

  /** Ends it before, or without, `run`: the upstream could not be asked. */
  fail(error: unknown): void {
    if (this.#isEnded) return;
    this.#error = toFlotillaError(error);
    this.#isEnded = true;
    this.#tell();
  }

  /** Hands a range to `sink` piece by piece as it comes in. @throws what ended the fetch, before the sink has the last byte. */
  async send(range: ByteRange, sink: (piece: Uint8Array) => Promise<void>): Promise<void> {
    for (let start = range.start; start <= range.end;) {
      const end = Math.min(range.end, this.#readable - 1);
      if (end >= start) {
        start = await this.#sendStored({ start, end }, sink);
        continue;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#isEnded) throw new FlotillaError("internal", "the blob ended early");
      await this.#changed.promise;
    }
  }

  /** Returns where to go on. The key changes when the blob is stored; what is open by then is read to its end. */
  async #sendStored(range: ByteRange, sink: (piece: Uint8Array) => Promise<void>): Promise<number> {
    const key = this.#key;
    try {
      await this.#storage.send(key, range, sink);
      return range.end + 1;
    } catch (error) {
      if (!isFlotillaError(error, "not_found")) throw error;
      // Between the rename and our hearing of it; or it failed, and was removed.
      while (this.#key === key && !this.#isEnded) await this.#changed.promise;
      if (this.#error !== undefined) throw this.#error;
      if (this.#key === key) throw error;
      return range.start;
    }
  }

  async #write(source: AsyncIterable<Uint8Array>): Promise<void> {
    let portion: Uint8Array[] = [];
    let bytes = 0;
    let written = 0;
    const flush = async (): Promise<void> => {
      await this.#storage.append(this.#key, written, pieces(portion.splice(0)));
      written += bytes;
      bytes = 0;
      this.#readable = Math.max(0, written - 1);
      this.#tell();
    };
    for await (const chunk of source) {
      portion.push(chunk);
      bytes += chunk.length;
      if (bytes >= PORTION_BYTES) await flush();
    }
    if (bytes > 0 || written === 0) await flush();
    portion = [];
    if (written !== this.size) throw new FlotillaError("unavailable", `the blob has ${written} bytes instead of ${this.size}`);
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

async function* pieces(portion: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* portion;
}
