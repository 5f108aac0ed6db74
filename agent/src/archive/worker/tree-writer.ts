import {
  chownSync,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeSync,
  type Stats,
} from "node:fs";
import { FlotillaError } from "@flotilla/core";
import { lsetxattr, mknod } from "../../host/libc.ts";
import { toDisplay, toPath } from "../tar/block.ts";
import type { TarEntry } from "../tar/entry.ts";
import { baseOf, cleanEntryName, parentOf } from "./paths.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, S_IFBLK, S_IFCHR, S_IFIFO } = constants;

/** The stored bytes of an entry, in chunks that are valid only during the call. */
export type Content = { readContent(use: (chunk: Buffer) => void): void };

export type TreeWriterOptions = {
  /** Directory all names are relative to: "" is the root of the process, else it ends with a slash. */
  base: string;
  /** `docker cp` refuses to replace a directory by a file and the reverse. */
  noOverwriteDirNonDir: boolean;
};

/**
 * Puts tar entries into a directory tree, synchronously. Runs only in a process whose root is that tree: names that lead
 * through symlinks are resolved by the kernel inside it.
 *
 * INVARIANTS: what exists is replaced, never written through (files are opened with O_EXCL and O_NOFOLLOW); only two
 * directories merge; owner, then mode, then attributes, then times, because each may undo the one before.
 */
export class TreeWriter {
  readonly #options: TreeWriterOptions;
  /** Times of directories are set at the end: making their children changes them. */
  readonly #directoryTimes = new Map<string, number>();
  #knownParent: string | undefined;
  sizeBytes = 0;

  constructor(options: TreeWriterOptions) {
    this.#options = options;
  }

  /** @param name cleaned; `content` stands at the entry's data. */
  write(name: string, entry: TarEntry, content: Content): void {
    if (name !== "") this.ensureParent(name);
    if (entry.type === "directory") this.#directory(name, entry);
    else this.#nonDirectory(name, entry, content);
  }

  /** lstat of a name, undefined when nothing is there. */
  find(name: string): Stats | undefined {
    return lstatSync(this.path(name), { throwIfNoEntry: false });
  }

  /** The path that system calls take. */
  path(name: string): string | Buffer {
    return toPath(`${this.#options.base}${name}` || ".");
  }

