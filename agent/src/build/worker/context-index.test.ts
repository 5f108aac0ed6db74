import { describe, expect, test } from "vitest";
import { TarReader } from "../../archive/tar/reader.ts";
import { END_OF_ARCHIVE, formatHeader, type NewEntry } from "../../archive/tar/writer.ts";
import { indexTar, type IndexEntry } from "./context-index.ts";

const ENTRY: NewEntry = {
  type: "file",
  name: "",
  linkName: "",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeSeconds: 0,
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
};

function indexOf(...entries: [Partial<NewEntry>, string?][]): IndexEntry[] {
  const blocks = entries.map(([part, content = ""]) => {
    const bytes = Buffer.from(content);
    return Buffer.concat([
      formatHeader({ ...ENTRY, size: bytes.length, ...part }),
      bytes,
      Buffer.alloc((512 - (bytes.length % 512)) % 512),
    ]);
  });
  const tar = Buffer.concat([...blocks, END_OF_ARCHIVE]);
  let at = 0;
  return indexTar(
    new TarReader((buffer) => {
      const count = tar.copy(buffer, 0, at);
      at += count;
      return count;
    }),
  );
}

const digest = (part: Partial<NewEntry>, content = "x"): string | undefined => indexOf([{ name: "f", ...part }, content])[0]?.[2];

describe("the digest of a file", () => {
  test("does not know the time", () => {
    expect(digest({ mtimeSeconds: 5 })).toBe(digest({ mtimeSeconds: 9 }));
  });

  test.each([
    ["its bytes", {}, "y"],
    ["its mode", { mode: 0o755 }, "x"],
    ["its owner", { uid: 7 }, "x"],
    ["its group", { gid: 7 }, "x"],
    ["its attributes", { xattrs: new Map([["user.a", "b"]]) }, "x"],
  ])("knows %s", (_what, part, content) => {
    expect(digest(part, content)).not.toBe(digest({}));
  });
});

describe("an index", () => {
  test("has the directories that the archive leaves out", () => {
    expect(indexOf([{ name: "a/b/c" }, "x"]).map(([path, type]) => [path, type])).toEqual([
      ["a/b", "directory"],
      ["a", "directory"],
      ["a/b/c", "file"],
    ]);
  });

  test("has the last of several entries of one name, and nothing below a directory that became a file", () => {
    const entries = indexOf([{ name: "a/b" }, "x"], [{ name: "a" }, "y"]);
    expect(entries.map(([path, type]) => [path, type])).toEqual([["a", "file"]]);
  });

  test.each(["character-device", "block-device", "fifo"] as const)("refuses a %s", (type) => {
    expect(() => indexOf([{ name: "x", type }])).toThrow(/is a device or a pipe/);
  });

  test("refuses names that lead out and hard links to what it does not have", () => {
    expect(() => indexOf([{ name: "../x" }])).toThrow(/outside of the root/);
    expect(() => indexOf([{ name: "x", type: "link", linkName: "etc/passwd" }])).toThrow(/hard link to a missing file/);
  });
});
