import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { lgetxattr, lsetxattr } from "../../agent/src/host/libc.ts";
import { dockerArchive, streamOf, tarOf, withStorage, type Entry, type Storage } from "./storage-fixture.ts";

const NAMESPACE = "default";

async function importTar(storage: Storage, tar: Buffer): Promise<string> {
  const image = await storage.images.import({ namespace: NAMESPACE, tar: streamOf(tar), message: "", changes: [] });
  return image.id;
}

/** The only extracted layer's directory. */
function layerDirectory(storage: Storage): string {
  const [name] = readdirSync(join(storage.dataDir, "layers")).filter((entry) => entry !== "0");
  return join(storage.dataDir, "layers", name!);
}

async function extract(entries: readonly Entry[], check: (directory: string) => void): Promise<void> {
  await withStorage(async (storage) => {
    await importTar(storage, await tarOf(entries));
    check(layerDirectory(storage));
  });
}

/** Nothing but the empty layer, no blob, no leftover. */
async function expectEmpty(storage: Storage): Promise<void> {
  expect(readdirSync(join(storage.dataDir, "layers"))).toEqual(["0"]);
  expect(readdirSync(join(storage.dataDir, "blobs", "sha256"))).toEqual([]);
  expect(readdirSync(join(storage.dataDir, "storage-tmp"))).toEqual([]);
}

