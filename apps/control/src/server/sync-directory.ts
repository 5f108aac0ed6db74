import { open } from "node:fs/promises";

/** Puts a directory's names on the disk: what was renamed in it is found after a power failure (fsync(2)). */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
