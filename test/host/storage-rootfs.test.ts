import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { collect, dockerArchive, sha256, streamOf, tarOf, withStorage, type Entry, type Storage } from "./storage-fixture.ts";

const NAMESPACE = "default";

async function importTree(storage: Storage, entries: readonly Entry[]): Promise<string> {
  const image = await storage.images.import({ namespace: NAMESPACE, tar: streamOf(await tarOf(entries)), message: "", changes: [] });
  return image.id;
}

async function loadLayers(storage: Storage, layers: readonly (readonly Entry[])[]): Promise<string> {
  const archive = await dockerArchive({ layers: await Promise.all(layers.map(tarOf)), tags: ["stack:1"] });
  const staged = await storage.images.stageLoad(NAMESPACE, streamOf(archive));
  await staged.finish(async () => undefined);
  return storage.images.resolve(NAMESPACE, "stack:1").id;
}

/** Puts made-up layers of one file each on top of an image: extracting 126 would take most of a minute. */
function stackLayers({ db, dataDir }: Storage, stack: { imageId: string; from: number; to: number }): void {
  const [base] = db.all("SELECT chain_id, blob_digest FROM storage_image_layers WHERE image_id = ?", stack.imageId);
  let parent = String(base!["chain_id"]);
  for (let number = stack.from; number <= stack.to; number++) {
    const chainId = `sha256:${sha256(Buffer.from(String(number)))}`;
    const directory = join(dataDir, "layers", number.toString(36));
    mkdirSync(directory);
    writeFileSync(join(directory, `f${number}`), "");
    db.run(
      "INSERT INTO storage_layers (number, chain_id, parent, diff_id, depth, size_bytes) VALUES (?, ?, ?, ?, ?, 0)",
      number,
      chainId,
      parent,
      chainId,
      number,
    );
    db.run(
      "INSERT INTO storage_image_layers (namespace, image_id, position, chain_id, blob_digest) VALUES (?, ?, ?, ?, ?)",
      NAMESPACE,
      stack.imageId,
      number,
      chainId,
      String(base!["blob_digest"]),
    );
    parent = chainId;
  }
}

