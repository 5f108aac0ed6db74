import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { NO_FILTERS, type Filters } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import type { LoadProgress } from "../../agent/src/storage/load-images.ts";
import { collect, dockerArchive, sha256, streamOf, tarOf, withStorage, type Storage } from "./storage-fixture.ts";

const NAMESPACE = "default";

type Imported = { name?: string; content?: string; namespace?: string; changes?: string[] };

async function importOne(storage: Storage, { name = "", content = "1", namespace = NAMESPACE, changes = [] }: Imported): Promise<string> {
  const tar = streamOf(await tarOf([{ name: "a", content, mtime: new Date(0) }]));
  const image = await storage.images.import({ namespace, tar, repository: name, message: "made here", changes });
  return image.id;
}

async function load(storage: Storage, archive: Buffer): Promise<LoadProgress[]> {
  const messages: LoadProgress[] = [];
  const staged = await storage.images.stageLoad(NAMESPACE, streamOf(archive));
  await staged.finish(async (message) => void messages.push(message));
  return messages;
}

function list(storage: Storage, filters: Filters = NO_FILTERS, namespace = NAMESPACE): string[] {
  return storage.images
    .list(namespace, { filters, withSharedSize: true })
    .flatMap((image) => (image.RepoTags.length === 0 ? ["<none>"] : image.RepoTags))
    .toSorted();
}

function stored(storage: Storage): { blobs: number; layers: number; tmp: number } {
  const count = (...path: string[]): number => readdirSync(join(storage.dataDir, ...path)).length;
  return { blobs: count("blobs", "sha256"), layers: count("layers") - 1, tmp: count("storage-tmp") };
}

describe("import", () => {
  test("makes an image with the given instructions, history and name", async () => {
    await withStorage(async (storage) => {
      const id = await importOne(storage, { name: "app:1", changes: ['CMD ["/bin/app"]', "ENV A=1", "EXPOSE 80"] });
      const image = storage.images.inspect(NAMESPACE, "app:1");
      expect(image).toMatchObject({
        Id: id,
        RepoTags: ["app:1"],
        Os: "linux",
        Size: 1,
        Comment: "made here",
        GraphDriver: { Name: "overlay2" },
      });
      expect(image.Config).toMatchObject({ Cmd: ["/bin/app"], Env: ["A=1"], ExposedPorts: { "80/tcp": {} } });
      expect(image.RootFS.Layers).toHaveLength(1);
      expect(storage.images.history(NAMESPACE, id)).toEqual([
        expect.objectContaining({ Id: id, Size: 1, Tags: ["app:1"], Comment: "made here" }),
      ]);
      expect(storage.events.history().map((event) => event.action)).toEqual(["import", "tag"]);
    });
  });

  test("a bad name or instruction is refused before the body is read", async () => {
    await withStorage(async (storage) => {
      await expect(importOne(storage, { name: "Bad" })).rejects.toThrow("must be lowercase");
      await expect(importOne(storage, { changes: ["RUN x"] })).rejects.toThrow("run is not a valid change command");
      expect(stored(storage)).toEqual({ blobs: 0, layers: 0, tmp: 0 });
    });
  });
});

describe("namespaces", () => {
  test("do not see each other's images, but share what is the same underneath", async () => {
    await withStorage(async (storage) => {
      const id = await importOne(storage, { name: "app" });
      for (const reference of ["app", id, id.slice(7, 19)]) {
        expect(() => storage.images.resolve("other", reference)).toThrow("No such image");
      }
      expect(list(storage, NO_FILTERS, "other")).toEqual([]);
      await importOne(storage, { name: "app", namespace: "other" });
      expect(stored(storage)).toEqual({ blobs: 1, layers: 1, tmp: 0 });
      storage.images.remove(NAMESPACE, "app", { force: false });
      expect(storage.images.resolve("other", "app").reference).toBe("app:latest");
      expect(stored(storage)).toEqual({ blobs: 1, layers: 1, tmp: 0 });
    });
  });

  test("naming the hashes of another's layer does not open it", async () => {
    await withStorage(async (storage) => {
      const secret = await tarOf([{ name: "secret", content: "s" }]);
      await storage.images.import({ namespace: "other", tar: streamOf(secret), message: "", changes: [] });
      const claim = await dockerArchive({
        layers: [await tarOf([{ name: "mine", content: "m" }])],
        tags: ["steal:1"],
        diffIds: [`sha256:${sha256(secret)}`],
      });
      await expect(load(storage, claim)).rejects.toThrow("layer verification failed");
      expect(list(storage)).toEqual([]);
      expect(stored(storage)).toEqual({ blobs: 1, layers: 1, tmp: 0 });
    });
  });
});