describe("a layer keeps what its tar says", () => {
  test("owners, modes with setuid, times and links", async () => {
    const mtime = new Date("2021-03-04T05:06:07Z");
    const entries: Entry[] = [
      { name: "bin/", type: "directory", mode: 0o1777, uid: 3, gid: 4, mtime },
      { name: "bin/su", mode: 0o4755, uid: 0, gid: 5, mtime, content: "su" },
      { name: "bin/hard", type: "link", linkname: "bin/su" },
      { name: "sh", type: "symlink", linkname: "/bin/su", uid: 7, gid: 8, mtime },
      { name: "pipe", type: "fifo", mode: 0o620 },
      { name: "null", type: "character-device", mode: 0o666, devmajor: 1, devminor: 3 },
    ];
    await extract(entries, (directory) => {
      const bin = statSync(join(directory, "bin"));
      expect([bin.mode & 0o7777, bin.uid, bin.gid, bin.mtimeMs]).toEqual([0o1777, 3, 4, mtime.getTime()]);
      const su = statSync(join(directory, "bin/su"));
      expect([su.mode & 0o7777, su.gid, su.nlink, su.mtimeMs]).toEqual([0o4755, 5, 2, mtime.getTime()]);
      expect(statSync(join(directory, "bin/hard")).ino).toBe(su.ino);
      const link = lstatSync(join(directory, "sh"));
      expect([link.isSymbolicLink(), link.uid, link.gid, link.mtimeMs]).toEqual([true, 7, 8, mtime.getTime()]);
      expect(lstatSync(join(directory, "pipe")).isFIFO()).toBe(true);
      expect(lstatSync(join(directory, "null")).rdev).toBe(0x103);
    });
  });

  test("names that are long, not ASCII, or not even UTF-8", async () => {
    const long = `${"d".repeat(90)}/${"f".repeat(120)}`;
    const source = mkdtempSync(join(tmpdir(), "flotilla-names-"));
    try {
      writeFileSync(Buffer.concat([Buffer.from(`${source}/bad-`), Buffer.from([0xff])]), "x");
      writeFileSync(join(source, "größe-文件"), "y");
      mkdirSync(join(source, "d".repeat(90)));
      writeFileSync(join(source, long), "z");
      const tar = execFileSync("tar", ["-C", source, "-c", "."], { maxBuffer: 1 << 24 });
      await withStorage(async (storage) => {
        await importTar(storage, tar);
        const names = readdirSync(layerDirectory(storage), { encoding: "latin1" as BufferEncoding });
        expect(names).toContain("bad-\xff");
        expect(readFileSync(join(layerDirectory(storage), "größe-文件"), "utf8")).toBe("y");
        expect(readFileSync(join(layerDirectory(storage), long), "utf8")).toBe("z");
      });
    } finally {
      rmSync(source, { recursive: true, force: true });
    }
  });

  test("binary extended attributes, byte by byte", async () => {
    const source = mkdtempSync(join(tmpdir(), "flotilla-xattr-"));
    try {
      writeFileSync(join(source, "ping"), "x");
      // cap_setgid,cap_setuid=ep: holds a byte above 0x7f.
      const capability = Buffer.from("01000002c0000000000000000000000000000000", "hex");
      lsetxattr(join(source, "ping"), "security.capability", capability);
      const tar = execFileSync("tar", ["-C", source, "--xattrs", "--xattrs-include=*", "-c", "ping"]);
      await withStorage(async (storage) => {
        await importTar(storage, tar);
        const found = lgetxattr(join(layerDirectory(storage), "ping"), "security.capability");
        expect(Buffer.from(found!).toString("hex")).toBe(capability.toString("hex"));
      });
    } finally {
      rmSync(source, { recursive: true, force: true });
    }
  });

  test.each(["gnu", "posix"])("holes of a sparse file written in format %s", async (format) => {
    const source = mkdtempSync(join(tmpdir(), "flotilla-sparse-"));
    try {
      execFileSync("truncate", ["-s", "8G", join(source, "disk")]);
      execFileSync("dd", ["if=/dev/urandom", `of=${join(source, "disk")}`, "bs=4096", "count=1", "seek=1000000", "conv=notrunc"], {
        stdio: "ignore",
      });
      const tar = execFileSync("tar", ["-C", source, `--format=${format}`, "-S", "-c", "disk"]);
      await withStorage(async (storage) => {
        await importTar(storage, tar);
        const disk = statSync(join(layerDirectory(storage), "disk"));
        expect(disk.size).toBe(8 * 2 ** 30);
        expect(disk.blocks).toBeLessThan(100);
        execFileSync("cmp", [
          "-n",
          "8192",
          "-i",
          String(4096 * 1_000_000 - 4096),
          join(source, "disk"),
          join(layerDirectory(storage), "disk"),
        ]);
      });
    } finally {
      rmSync(source, { recursive: true, force: true });
    }
  });

  test.each([
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ])("whether it comes as %s or plain", async (_, compress) => {
    await withStorage(async (storage) => {
      const tar = await tarOf([{ name: "a", content: "1" }]);
      await importTar(storage, tar);
      const before = storage.images.list(NAMESPACE, { filters: new Map(), withSharedSize: false }).length;
      await importTar(storage, compress(tar));
      // The same tree is stored once.
      expect(readdirSync(join(storage.dataDir, "layers"))).toHaveLength(2);
      expect(before).toBe(1);
    });
  });
});

describe("whiteouts become overlayfs's", () => {
  test("a file, an opaque directory, and a directory that replaces what a whiteout hides", async () => {
    const entries: Entry[] = [
      { name: "etc/.wh.gone" },
      { name: "opt/", type: "directory" },
      { name: "opt/.wh..wh..opq" },
      { name: ".wh.var" },
      { name: "var/", type: "directory" },
      { name: ".wh..wh.plnk" },
    ];
    await extract(entries, (directory) => {
      const gone = lstatSync(join(directory, "etc/gone"));
      expect([gone.isCharacterDevice(), gone.rdev]).toEqual([true, 0]);
      expect(Buffer.from(lgetxattr(join(directory, "opt"), "trusted.overlay.opaque")!).toString()).toBe("y");
      expect(Buffer.from(lgetxattr(join(directory, "var"), "trusted.overlay.opaque")!).toString()).toBe("y");
      expect(readdirSync(directory).toSorted()).toEqual(["etc", "opt", "var"]);
    });
  });

  test("one for a file of the same layer hides only what is below", async () => {
    await extract([{ name: "a", content: "kept" }, { name: ".wh.a" }], (directory) =>
      expect(readFileSync(join(directory, "a"), "utf8")).toBe("kept"),
    );
  });
});

