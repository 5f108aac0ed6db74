import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { describe, expect, test } from "vitest";
import { createArchiveService, type Archives } from "../../agent/src/archive/create-archive-service.ts";
import { makeArchiveWorkers } from "../../agent/src/archive/workers.ts";
import { collect, streamOf, tarOf, type Entry } from "./storage-fixture.ts";
import { COMPILE_CACHE_CONFIG } from "../support/compile-cache.ts";

type Tree = { root: string; outside: string; archives: Archives };

async function withTree(work: (tree: Tree) => Promise<void>): Promise<void> {
  const base = mkdtempSync(join(tmpdir(), "flotilla-archive-"));
  const root = join(base, "root");
  const outside = join(base, "outside");
  mkdirSync(join(root, "etc"), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, "secret"), "secret");
  writeFileSync(join(root, "etc/passwd"), "root");
  const workers = makeArchiveWorkers(COMPILE_CACHE_CONFIG);
  try {
    await work({ root, outside, archives: createArchiveService({ config: COMPILE_CACHE_CONFIG, workers }) });
  } finally {
    await workers.close();
    rmSync(base, { recursive: true, force: true });
  }
}

const OPTIONS = { noOverwriteDirNonDir: false, copyUidGid: false };

async function put(tree: Tree, path: string, entries: readonly Entry[]): Promise<void> {
  await tree.archives.write(tree.root, path, streamOf(await tarOf(entries)), OPTIONS);
}

/** `name type content` of each entry, as another implementation reads them. */
async function entriesOf(stream: AsyncIterable<unknown>): Promise<string[]> {
  const reader = extract();
  reader.end(await collect(stream));
  const found: string[] = [];
  for await (const entry of reader) {
    const { name, type, linkname } = entry.header;
    const content = (await collect(entry)).toString();
    found.push([name, type, linkname ?? "", content].filter((part) => part !== "").join(" "));
  }
  return found;
}

describe("stat", () => {
  test("speaks Go's file modes and resolves links inside the tree", async () => {
    await withTree(async ({ root, archives }) => {
      chmodSync(join(root, "etc/passwd"), 0o4644);
      symlinkSync("../etc/passwd", join(root, "etc/rel"));
      symlinkSync("/nowhere/at/all", join(root, "etc/dangling"));
      expect(await archives.stat(root, "/etc/passwd")).toMatchObject({ name: "passwd", size: 4, mode: 0o644 + 2 ** 23, linkTarget: "" });
      expect(await archives.stat(root, "etc")).toMatchObject({ name: "etc", mode: 0o755 + 2 ** 31 });
      expect(await archives.stat(root, "/")).toMatchObject({ name: "/", mode: 0o755 + 2 ** 31 });
      expect(await archives.stat(root, "/etc/rel")).toMatchObject({ name: "rel", mode: 134_218_239, linkTarget: "/etc/passwd" });
      expect(await archives.stat(root, "/etc/dangling")).toMatchObject({ linkTarget: "/nowhere/at/all" });
      expect(Date.parse((await archives.stat(root, "/etc")).mtime)).toBeGreaterThan(0);
    });
  });

  test.each(["/nothing", "/etc/passwd/x", "/etc/passwd/", "/../outside/secret", "/etc/../../outside/secret"])(
    "%s is not there",
    async (path) => {
      await withTree(async ({ root, archives }) => {
        if (path === "/etc/passwd/") await expect(archives.stat(root, path)).resolves.toMatchObject({ name: "passwd" });
        else
          await expect(archives.stat(root, path)).rejects.toMatchObject({
            code: "not_found",
            message: expect.stringContaining("Could not find the file"),
          });
      });
    },
  );
});

