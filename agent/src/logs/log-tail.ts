import type { FileHandle } from "node:fs/promises";
import { BYTE, LOG_RECORD } from "./log-record.ts";

const CHUNK_BYTES = 64 * 1024;

/** Where to begin reading for the last lines: bytes into a file, and how many lines are still wanted from older files. */
export type TailStart = { offset: number; missingLines: number };

/**
 * Finds the start of the last `lines` lines by reading backwards, so that a large log costs no more than what is shown.
 * A line that has not been ended yet counts as one.
 */
export async function findTailStart(handle: FileHandle, lines: number): Promise<TailStart> {
  const { size } = await handle.stat();
  if (lines <= 0) return { offset: size, missingLines: 0 };
  let found = 0;
  let laterStart: number | undefined;
  for await (const records of recordsBackwards(handle, size)) {
    for (const { start, isFull } of records) {
      // The record behind a full one begins a line.
      if (isFull && laterStart !== undefined && ++found === lines) return { offset: laterStart, missingLines: 0 };
      laterStart = start;
    }
  }
  const total = found + (laterStart === undefined ? 0 : 1);
  return { offset: 0, missingLines: Math.max(0, lines - total) };
}

type RecordStart = { start: number; isFull: boolean };

/** All records of a file, last first, in lists of one chunk each. */
async function* recordsBackwards(handle: FileHandle, size: number): AsyncGenerator<RecordStart[]> {
  let end = size;
  // The flag of a record stands 43 bytes behind its start, which may be in the chunk read before.
  let later = Buffer.alloc(0);
  while (end > 0) {
    const chunkStart = Math.max(0, end - CHUNK_BYTES);
    const chunk = Buffer.allocUnsafe(end - chunkStart);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, chunkStart);
    // Somebody cut the file while it was read: what is left of it is read from its start.
    if (bytesRead !== chunk.length) return;
    const window = Buffer.concat([chunk, later]);
    yield recordsOfWindow(window, { scanBytes: chunk.length, windowStart: chunkStart, size });
    later = window.subarray(0, LOG_RECORD.textOffset);
    end = chunkStart;
  }
}

/** Records whose newline before them, or the start of the file, is in the first `scanBytes` of the window. */
function recordsOfWindow(window: Buffer, place: { scanBytes: number; windowStart: number; size: number }): RecordStart[] {
  const records: RecordStart[] = [];
  const add = (offset: number): void => {
    if (place.windowStart + offset >= place.size) return;
    records.push({ start: place.windowStart + offset, isFull: window[offset + LOG_RECORD.flagOffset] === BYTE.F });
  };
  let cursor = place.scanBytes - 1;
  while (cursor >= 0) {
    const newline = window.lastIndexOf(BYTE.newline, cursor);
    if (newline < 0) break;
    add(newline + 1);
    cursor = newline - 1;
  }
  if (place.windowStart === 0) add(0);
  return records;
}
