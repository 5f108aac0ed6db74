import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a directory anew: `write` fills one beside it, which then takes its place, so that a program that runs from it meanwhile, or
 * another that makes it too, finds a whole one.
 */
export async function replaceDirectory(path: string, write: (fresh: string) => Promise<void>): Promise<void> {
  const fresh = `${path}.${process.pid}`;
  const old = `${fresh}.old`;
  mkdirSync(dirname(path), { recursive: true });
  try {
    await write(fresh);
    moveAway(path, old);
    moveAway(fresh, path);
  } finally {
    for (const dir of [old, fresh]) rmSync(dir, { recursive: true, force: true });
  }
}

/** Does nothing where another process has just done the same. */
function moveAway(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}
