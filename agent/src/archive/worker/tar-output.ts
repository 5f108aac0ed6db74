import type { Hash } from "node:crypto";
import { readSync, writeSync } from "node:fs";
import { paddingOf } from "../tar/block.ts";
import { END_OF_ARCHIVE } from "../tar/writer.ts";

const BUFFER_BYTES = 1024 * 1024;
const ZEROS = Buffer.alloc(64 * 1024);

/** A tar on its way to a file descriptor: blocking, through one buffer. `hash` sees all of it. */
export class TarOutput {
  readonly #output: number;
  readonly #hash: Hash | undefined;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #used = 0;
  #written = 0;

  constructor(output: number, hash?: Hash) {
    this.#output = output;
    this.#hash = hash;
  }

  /** Bytes so far, all of the tar after `end`. */
  get writtenBytes(): number {
    return this.#written;
  }

  write(data: Buffer): void {
    if (this.#used + data.length > BUFFER_BYTES) this.#flush();
    if (data.length > BUFFER_BYTES) return this.#put(data);
    data.copy(this.#buffer, this.#used);
    this.#used += data.length;
  }

  /** Exactly `size` bytes of a file and the padding: a file that grows is cut, one that shrinks is filled with zeros, as GNU tar does. */
  content(fd: number, size: number): void {
    let left = size;
    while (left > 0) {
      if (this.#used === BUFFER_BYTES) this.#flush();
      const count = readSync(fd, this.#buffer, this.#used, Math.min(left, BUFFER_BYTES - this.#used), null);
      if (count === 0) break;
      this.#used += count;
      left -= count;
    }
    this.#zeros(left + paddingOf(size));
  }

  end(): void {
    this.write(END_OF_ARCHIVE);
    this.#flush();
  }

  #zeros(count: number): void {
    for (let left = count; left > 0; left -= ZEROS.length) this.write(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
  }

  #flush(): void {
    this.#put(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  #put(data: Buffer): void {
    this.#hash?.update(data);
    writeAll(this.#output, data);
    this.#written += data.length;
  }
}

function writeAll(fd: number, data: Buffer): void {
  let done = 0;
  while (done < data.length) done += writeSync(fd, data, done, data.length - done);
}
