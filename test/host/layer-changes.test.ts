import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lsetxattr, mknod } from "../../agent/src/host/libc.ts";
import { type LayerChanges, MAX_ENTRIES, measureLayer } from "../../agent/src/storage/layer-changes.ts";
import { Pace } from "../../agent/src/storage/pace.ts";
import { dockerArchive, streamOf, tarOf, withStorage, type Entry, type Storage } from "./storage-fixture.ts";

const S_IFCHR = 0o020000;

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "flotilla-layers-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Makes a layer's directory: paths with the length of the file, null for a whiteout, "opaque" and "directory" for those. */
function layer(name: string, files: Readonly<Record<string, number | null | "opaque" | "directory">>): string {
  const root = join(directory, name);
  mkdirSync(root);
  for (const [path, content] of Object.entries(files)) {
    const full = join(root, path);
    mkdirSync(join(full, ".."), { recursive: true });
    if (content === null) mknod(full, S_IFCHR, { major: 0, minor: 0 });
    else if (typeof content === "number") writeFileSync(full, "x".repeat(content));
    else mkdirSync(full, { recursive: true });
    if (content === "opaque") lsetxattr(full, "trusted.overlay.opaque", Buffer.from("y"));
  }
  return root;
}

function measure(upper: string, ...lowers: string[]): Promise<LayerChanges> {
  return measureLayer({ upper, lowers, pace: new Pace() });
}

const brief = ({ entries }: LayerChanges): unknown[] =>
  entries.map((entry) => [entry.kind, entry.path, entry.sizeBytes, entry.hiddenBytes]);

describe("what a layer changes", () => {
  test("without layers below, everything is added", async () => {
    const found = await measure(layer("a", { "etc/passwd": 10, "bin/sh": 100, empty: "directory" }));
    expect(found).toMatchObject({ added: { files: 2, bytes: 110 }, changed: { files: 0, bytes: 0 }, removed: { files: 0, bytes: 0 } });
    expect(found).toMatchObject({ wastedBytes: 0, entryCount: 2 });
    expect(brief(found)).toEqual([
      ["added", "/bin/sh", 100, 0],
      ["added", "/etc/passwd", 10, 0],
    ]);
  });

  test("a file written again wastes the one below, also when it is the same", async () => {
    const low = layer("low", { "app/lib": 50, "app/kept": 5 });
    const found = await measure(layer("high", { "app/lib": 60, "app/new": 7 }), low);
    expect(found).toMatchObject({ added: { files: 1, bytes: 7 }, changed: { files: 1, bytes: 60 }, wastedBytes: 50 });
    expect(brief(found)).toEqual([
      ["changed", "/app/lib", 60, 50],
      ["added", "/app/new", 7, 0],
    ]);
  });

  test("a whiteout wastes the file, and of a directory all that the merged layers show in it", async () => {
    const lowest = layer("lowest", { "cache/a": 1, "cache/gone": 10, "cache/deep/b": 100, one: 1000 });
    const low = layer("low", { "cache/a": 2, "cache/gone": null, "cache/deep": "opaque", "cache/deep/c": 20_000 });
    const found = await measure(layer("high", { cache: null, one: null }), low, lowest);
    expect(found).toMatchObject({ removed: { files: 3, bytes: 21_002 }, wastedBytes: 21_002, entryCount: 2, added: { files: 0 } });
    expect(brief(found)).toEqual([
      ["removed", "/cache/", 0, 20_002],
      ["removed", "/one", 0, 1000],
    ]);
  });

  test("a whiteout of what is not there says nothing", async () => {
    const lowest = layer("lowest", { a: 5 });
    const found = await measure(layer("high", { a: null, never: null }), layer("low", { a: null }), lowest);
    expect(found).toMatchObject({ removed: { files: 0 }, wastedBytes: 0, entries: [] });
  });

  test("an opaque directory hides what is below it, in its own directories too", async () => {
    const low = layer("low", { "d/both": 10, "d/only": 200, "d/sub/both": 3000, "d/sub/only": 40_000, "d/tree/x": 500_000 });
    const found = await measure(layer("high", { d: "opaque", "d/both": 11, "d/sub/both": 7, "d/new": 1 }), low);
    expect(brief(found)).toEqual([
      ["removed", "/d/tree/", 0, 500_000],
      ["removed", "/d/sub/only", 0, 40_000],
      ["changed", "/d/sub/both", 7, 3000],
      ["removed", "/d/only", 0, 200],
      ["changed", "/d/both", 11, 10],
      ["added", "/d/new", 1, 0],
    ]);
    expect(found.wastedBytes).toBe(543_210);
    expect(found).toMatchObject({ added: { files: 1 }, changed: { files: 2, bytes: 18 }, removed: { files: 3, bytes: 540_200 } });
  });

  test("a file in a directory's place and a directory in a file's place hide what was there", async () => {
    const low = layer("low", { "tree/x": 10, "tree/y": 5, file: 300 });
    const found = await measure(layer("high", { tree: 1, "file/inside": 2 }), low);
    expect(brief(found)).toEqual([
      ["removed", "/file", 0, 300],
      ["removed", "/tree/", 0, 15],
      ["added", "/file/inside", 2, 0],
      ["added", "/tree", 1, 0],
    ]);
    expect(found.wastedBytes).toBe(315);
  });

  test("a file with several names counts once, and is wasted when its last name is hidden", async () => {
    const low = layer("low", { "d/a": 100 });
    linkSync(join(low, "d/a"), join(low, "d/b"));
    expect(await measure(low)).toMatchObject({ added: { files: 2, bytes: 100 } });
    expect(await measure(layer("one", { "d/a": null }), low)).toMatchObject({ removed: { files: 1 }, wastedBytes: 0 });
    expect(await measure(layer("both", { d: null }), low)).toMatchObject({ removed: { files: 2, bytes: 100 }, wastedBytes: 100 });
  });

  test("links are not followed and have no bytes", async () => {
    const low = layer("low", { "etc/x": 10 });
    const high = layer("high", {});
    symlinkSync("/etc", join(high, "etc"));
    symlinkSync("/nowhere", join(high, "dangling"));
    const found = await measure(high, low);
    expect(found).toMatchObject({ added: { files: 2, bytes: 0 }, removed: { files: 1, bytes: 10 }, wastedBytes: 10 });
  });

  test("names that are no UTF-8 are found below, and shown as far as they can be", async () => {
    const raw = Buffer.from([0x2f, 0x61, 0xff, 0xe4]);
    const [low, high] = [layer("low", {}), layer("high", {})];
    for (const [root, bytes] of [
      [low, 30],
      [high, 4],
    ] as const)
      writeFileSync(Buffer.concat([Buffer.from(root), raw]), "x".repeat(bytes));
    const found = await measure(high, low);
    expect(brief(found)).toEqual([["changed", "/a\ufffd\ufffd", 4, 30]]);
  });

  test("of many files the largest are named, all are counted", async () => {
    const files = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`d/${index}`, index]));
    const found = await measure(layer("many", files));
    expect(found).toMatchObject({ added: { files: 1000, bytes: 499_500 }, entryCount: 1000 });
    expect(found.entries).toHaveLength(MAX_ENTRIES);
    expect(found.entries.map((entry) => entry.sizeBytes)).toEqual(Array.from({ length: MAX_ENTRIES }, (_, index) => 999 - index));
  });

  test("a long path keeps its end", async () => {
    const parts = Array.from({ length: 5 }, () => "d".repeat(200));
    const [entry] = (await measure(layer("deep", { [`${parts.join("/")}/name`]: 1 }))).entries;
    expect(entry?.path).toMatch(/^…d+.*\/name$/);
    expect(entry?.path).toHaveLength(501);
  });
});

