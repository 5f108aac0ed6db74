// Workers that take one job of a build after the other.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
    (pid) => existsSync(`/proc/${pid}/cwd`) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("worker/main.ts"),
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