describe("a container's root file system", () => {
  test("is the image with a writable layer that goes with the container", async () => {
    await withStorage(async (storage) => {
      const { images } = storage;
      const id = await importTree(storage, [
        { name: "./", type: "directory", mode: 0o751, uid: 11, gid: 12 },
        { name: "etc/a", content: "image" },
      ]);
      await images.prepareRootfs("c1", id);
      await images.prepareRootfs("c1", id);
      const root = await images.mountRootfs("c1");
      expect(await images.mountRootfs("c1")).toBe(root);
      expect(root).toBe(images.rootfsPath("c1"));
      const stats = statSync(root);
      expect([stats.mode & 0o7777, stats.uid, stats.gid]).toEqual([0o751, 11, 12]);
      writeFileSync(join(root, "etc/a"), "container");
      await images.unmountRootfs("c1");
      await images.unmountRootfs("c1");
      expect(readdirSync(root)).toEqual([]);
      await images.mountRootfs("c1");
      expect(readFileSync(join(root, "etc/a"), "utf8")).toBe("container");
      expect(images.listRootfs()).toEqual(["c1"]);
      await images.removeRootfs("c1");
      await images.removeRootfs("c1");
      expect(images.listRootfs()).toEqual([]);
      expect(existsSync(root)).toBe(false);
    });
  });

  test("two containers of one image do not see each other's files", async () => {
    await withStorage(async (storage) => {
      const id = await importTree(storage, [{ name: "a", content: "1" }]);
      await Promise.all(["c1", "c2"].map((name) => storage.images.prepareRootfs(name, id)));
      const [first, second] = await Promise.all(["c1", "c2"].map((name) => storage.images.mountRootfs(name)));
      writeFileSync(join(first!, "mine"), "1");
      expect(readdirSync(second!)).toEqual(["a"]);
    });
  });

  test("an image without layers gives an empty tree", async () => {
    await withStorage(async (storage) => {
      const archive = await dockerArchive({ layers: [], tags: ["empty:1"] });
      await (await storage.images.stageLoad(NAMESPACE, streamOf(archive))).finish(async () => undefined);
      await storage.images.prepareRootfs("c1", storage.images.resolve(NAMESPACE, "empty:1").id);
      expect(readdirSync(await storage.images.mountRootfs("c1"))).toEqual([]);
    });
  });

  test("upper layers hide, replace and delete what lower ones have", async () => {
    await withStorage(async (storage) => {
      const id = await loadLayers(storage, [
        [
          { name: "d/", type: "directory" },
          { name: "d/low", content: "1" },
          { name: "gone", content: "1" },
          { name: "f", content: "low" },
        ],
        [{ name: "d/.wh..wh..opq" }, { name: "d/high", content: "2" }, { name: ".wh.gone" }, { name: "f", content: "high" }],
      ]);
      await storage.images.prepareRootfs("c1", id);
      const root = await storage.images.mountRootfs("c1");
      expect(readdirSync(root).toSorted()).toEqual(["d", "f"]);
      expect(readdirSync(join(root, "d"))).toEqual(["high"]);
      expect(readFileSync(join(root, "f"), "utf8")).toBe("high");
    });
  });

  test("127 layers mount", async () => {
    await withStorage(async (storage) => {
      const id = await loadLayers(storage, [[{ name: "f1", content: "1" }]]);
      stackLayers(storage, { imageId: id, from: 2, to: 127 });
      await storage.images.prepareRootfs("c1", id);
      expect(readdirSync(await storage.images.mountRootfs("c1"))).toHaveLength(127);
    });
  });

  test("a 128th layer is refused before anything is extracted", async () => {
    await withStorage(async (storage) => {
      const layers = Array.from({ length: 128 }, (_, index) => [{ name: `f${index}`, content: String(index) }]);
      await expect(loadLayers(storage, layers)).rejects.toThrow("max depth exceeded");
      expect(readdirSync(join(storage.dataDir, "layers"))).toEqual(["0"]);
      expect(readdirSync(join(storage.dataDir, "blobs", "sha256"))).toEqual([]);
    });
  });

  test("layers stay while a container uses them, even when their image is gone", async () => {
    await withStorage(async (storage) => {
      const { images } = storage;
      const id = await importTree(storage, [{ name: "a", content: "1" }]);
      await images.prepareRootfs("c1", id);
      images.remove(NAMESPACE, id, { force: true });
      const root = await images.mountRootfs("c1");
      expect(readFileSync(join(root, "a"), "utf8")).toBe("1");
      await images.removeRootfs("c1");
      expect(readdirSync(join(storage.dataDir, "layers"))).toEqual(["0"]);
    });
  });
});