describe("attack 15: what leads out of its layer stays inside or is refused", () => {
  const canary = join(tmpdir(), "flotilla-canary");

  test.each<[string, Entry[]]>([
    ["a name that climbs", [{ name: "../../../../../../tmp/flotilla-canary", content: "x" }]],
    ["a name that climbs after going down", [{ name: "a/../../b", content: "x" }]],
    ["a hard link out of the tree", [{ name: "l", type: "link", linkname: "../../../../../../etc/passwd" }]],
    ["a hard link to a file that only the host has", [{ name: "l", type: "link", linkname: "/etc/passwd" }]],
    ["a whiteout of the root", [{ name: ".wh..", content: "" }]],
    ["a whiteout of the parent", [{ name: "a/.wh...", content: "" }]],
    ["a whiteout without a name", [{ name: ".wh.", content: "" }]],
    ["a file in place of the root", [{ name: "./", content: "", type: "symlink", linkname: "/" }]],
  ])("%s", async (_, entries) => {
    await withStorage(async (storage) => {
      await expect(importTar(storage, await tarOf(entries))).rejects.toMatchObject({ code: "invalid" });
      await expectEmpty(storage);
      expect(existsSync(canary)).toBe(false);
    });
  });

  test("symlinks to the root, upwards and in a circle lead nowhere outside", async () => {
    const entries: Entry[] = [
      { name: "abs", type: "symlink", linkname: "/tmp" },
      { name: "tmp/", type: "directory" },
      { name: "abs/flotilla-canary", content: "x" },
      { name: "up", type: "symlink", linkname: "../../../../../../../../tmp" },
      { name: "up/flotilla-canary-2", content: "x" },
    ];
    await extract(entries, (directory) => {
      expect(readdirSync(join(directory, "tmp")).toSorted()).toEqual(["flotilla-canary", "flotilla-canary-2"]);
      expect(existsSync(canary)).toBe(false);
    });
    await withStorage(async (storage) => {
      const circle = await tarOf([
        { name: "a", type: "symlink", linkname: "b" },
        { name: "b", type: "symlink", linkname: "a" },
        { name: "a/x", content: "x" },
      ]);
      await expect(importTar(storage, circle)).rejects.toMatchObject({ code: "invalid" });
      await expectEmpty(storage);
    });
  });

  test("a file through a symlink of its own name replaces the link instead of following it", async () => {
    const entries: Entry[] = [
      { name: "tmp/", type: "directory" },
      { name: "evil", type: "symlink", linkname: "tmp/target" },
      { name: "evil", content: "x" },
    ];
    await extract(entries, (directory) => {
      expect(lstatSync(join(directory, "evil")).isFile()).toBe(true);
      expect(readdirSync(join(directory, "tmp"))).toEqual([]);
    });
  });

  test("attributes of overlayfs itself are dropped", async () => {
    const tar = await tarOf([
      { name: "d/", type: "directory", pax: { "SCHILY.xattr.trusted.overlay.redirect": "/etc", "SCHILY.xattr.user.note": "kept" } },
    ]);
    await withStorage(async (storage) => {
      await importTar(storage, tar);
      expect(lgetxattr(join(layerDirectory(storage), "d"), "trusted.overlay.redirect")).toBeUndefined();
      expect(Buffer.from(lgetxattr(join(layerDirectory(storage), "d"), "user.note")!).toString()).toBe("kept");
    });
  });
});

