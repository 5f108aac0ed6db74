// System calls that Node does not offer, through libc by koffi. Synchronous: each takes microseconds and must not be
// interleaved with another (setns and unshare change the calling thread, which is Node's main thread).
//
// What it does NOT do: run anything in a thread of its own, keep descriptors, or parse a path. Callers hand in paths
// that the agent itself made (data and run directories), never a path from a user, an image or a tar.
import { getSystemErrorName } from "node:util";
import { FlotillaError } from "@flotilla/core";
import koffi from "koffi";

const libc = koffi.load("libc.so.6");

const c = {
  mount: libc.func("int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)"),
  umount2: libc.func("int umount2(const char *target, int flags)"),
  unshare: libc.func("int unshare(int flags)"),
  setns: libc.func("int setns(int fd, int nstype)"),
  mknod: libc.func("int mknod(const char *path, unsigned int mode, unsigned long dev)"),
  lsetxattr: libc.func("int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)"),
  lgetxattr: libc.func("int64_t lgetxattr(const char *path, const char *name, _Out_ uint8_t *value, size_t size)"),
  llistxattr: libc.func("int64_t llistxattr(const char *path, _Out_ uint8_t *list, size_t size)"),
  chroot: libc.func("int chroot(const char *path)"),
  fchdir: libc.func("int fchdir(int fd)"),
  syncfs: libc.func("int syncfs(int fd)"),
  kill: libc.func("int kill(int pid, int sig)"),
  capget: libc.func("int capget(const void *header, _Out_ uint8_t *data)"),
  capset: libc.func("int capset(const void *header, const void *data)"),
} as const;

/** `MS_*` of mount(2). */
export const MS = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  REMOUNT: 0x20,
  BIND: 0x1000,
  REC: 0x4000,
  PRIVATE: 0x40000,
  SLAVE: 0x80000,
  SHARED: 0x100000,
} as const;

/** `MNT_*` of umount2(2). */
export const MNT = { FORCE: 1, DETACH: 2 } as const;

/** `CLONE_NEW*` of unshare(2) and setns(2). */
export const CLONE = { NEWNS: 0x0002_0000, NEWNET: 0x4000_0000 } as const;

/** A failed system call: `details.errno` is its name, such as "EBUSY". */
function check(call: string, result: number): number {
  if (result >= 0) return result;
  const errno = koffi.errno();
  const name = getSystemErrorName(-errno);
  throw new FlotillaError("internal", `${call}: ${name}`, { details: { errno: name } });
}

/** errno name of a failed call of this file, "" for any other error. */
export function errnoOf(error: unknown): string {
  return error instanceof FlotillaError && typeof error.details["errno"] === "string" ? error.details["errno"] : "";
}

export type MountOptions = { source: string; target: string; type?: string; flags?: number; data?: string };

/** mount(2). @throws FlotillaError `internal` with `details.errno`. */
export function mount(options: MountOptions): void {
  const { source, target, type = null, flags = 0, data = null } = options;
  check(`mount ${type ?? "bind"} on ${target}`, c.mount(source, target, type, flags, data) as number);
}

/** Unmounts; what is not mounted (EINVAL) or not there (ENOENT) counts as done. */
export function unmount(target: string, flags: number = MNT.DETACH): void {
  try {
    check(`umount ${target}`, c.umount2(target, flags) as number);
  } catch (error) {
    if (!["EINVAL", "ENOENT"].includes(errnoOf(error))) throw error;
  }
}

/**
 * Like `unmount`, in a thread of libuv's pool: the last unmount of a file system writes its dirty data out, which can
 * take seconds that the caller's event loop must not stand still for.
 */
export async function unmountInBackground(target: string, flags: number = MNT.DETACH): Promise<void> {
  const name = await inBackground(`umount ${target}`, (done) => c.umount2.async(target, flags, done));
  if (!["", "EINVAL", "ENOENT"].includes(name))
    throw new FlotillaError("internal", `umount ${target}: ${name}`, { details: { errno: name } });
}

/** syncfs(2) in a thread of the pool: what was written to the file system of an open descriptor is on the disk then. */
export async function syncFileSystem(fd: number): Promise<void> {
  const errno = await inBackground("syncfs", (done) => c.syncfs.async(fd, done));
  if (errno !== "") throw new FlotillaError("internal", `syncfs: ${errno}`, { details: { errno } });
}

/** Runs an asynchronous call. @returns name of its errno, "" when it succeeded. */
async function inBackground(call: string, begin: (done: (error: Error | null, result: number) => void) => void): Promise<string> {
  const errno = await new Promise<number>((resolve, reject) => {
    begin((error, result) => {
      // koffi keeps errno for the callback of an asynchronous call.
      if (error !== null) reject(new FlotillaError("internal", `${call}: ${error.message}`, { cause: error }));
      else resolve(result < 0 ? koffi.errno() : 0);
    });
  });
  return errno === 0 ? "" : getSystemErrorName(-errno);
}

