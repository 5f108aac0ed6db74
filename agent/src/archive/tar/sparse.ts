// The four ways GNU tar stores files with holes: type `S` (old GNU) and pax formats 0.0, 0.1 and 1.0
// (GNU tar manual, "Storing Sparse Files").
import { BLOCK, invalidTar, readNumber, readText, truncatedTar } from "./block.ts";
import type { SparseChunk } from "./entry.ts";
import type { PaxRecords } from "./pax.ts";

/** Reads the next whole blocks of the archive. */
export type ReadBlocks = (bytes: number) => Buffer;

export type SparseFile = {
  name: string | undefined;
  size: number;
  chunks: SparseChunk[];
  /** Stored bytes that were taken for the map. */ mapBytes: number;
};

const OLD_GNU = {
  firstTable: 386,
  firstCount: 4,
  isExtended: 482,
  realSize: [483, 12],
  nextCount: 21,
  nextIsExtended: 504,
  slot: 24,
} as const;
/** A map of this many chunks is 24 MB of memory: no honest file has more. */
const MAX_CHUNKS = 1_000_000;

/** Type `S`: the map begins in the header and goes on in extension blocks. */
export function readOldGnuSparse(header: Buffer, readBlocks: ReadBlocks): SparseFile {
  const chunks = readTable(header, OLD_GNU.firstTable, OLD_GNU.firstCount);
  let isExtended = header[OLD_GNU.isExtended] !== 0;
  while (isExtended) {
    const block = readBlocks(BLOCK);
    chunks.push(...readTable(block, 0, OLD_GNU.nextCount));
    if (chunks.length > MAX_CHUNKS) throw invalidTar("a sparse map is too long");
    isExtended = block[OLD_GNU.nextIsExtended] !== 0;
  }
  return { name: undefined, size: readNumber(header, OLD_GNU.realSize), chunks, mapBytes: 0 };
}

function readTable(block: Buffer, start: number, count: number): SparseChunk[] {
  const chunks: SparseChunk[] = [];
  for (let i = 0; i < count; i++) {
    const at = start + i * OLD_GNU.slot;
    if (readText(block, [at, 12]) === "" && block[at] === 0) break;
    chunks.push({ offset: readNumber(block, [at, 12]), length: readNumber(block, [at + 12, 12]) });
  }
  return chunks;
}

/** The pax formats; undefined when the records say nothing of holes. */
export function readPaxSparse(records: PaxRecords, readBlocks: ReadBlocks): SparseFile | undefined {
  const last = new Map(records);
  const major = last.get("GNU.sparse.major");
  const realSize = last.get("GNU.sparse.realsize") ?? last.get("GNU.sparse.size");
  if (realSize === undefined) return undefined;
  const name = last.get("GNU.sparse.name");
  const size = toNumber(realSize);
  if (major === "1") {
    const { chunks, mapBytes } = readMapInData(readBlocks);
    return { name, size, chunks, mapBytes };
  }
  const map = last.get("GNU.sparse.map");
  const numbers =
    map === undefined
      ? records.filter(([key]) => key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes").map(([, value]) => toNumber(value))
      : map
          .split(",")
          .filter((part) => part !== "")
          .map(toNumber);
  return { name, size, chunks: pairUp(numbers), mapBytes: 0 };
}

/** Format 1.0: decimal lines in front of the data, filled up to a block. */
function readMapInData(readBlocks: ReadBlocks): { chunks: SparseChunk[]; mapBytes: number } {
  let text = "";
  let mapBytes = 0;
  let wanted = 1;
  const numbers: number[] = [];
  while (numbers.length < wanted) {
    text += readBlocks(BLOCK).toString("latin1");
    mapBytes += BLOCK;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      if (numbers.length >= wanted) break;
      numbers.push(toNumber(line));
      if (numbers.length === 1) wanted = 1 + 2 * (numbers[0] ?? 0);
      if (wanted > 2 * MAX_CHUNKS) throw invalidTar("a sparse map is too long");
    }
    if (text.length > BLOCK * 2) throw invalidTar("a sparse map has no lines");
  }
  return { chunks: pairUp(numbers.slice(1)), mapBytes };
}

function pairUp(numbers: readonly number[]): SparseChunk[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * MAX_CHUNKS) throw invalidTar("a sparse map is not made of pairs");
  const chunks: SparseChunk[] = [];
  for (let i = 0; i < numbers.length; i += 2) chunks.push({ offset: numbers[i] ?? 0, length: numbers[i + 1] ?? 0 });
  return chunks;
}

/** Chunks must be in order, inside the file, and hold as many bytes as are stored. @throws FlotillaError `invalid`. */
export function checkSparse(chunks: readonly SparseChunk[], size: number, storedBytes: number): void {
  let end = 0;
  let stored = 0;
  for (const { offset, length } of chunks) {
    if (offset < end || length < 0 || offset + length > size) throw invalidTar("a sparse map does not fit its file");
    end = offset + length;
    stored += length;
  }
  if (stored !== storedBytes) throw storedBytes < stored ? truncatedTar() : invalidTar("a sparse map does not cover its data");
}

function toNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) throw invalidTar("a sparse map holds something that is no number");
  return number;
}