describe("docker diff and sizes", () => {
  test("say what was added, modified and deleted", async () => {
    await withStorage(async (storage) => {
      const id = await importTree(storage, [
        { name: "etc/", type: "directory" },
        { name: "etc/kept", content: "12345" },
        { name: "etc/gone", content: "1" },
        { name: "dir/", type: "directory" },
        { name: "dir/inside", content: "1" },
        { name: "link", type: "symlink", linkname: "etc" },
      ]);
      await storage.images.prepareRootfs("c1", id);
      const root = await storage.images.mountRootfs("c1");
      expect(await storage.images.rootfsChanges("c1")).toEqual([]);
      rmSync(join(root, "etc/gone"));
      writeFileSync(join(root, "etc/new-ä"), "abc");
      rmSync(join(root, "dir"), { recursive: true });
      mkdirSync(join(root, "dir"));
      writeFileSync(join(root, "dir/other"), "x");
      mkdirSync(join(root, "var/log"), { recursive: true });
      expect(await storage.images.rootfsChanges("c1")).toEqual([
        { path: "/dir", kind: 0 },
        { path: "/dir/inside", kind: 2 },
        { path: "/dir/other", kind: 1 },
        { path: "/etc", kind: 0 },
        { path: "/etc/gone", kind: 2 },
        { path: "/etc/new-ä", kind: 1 },
        { path: "/var", kind: 1 },
        { path: "/var/log", kind: 1 },
      ]);
      expect(await storage.images.rootfsUsage("c1")).toEqual({ sizeRwBytes: 4, sizeRootBytes: 11 });
    });
  });

  test("mount points that the engine makes are not the container's changes", async () => {
    await withStorage(async (storage) => {
      const id = await importTree(storage, [
        { name: "etc/", type: "directory", mode: 0o755 },
        { name: "etc/a", content: "1" },
      ]);
      await storage.images.prepareRootfs("c1", id);
      const root = await storage.images.mountRootfs("c1");
      for (const path of ["etc/hosts", "etc/resolv.conf"]) writeFileSync(join(root, path), "");
      mkdirSync(join(root, "proc"));
      expect(await storage.images.rootfsChanges("c1")).toEqual([]);
      writeFileSync(join(root, "etc/hosts"), "written by hand");
      expect(await storage.images.rootfsChanges("c1")).toEqual([
        { path: "/etc", kind: 0 },
        { path: "/etc/hosts", kind: 1 },
      ]);
    });
  });

  test("a directory swapped for a symlink leads the walk nowhere", async () => {
    await withStorage(async (storage) => {
      const id = await importTree(storage, [{ name: "d/", type: "directory" }]);
      await storage.images.prepareRootfs("c1", id);
      const root = await storage.images.mountRootfs("c1");
      symlinkSync("/etc", join(root, "evil"));
      rmSync(join(root, "d"), { recursive: true });
      symlinkSync("/etc", join(root, "d"));
      expect((await storage.images.rootfsChanges("c1")).map((change) => change.path)).toEqual(["/d", "/evil"]);
      expect((await storage.images.rootfsUsage("c1")).sizeRwBytes).toBe(0);
    });
  });
});

describe("after a kill", () => {
  test("half-made blobs, layers and root file systems are gone, and what was whole works", async () => {
    await withStorage(async (storage) => {
      const id = await importTree(storage, [{ name: "a", content: "1" }]);
      await storage.images.prepareRootfs("c1", id);
      const { dataDir } = storage;
      mkdirSync(join(dataDir, "storage-tmp", "layer-x"));
      writeFileSync(join(dataDir, "storage-tmp", "blob-x"), "half");
      mkdirSync(join(dataDir, "layers", "zz"));
      writeFileSync(join(dataDir, "blobs", "sha256", "0".repeat(64)), "orphan");
      mkdirSync(join(dataDir, "rootfs", "unknown", "merged"), { recursive: true });
      renameSync(join(dataDir, "rootfs", "c1", "merged"), join(dataDir, "storage-trash", "lost"));
      const images = await storage.reopen();
      expect(readdirSync(join(dataDir, "storage-tmp"))).toEqual([]);
      expect(readdirSync(join(dataDir, "layers")).toSorted()).toEqual(["0", "1"]);
      expect(readdirSync(join(dataDir, "blobs", "sha256"))).toHaveLength(1);
      expect(readdirSync(join(dataDir, "rootfs"))).toEqual(["c1"]);
      expect(readFileSync(join(await images.mountRootfs("c1"), "a"), "utf8")).toBe("1");
    });
  });

  test("a mount outlives the store and is adopted by the next", async () => {
    await withStorage(async (storage) => {
      const id = await importTree(storage, [{ name: "a", content: "1" }]);
      await storage.images.prepareRootfs("c1", id);
      const root = await storage.images.mountRootfs("c1");
      writeFileSync(join(root, "b"), "2");
      const images = await storage.reopen();
      expect(await images.mountRootfs("c1")).toBe(root);
      expect(execFileSync("grep", ["-c", ` ${root} `, "/proc/self/mounts"], { encoding: "utf8" }).trim()).toBe("1");
      expect(lstatSync(join(root, "b")).size).toBe(1);
    });
  });
});

test("a saved image that is read to its end holds nothing any more", async () => {
  await withStorage(async (storage) => {
    await importTree(storage, [{ name: "a", content: "1" }]);
    const [image] = storage.images.list(NAMESPACE, { filters: new Map(), withSharedSize: false });
    await collect(storage.images.save(NAMESPACE, [image!.Id]));
    storage.images.remove(NAMESPACE, image!.Id, { force: false });
    expect(readdirSync(join(storage.dataDir, "blobs", "sha256"))).toEqual([]);
  });
});
