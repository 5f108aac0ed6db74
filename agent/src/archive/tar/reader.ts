import {
  BLOCK,
  FIELD,
  invalidTar,
  isChecksumRight,
  isZeroBlock,
  paddingOf,
  readNumber,
  readText,
  truncatedTar,
  TYPE_OFFSET,
} from "./block.ts";
import type { EntryType, SparseChunk, TarEntry } from "./entry.ts";
import { parsePax, xattrsOf, type PaxRecords } from "./pax.ts";
import { checkSparse, readOldGnuSparse, readPaxSparse } from "./sparse.ts";

/** Fills `buffer` from the start and returns how many bytes came; 0 is the end. Blocks until there is something. */
export type ReadSource = (buffer: Buffer) => number;

const TYPES: Readonly<Record<string, EntryType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "link",
  "2": "symlink",
  "3": "character-device",
  "4": "block-device",
  "5": "directory",
  "6": "fifo",
};

const CHUNK_BYTES = 1024 * 1024;
/** Bound of one pax record block or long name, which are held in memory. */
const MAX_META_BYTES = 4 * 1024 * 1024;

type Meta = { pax: PaxRecords; longName: string | undefined; longLink: string | undefined };

/**
 * Reads a tar archive front to back, synchronously: made for worker processes, where a blocking read is the simplest
 * back-pressure. Memory is one chunk and the current header. Call `next`, then optionally `readContent`, and so on.
 *
 * Truncation is an error everywhere but between two entries: like Go's reader (and so Docker), the end of the stream
 * counts as the end of the archive there, also where it cuts the padding of the entry before.
 */
export class TarReader {
  readonly #source: ReadSource;
  readonly #chunk: Buffer;
  #start = 0;
  #end = 0;
  /** Stored bytes of the current entry that nobody has read yet, and their padding. */
  #left = 0;
  #padding = 0;
  #globals: PaxRecords = [];
  #isDone = false;

  /** @param chunkBytes how much is asked for at once: less for a tar in memory, which costs nothing to ask. */
  constructor(source: ReadSource, chunkBytes = CHUNK_BYTES) {
    this.#source = source;
    this.#chunk = Buffer.allocUnsafe(chunkBytes);
  }

  /** The next entry, or undefined at the end of the archive. @throws FlotillaError `invalid`. */
  next(): TarEntry | undefined {
    this.#skipContent();
    const meta: Meta = { pax: [], longName: undefined, longLink: undefined };
    for (;;) {
      const header = this.#nextHeader();
      if (header === undefined) return undefined;
      if (!this.#takeMeta(header, meta)) {
        const entry = this.#entryOf(header, meta);
        if (entry !== undefined) return entry;
        this.#skipContent();
      }
    }
  }

