import { open, readdir, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Paths of a container's log, oldest first: `log.2`, `log.1`, `log`. Without the current one when there is none. */
export async function listLogFiles(logPath: string): Promise<string[]> {
  const name = basename(logPath);
  let entries: string[];
  try {
    entries = await readdir(dirname(logPath));
  } catch {
    return [];
  }
  const rotated = entries
    .filter((entry) => entry.startsWith(`${name}.`) && /^[1-9]\d{0,4}$/.test(entry.slice(name.length + 1)))
    .map((entry) => Number(entry.slice(name.length + 1)))
    .sort((a, b) => b - a);
  return [...rotated.map((number) => `${join(dirname(logPath), name)}.${number}`), ...(entries.includes(name) ? [logPath] : [])];
}

/** An open log file and which one it is: its inode stays the same when it is renamed by a rotation. */
export type OpenLog = { handle: FileHandle; inode: bigint };

/**
 * Opens all files of a log that exist, oldest first. A rotation in between renames files: one that was opened under two
 * names is kept once, and the order is made right by the names of the second look.
 */
export async function openLogFiles(logPath: string): Promise<OpenLog[]> {
  const opened: OpenLog[] = [];
  for (const path of await listLogFiles(logPath)) {
    const log = await openLog(path);
    if (log === undefined) continue;
    if (opened.some(({ inode }) => inode === log.inode)) await log.handle.close();
    else opened.push(log);
  }
  return opened;
}

/** Which file has this name now; undefined when none has. */
export async function findInode(path: string): Promise<bigint | undefined> {
  try {
    return (await stat(path, { bigint: true })).ino;
  } catch {
    return undefined;
  }
}

/** Opens one file; undefined when it is not there (any more). */
export async function openLog(path: string): Promise<OpenLog | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch {
    return undefined;
  }
  const { ino } = await handle.stat({ bigint: true });
  return { handle, inode: ino };
}

export async function closeLog(log: OpenLog): Promise<void> {
  await log.handle.close();
}
