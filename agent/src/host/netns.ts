// Network namespaces kept by name: a file with the namespace bind-mounted on it, as ip-netns(8) does it.
//
// setns(2) and unshare(2) move the calling thread, which is Node's main thread. So each visit happens within one turn of
// the event loop, with no await inside, and ends in `finally`: nothing else of this process ever runs in a foreign
// namespace. Sockets opened inside stay in the namespace for ever, which is how the rest is done from outside.
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { CLONE, mount, MS, setns, unmount, unshare } from "./libc.ts";

/** `/proc/thread-self` and not `/proc/self`: the latter is the main thread, which need not be the caller in a test's worker. */
const OWN_NETNS = "/proc/thread-self/ns/net";
const NSFS_MAGIC = 0x6e736673;

/**
 * Makes a network namespace and keeps it under `path` (a file, made here; parents too). `inside` runs in it: open sockets
 * there, await nothing. When it throws, nothing stays.
 */
export function createNetns<T>(path: string, inside: () => T): T {
  makeFile(path);
  const home = openSync(OWN_NETNS, "r");
  try {
    unshare(CLONE.NEWNET);
    try {
      mount({ source: OWN_NETNS, target: path, flags: MS.BIND });
      return inside();
    } finally {
      setns(home, CLONE.NEWNET);
    }
  } catch (error) {
    removeNetns(path);
    throw error;
  } finally {
    closeSync(home);
  }
}

/** The directory is there but for the first one. */
function makeFile(path: string): void {
  const make = (): void => closeSync(openSync(path, "wx", 0o444));
  try {
    make();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
    make();
  }
}

/** Runs `visit` inside the namespace of `path`. Synchronous: `visit` must not return a promise. */
export function inNetns<T>(path: string, visit: () => T): T {
  const home = openSync(OWN_NETNS, "r");
  try {
    const target = openSync(path, "r");
    try {
      setns(target, CLONE.NEWNET);
      try {
        return visit();
      } finally {
        setns(home, CLONE.NEWNET);
      }
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(home);
  }
}

/** Whether a namespace is kept under `path`, and not just its file. */
export function hasNetns(path: string): boolean {
  return existsSync(path) && statfsSync(path).type === NSFS_MAGIC;
}

/** Lets go of the name; the namespace lives on while a process is in it. Idempotent. */
export function removeNetns(path: string): void {
  if (!existsSync(path)) return;
  unmount(path);
  rmSync(path, { force: true });
}

/** Names in a directory of namespaces, those whose mount is gone included. */
export function listNetns(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
