import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  writeSync,
  type Stats,
} from "node:fs";
import { llistxattr, lgetxattr } from "../../host/libc.ts";
import { paddingOf, toPath } from "../tar/block.ts";
import type { EntryType } from "../tar/entry.ts";
import { END_OF_ARCHIVE, formatHeader, type NewEntry } from "../tar/writer.ts";
import { isPseudoFileSystem } from "./pseudo-file-system.ts";
import { lookUp, type ClientPath } from "./stat-path.ts";

const BUFFER_BYTES = 1024 * 1024;
const ZEROS = Buffer.alloc(64 * 1024);

/**
 * Writes a tar of a path to file descriptor `output`, blocking while nobody reads. The process's root is the tree.
 * Entries start with the path's base name; an export has everything under the root, without a leading slash.
 */
export function pack(output: number, client: ClientPath, options: { isExport: boolean }): void {
  const stats = lookUp(client);
  // Resolved once, so that entries below a followed link are real paths.
  const path = client.isFollowed || stats.isDirectory() ? realpathSync(toPath(client.path), { encoding: "latin1" }) : client.path;
  const packer = new Packer(output);
  if (options.isExport) packer.addChildren("/", "");
  // Docker names entries of the root itself `/…`.
  else packer.add(path, client.base);
  packer.end();
}

class Packer {
  readonly #output: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #used = 0;
  /** First name of each file with several names, by device and inode. */
  readonly #links = new Map<string, string>();

  constructor(output: number) {
    this.#output = output;
  }

  add(path: string, name: string): void {
    const stats = lstatSync(toPath(path), { throwIfNoEntry: false });
    // A file of a live container may go away at any time.
    if (stats === undefined) return;
    if (stats.isFile()) return this.#file(path, name);
    const type = typeOf(stats);
    // Sockets have no place in a tar.
    if (type === undefined) return;
    this.#write(formatHeader(entryOf({ path, name, stats, type })));
    if (type === "directory" && !isPseudoFileSystem(path, stats.dev)) this.addChildren(path, name);
  }

  addChildren(path: string, name: string): void {
    const prefix = path.endsWith("/") ? path : `${path}/`;
    const namePrefix = name === "" || name.endsWith("/") ? name : `${name}/`;
    for (const child of readdirSync(toPath(path), { encoding: "latin1" }).toSorted())
      this.add(`${prefix}${child}`, `${namePrefix}${child}`);
  }

  end(): void {
    this.#write(END_OF_ARCHIVE);
    this.#flush();
  }

  #file(path: string, name: string): void {
    // Not blocking: a fifo that took the file's place since must not hold the worker; it is seen by fstat.
    const fd = openUnlessGone(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (fd === undefined) return;
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return;
      const inode = `${stats.dev}:${stats.ino}`;
      const first = stats.nlink > 1 ? this.#links.get(inode) : undefined;
      if (first !== undefined)
        return this.#write(formatHeader({ ...entryOf({ path, name, stats, type: "link" }), linkName: first, size: 0 }));
      if (stats.nlink > 1) this.#links.set(inode, name);
      this.#write(formatHeader(entryOf({ path, name, stats, type: "file" })));
      this.#content(fd, stats.size);
    } finally {
      closeSync(fd);
    }
  }

  /** Exactly `size` bytes: a file that grows is cut, one that shrinks is filled with zeros, as GNU tar does. */
  #content(fd: number, size: number): void {
    let left = size;
    while (left > 0) {
      if (this.#used === BUFFER_BYTES) this.#flush();
      const count = readSync(fd, this.#buffer, this.#used, Math.min(left, BUFFER_BYTES - this.#used), null);
      if (count === 0) break;
      this.#used += count;
      left -= count;
    }
    this.#zeros(left + paddingOf(size));
  }

  #zeros(count: number): void {
    for (let left = count; left > 0; left -= ZEROS.length) this.#write(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
  }

  #write(data: Buffer): void {
    if (this.#used + data.length > BUFFER_BYTES) this.#flush();
    if (data.length > BUFFER_BYTES) return writeAll(this.#output, data);
    data.copy(this.#buffer, this.#used);
    this.#used += data.length;
  }

  #flush(): void {
    writeAll(this.#output, this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}

function openUnlessGone(path: string, flags: number): number | undefined {
  try {
    return openSync(toPath(path), flags);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    // Removed since it was listed, or replaced by a link.
    if (code === "ENOENT" || code === "ELOOP") return undefined;
    throw error;
  }
}

function entryOf(from: { path: string; name: string; stats: Stats; type: EntryType }): NewEntry {
  const { path, name, stats, type } = from;
  const isDevice = type === "character-device" || type === "block-device";
  return {
    type,
    name: type === "directory" && !name.endsWith("/") ? `${name}/` : name,
    linkName: type === "symlink" ? readlinkSync(toPath(path), { encoding: "latin1" }) : "",
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: type === "file" ? stats.size : 0,
    mtimeSeconds: stats.mtimeMs / 1000,
    deviceMajor: isDevice ? majorOf(stats.rdev) : 0,
    deviceMinor: isDevice ? minorOf(stats.rdev) : 0,
    xattrs: type === "link" ? new Map() : xattrsOf(path),
  };
}

/** Capabilities and user attributes: what a tar of Docker or GNU tar carries. Labels of security modules are the host's. */
function xattrsOf(path: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of llistxattr(toPath(path))) {
    if (name !== "security.capability" && !name.startsWith("user.")) continue;
    const value = lgetxattr(toPath(path), name);
    if (value !== undefined) found.set(name, Buffer.from(value).toString("latin1"));
  }
  return found;
}

function typeOf(stats: Stats): EntryType | undefined {
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "character-device";
  if (stats.isBlockDevice()) return "block-device";
  return stats.isFIFO() ? "fifo" : undefined;
}

/** gnu_dev_major and gnu_dev_minor (sys/sysmacros.h), in arithmetic because the number has up to 64 bits. */
function majorOf(device: number): number {
  const value = BigInt(device);
  return Number(((value >> 8n) & 0xfffn) | ((value >> 32n) & ~0xfffn));
}

function minorOf(device: number): number {
  const value = BigInt(device);
  return Number((value & 0xffn) | ((value >> 12n) & 0xffffff00n));
}

function writeAll(fd: number, data: Buffer): void {
  let done = 0;
  while (done < data.length) done += writeSync(fd, data, done, data.length - done);
}