const TEAM = "team";
const LAYERS: readonly (readonly Entry[])[] = [
  [
    { name: "d/", type: "directory" },
    { name: "d/low", content: "12345" },
    { name: "gone", content: "123" },
  ],
  [{ name: "d/.wh..wh..opq" }, { name: "d/high", content: "1" }, { name: ".wh.gone" }],
];

async function load(storage: Storage, layers: readonly (readonly Entry[])[], history: readonly object[]): Promise<void> {
  const archive = await dockerArchive({ layers: await Promise.all(layers.map(tarOf)), tags: ["stack:1"], config: { history } });
  await (await storage.images.stageLoad(TEAM, streamOf(archive))).finish(async () => undefined);
}

describe("the layers of an image", () => {
  test("come with the instruction that made them, lowest first, and what each wastes", async () => {
    await withStorage(async (storage) => {
      await load(storage, LAYERS, [{ created_by: "ADD low" }, { created_by: "ENV A=1", empty_layer: true }, { created_by: "RUN high" }]);
      const image = await storage.images.layers(TEAM, "stack:1");
      expect(image).toMatchObject({ sizeBytes: 9, wastedBytes: 8 });
      expect(image.layers.map((found) => [found.historyIndex, found.instruction, found.sizeBytes, found.wastedBytes])).toEqual([
        [0, "ADD low", 8, 0],
        [2, "RUN high", 1, 8],
      ]);
      expect(brief(image.layers[1]!)).toEqual([
        ["removed", "/d/low", 0, 5],
        ["removed", "/gone", 0, 3],
        ["added", "/d/high", 1, 0],
      ]);
    });
  });

  test("are another namespace's secret", async () => {
    await withStorage(async (storage) => {
      await load(storage, LAYERS, []);
      const id = storage.images.resolve(TEAM, "stack:1").id;
      await storage.images.layers(TEAM, id);
      for (const name of ["stack:1", id]) {
        await expect((async () => storage.images.layers("other", name))()).rejects.toMatchObject({ code: "not_found" });
      }
    });
  });

  test("are walked once, kept over a restart, and forgotten with the layer", async () => {
    await withStorage(async (storage) => {
      await load(storage, LAYERS, []);
      const first = await storage.images.layers(TEAM, "stack:1");
      // With the trees gone the same answer can only be the kept one.
      rmSync(join(storage.dataDir, "layers", "2", "d"), { recursive: true });
      const images = await storage.reopen();
      expect(await images.layers(TEAM, "stack:1")).toEqual(first);
      storage.db.run("UPDATE storage_layer_changes SET changes = '{}'");
      expect((await images.layers(TEAM, "stack:1")).layers[1]).toMatchObject({ added: { files: 0 }, removed: { files: 1 } });
      images.remove(TEAM, "stack:1", { force: false });
      expect(storage.db.all("SELECT chain_id FROM storage_layer_changes")).toEqual([]);
    });
  });

  test("stay while they are walked, and the walk ends when nobody waits", async () => {
    await withStorage(async (storage) => {
      await load(storage, LAYERS, []);
      const asked = storage.images.layers(TEAM, "stack:1");
      storage.images.remove(TEAM, "stack:1", { force: false });
      expect((await asked).wastedBytes).toBe(8);
      expect(storage.db.all("SELECT chain_id FROM storage_layers")).toEqual([]);
      await load(storage, LAYERS, []);
      await expect(storage.images.layers(TEAM, "stack:1", AbortSignal.abort())).rejects.toThrow("aborted");
    });
  });
});
