import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lgetxattr, lsetxattr } from "../../agent/src/host/libc.ts";
import { commitLayer, type CommittedLayer } from "../../agent/src/storage/commit-layer.ts";
import { describe, expect, test } from "vitest";
import { streamOf, tarOf, withStorage, type Storage } from "./storage-fixture.ts";

/** Imports a base image and gives the writable layer of a container of it, mounted. */
async function containerOf({ images }: Storage): Promise<{ merged: string; parent: CommittedLayer["chainId"] }> {
  const base = await tarOf([
    { name: "etc/", type: "directory" },
    { name: "etc/passwd", content: "root\n" },
    { name: "data/", type: "directory" },
    { name: "data/old", content: "old" },
    { name: "gone", content: "gone" },
  ]);
  const record = await images.import({ namespace: "default", tar: streamOf(base), repository: "base", message: "", changes: [] });
  await images.prepareRootfs("c1", record.id);
  const parent = images.store.records.topChain(record.id);
  if (parent === null) throw new Error("the image has no layer");
  return { merged: await images.mountRootfs("c1"), parent };
}

async function commit(
  storage: Storage,
  from: { directory: string; parent: CommittedLayer["chainId"] | null; mode: "copy" | "move"; maxMtimeSeconds?: number },
): Promise<CommittedLayer> {
  const lease = storage.images.store.leases.open();
  return commitLayer(storage.images.store, { ...from, lease });
}

function treeOf({ images }: Storage, layer: CommittedLayer): string {
  return images.store.paths.layer(images.store.layers.get(layer.chainId).number);
}

function listTar({ images }: Storage, layer: CommittedLayer): string[] {
  return execFileSync("tar", ["-tf", images.store.blobs.path(layer.blobDigest)], { encoding: "utf8" })
    .trim()
    .split("\n");
}

function attribute(path: string, name: string): string | undefined {
  const value = lgetxattr(path, name);
  return value === undefined ? undefined : Buffer.from(value).toString("latin1");
}

describe("a layer made of a container's changes", () => {
  test("holds what was written, and whiteouts for what was deleted or replaced", async () => {
    await withStorage(async (storage) => {
      const { merged, parent } = await containerOf(storage);
      execFileSync("rm", ["-r", join(merged, "gone"), join(merged, "data")]);
      mkdirSync(join(merged, "data"));
      writeFileSync(join(merged, "data", "new"), "new");
      linkSync(join(merged, "data", "new"), join(merged, "data", "same"));
      symlinkSync("new", join(merged, "data", "link"));
      const layer = await commit(storage, { directory: storage.images.store.snapshots.upperPath("c1"), parent, mode: "copy" });
      expect(listTar(storage, layer)).toEqual([".wh.gone", "data/", "data/.wh..wh..opq", "data/link", "data/new", "data/same"]);
      const tree = treeOf(storage, layer);
      expect(lstatSync(join(tree, "gone")).isCharacterDevice()).toBe(true);
      expect(readFileSync(join(tree, "data", "same"), "utf8")).toBe("new");
      expect(lstatSync(join(tree, "data", "same")).ino).toBe(lstatSync(join(tree, "data", "new")).ino);
      expect(attribute(join(tree, "data"), "trusted.overlay.opaque")).toBe("y");
    });
  });

  test("keeps capabilities and user attributes, and none of overlayfs's own", async () => {
    await withStorage(async (storage) => {
      const { merged, parent } = await containerOf(storage);
      writeFileSync(join(merged, "ping"), "x");
      // VFS_CAP_REVISION_2, effective, CAP_NET_RAW permitted.
      lsetxattr(join(merged, "ping"), "security.capability", Buffer.from("0100000200200000000000000000000000000000", "hex"));
      lsetxattr(join(merged, "ping"), "user.note", Buffer.from("kept"));
      chmodSync(join(merged, "data"), 0o711);
      const layer = await commit(storage, { directory: storage.images.store.snapshots.upperPath("c1"), parent, mode: "copy" });
      const kept = join(treeOf(storage, layer), "ping");
      expect([attribute(kept, "security.capability")?.length, attribute(kept, "user.note")]).toEqual([20, "kept"]);
      const tar = readFileSync(storage.images.store.blobs.path(layer.blobDigest)).toString("latin1");
      expect(tar).not.toContain("trusted.overlay");
    });
  });

  test("has none of the empty places that the runtime mounts on", async () => {
    await withStorage(async (storage) => {
      const { merged, parent } = await containerOf(storage);
      for (const name of ["dev", "proc", "sys"]) mkdirSync(join(merged, name));
      writeFileSync(join(merged, "etc", "hosts"), "");
      writeFileSync(join(merged, "etc", "resolv.conf"), "");
      const upper = storage.images.store.snapshots.upperPath("c1");
      const layer = await commit(storage, { directory: upper, parent, mode: "copy" });
      expect(readFileSync(storage.images.store.blobs.path(layer.blobDigest))).toEqual(Buffer.alloc(1024));
      writeFileSync(join(merged, "etc", "hosts"), "mine");
      const second = await commit(storage, { directory: upper, parent, mode: "copy" });
      expect(listTar(storage, second)).toEqual(["etc/", "etc/hosts"]);
    });
  });
});

describe("a layer made of a plain directory", () => {
  const fill = (directory: string): void => {
    mkdirSync(join(directory, "b"), { recursive: true });
    writeFileSync(join(directory, "b", "two"), "2");
    writeFileSync(join(directory, "a"), "1");
  };

  test("is the same for the same content when times are held down, whether moved or copied", async () => {
    await withStorage(async (storage) => {
      const { tmp } = storage.images.store.paths;
      const made: CommittedLayer[] = [];
      for (const mode of ["move", "copy"] as const) {
        const directory = join(tmp, `made-${mode}`);
        fill(directory);
        made.push(await commit(storage, { directory, parent: null, mode, maxMtimeSeconds: 1_000_000_000 }));
      }
      expect(made[0]).toEqual(made[1]);
      expect(readdirSync(tmp).filter((name) => name.startsWith("made"))).toEqual(["made-copy"]);
      const tree = treeOf(storage, made[0]!);
      expect(lstatSync(join(tree, "b", "two")).mtimeMs).toBe(1_000_000_000_000);
    });
  });

  test("keeps times that are before the limit", async () => {
    await withStorage(async (storage) => {
      const directory = join(storage.images.store.paths.tmp, "old");
      fill(directory);
      utimesSync(join(directory, "a"), 5, 5);
      const layer = await commit(storage, { directory, parent: null, mode: "move", maxMtimeSeconds: 1_000_000_000 });
      expect(lstatSync(join(treeOf(storage, layer), "a")).mtimeMs).toBe(5000);
    });
  });

  test("is refused beyond 127 layers, and leaves nothing", async () => {
    await withStorage(async (storage) => {
      const { store } = storage.images;
      let parent: CommittedLayer["chainId"] | null = null;
      const lease = store.leases.open();
      for (let depth = 0; depth < 127; depth++) {
        const loose = join(store.paths.tmp, `l${depth}`);
        mkdirSync(loose);
        const chainId: CommittedLayer["chainId"] = `sha256:${depth.toString(16).padStart(64, "0")}`;
        lease.add(chainId);
        store.layers.adopt({ directory: loose, diffId: chainId, sizeBytes: 0 }, { chainId, parent });
        parent = chainId;
      }
      const directory = join(store.paths.tmp, "one-more");
      fill(directory);
      await expect(commit(storage, { directory, parent, mode: "move" })).rejects.toThrow("max depth exceeded");
      expect(readdirSync(store.paths.tmp)).toEqual([]);
    });
  });
});
