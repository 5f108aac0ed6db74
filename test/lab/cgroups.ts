import { readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const ROOT = "/sys/fs/cgroup";
const ATTEMPTS = 100;

/** Removes the cgroups of instances whose processes are gone, in every hierarchy; the kernel may need a moment for the last. */
export async function removeCgroupsOf(instances: readonly string[]): Promise<void> {
  const names = instances.map((instance) => `flotilla-${instance}`);
  for (let left = ATTEMPTS; ; left -= 1) {
    const found = [ROOT, ...directories(ROOT)].flatMap((hierarchy) =>
      directories(hierarchy).filter((path) => names.some((name) => path.endsWith(`/${name}`))),
    );
    for (const path of found) removeTree(path);
    if (found.length === 0 || left === 0) return;
    await setTimeout(20);
  }
}

function removeTree(path: string): void {
  for (const child of directories(path)) removeTree(child);
  try {
    rmdirSync(path);
  } catch {
    // Still busy, or gone meanwhile: looked at again.
  }
}

function directories(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [join(path, entry.name)] : []));
  } catch {
    return [];
  }
}
