import { Buffer } from "node:buffer";
import { pack } from "tar-stream";
import { describe, expect, test } from "vitest";
import type { TarEntry } from "./entry.ts";
import { formatPax, parsePax } from "./pax.ts";
import { TarReader } from "./reader.ts";
import { END_OF_ARCHIVE, formatHeader, type NewEntry } from "./writer.ts";

const ENTRY: NewEntry = {
  type: "file",
  name: "a",
  linkName: "",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeSeconds: 1_700_000_000,
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
};

/** Hands an archive out in pieces, to show that borders do not matter. */
function readerOf(archive: Buffer, pieceBytes = 700): TarReader {
  let offset = 0;
  return new TarReader((buffer) => {
    const count = archive.copy(buffer, 0, offset, offset + Math.min(pieceBytes, buffer.length));
    offset += count;
    return count;
  });
}

function readAll(archive: Buffer, pieceBytes?: number): { entry: TarEntry; content: string }[] {
  const reader = readerOf(archive, pieceBytes);
  const all: { entry: TarEntry; content: string }[] = [];
  for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
    const chunks: Buffer[] = [];
    reader.readContent((chunk) => chunks.push(Buffer.from(chunk)));
    all.push({ entry, content: Buffer.concat(chunks).toString("latin1") });
  }
  return all;
}

function fileBlocks(entry: Partial<NewEntry>, content = ""): Buffer {
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([formatHeader({ ...ENTRY, ...entry, size: content.length }), Buffer.from(content, "latin1"), padding]);
}

describe("what is written is read back", () => {
  test.each<[string, Partial<NewEntry>]>([
    ["a plain file", {}],
    ["a name of 200 bytes", { name: `${"d".repeat(120)}/${"f".repeat(79)}` }],
    ["a name of bytes that are no text", { name: "\xff\xfe\x80" }],
    ["a long link", { type: "symlink", linkName: "l".repeat(300) }],
    ["large owners", { uid: 4_000_000_000, gid: 3_000_000 }],
    ["a time before 1970", { mtimeSeconds: -5 }],
    ["binary attributes", { xattrs: new Map([["security.capability", "\x01\0\0\x02\xc0\0=\n\xff"]]) }],
    ["a device", { type: "character-device", deviceMajor: 1, deviceMinor: 3, mode: 0o4777 }],
  ])("%s", (_, change) => {
    const [read] = readAll(Buffer.concat([fileBlocks(change), END_OF_ARCHIVE]));
    expect(read?.entry).toEqual({ ...ENTRY, ...change, sparse: undefined });
  });

  test.each([1, 511, 512, 513, 100_000])("in pieces of %i bytes", (pieceBytes) => {
    const archive = Buffer.concat([
      fileBlocks({ name: "x".repeat(150) }, "one"),
      fileBlocks({ name: "b" }, "2".repeat(1000)),
      END_OF_ARCHIVE,
    ]);
    expect(readAll(archive, pieceBytes).map((item) => [item.entry.name.length, item.content.length])).toEqual([
      [150, 3],
      [1, 1000],
    ]);
  });

  test("a size over eight gigabytes", () => {
    const entry = readerOf(formatHeader({ ...ENTRY, size: 10 * 2 ** 40 })).next();
    expect(entry?.size).toBe(10 * 2 ** 40);
  });
});

test("another implementation's archives are read", async () => {
  const tar = pack();
  tar.entry({ name: "d/", type: "directory", mode: 0o700 });
  tar.entry({ name: "ünï", uid: 7 }, "content");
  tar.entry({ name: "l", type: "symlink", linkname: "ünï" });
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  const entries = readAll(Buffer.concat(chunks)).map(({ entry, content }) => [
    entry.type,
    Buffer.from(entry.name, "latin1").toString(),
    content,
  ]);
  expect(entries).toEqual([
    ["directory", "d/", ""],
    ["file", "ünï", "content"],
    ["symlink", "l", ""],
  ]);
});

describe("the end of an archive", () => {
  test("may be missing between two entries, as Go allows", () => {
    expect(readAll(fileBlocks({}, "x"))).toHaveLength(1);
    expect(readAll(Buffer.alloc(0))).toEqual([]);
  });

  test.each([1, 40, 511])("may cut off the last padding, as docker build -f - does (%i bytes of data)", (length) => {
    const whole = fileBlocks({}, "x".repeat(length));
    for (const end of [512 + length, 512 + length + 1, whole.length]) {
      const entries = readAll(whole.subarray(0, end));
      expect(entries.map(({ content }) => content)).toEqual(["x".repeat(length)]);
    }
  });

  test("is where the zero blocks are, whatever follows", () => {
    expect(readAll(Buffer.concat([fileBlocks({}), END_OF_ARCHIVE, Buffer.alloc(5000, 9)]))).toHaveLength(1);
  });

  test.each([100, 600, 1500])("after %i bytes is a truncation", (length) => {
    const archive = fileBlocks({}, "x".repeat(2000));
    expect(() => readAll(archive.subarray(0, length))).toThrow("unexpected EOF");
  });
});

describe("a broken header is refused", () => {
  const header = formatHeader(ENTRY);
  const withField = (offset: number, text: string, base = header): Buffer => {
    const changed = Buffer.from(base);
    changed.write(text, offset, "latin1");
    changed.fill(0x20, 148, 156);
    const sum = changed.reduce((total, byte) => total + byte, 0);
    changed.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    return changed;
  };

  test.each<[string, Buffer, string]>([
    ["a wrong checksum", Buffer.concat([Buffer.from("b"), header.subarray(1)]), "checksum is wrong"],
    ["a size that is no number", withField(124, "zzzzzzzzzzz"), "not octal"],
    ["a negative size", withField(124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb"), "size is negative"],
    ["a size beyond all disks", withField(124, "\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "too large"],
    ["an extended header of a gigabyte", withField(156, "x", formatHeader({ ...ENTRY, size: 2 ** 30 })), "extended header is too large"],
  ])("%s", (_, archive, message) => {
    expect(() => readAll(archive)).toThrow(message);
  });
});

describe("pax records", () => {
  test("count their own length", () => {
    for (const length of [1, 5, 90, 91, 92, 93, 94, 985, 986, 990, 9980]) {
      const value = "v".repeat(length);
      expect(parsePax(formatPax([["k", value]]))).toEqual([["k", value]]);
    }
  });

  test("may repeat a key and hold line breaks", () => {
    const records = [
      ["a", "1\n2=3"],
      ["a", "4"],
    ] as const;
    expect(parsePax(formatPax(records))).toEqual(records);
  });

  test.each(["x", "9999 a=b\n", "5 a=b", "0 a=b\n", "6 ab=\n6", "5 ab\n", "-1 a=b\n"])("%j is refused", (text) => {
    expect(() => parsePax(Buffer.from(text))).toThrow("pax record");
  });
});

test("any damage is an error of the archive, never another one", () => {
  const archive = Buffer.concat([
    fileBlocks({ name: "n".repeat(200), xattrs: new Map([["user.a", "b"]]) }, "content"),
    fileBlocks({ name: "b" }, "2".repeat(700)),
    END_OF_ARCHIVE,
  ]);
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
  for (let round = 0; round < 2000; round++) {
    const damaged = Buffer.from(archive.subarray(0, random(archive.length)));
    for (let i = 0; i < 4 && damaged.length > 0; i++) damaged[random(damaged.length)] = random(256);
    try {
      readAll(damaged);
    } catch (error) {
      expect(error).toMatchObject({ name: "FlotillaError", code: "invalid" });
    }
  }
});
