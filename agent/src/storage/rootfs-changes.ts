// `docker diff`: what a container's writable layer changes of its image.
import { toDisplay } from "../archive/tar/block.ts";
import { Pace } from "./pace.ts";
import { type TreeChange, walkChanges } from "./walk-changes.ts";

export type RootfsChange = { path: string; kind: 0 | 1 | 2 };

const DOCKER_KIND = { changed: 0, added: 1, removed: 2 } as const;
/** Made by the runtime in every container to mount on; Docker makes them in a layer of its own that diff does not show. */
const ENGINE_MOUNT_POINTS: ReadonlySet<string> = new Set(["/dev", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/proc", "/sys"]);

/** @param lowers layer directories, top first. Sorted by path. */
export async function treeChanges(upper: string, lowers: readonly string[]): Promise<RootfsChange[]> {
  const changes: { path: string; kind: 0 | 1 | 2 }[] = [];
  /** Directories in which a mount point of the engine's was passed over. */
  const passed = new Set<string>();
  await walkChanges(
    { upper, lowers, pace: new Pace() },
    {
      enter(change) {
        if (isMountPoint(change)) {
          passed.add(change.path.slice(0, -change.name.length - 1));
          return false;
        }
        changes.push({ path: change.path, kind: DOCKER_KIND[change.kind] });
        return true;
      },
      leave(change) {
        // In the writable layer only because a mount point of the engine's is in it.
        if (passed.has(change.path) && changes.at(-1)?.path === change.path && isUntouched(change)) changes.pop();
      },
    },
  );
  return changes
    .map((change) => ({ ...change, path: toDisplay(change.path) }))
    .toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function isMountPoint({ path, stats, below }: TreeChange): boolean {
  if (stats === undefined || below !== undefined || !ENGINE_MOUNT_POINTS.has(path)) return false;
  return stats.isDirectory() || stats.size === 0;
}

function isUntouched({ stats, below }: TreeChange): boolean {
  return below === undefined || (below.mode === stats?.mode && below.uid === stats.uid && below.gid === stats.gid);
}
