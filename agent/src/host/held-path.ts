import { closeSync, fstatSync, openSync, readlinkSync } from "node:fs";

/** open(2), not in Node's constants: a descriptor that only names a file, and opens neither devices nor fifos. */
const O_PATH = 0o10_000_000;

/** A file of the host held by a descriptor: what was looked at is what is mounted, whoever changes links and names meanwhile. */
export type HeldPath = {
  /** Names it in system calls of this process until `close`. */
  path: string;
  /** Where it is, without links. */
  realPath: string;
  isDirectory: boolean;
  isSocket: boolean;
  close(): void;
};

/** Follows links. Undefined when there is nothing, or it was removed since. */
export function holdPath(path: string): HeldPath | undefined {
  let fd: number;
  try {
    fd = openSync(path, O_PATH);
  } catch {
    return undefined;
  }
  const held = `/proc/self/fd/${fd}`;
  const stat = fstatSync(fd);
  const realPath = readlinkSync(held);
  if (stat.nlink === 0) {
    closeSync(fd);
    return undefined;
  }
  return { path: held, realPath, isDirectory: stat.isDirectory(), isSocket: stat.isSocket(), close: () => closeSync(fd) };
}