describe("list", () => {
  test("filters by reference, label, dangling and age, and says what is shared", async () => {
    await withStorage(async (storage) => {
      const first = await importOne(storage, { name: "app:1", changes: ["LABEL tier=web"] });
      storage.images.tag({ namespace: NAMESPACE, source: "app:1", repository: "reg.example:5000/team/app", tag: "v2" });
      await importOne(storage, { changes: ["LABEL tier=db"] });
      expect(list(storage)).toEqual(["<none>", "app:1", "reg.example:5000/team/app:v2"]);
      expect(list(storage, new Map([["dangling", ["true"]]]))).toEqual(["<none>"]);
      expect(list(storage, new Map([["reference", ["app"]]]))).toEqual(["app:1"]);
      expect(list(storage, new Map([["reference", ["reg.example:5000/*/app:v*"]]]))).toEqual(["reg.example:5000/team/app:v2"]);
      expect(list(storage, new Map([["label", ["tier=web"]]]))).toHaveLength(2);
      expect(list(storage, new Map([["until", ["10m"]]]))).toEqual([]);
      expect(() => list(storage, new Map([["before", ["nothing"]]]))).toThrow("No such image: nothing:latest");
      const [image] = storage.images.list(NAMESPACE, { filters: new Map([["reference", ["app"]]]), withSharedSize: true });
      expect(image).toMatchObject({ Id: first, Size: 1, SharedSize: 1, Containers: 0 });
      expect(storage.images.layersSizeBytes(NAMESPACE)).toBe(1);
    });
  });
});