  /** Makes missing directories above a name: root's, mode 0755. */
  ensureParent(name: string): void {
    const parent = parentOf(name);
    if (parent === this.#knownParent || parent === "") return;
    const found = statSync(this.path(parent), { throwIfNoEntry: false });
    if (found === undefined) mkdirSync(this.path(parent), { recursive: true, mode: 0o755 });
    else if (!found.isDirectory()) throw new FlotillaError("invalid", "a parent of it is not a directory");
    this.#knownParent = parent;
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true, force: true });
    this.#knownParent = undefined;
  }

  /** Call once, after the last entry. */
  finish(): void {
    for (const [name, mtime] of [...this.#directoryTimes].toReversed()) {
      // A later entry may have taken the directory's place.
      if (this.find(name)?.isDirectory() === true) utimesSync(this.path(name), mtime, mtime);
    }
  }

  #directory(name: string, entry: TarEntry): void {
    const existing = this.find(name);
    if (existing !== undefined && !existing.isDirectory() && name !== "") {
      if (this.#options.noOverwriteDirNonDir) throw cannotOverwrite("non-directory", name, "directory");
      this.remove(name);
    }
    const path = this.path(name);
    if (existing?.isDirectory() !== true) mkdirSync(path, 0o755);
    // Nothing lies between the look above and here but this process: in a container's tree the chroot bounds a race.
    chownSync(path, entry.uid, entry.gid);
    chmodSync(path, entry.mode);
    this.#xattrs(name, entry);
    this.#directoryTimes.set(name, entry.mtimeSeconds);
  }

  #nonDirectory(name: string, entry: TarEntry, content: Content): void {
    if (name === "") throw new FlotillaError("invalid", "the root can only be a directory");
    const existing = this.find(name);
    if (existing !== undefined) {
      if (existing.isDirectory() && this.#options.noOverwriteDirNonDir) throw cannotOverwrite("directory", name, "non-directory");
      if (entry.type === "link" && cleanEntryName(entry.linkName) === name) return;
      this.remove(name);
      this.#knownParent = parentOf(name);
    }
    if (entry.type === "file") return this.#file(name, entry, content);
    if (entry.type === "link") return linkSync(this.path(cleanEntryName(entry.linkName)), this.path(name));
    if (entry.type === "symlink") return this.#symlink(name, entry);
    this.#node(name, entry);
  }

  #file(name: string, entry: TarEntry, content: Content): void {
    const fd = openSync(this.path(name), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
    try {
      if (entry.sparse === undefined) content.readContent((chunk) => writeAll(fd, chunk));
      else writeSparse(fd, entry, content);
      fchownSync(fd, entry.uid, entry.gid);
      fchmodSync(fd, entry.mode);
      this.#xattrs(name, entry);
      futimesSync(fd, entry.mtimeSeconds, entry.mtimeSeconds);
    } finally {
      closeSync(fd);
    }
    this.sizeBytes += entry.size;
  }

  #symlink(name: string, entry: TarEntry): void {
    const path = this.path(name);
    symlinkSync(toPath(entry.linkName), path);
    lchownSync(path, entry.uid, entry.gid);
    this.#xattrs(name, entry);
    lutimesSync(path, entry.mtimeSeconds, entry.mtimeSeconds);
  }

  #node(name: string, entry: TarEntry): void {
    const type = entry.type === "character-device" ? S_IFCHR : entry.type === "block-device" ? S_IFBLK : S_IFIFO;
    const path = this.path(name);
    mknod(path, type | entry.mode, { major: entry.deviceMajor, minor: entry.deviceMinor });
    lchownSync(path, entry.uid, entry.gid);
    chmodSync(path, entry.mode);
    this.#xattrs(name, entry);
    lutimesSync(path, entry.mtimeSeconds, entry.mtimeSeconds);
  }

  #xattrs(name: string, entry: TarEntry): void {
    for (const [attribute, value] of entry.xattrs) {
      // Overlayfs's own attributes from a foreign tar would redirect lookups of the mounted file system.
      if (attribute.startsWith("trusted.overlay.") || attribute.startsWith("user.overlay.")) continue;
      setXattr(this.path(name), attribute, value);
    }
  }
}

function setXattr(path: string | Buffer, name: string, value: string): void {
  try {
    lsetxattr(path, name, Buffer.from(value, "latin1"));
  } catch (error) {
    // Labels of a security module or a file system that this host lacks: Docker drops them too.
    const errno = error instanceof FlotillaError ? error.details["errno"] : undefined;
    if (errno !== "EOPNOTSUPP" && errno !== "ENOTSUP" && !(errno === "EPERM" && name.startsWith("user."))) throw error;
  }
}

function writeSparse(fd: number, entry: TarEntry, content: Content): void {
  ftruncateSync(fd, entry.size);
  const chunks = [...(entry.sparse ?? [])];
  let chunk = chunks.shift();
  let written = 0;
  content.readContent((data) => {
    let rest = data;
    while (rest.length > 0) {
      while (chunk !== undefined && written === chunk.length) {
        chunk = chunks.shift();
        written = 0;
      }
      if (chunk === undefined) throw new FlotillaError("invalid", "a sparse file holds more data than its map");
      const part = rest.subarray(0, chunk.length - written);
      writeAll(fd, part, chunk.offset + written);
      written += part.length;
      rest = rest.subarray(part.length);
    }
  });
}

function writeAll(fd: number, data: Buffer, position?: number): void {
  let done = 0;
  while (done < data.length) done += writeSync(fd, data, done, data.length - done, position === undefined ? null : position + done);
}

function cannotOverwrite(old: string, name: string, replacement: string): FlotillaError {
  return new FlotillaError("invalid", `cannot overwrite ${old} "/${toDisplay(name)}" with ${replacement} "${toDisplay(baseOf(name))}"`);
}
