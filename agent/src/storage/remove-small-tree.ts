import { lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";

const SLASH = Buffer.from("/");

/**
 * Deletes a tree if it has at most `limit` entries, else some of it. Never follows a symlink nor enters another file
 * system; names are bytes. Whatever else is in the way is left to the caller, too.
 * @returns whether all of it is gone.
 */
export function removeSmallTree(path: string, limit: number): boolean {
  try {
    const root = Buffer.from(path);
    const stats = lstatSync(root);
    if (!stats.isDirectory()) {
      unlinkSync(root);
      return true;
    }
    return removeDirectory(root, { device: stats.dev, left: limit });
  } catch {
    return false;
  }
}

function removeDirectory(directory: Buffer, budget: { device: number; left: number }): boolean {
  const entries = readdirSync(directory, { withFileTypes: true, encoding: "buffer" });
  budget.left -= entries.length;
  if (budget.left < 0) return false;
  for (const entry of entries) {
    const path = Buffer.concat([directory, SLASH, entry.name]);
    if (!entry.isDirectory()) unlinkSync(path);
    else if (lstatSync(path).dev !== budget.device || !removeDirectory(path, budget)) return false;
  }
  rmdirSync(directory);
  return true;
}
