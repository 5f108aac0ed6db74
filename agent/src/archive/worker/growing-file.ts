// A file that one process writes while another one reads it: the bytes go through the file alone, and a pipe says how many of
// them are there. An announcement is a length as eight bytes, little-endian; the same length once more says that this is all.
import { readSync } from "node:fs";
import { FlotillaError } from "@flotilla/core";
import type { ReadSource } from "../tar/reader.ts";

export const ANNOUNCEMENT_BYTES = 8;

export function announcement(length: number): Buffer {
  const bytes = Buffer.alloc(ANNOUNCEMENT_BYTES);
  bytes.writeBigUInt64LE(BigInt(length));
  return bytes;
}

/**
 * The bytes of `file` from its beginning, as far as they are announced. Reads no announcement behind the last one.
 * Each announcement but the last is of more than the one before.
 * @throws FlotillaError `unavailable` when the announcements end early, `internal` when the file has less than they say.
 */
export function growingFile(file: number, announcements: ReadSource): ReadSource {
  let position = 0;
  let length = 0;
  let isWhole = false;
  return (buffer) => {
    if (position === length && !isWhole) {
      const announced = readAnnouncement(announcements);
      isWhole = announced === length;
      length = announced;
    }
    if (position === length) return 0;
    const count = readSync(file, buffer, 0, Math.min(buffer.length, length - position), position);
    if (count === 0) throw new FlotillaError("internal", "the file of a layer is shorter than what was written to it");
    position += count;
    return count;
  };
}

function readAnnouncement(announcements: ReadSource): number {
  const bytes = Buffer.alloc(ANNOUNCEMENT_BYTES);
  for (let done = 0; done < bytes.length;) {
    const count = announcements(bytes.subarray(done));
    if (count === 0) throw new FlotillaError("unavailable", "a layer ended before it was whole");
    done += count;
  }
  return Number(bytes.readBigUInt64LE());
}
