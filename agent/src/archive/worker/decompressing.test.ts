import { randomBytes } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { ReadSource } from "../tar/reader.ts";
import { decompressing } from "./decompressing.ts";

/** A source that gives at most so many bytes at a time, as pipes do. */
function sourceOf(bytes: Buffer, atMost = 1000): ReadSource & { left(): number } {
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

const TEXT = Buffer.concat([randomBytes(70_000), Buffer.alloc(200_000, "line after line\n"), randomBytes(3)]);

const FORMATS = [
  { name: "gzip", compress: (bytes: Buffer) => gzipSync(bytes) },
  { name: "zstd", compress: (bytes: Buffer) => zstdCompressSync(bytes) },
] as const;

describe.each(FORMATS)("$name", ({ name, compress }) => {
  test.each([
    [1, 1 << 16],
    [7, 100],
    [1000, 1],
    [1 << 20, 1 << 20],
    [4096, 4096],
  ])("comes out whole from a source of %i bytes at a time into a buffer of %i", (atMost, outBytes) => {
    expect(readAll(decompressing(sourceOf(compress(TEXT), atMost), name), outBytes).equals(TEXT)).toBe(true);
  });

  test("streams one after the other are one", () => {
    const two = Buffer.concat([compress(TEXT), compress(Buffer.from("second"))]);
    expect(readAll(decompressing(sourceOf(two), name)).equals(Buffer.concat([TEXT, Buffer.from("second")]))).toBe(true);
  });

  test("an empty stream is empty", () => {
    expect(readAll(decompressing(sourceOf(compress(Buffer.alloc(0))), name))).toHaveLength(0);
  });

  test.each([0.5, 0.99])("what is cut at %f is refused", (part) => {
    const whole = compress(TEXT);
    const cut = whole.subarray(0, Math.floor(whole.length * part));
    expect(() => readAll(decompressing(sourceOf(cut), name))).toThrow(`${name}: invalid or truncated data`);
  });

  test("what was changed on the way is refused", () => {
    const changed = compress(TEXT);
    changed.fill(0xa5, 2, 40);
    expect(() => readAll(decompressing(sourceOf(changed), name))).toThrow(`${name}: invalid or truncated data`);
  });

  test("a bomb comes out buffer by buffer", () => {
    const source = sourceOf(compress(Buffer.alloc(64 * 1024 * 1024)));
    const read = decompressing(source, name);
    const out = Buffer.alloc(4096);
    for (let i = 0; i < 100; i++) expect(read(out)).toBe(out.length);
  });
});

test("zeros after a gzip stream are padding, and the source is read to its end", () => {
  const source = sourceOf(Buffer.concat([gzipSync(TEXT), Buffer.alloc(5000)]));
  expect(readAll(decompressing(source, "gzip")).equals(TEXT)).toBe(true);
  expect(source.left()).toBe(0);
});

test("other bytes after a gzip stream are refused", () => {
  const source = sourceOf(Buffer.concat([gzipSync(TEXT), Buffer.from("garbage")]));
  expect(() => readAll(decompressing(source, "gzip"))).toThrow("gzip: invalid or truncated data");
});

test("plain bytes pass as they are", () => {
  expect(readAll(decompressing(sourceOf(TEXT), "none")).equals(TEXT)).toBe(true);
});