describe("broken archives", () => {
  test.each<[string, (tar: Buffer) => Buffer, string]>([
    ["cut inside a file", (tar) => tar.subarray(0, 2000), "unexpected EOF"],
    ["cut inside a header", (tar) => tar.subarray(0, 300), "unexpected EOF"],
    ["a flipped byte in a header", (tar) => Buffer.concat([Buffer.from([tar[0]! ^ 1]), tar.subarray(1)]), "invalid tar header"],
    ["noise", () => Buffer.alloc(4096, 0x55), "invalid tar header"],
    ["cut gzip", (tar) => gzipSync(tar).subarray(0, 60), "gzip: invalid or truncated data"],
    ["cut zstd", (tar) => zstdCompressSync(tar).subarray(0, 60), "zstd"],
    ["cut xz", () => Buffer.from("fd377a585a0000000000", "hex"), "xz: invalid or truncated data"],
  ])("%s is refused and leaves nothing", async (_, damage, message) => {
    await withStorage(async (storage) => {
      const tar = await tarOf([{ name: "a", content: Buffer.alloc(5000, 7) }]);
      await expect(importTar(storage, damage(tar))).rejects.toThrow(message);
      await expectEmpty(storage);
    });
  });

  test("a client that goes away in the middle leaves nothing", async () => {
    await withStorage(async (storage) => {
      const tar = await tarOf([{ name: "a", content: Buffer.alloc(500_000, 7) }]);
      const body = streamOf(tar.subarray(0, 1024));
      async function* breaking(): AsyncGenerator<Buffer> {
        yield* body;
        throw new Error("client is gone");
      }
      const { Readable } = await import("node:stream");
      const request = { namespace: NAMESPACE, tar: Readable.from(breaking(), { objectMode: false }), message: "", changes: [] };
      await expect(storage.images.import(request)).rejects.toThrow("client is gone");
      await expectEmpty(storage);
    });
  });
});

test("a full disk is said in words and leaves nothing", async () => {
  const mountPoint = mkdtempSync(join(tmpdir(), "flotilla-small-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", mountPoint]);
  try {
    const dataDir = join(mountPoint, "data");
    mkdirSync(dataDir);
    await withStorage(async (storage) => {
      const tar = await tarOf([{ name: "big", content: Buffer.alloc(8 * 2 ** 20, 1) }]);
      await expect(importTar(storage, gzipSync(tar))).rejects.toMatchObject({
        code: "exhausted",
        message: expect.stringContaining("no space left on device"),
      });
      await expect(importTar(storage, tar)).rejects.toMatchObject({ code: "exhausted" });
      await expectEmpty(storage);
      // What is deleted in the background still takes room until it is gone.
      await expect.poll(() => readdirSync(join(storage.dataDir, "storage-trash"))).toEqual([]);
      const archive = await dockerArchive({ layers: [gzipSync(tar)], plainLayers: [tar], tags: ["big:1"] });
      const staged = await storage.images.stageLoad(NAMESPACE, streamOf(archive));
      await expect(staged.finish(async () => undefined)).rejects.toMatchObject({ code: "exhausted" });
      await expectEmpty(storage);
      await expect.poll(() => readdirSync(join(storage.dataDir, "storage-trash"))).toEqual([]);
      await importTar(storage, await tarOf([{ name: "small", content: "1" }]));
    }, dataDir);
  } finally {
    execFileSync("umount", [mountPoint]);
    rmSync(mountPoint, { recursive: true });
  }
});

test("an exported tree is the imported one", async () => {
  await withStorage(async (storage) => {
    const id = await importTar(
      storage,
      await tarOf([
        { name: "etc/", type: "directory" },
        { name: "etc/a", content: "1", uid: 9 },
      ]),
    );
    await storage.images.prepareRootfs("c1", id);
    const view = await storage.images.viewRootfs("c1");
    try {
      expect(readFileSync(join(view.root, "etc/a"), "utf8")).toBe("1");
    } finally {
      await view.release();
    }
    expect(readdirSync(join(storage.dataDir, "rootfs"))).toEqual(["c1"]);
  });
});