/** unshare(2) of the calling (main) thread. */
export function unshare(flags: number): void {
  check("unshare", c.unshare(flags) as number);
}

/** setns(2) of the calling (main) thread; `fd` is an open /proc/…/ns file. */
export function setns(fd: number, nstype: number): void {
  check("setns", c.setns(fd, nstype) as number);
}

/** A path of libc: text, or bytes for names that are not UTF-8. */
export type LibcPath = string | Uint8Array;

/** Bytes get the NUL that C expects; a string gets it from koffi. */
function cPath(path: LibcPath): LibcPath {
  return typeof path === "string" ? path : Buffer.concat([path, Buffer.alloc(1)]);
}

/** A path for a message: bytes that are no UTF-8 show as the replacement character. */
function display(path: LibcPath): string {
  return typeof path === "string" ? path : Buffer.from(path).toString("utf8");
}

/** mknod(2); `mode` includes the S_IF* type bits. */
export function mknod(path: LibcPath, mode: number, device: { major: number; minor: number }): void {
  check(`mknod ${display(path)}`, c.mknod(cPath(path), mode, makedev(device.major, device.minor)) as number);
}

/** gnu_dev_makedev: 12 bits of major and 8 of minor low, the rest above (sys/sysmacros.h). */
export function makedev(major: number, minor: number): bigint {
  const M = BigInt(major);
  const m = BigInt(minor);
  return ((M & 0xfffn) << 8n) | (m & 0xffn) | ((m & ~0xffn) << 12n) | ((M & ~0xfffn) << 32n);
}

/** lsetxattr(2), creating or replacing; does not follow a symlink. */
export function lsetxattr(path: LibcPath, name: string, value: Uint8Array): void {
  check(`lsetxattr ${name} on ${display(path)}`, c.lsetxattr(cPath(path), name, value, value.length, 0) as number);
}

/** Value of an extended attribute, undefined when there is none or the file system has no attributes. */
export function lgetxattr(path: LibcPath, name: string): Uint8Array | undefined {
  const buffer = new Uint8Array(65_536);
  const size = Number(c.lgetxattr(cPath(path), name, buffer, buffer.length));
  if (size >= 0) return buffer.slice(0, size);
  const errno = getSystemErrorName(-koffi.errno());
  if (errno === "ENODATA" || errno === "EOPNOTSUPP" || errno === "ENOTSUP") return undefined;
  throw new FlotillaError("internal", `lgetxattr ${name} on ${display(path)}: ${errno}`, { details: { errno } });
}

/** Names of the extended attributes of a path. */
export function llistxattr(path: LibcPath): string[] {
  const buffer = new Uint8Array(65_536);
  const size = Number(c.llistxattr(cPath(path), buffer, buffer.length));
  if (size < 0) {
    const errno = getSystemErrorName(-koffi.errno());
    if (errno === "EOPNOTSUPP" || errno === "ENOTSUP") return [];
    throw new FlotillaError("internal", `llistxattr on ${display(path)}: ${errno}`, { details: { errno } });
  }
  return Buffer.from(buffer.subarray(0, size))
    .toString("utf8")
    .split("\0")
    .filter((name) => name !== "");
}

/** chroot(2) and chdir("/"): for worker processes that read or write inside a tree of an image or a container. */
export function chroot(path: string): void {
  check(`chroot ${path}`, c.chroot(path) as number);
  process.chdir("/");
}

/** fchdir(2): into a directory that is open, wherever the process's root is. */
export function fchdir(fd: number): void {
  check("fchdir", c.fchdir(fd) as number);
}

/** `CAP_*` of capabilities(7). */
export const CAP = { SYS_PTRACE: 19 } as const;

/** _LINUX_CAPABILITY_VERSION_3: two words each of effective, permitted and inheritable (linux/capability.h). */
const CAPABILITY_VERSION_3 = 0x2008_0522;

/** Gives one of the first 32 capabilities up, for the calling (main) thread and for good. */
export function dropCapability(capability: number): void {
  const header = new Uint32Array([CAPABILITY_VERSION_3, 0]);
  const bytes = new Uint8Array(24);
  check("capget", c.capget(header, bytes) as number);
  const words = new Uint32Array(bytes.buffer);
  // The low words come first: effective, permitted, inheritable.
  for (const index of [0, 1, 2]) words[index] = (words[index] ?? 0) & ~(1 << capability);
  check("capset", c.capset(header, words) as number);
}

/** kill(2) with any signal number, real-time ones included. Returns false when there is no such process. */
export function kill(pid: number, signal: number): boolean {
  try {
    check(`kill ${pid}`, c.kill(pid, signal) as number);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ESRCH") return false;
    throw error;
  }
}
