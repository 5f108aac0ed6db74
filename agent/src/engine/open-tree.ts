import { mkdirSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type HeldPath, holdPath } from "../host/held-path.ts";
import { mount, MS, unmount } from "../host/libc.ts";
import { resolveInRoot } from "../host/rooted-path.ts";
import { type EngineContext, treesDir } from "./context.ts";
import { assertBindAllowed } from "./guard-container.ts";
import { holdSubpath, missingSource } from "./pinned-sources.ts";
import { type ContainerRecord, isAlive, type RecordedMount } from "./record.ts";

export type Tree = { root: string; isReadOnly: boolean; release(): Promise<void> };

/**
 * The whole tree of a container. While it runs, /proc/PID/root is just that, mounts included; otherwise its root is
 * mounted and its binds and volumes are laid over it in a private directory, which `release` takes away.
 */
export async function openTree(context: EngineContext, record: ContainerRecord): Promise<Tree> {
  const isReadOnly = record.hostConfig.ReadonlyRootfs;
  if (isAlive(record)) return { root: `/proc/${record.pid}/root`, isReadOnly, release: async () => undefined };
  return await context.locks.run(record.id, async () => await mountTree(context, record));
}

async function mountTree(context: EngineContext, record: ContainerRecord): Promise<Tree> {
  const rootfs = await context.images.mountRootfs(record.id);
  const root = join(treesDir(context.config), `${record.id}-${process.hrtime.bigint()}`);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const mounted: string[] = [];
  const bind = (source: string, target: string): void => {
    mount({ source, target, flags: MS.BIND | MS.REC });
    mounted.push(target);
  };
  const release = async (): Promise<void> => {
    for (const target of mounted.toReversed()) unmount(target);
    // Never recursively: what an unmount left in place would be deleted with it.
    rmdirSync(root);
    await context.locks.run(record.id, async () => {
      const current = context.store.byId(record.id);
      if (current !== undefined && !isAlive(current)) await context.images.unmountRootfs(record.id);
    });
  };
  bind(rootfs, root);
  for (const point of record.mounts.filter((candidate) => candidate.type !== "tmpfs")) {
    const source = holdSource(context, record, point);
    try {
      const target = resolveInRoot(root, point.destination);
      makeMountPoint(source.path, target);
      bind(source.path, target);
      // A bind takes its flags in a second call only.
      if (point.isReadOnly) mount({ source: source.path, target, flags: MS.BIND | MS.REMOUNT | MS.RDONLY });
    } finally {
      source.close();
    }
  }
  return { root, isReadOnly: record.hostConfig.ReadonlyRootfs, release };
}

/** What is mounted is what was looked at, also when a container that shares it puts a link in its place. */
function holdSource(context: EngineContext, record: ContainerRecord, point: RecordedMount): HeldPath {
  if (point.type === "volume") return holdSubpath(context.volumes.path(record.namespace, point.name), point.subpath);
  const held = holdPath(point.source);
  if (held === undefined) throw missingSource(point.source);
  try {
    if (!point.isOwn) assertBindAllowed(context, record, { asked: point.source, realPath: held.realPath, isSocket: held.isSocket });
    return held;
  } catch (error) {
    held.close();
    throw error;
  }
}

/** A file is bound on a file, anything else on a directory. */
function makeMountPoint(source: string, target: string): void {
  if (statSync(target, { throwIfNoEntry: false }) !== undefined) return;
  const isFile = statSync(source).isFile();
  mkdirSync(isFile ? dirname(target) : target, { recursive: true });
  if (isFile) writeFileSync(target, "");
}
