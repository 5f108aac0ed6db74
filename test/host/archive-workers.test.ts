// Workers that take one job of a build or a pull after the other.
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { makeArchiveWorkers, type ArchiveWorkers } from "../../agent/src/archive/workers.ts";
import { mount, unmount } from "../../agent/src/host/libc.ts";
import { tarOf, type Entry } from "./storage-fixture.ts";
import { COMPILE_CACHE_CONFIG } from "../support/compile-cache.ts";

type Place = { base: string; workers: ArchiveWorkers };

async function withWorkers(work: (place: Place) => Promise<void>): Promise<void> {
  const base = mkdtempSync(join(tmpdir(), "flotilla-workers-"));
  const workers = makeArchiveWorkers(COMPILE_CACHE_CONFIG);
  try {
    await work({ base, workers });
  } finally {
    await workers.close();
    unmount(join(base, "container", "proc"));
    rmSync(base, { recursive: true, force: true });
  }
}

/** Worker processes of this process. */
function workerPids(): number[] {
  const children = readdirSync("/proc/self/task").flatMap((thread) => {
    return readFileSync(`/proc/self/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  });
  return children.filter(
    (pid) => existsSync(`/proc/${pid}/cwd`) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("worker/main.mjs"),
  );
}

async function takeContext({ base, workers }: Place, name: string, entries: readonly Entry[]): Promise<string> {
  const root = join(base, name);
  mkdirSync(root);
  const inputPath = join(base, `${name}.tar`);
  writeFileSync(inputPath, await tarOf(entries));
  await workers.run({ kind: "build-context", root, inputPath, indexPath: join(base, `${name}.json`), maxBytes: 1e6 });
  return root;
}

function copyAll(from: string, to: { root: string; destination: string }): Parameters<ArchiveWorkers["run"]>[0] {
  const items = { kind: "exact" as const, items: [{ path: "", name: "" }] };
  return { kind: "build-copy", sourceRoot: from, ...to, items, keepsParents: false, exclude: [], ignore: [] };
}

describe("what a worker packs", () => {
  /** A worker that waits because the job before kept it. */
  async function keptWorker(place: Place): Promise<void> {
    await takeContext(place, "before", [{ name: "x", content: "x" }]);
    expect(workerPids()).toHaveLength(1);
  }

  function smallTree({ base }: Place): string {
    const root = join(base, "small");
    mkdirSync(root);
    writeFileSync(join(root, "a"), "hello");
    return root;
  }

  async function bytesOf(stream: Readable): Promise<Buffer> {
    return Buffer.concat((await stream.toArray()) as Buffer[]);
  }

  test("is whole although nobody read it while the worker lived, also of one that had other jobs", async () => {
    await withWorkers(async (place) => {
      await keptWorker(place);
      const root = smallTree(place);
      for (const state of ["kept", "new"]) {
        const { stream, done } = place.workers.packLayer({ kind: "pack-layer", root, mountPoints: [], isConsumed: false });
        expect(await done, state).toEqual({ sizeBytes: 5 });
        expect((await bytesOf(stream)).length, state).toBe(2048);
      }
    });
  });

  test("is whole for docker cp and docker export however late they read", async () => {
    await withWorkers(async (place) => {
      await keptWorker(place);
      const root = smallTree(place);
      for (const isExport of [false, true]) {
        const [packer] = workerPids();
        const { stream } = await place.workers.pack({ kind: "pack", root, path: isExport ? "/" : "/a", isExport });
        await expect.poll(() => workerPids()).not.toContain(packer);
        expect((await bytesOf(stream)).toString("latin1")).toContain("hello");
      }
    });
  });

  test("a worker that dies in the middle is an error and no end, and a path that is not there is told once", async () => {
    await withWorkers(async (place) => {
      const root = smallTree(place);
      writeFileSync(join(root, "large"), Buffer.alloc(8 * 1024 * 1024));
      const { stream } = await place.workers.pack({ kind: "pack", root, path: "/", isExport: true });
      for (const pid of workerPids()) process.kill(pid, "SIGKILL");
      await expect(bytesOf(stream)).rejects.toThrow("archive worker: ended by SIGKILL");
      await expect(place.workers.pack({ kind: "pack", root, path: "/missing", isExport: false })).rejects.toThrow("missing");
    });
  });
});

describe("a worker of a build", () => {
  test("takes the context in, copies and packs, one job after the other", async () => {
    await withWorkers(async (place) => {
      const { base, workers } = place;
      const source = await takeContext(place, "source", [
        { name: "a/", type: "directory" },
        { name: "a/b", content: "hello" },
      ]);
      const [pid, ...others] = workerPids();
      expect(others).toEqual([]);
      const target = join(base, "target");
      mkdirSync(target);
      await workers.run(copyAll(source, { root: target, destination: "/app/" }));
      expect(readFileSync(join(target, "app/a/b"), "utf8")).toBe("hello");
      const outputPath = join(base, "layer.tar");
      const packed = await workers.run({ kind: "pack-layer", root: target, outputPath, mountPoints: [], isConsumed: true });
      const tar = readFileSync(outputPath);
      const diffId = `sha256:${createHash("sha256").update(tar).digest("hex")}`;
      expect(packed).toEqual({ kind: "packed", sizeBytes: 5, diffId, tarBytes: tar.length });
      expect(workerPids()).toEqual([pid]);
    });
  });

  test("resolves the links of each tree inside of that tree", async () => {
    await withWorkers(async (place) => {
      const { base, workers } = place;
      const source = await takeContext(place, "source", [{ name: "file", content: "x" }]);
      for (const name of ["one", "two"]) {
        const root = join(base, name);
        mkdirSync(root);
        symlinkSync(join(base, "outside"), join(root, "way"));
        await workers.run(copyAll(source, { root, destination: "/way/" })).catch(() => undefined);
        expect(existsSync(join(base, "outside"))).toBe(false);
      }
    });
  });

  test("ends with a job that fails; the next one is another's", async () => {
    await withWorkers(async (place) => {
      const { base, workers } = place;
      const source = await takeContext(place, "source", [{ name: "file", content: "x" }]);
      const before = workerPids();
      const outputPath = join(base, "there");
      writeFileSync(outputPath, "");
      await expect(workers.run({ kind: "pack-layer", root: source, outputPath, mountPoints: [], isConsumed: false })).rejects.toThrow(
        "EEXIST",
      );
      expect(workerPids().filter((pid) => before.includes(pid))).toEqual([]);
      await workers.run({ kind: "build-scan", root: source, sources: ["file"] });
    });
  });

  test("gives its way back up for a tree in which /proc is mounted", async () => {
    await withWorkers(async (place) => {
      const { base, workers } = place;
      await takeContext(place, "source", [{ name: "file", content: "x" }]);
      const [pid = 0] = workerPids();
      const way = readdirSync(`/proc/${pid}/fd`).find((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === "/");
      expect(way).toBeDefined();
      const root = join(base, "container");
      mkdirSync(join(root, "proc"), { recursive: true });
      mount({ source: "proc", target: join(root, "proc"), type: "proc" });
      // The machine's own processes are in it, this worker too.
      await expect(workers.run({ kind: "stat", root, path: "/proc/self/status" })).resolves.toMatchObject({ kind: "stat" });
      const again = await takeContext(place, "again", [{ name: "file", content: "x" }]);
      expect(again).toBe(join(base, "again"));
      const last = workerPids().find((other) => readdirSync(`/proc/${other}/fd`).some((fd) => fd === way));
      expect(last).toBeDefined();
      await expect(workers.run({ kind: "stat", root, path: `/proc/self/fd/${way}/etc/passwd` })).rejects.toThrow(/not find|No such|ENOENT/);
    });
  });
});

describe("a worker of a pull", () => {
  const extractJob = (root: string, inputPath: string): Parameters<ArchiveWorkers["extract"]>[0] => {
    mkdirSync(root);
    return { kind: "extract-layer", root, inputPath, compression: "gzip" };
  };

  test("extracts layers from files that grow, one after the other, each into its own tree", async () => {
    await withWorkers(async ({ base, workers }) => {
      const pids = new Set<number>();
      for (const name of ["one", "two"]) {
        const tar = await tarOf([
          { name: "up", type: "symlink", linkname: "../../../.." },
          { name: `up/${name}`, content: name.repeat(100_000) },
        ]);
        const blob = gzipSync(tar);
        const path = join(base, `${name}.gz`);
        async function* written(): AsyncGenerator<number> {
          for (let at = 0; at < blob.length; at += 100) {
            appendFileSync(path, blob.subarray(at, at + 100));
            yield Math.min(at + 100, blob.length);
          }
        }
        writeFileSync(path, "");
        const answer = await workers.extract(extractJob(join(base, name), path), written());
        const diffId = `sha256:${createHash("sha256").update(tar).digest("hex")}`;
        expect(answer).toMatchObject({ kind: "extracted", diffId, sizeBytes: name.length * 100_000, entries: 2 });
        // Through the link, which leads to the root of the tree.
        expect(readFileSync(join(base, name, name), "utf8")).toBe(name.repeat(100_000));
        for (const pid of workerPids()) pids.add(pid);
      }
      expect(pids.size).toBe(1);
    });
  });

  test("a source that breaks and a layer that is wrong are told in their own words, and nobody is asked for more", async () => {
    await withWorkers(async ({ base, workers }) => {
      const blob = gzipSync(Buffer.alloc(5000, "no tar"));
      const path = join(base, "blob");
      writeFileSync(path, Buffer.concat([blob, Buffer.alloc(100_000)]));
      async function* broken(): AsyncGenerator<number> {
        yield 10;
        throw new Error("the line broke");
      }
      await expect(workers.extract(extractJob(join(base, "broken"), path), broken())).rejects.toThrow("the line broke");
      let isEnded = false;
      async function* endless(): AsyncGenerator<number> {
        try {
          for (let length = blob.length; ; length = Math.min(length + 1, 100_000)) {
            yield length;
            await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          isEnded = true;
        }
      }
      await expect(workers.extract(extractJob(join(base, "wrong"), path), endless())).rejects.toThrow("invalid tar header");
      expect(isEnded).toBe(true);
      await expect.poll(workerPids).toEqual([]);
    });
  });

  test("a file that was cut off is no layer", async () => {
    await withWorkers(async ({ base, workers }) => {
      const blob = gzipSync(await tarOf([{ name: "a", content: "a".repeat(1000) }]));
      const path = join(base, "blob");
      writeFileSync(path, blob);
      const lengths = (...all: number[]): AsyncIterable<number> => Readable.from(all) as AsyncIterable<number>;
      const cut = workers.extract(extractJob(join(base, "cut"), path), lengths(5, blob.length - 1));
      await expect(cut).rejects.toThrow("gzip: invalid or truncated data");
      const short = workers.extract(extractJob(join(base, "short"), path), lengths(blob.length + 1));
      await expect(short).rejects.toThrow("shorter than what was written");
      const stop = new AbortController();
      async function* stopped(): AsyncGenerator<number> {
        yield 5;
        stop.abort();
        throw new Error("context canceled");
      }
      await expect(workers.extract(extractJob(join(base, "stopped"), path), stopped(), stop.signal)).rejects.toThrow();
    });
  });
});