describe("rmi", () => {
  test("removes a name, and with the last name the image and its layers", async () => {
    await withStorage(async (storage) => {
      const id = await importOne(storage, { name: "a" });
      storage.images.tag({ namespace: NAMESPACE, source: "a", repository: "b", tag: "" });
      expect(storage.images.remove(NAMESPACE, "a", { force: false })).toEqual([{ Untagged: "a:latest" }]);
      expect(storage.images.remove(NAMESPACE, "b", { force: false })).toEqual([
        { Untagged: "b:latest" },
        { Deleted: id },
        { Deleted: expect.stringMatching(/^sha256:/) },
      ]);
      expect(stored(storage)).toEqual({ blobs: 0, layers: 0, tmp: 0 });
      expect(() => storage.images.remove(NAMESPACE, "b", { force: true })).toThrow("No such image: b:latest");
    });
  });

  test("by id refuses several names unless forced", async () => {
    await withStorage(async (storage) => {
      const id = await importOne(storage, { name: "a" });
      storage.images.tag({ namespace: NAMESPACE, source: "a", repository: "b", tag: "" });
      const short = id.slice(7, 19);
      expect(() => storage.images.remove(NAMESPACE, short, { force: false })).toThrow(
        `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
      );
      expect(storage.images.remove(NAMESPACE, short, { force: true }).slice(0, 3)).toEqual([
        { Untagged: "a:latest" },
        { Untagged: "b:latest" },
        { Deleted: id },
      ]);
    });
  });

  test("refuses while a container uses the image, in Docker's words", async () => {
    await withStorage(async (storage) => {
      const id = await importOne(storage, { name: "a" });
      const short = id.slice(7, 19);
      const containerId = "c".repeat(64);
      storage.uses.set(id, [{ containerId, isRunning: false }]);
      expect(() => storage.images.remove(NAMESPACE, "a", { force: false })).toThrow(
        `conflict: unable to remove repository reference "a:latest" (must force) - container cccccccccccc is using its referenced image ${short}`,
      );
      expect(() => storage.images.remove(NAMESPACE, id, { force: false })).toThrow(
        "(must be forced) - image is being used by stopped container cccccccccccc",
      );
      storage.uses.set(id, [{ containerId, isRunning: true }]);
      expect(() => storage.images.remove(NAMESPACE, id, { force: true })).toThrow(
        "(cannot be forced) - image is being used by running container cccccccccccc",
      );
      expect(storage.images.remove(NAMESPACE, "a", { force: true })).toEqual([{ Untagged: "a:latest" }]);
      expect(list(storage)).toEqual(["<none>"]);
    });
  });
});

test("prune removes images without a name, and with dangling=false all that no container uses", async () => {
  await withStorage(async (storage) => {
    await importOne(storage, { content: "dangling" });
    const used = await importOne(storage, { name: "used", content: "22" });
    await importOne(storage, { name: "idle", content: "333" });
    storage.uses.set(used, [{ containerId: "c".repeat(64), isRunning: false }]);
    expect(storage.images.prune(NAMESPACE, NO_FILTERS).SpaceReclaimed).toBe(8);
    expect(list(storage)).toEqual(["idle:latest", "used:latest"]);
    expect(storage.images.prune(NAMESPACE, new Map([["dangling", ["false"]]])).ImagesDeleted?.[0]).toEqual({ Untagged: "idle:latest" });
    expect(list(storage)).toEqual(["used:latest"]);
  });
});

describe("load", () => {
  test.each<[string, (archive: Buffer) => Buffer]>([
    ["plain", (archive) => archive],
    ["gzip", (archive) => gzipSync(archive)],
    ["zstd", (archive) => zstdCompressSync(archive)],
  ])("takes a %s archive, and loading it again changes nothing", async (_, compress) => {
    await withStorage(async (storage) => {
      const layers = await Promise.all([tarOf([{ name: "a", content: "1" }]), tarOf([{ name: "b", content: "22" }])]);
      const archive = compress(await dockerArchive({ layers, tags: ["app:1", "app:2"] }));
      const messages = await load(storage, archive);
      expect(messages).toEqual([
        expect.objectContaining({ status: "Loading layer" }),
        expect.objectContaining({ status: "Loading layer" }),
        { stream: "Loaded image: app:1\n" },
        { stream: "Loaded image: app:2\n" },
      ]);
      expect(await load(storage, archive)).toEqual([{ stream: "Loaded image: app:1\n" }, { stream: "Loaded image: app:2\n" }]);
      // The archive's descriptions are not kept.
      expect(stored(storage)).toEqual({ blobs: 2, layers: 2, tmp: 0 });
      expect(storage.images.inspect(NAMESPACE, "app:2")).toMatchObject({ Size: 3, RepoTags: ["app:1", "app:2"] });
    });
  });

  test("a name that another image has moves, and says so", async () => {
    await withStorage(async (storage) => {
      const old = await importOne(storage, { name: "app:1" });
      const messages = await load(storage, await dockerArchive({ layers: [await tarOf([{ name: "b", content: "2" }])], tags: ["app:1"] }));
      expect(messages).toContainEqual({ stream: `The image app:1 already exists, renaming the old one with ID ${old} to empty string\n` });
      expect(list(storage)).toEqual(["<none>", "app:1"]);
    });
  });

  test.each<[string, () => Promise<Buffer>, string]>([
    [
      "a layer that is not the one it says",
      async () => dockerArchive({ layers: [await tarOf([{ name: "a" }])], tags: [], diffIds: [`sha256:${"0".repeat(64)}`] }),
      "layer verification failed",
    ],
    [
      "fewer layers than it says",
      async () => dockerArchive({ layers: [], tags: [], diffIds: [`sha256:${"0".repeat(64)}`] }),
      "layers length mismatch",
    ],
    [
      "another operating system",
      async () => dockerArchive({ layers: [], tags: [], config: { os: "windows" } }),
      "cannot load windows image on linux",
    ],
    ["a bad name", async () => dockerArchive({ layers: [], tags: ["BAD:1"] }), "must be lowercase"],
    ["no description at all", async () => tarOf([{ name: "x", content: "x" }]), "neither manifest.json nor index.json"],
    ["a description that is no JSON", async () => tarOf([{ name: "manifest.json", content: "{" }]), "invalid manifest.json"],
    [
      "files that are missing",
      async () => tarOf([{ name: "manifest.json", content: '[{"Config":"x.json","Layers":[]}]' }]),
      "x.json is missing",
    ],
    ["a cut", async () => (await dockerArchive({ layers: [Buffer.alloc(10_000)], tags: [] })).subarray(0, 5000), "unexpected EOF"],
    ["noise", async () => Buffer.alloc(5000, 0x41), "invalid tar header"],
  ])("refuses an archive with %s and keeps nothing of it", async (_, archive, message) => {
    await withStorage(async (storage) => {
      await expect(archive().then((bytes) => load(storage, bytes))).rejects.toThrow(message);
      expect(list(storage)).toEqual([]);
      expect(stored(storage)).toEqual({ blobs: 0, layers: 0, tmp: 0 });
    });
  });
});

describe("save", () => {
  const hasSkopeo = existsSync("/usr/bin/skopeo");

  test("gives what load takes, byte for byte the same twice", async () => {
    await withStorage(async (storage) => {
      await importOne(storage, { name: "app:1" });
      await importOne(storage, { name: "other", content: "2" });
      const archive = await collect(storage.images.save(NAMESPACE, ["app:1", "other"]));
      expect(await collect(storage.images.save(NAMESPACE, ["app:1", "other"]))).toEqual(archive);
      const ids = ["app:1", "other"].map((name) => storage.images.remove(NAMESPACE, name, { force: false })[1]);
      expect(stored(storage)).toEqual({ blobs: 0, layers: 0, tmp: 0 });
      await load(storage, archive);
      expect(["app:1", "other"].map((name) => ({ Deleted: storage.images.resolve(NAMESPACE, name).id }))).toEqual(ids);
    });
  });

  test("a repository stands for all its tags, an id for the image without names", async () => {
    await withStorage(async (storage) => {
      const id = await importOne(storage, { name: "app:1" });
      storage.images.tag({ namespace: NAMESPACE, source: id, repository: "app", tag: "2" });
      const manifestOf = async (reference: string): Promise<unknown> => {
        const archive = await collect(storage.images.save(NAMESPACE, [reference]));
        return JSON.parse(execFileSync("tar", ["-xO", "manifest.json"], { input: archive, encoding: "utf8" }));
      };
      expect(await manifestOf("app")).toMatchObject([{ RepoTags: ["app:1", "app:2"] }]);
      expect(await manifestOf("app:2")).toMatchObject([{ RepoTags: ["app:2"] }]);
      expect(await manifestOf(id)).toMatchObject([{ RepoTags: null }]);
      expect(() => storage.images.save(NAMESPACE, ["app:3"])).toThrow("No such image: app:3");
    });
  });

  test.runIf(hasSkopeo)("is read by skopeo as Docker archive and as OCI layout, and skopeo's are read by us", async () => {
    const directory = mkdtempSync(join(tmpdir(), "flotilla-skopeo-"));
    const skopeo = (...args: string[]): string =>
      execFileSync("skopeo", ["--insecure-policy", "--tmpdir", directory, ...args], { encoding: "utf8" });
    try {
      await withStorage(async (storage) => {
        const layers = await Promise.all([tarOf([{ name: "a", content: "1" }]), tarOf([{ name: "b", content: "22" }])]);
        await load(storage, await dockerArchive({ layers: layers.map((layer) => gzipSync(layer)), plainLayers: layers, tags: ["app:1"] }));
        const { id } = storage.images.resolve(NAMESPACE, "app:1");
        const file = join(directory, "save.tar");
        writeFileSync(file, await collect(storage.images.save(NAMESPACE, ["app:1"])));
        expect(JSON.parse(skopeo("inspect", `docker-archive:${file}:app:1`))).toMatchObject({
          Architecture: "amd64",
          Layers: [expect.anything(), expect.anything()],
        });
        expect(JSON.parse(skopeo("inspect", `oci-archive:${file}`))).toMatchObject({ Os: "linux" });
        for (const target of ["docker-archive", "oci-archive"]) {
          const copy = join(directory, `${target}.tar`);
          skopeo("copy", `oci-archive:${file}`, `${target}:${copy}:copied:${target}`);
          await load(storage, execFileSync("cat", [copy], { maxBuffer: 1 << 26 }));
          expect(storage.images.inspect(NAMESPACE, `copied:${target}`).RootFS.Layers).toEqual(
            storage.images.inspect(NAMESPACE, id).RootFS.Layers,
          );
        }
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