describe("copying out", () => {
  test("a directory comes under its own name, with links, hard links and long names", async () => {
    await withTree(async ({ root, archives }) => {
      const long = "x".repeat(140);
      writeFileSync(join(root, "etc", long), "long");
      linkSync(join(root, "etc/passwd"), join(root, "etc/zhard"));
      symlinkSync("/etc/passwd", join(root, "etc/soft"));
      writeFileSync(join(root, "etc/ünï"), "u");
      const { stat, stream } = await archives.read(root, "/etc");
      expect(stat.name).toBe("etc");
      expect(await entriesOf(stream)).toEqual([
        "etc/ directory",
        "etc/passwd file root",
        "etc/soft symlink /etc/passwd",
        `etc/${long} file long`,
        "etc/zhard link etc/passwd",
        "etc/ünï file u",
      ]);
    });
  });

  test("a link is itself, and what it points to when the path ends with a slash", async () => {
    await withTree(async ({ root, archives }) => {
      symlinkSync("etc", join(root, "conf"));
      expect(await entriesOf((await archives.read(root, "/conf")).stream)).toEqual(["conf symlink etc"]);
      // The docker command renames what begins with the last part of the path it asked for.
      expect(await entriesOf((await archives.read(root, "/conf/.")).stream)).toEqual(["./ directory", "./passwd file root"]);
      expect(await entriesOf((await archives.read(root, "/conf/")).stream)).toEqual(["conf/ directory", "conf/passwd file root"]);
    });
  });

  test("links of the tree never lead to the host", async () => {
    await withTree(async ({ root, outside, archives }) => {
      symlinkSync(outside, join(root, "abs"));
      symlinkSync("../outside", join(root, "rel"));
      for (const path of ["/abs/secret", "/rel/secret", "/abs/.", "/rel/."])
        await expect(archives.read(root, path)).rejects.toMatchObject({ code: "not_found" });
    });
  });

  test("an export holds everything without a name for the root", async () => {
    await withTree(async ({ root, archives }) => {
      expect(await entriesOf(await archives.exportTree(root))).toEqual(["etc/ directory", "etc/passwd file root"]);
    });
  });

  test("the kernel's own file systems come as empty directories", async () => {
    await withTree(async ({ root, archives }) => {
      mkdirSync(join(root, "proc"));
      execFileSync("mount", ["-t", "proc", "proc", join(root, "proc")]);
      try {
        expect(await entriesOf((await archives.read(root, "/")).stream)).toEqual([
          "/ directory",
          "/etc/ directory",
          "/etc/passwd file root",
          "/proc/ directory",
        ]);
      } finally {
        execFileSync("umount", [join(root, "proc")]);
      }
    });
  });

  test("a large tree arrives whole through a slow reader, and a reader that leaves ends the worker", async () => {
    await withTree(async ({ root, archives }) => {
      writeFileSync(join(root, "big"), Buffer.alloc(20 * 2 ** 20, 3));
      const slow = (await archives.read(root, "/big")).stream;
      let bytes = 0;
      for await (const chunk of slow) {
        bytes += (chunk as Buffer).length;
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(bytes).toBe(20 * 2 ** 20 + 512 + 1024);
      const left = (await archives.read(root, "/big")).stream;
      await once(left, "readable");
      left.destroy();
      await once(left, "close");
    });
  });
});

describe("copying in", () => {
  test("puts files with their owners and modes, plain or compressed", async () => {
    await withTree(async (tree) => {
      await put(tree, "/etc", [
        { name: "app/", type: "directory", mode: 0o700 },
        { name: "app/x", content: "1", mode: 0o4755, uid: 1000, gid: 1001 },
      ]);
      const file = statSync(join(tree.root, "etc/app/x"));
      expect([file.mode & 0o7777, file.uid, file.gid]).toEqual([0o4755, 1000, 1001]);
      const tar = await tarOf([{ name: "y", content: "2" }]);
      await tree.archives.write(tree.root, "/etc/app", streamOf(gzipSync(tar)), OPTIONS);
      expect(readFileSync(join(tree.root, "etc/app/y"), "utf8")).toBe("2");
    });
  });

  test("an entry for the directory itself leaves its owner and mode alone", async () => {
    await withTree(async (tree) => {
      await put(tree, "/etc", [
        { name: "./", type: "directory", mode: 0o777, uid: 5 },
        { name: "./a", content: "1" },
      ]);
      expect([statSync(join(tree.root, "etc")).mode & 0o777, statSync(join(tree.root, "etc")).uid]).toEqual([0o755, 0]);
      expect(readdirSync(join(tree.root, "etc"))).toEqual(["a", "passwd"]);
    });
  });

  test.each([
    ["/etc/passwd", "invalid", "extraction point is not a directory"],
    ["/nothing", "not_found", "Could not find the file /nothing"],
    ["/../outside", "not_found", "Could not find the file /outside"],
  ])("into %s is refused", async (path, code, message) => {
    await withTree(async (tree) => {
      await expect(put(tree, path, [{ name: "a", content: "1" }])).rejects.toMatchObject({ code, message });
    });
  });

  test("files and directories do not replace each other when the client says so", async () => {
    await withTree(async (tree) => {
      mkdirSync(join(tree.root, "dir"));
      const write = async (entry: Entry): Promise<void> =>
        tree.archives.write(tree.root, "/", streamOf(await tarOf([entry])), { ...OPTIONS, noOverwriteDirNonDir: true });
      await expect(write({ name: "dir", content: "x" })).rejects.toMatchObject({
        code: "invalid",
        message: 'cannot overwrite directory "/dir" with non-directory "dir"',
      });
      await expect(write({ name: "etc/passwd", type: "directory" })).rejects.toMatchObject({
        code: "invalid",
        message: expect.stringContaining("cannot overwrite non-directory"),
      });
      await put(tree, "/", [{ name: "dir", content: "x" }]);
      expect(readFileSync(join(tree.root, "dir"), "utf8")).toBe("x");
    });
  });

  test("through links of the tree it stays inside the tree", async () => {
    await withTree(async (tree) => {
      const { root, outside } = tree;
      symlinkSync(outside, join(root, "abs"));
      symlinkSync("../outside", join(root, "rel"));
      symlinkSync("etc", join(root, "conf"));
      await put(tree, "/conf", [{ name: "a", content: "1" }]);
      expect(readFileSync(join(root, "etc/a"), "utf8")).toBe("1");
      for (const link of ["/abs", "/rel"])
        await expect(put(tree, link, [{ name: "a", content: "1" }])).rejects.toMatchObject({ code: "not_found" });
      await expect(put(tree, "/", [{ name: "../outside/a", content: "1" }])).rejects.toMatchObject({ code: "invalid" });
      await expect(put(tree, "/", [{ name: "h", type: "link", linkname: "../outside/secret" }])).rejects.toMatchObject({ code: "invalid" });
      expect(readdirSync(outside)).toEqual(["secret"]);
    });
  });

  test("a directory that is swapped for a link while files arrive leads nowhere", async () => {
    await withTree(async (tree) => {
      const { root, outside } = tree;
      mkdirSync(join(root, "real"));
      symlinkSync(outside, join(root, "link"));
      const entries = Array.from({ length: 3000 }, (_, index) => ({ name: `d/f${index}`, content: "x" }));
      mkdirSync(join(root, "d"));
      // Another process swaps as fast as it can, as a hostile container would.
      const script =
        "import fs from 'node:fs'; const [r] = process.argv.slice(1); for (;;) { try { fs.renameSync(r+'/d', r+'/t'); fs.renameSync(r+'/link', r+'/d'); fs.renameSync(r+'/d', r+'/link'); fs.renameSync(r+'/t', r+'/d'); } catch {} }";
      const swapper = spawn(process.execPath, ["--input-type=module", "-e", script, root], { stdio: "ignore" });
      try {
        await put(tree, "/", entries).catch(() => undefined);
      } finally {
        swapper.kill("SIGKILL");
        await once(swapper, "exit");
      }
      expect(readdirSync(outside)).toEqual(["secret"]);
    });
  });

  test("the host's processes in the tree are no way out", async () => {
    await withTree(async (tree) => {
      const proc = join(tree.root, "proc");
      mkdirSync(proc);
      execFileSync("mount", ["-t", "proc", "proc", proc]);
      try {
        for (const path of ["/proc/1/root/etc/hostname", "/proc/1/cwd/etc/hostname", `/proc/${process.pid}/root/.`]) {
          await expect(tree.archives.read(tree.root, path)).rejects.toThrow();
          await expect(put(tree, path, [{ name: "a", content: "1" }])).rejects.toThrow();
        }
      } finally {
        execFileSync("umount", [proc]);
      }
    });
  });

  test("a read-only root takes nothing, but a volume in it does", async () => {
    await withTree(async (tree) => {
      const volume = join(tree.root, "volume");
      mkdirSync(volume);
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", volume]);
      try {
        const write = async (path: string): Promise<void> =>
          tree.archives.write(tree.root, path, streamOf(await tarOf([{ name: "a", content: "1" }])), { ...OPTIONS, isRootReadOnly: true });
        await expect(write("/etc")).rejects.toMatchObject({ code: "forbidden", message: "container rootfs is marked read-only" });
        await write("/volume");
        expect(readdirSync(volume)).toEqual(["a"]);
      } finally {
        execFileSync("umount", [volume]);
      }
    });
  });

  test("a read-only file system is told as such", async () => {
    await withTree(async (tree) => {
      const target = join(tree.root, "ro");
      mkdirSync(target);
      execFileSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", target]);
      try {
        await expect(put(tree, "/ro", [{ name: "a", content: "1" }])).rejects.toThrow("EROFS");
      } finally {
        execFileSync("umount", [target]);
      }
    });
  });

  test("a truncated tar is an error", async () => {
    await withTree(async (tree) => {
      const tar = await tarOf([{ name: "a", content: Buffer.alloc(5000) }]);
      await expect(tree.archives.write(tree.root, "/", streamOf(tar.subarray(0, 2000)), OPTIONS)).rejects.toThrow("unexpected EOF");
    });
  });
});

test("a fifo in the tree is copied as a fifo and does not hold the worker", async () => {
  await withTree(async ({ root, archives }) => {
    execFileSync("mkfifo", [join(root, "pipe")]);
    expect(await entriesOf((await archives.read(root, "/pipe")).stream)).toEqual(["pipe fifo"]);
    expect([existsSync(join(root, "pipe")), lstatSync(join(root, "pipe")).isFIFO()]).toEqual([true, true]);
    renameSync(join(root, "pipe"), join(root, "pipe2"));
  });
});
