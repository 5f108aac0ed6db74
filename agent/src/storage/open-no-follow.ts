import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

/**
 * Opens a directory without following a symlink in its last part. Its children are then named through
 * /proc/self/fd, so that a container that swaps a directory for a symlink cannot lead a walk out of its tree.
 */
export async function openDirectory(path: string | Buffer): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** A path that stands for the open directory itself. */
export function pathOf(directory: FileHandle): string {
  return `/proc/self/fd/${directory.fd}`;
}
