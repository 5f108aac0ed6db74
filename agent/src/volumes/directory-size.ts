import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * Sum of the sizes of all files below a directory in bytes, as Docker counts volumes: directories nothing, a hard link
 * once, symlinks not followed. What vanishes meanwhile does not count.
 */
export async function directorySizeBytes(root: string): Promise<number> {
  const pending = [root];
  const seen = new Set<string>();
  let total = 0;
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const entry of await entriesOf(directory)) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) pending.push(path);
      else total += await fileSizeBytes(path, seen);
    }
  }
  return total;
}

async function entriesOf(directory: string): Promise<{ name: string; isDirectory(): boolean }[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

async function fileSizeBytes(path: string, seen: Set<string>): Promise<number> {
  try {
    const { dev, ino, nlink, size } = await lstat(path);
    if (nlink === 1) return size;
    const key = `${dev}:${ino}`;
    if (seen.has(key)) return 0;
    seen.add(key);
    return size;
  } catch {
    return 0;
  }
}