  /** Hands the stored bytes of the current entry out in chunks, which are valid only during the call. */
  readContent(use: (chunk: Buffer) => void): void {
    while (this.#left > 0) {
      const available = this.#fill();
      if (available === 0) throw truncatedTar();
      const length = Math.min(available, this.#left);
      const chunk = this.#chunk.subarray(this.#start, this.#start + length);
      this.#start += length;
      this.#left -= length;
      use(chunk);
    }
  }

  /** Reads what follows the archive, so that a hash of the source covers all of it. */
  drain(): void {
    do {
      this.#start = this.#end;
    } while (this.#fill() > 0);
  }

  #nextHeader(): Buffer | undefined {
    if (this.#isDone) return undefined;
    const header = this.#block(true);
    if (header === undefined) return undefined;
    if (!isZeroBlock(header)) {
      if (!isChecksumRight(header)) throw invalidTar("its checksum is wrong");
      return header;
    }
    const second = this.#block(true);
    if (second !== undefined && !isZeroBlock(second)) throw invalidTar("a zero block in the middle of the archive");
    this.#isDone = true;
    return undefined;
  }

  /** Long names and pax records describe the entry that follows them. */
  #takeMeta(header: Buffer, meta: Meta): boolean {
    const type = header.toString("latin1", TYPE_OFFSET, TYPE_OFFSET + 1);
    if (!"xgLK".includes(type)) return false;
    const size = readNumber(header, FIELD.size);
    if (size < 0 || size > MAX_META_BYTES) throw invalidTar("its extended header is too large");
    const content = this.#take(size + paddingOf(size)).subarray(0, size);
    if (type === "x") meta.pax = parsePax(content);
    else if (type === "g") this.#globals = [...this.#globals, ...parsePax(content)];
    else if (type === "L") meta.longName = untilNul(content);
    else meta.longLink = untilNul(content);
    return true;
  }

  #entryOf(header: Buffer, meta: Meta): TarEntry | undefined {
    const records = [...this.#globals, ...meta.pax];
    const pax = new Map(records);
    const flag = header.toString("latin1", TYPE_OFFSET, TYPE_OFFSET + 1);
    const name = pax.get("path") ?? meta.longName ?? headerName(header);
    const type = flag !== "5" && "0\0".includes(flag) && name.endsWith("/") ? "directory" : TYPES[flag];
    const storedBytes = numberOr(pax.get("size"), () => readNumber(header, FIELD.size));
    if (storedBytes < 0) throw invalidTar("its size is negative");
    // Links of some writers carry the size of their target but no data.
    this.#setContent(type === undefined || type === "file" ? storedBytes : 0);
    if (type === undefined) return undefined;
    const sparse = type === "file" ? this.#sparseOf({ flag, header, records }) : undefined;
    return {
      type,
      name: sparse?.name ?? name,
      linkName: pax.get("linkpath") ?? meta.longLink ?? readText(header, FIELD.linkName),
      mode: readNumber(header, FIELD.mode) & 0o7777,
      uid: numberOr(pax.get("uid"), () => readNumber(header, FIELD.uid)),
      gid: numberOr(pax.get("gid"), () => readNumber(header, FIELD.gid)),
      size: sparse?.size ?? (type === "file" ? storedBytes : 0),
      mtimeSeconds: numberOr(pax.get("mtime"), () => readNumber(header, FIELD.mtime)),
      deviceMajor: readNumber(header, FIELD.deviceMajor),
      deviceMinor: readNumber(header, FIELD.deviceMinor),
      xattrs: xattrsOf(records),
      sparse: sparse?.chunks,
    };
  }

  #sparseOf(from: {
    flag: string;
    header: Buffer;
    records: PaxRecords;
  }): { name: string | undefined; size: number; chunks: SparseChunk[] } | undefined {
    const file =
      from.flag === "S"
        ? readOldGnuSparse(from.header, (bytes) => this.#take(bytes))
        : readPaxSparse(from.records, (bytes) => this.#take(bytes));
    if (file === undefined) return undefined;
    this.#left -= file.mapBytes;
    checkSparse(file.chunks, file.size, this.#left);
    return file;
  }

  #setContent(size: number): void {
    this.#left = size;
    this.#padding = paddingOf(size);
  }

  #skipContent(): void {
    this.readContent(() => undefined);
    // `docker build -f -` ends its archive right after the last file's data: what is missing of its padding is the end.
    const available = this.#fill(this.#padding);
    if (available < this.#padding) this.#isDone = true;
    this.#start += Math.min(available, this.#padding);
    this.#padding = 0;
  }

  #block(isEndAllowed: boolean): Buffer | undefined {
    const available = this.#fill(BLOCK);
    if (available === 0 && isEndAllowed) return undefined;
    return this.#take(BLOCK);
  }

  /** Exactly `length` bytes, in a buffer of their own. */
  #take(length: number): Buffer {
    const out = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const available = this.#fill();
      if (available === 0) throw truncatedTar();
      const part = Math.min(available, length - filled);
      this.#chunk.copy(out, filled, this.#start, this.#start + part);
      this.#start += part;
      filled += part;
    }
    return out;
  }

  /** Makes sure that something is in the chunk, `wanted` bytes of it if the source has as many. */
  #fill(wanted = 1): number {
    if (this.#end - this.#start >= wanted) return this.#end - this.#start;
    this.#chunk.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    while (this.#end < wanted) {
      const count = this.#source(this.#chunk.subarray(this.#end));
      if (count === 0) break;
      this.#end += count;
    }
    return this.#end;
  }
}

function headerName(header: Buffer): string {
  const name = readText(header, FIELD.name);
  const isUstar = header.toString("latin1", FIELD.magic[0], FIELD.magic[0] + 6) === "ustar\0";
  const prefix = isUstar ? readText(header, FIELD.prefix) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function untilNul(content: Buffer): string {
  const end = content.indexOf(0);
  return content.toString("latin1", 0, end === -1 ? content.length : end);
}

function numberOr(text: string | undefined, otherwise: () => number): number {
  if (text === undefined) return otherwise();
  const number = Number(text);
  if (!/^-?\d+(?:\.\d+)?$/.test(text) || Math.abs(number) > Number.MAX_SAFE_INTEGER)
    throw invalidTar("a pax record holds something that is no number");
  return number;
}
