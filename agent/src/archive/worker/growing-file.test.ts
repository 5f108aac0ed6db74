import { randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReadSource } from "../tar/reader.ts";
import { announcement, growingFile } from "./growing-file.ts";

const BYTES = randomBytes(10_000);
let dir: string;
let fd: number;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "flotilla-growing-"));
  writeFileSync(join(dir, "file"), BYTES);
  fd = openSync(join(dir, "file"), "r");
});

afterAll(() => {
  closeSync(fd);
  rmSync(dir, { recursive: true });
});

/** A pipe with so many bytes in it, of which a read gets at most `atMost`. */
function pipeOf(lengths: readonly number[], atMost = 8): ReadSource & { left(): number } {
  const bytes = Buffer.concat(lengths.map((length) => announcement(length)));
  let at = 0;
  const read = (buffer: Buffer): number => {
    const count = bytes.copy(buffer, 0, at, Math.min(bytes.length, at + atMost));
    at += count;
    return count;
  };
  return Object.assign(read, { left: () => bytes.length - at });
}

function readAll(source: ReadSource, outBytes = 4096): Buffer {
  const chunks: Buffer[] = [];
  const out = Buffer.alloc(outBytes);
  for (let count = source(out); count > 0; count = source(out)) chunks.push(Buffer.from(out.subarray(0, count)));
  return Buffer.concat(chunks);
}

describe("a file that grows", () => {
  test.each([
    [[10_000, 10_000], 8, 4096],
    [[1, 2, 9_999, 10_000, 10_000], 3, 1],
    [[5_000, 10_000, 10_000], 1, 20_000],
  ])("announced as %j, in pieces of %i, is read whole into a buffer of %i", (lengths, atMost, outBytes) => {
    expect(readAll(growingFile(fd, pipeOf(lengths, atMost)), outBytes).equals(BYTES)).toBe(true);
  });

  test("is read as far as it is announced, and not a byte further", () => {
    expect(readAll(growingFile(fd, pipeOf([1234, 1234]))).equals(BYTES.subarray(0, 1234))).toBe(true);
  });

  test("an empty one is at its end at once", () => {
    expect(readAll(growingFile(fd, pipeOf([0])))).toHaveLength(0);
  });

  test("what follows its last announcement is left for whoever reads next; its end stays its end", () => {
    const pipe = pipeOf([10, 20, 20, 7, 7]);
    const source = growingFile(fd, pipe);
    expect(readAll(source)).toHaveLength(20);
    expect(source(Buffer.alloc(10))).toBe(0);
    expect(pipe.left()).toBe(16);
    expect(readAll(growingFile(fd, pipe)).equals(BYTES.subarray(0, 7))).toBe(true);
  });

  test.each([[[]], [[500]]])("announcements %j that end early are no end of the file", (lengths) => {
    expect(() => readAll(growingFile(fd, pipeOf(lengths)))).toThrow("ended before it was whole");
  });

  test("one that is shorter than announced is refused", () => {
    expect(() => readAll(growingFile(fd, pipeOf([10_001, 10_001])))).toThrow("shorter than what was written");
  });
});
