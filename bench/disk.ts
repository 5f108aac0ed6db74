import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "./measure.ts";

/** Sparse: what is not written costs nothing. */
const DISK_BYTES = 40 * 2 ** 30;

/**
 * A new ext4 file system in a file, for the data of both engines and of the registries. What else goes on in the machine's own
 * file system does not reach it; above all, one without a journal does not use an inode again for five minutes and looks at
 * each of those for every new file: after 20,000 files were deleted, making 20,000 takes minutes, whichever engine does it.
 */
export async function makeDisk(dir: string): Promise<{ path: string; close(): Promise<void> }> {
  const image = join(dir, "disk.img");
  const path = join(dir, "d");
  writeFileSync(image, "");
  truncateSync(image, DISK_BYTES);
  await command(["mkfs.ext4", "-q", "-F", image]);
  mkdirSync(path);
  await command(["mount", "-o", "loop,discard", image, path]);
  const close = async (): Promise<void> => {
    await command(["umount", path]);
    rmSync(image);
  };
  return { path, close };
}
