// COPY and ADD inside a worker process. It has two trees and one root directory: the root is changed from the one to the
// other (fchdir to a descriptor that was opened before, chroot to it), so that every name of either tree is resolved by
// the kernel inside that tree. Files are opened in batches, because each change costs some microseconds.
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeSync,
  type Stats,
} from "node:fs";
import { FlotillaError } from "@flotilla/core";
import { PatternMatcher } from "@flotilla/dockerfile";
import { chroot, fchdir, lgetxattr, llistxattr, lsetxattr } from "../../host/libc.ts";
import { toDisplay, toPath } from "../../archive/tar/block.ts";
import { applyChmod } from "./apply-chmod.ts";
import type { BuildCopyJob } from "./build-jobs.ts";
import { planItems, type PlannedItem } from "./plan-items.ts";

export type Roots = { source: number; target: number };

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
/** Files that are open at once. */
const BATCH = 64;
const BUFFER_BYTES = 1024 * 1024;

type Facts = { stats: Stats; link: string; xattrs: [string, Buffer][] };
type OpenFile = { fd: number; target: string; facts: Facts };

/** Copies what the job says; the process's root is either tree before and after. */
export function buildCopy(roots: Roots, job: BuildCopyJob): void {
  new TreeCopy(roots, job).run();
}

class TreeCopy {
  readonly #roots: Roots;
  readonly #job: BuildCopyJob;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  readonly #ignore: PatternMatcher;
  readonly #exclude: PatternMatcher;
  #open: OpenFile[] = [];

  constructor(roots: Roots, job: BuildCopyJob) {
    this.#roots = roots;
    this.#job = job;
    this.#ignore = new PatternMatcher(job.ignore);
    this.#exclude = new PatternMatcher(job.exclude);
  }

  run(): void {
    this.#enter("source");
    const items = planItems(this.#job);
    this.#enter("target");
    const isDirectory =
      this.#job.destination.endsWith("/") ||
      statSync(toPath(bytesOf(this.#job.destination)), { throwIfNoEntry: false })?.isDirectory() === true;
    // Nothing to copy: the destination is made for somebody else who writes there.
    if (items.length === 0) this.#ensureDirectory(bytesOf(this.#job.destination).replace(/\/+$/, ""));
    for (const item of items) this.#item(item, isDirectory);
  }

  #item(item: PlannedItem, isIntoDirectory: boolean): void {
    const destination = bytesOf(this.#job.destination);
    const base = destination.endsWith("/") ? destination : `${destination}/`;
    if (item.type === "directory" && item.name === "") return this.#directoryItem(item.path, destination, "");
    const target = isIntoDirectory || this.#job.keepsParents ? `${base}${item.name}` : destination;
    if (this.#job.keepsParents) this.#parents(item, base);
    if (item.type === "directory") return this.#directoryItem(item.path, target, "");
    if (this.#exclude.matches(toDisplay(baseName(item.path)))) return;
    this.#ensureDirectory(parentPath(target));
    this.#copyFiles([{ source: `/${item.path}`, target }]);
  }

  /** With --parents the directories above keep what they are in the source. */
  #parents(item: PlannedItem, base: string): void {
    const parts = item.name.split("/").slice(0, -1);
    const above = item.path.split("/").slice(0, -1 - parts.length);
    this.#ensureDirectory(base.replace(/\/+$/, ""));
    for (const [at] of parts.entries()) {
      const source = `/${[...above, ...parts.slice(0, at + 1)].join("/")}`;
      const target = `${base}${parts.slice(0, at + 1).join("/")}`;
      const facts = this.#inSource(() => factsOf(source));
      if (lstatSync(toPath(target), { throwIfNoEntry: false }) === undefined) this.#makeDirectory(target, facts);
    }
  }

  /** The content of a directory. What is there already keeps its owner and mode, as in Docker. */
  #directoryItem(source: string, destination: string, relative: string): void {
    const target = destination.replace(/\/+$/, "") || "/";
    const facts = this.#inSource(() => factsOf(`/${source}`));
    const existing = statSync(toPath(target), { throwIfNoEntry: false });
    this.#ensureDirectory(parentPath(target));
    if (existing === undefined) this.#makeDirectory(target, facts);
    else if (!existing.isDirectory()) throw new FlotillaError("invalid", `cannot copy to non-directory: ${toDisplay(target)}`);
    this.#children({ source, target, relative });
    if (existing === undefined) this.#times(target, facts.stats);
  }

  #children(at: { source: string; target: string; relative: string }): void {
    const prefix = at.target === "/" ? "/" : `${at.target}/`;
    const below = (directory: string, name: string): string => (directory === "" ? name : `${directory}/${name}`);
    const entries = this.#inSource(() => readdirSync(toPath(`/${at.source}`), { encoding: "latin1", withFileTypes: true }));
    const files: { source: string; target: string }[] = [];
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const source = below(at.source, entry.name);
      const relative = below(at.relative, entry.name);
      if (!entry.isDirectory()) {
        if (!this.#isLeftOut(source, relative)) files.push({ source: `/${source}`, target: `${prefix}${entry.name}` });
        continue;
      }
      if (this.#ignore.canSkipDirectory(toDisplay(source)) || this.#exclude.canSkipDirectory(toDisplay(relative))) continue;
      const facts = this.#inSource(() => factsOf(`/${source}`));
      const target = `${prefix}${entry.name}`;
      // A directory that is left out comes only with something in it that is not.
      if (this.#isLeftOut(source, relative) && !this.#hasKept(source, relative)) continue;
      this.#mergeDirectory(target, facts);
      this.#children({ source, target, relative });
      this.#times(target, facts.stats);
    }
    for (let from = 0; from < files.length; from += BATCH) this.#copyFiles(files.slice(from, from + BATCH));
  }

  #isLeftOut(source: string, relative: string): boolean {
    return this.#ignore.matches(toDisplay(source)) || this.#exclude.matches(toDisplay(relative));
  }

  #hasKept(source: string, relative: string): boolean {
    const entries = this.#inSource(() => readdirSync(toPath(`/${source}`), { encoding: "latin1", withFileTypes: true }));
    return entries.some((entry) => {
      const [below, name] = [`${source}/${entry.name}`, `${relative}/${entry.name}`];
      return !this.#isLeftOut(below, name) || (entry.isDirectory() && this.#hasKept(below, name));
    });
  }

  #copyFiles(files: readonly { source: string; target: string }[]): void {
    this.#enter("source");
    try {
      for (const { source, target } of files) {
        const facts = factsOf(source);
        const fd = facts.stats.isFile() ? openSync(toPath(source), O_RDONLY | O_NOFOLLOW | O_NONBLOCK) : -1;
        this.#open.push({ fd, target, facts });
      }
      this.#enter("target");
      for (const file of this.#open) this.#write(file);
    } finally {
      for (const { fd } of this.#open) if (fd !== -1) closeSync(fd);
      this.#open = [];
      this.#enter("target");
    }
  }

  #write({ fd, target, facts }: OpenFile): void {
    const existing = lstatSync(toPath(target), { throwIfNoEntry: false });
    if (existing?.isDirectory() === true) throw new FlotillaError("invalid", `cannot copy to directory: ${toDisplay(target)}`);
    // Replaced, never written through: a link that is there goes, not what it leads to.
    if (existing !== undefined) rmSync(toPath(target), { force: true });
    if (facts.stats.isSymbolicLink()) return this.#writeLink(target, facts);
    if (fd === -1) throw new FlotillaError("invalid", `cannot copy ${toDisplay(target)}: it is a device or a pipe`);
    const out = openSync(toPath(target), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
    try {
      for (let count = readSync(fd, this.#buffer); count > 0; count = readSync(fd, this.#buffer))
        writeAll(out, this.#buffer.subarray(0, count));
      const { uid, gid } = this.#ownerOf(facts.stats);
      fchownSync(out, uid, gid);
      fchmodSync(out, this.#modeOf(facts.stats));
      this.#xattrs(target, facts);
      futimesSync(out, facts.stats.mtimeMs / 1000, facts.stats.mtimeMs / 1000);
    } finally {
      closeSync(out);
    }
  }

  #writeLink(target: string, facts: Facts): void {
    symlinkSync(toPath(facts.link), toPath(target));
    const { uid, gid } = this.#ownerOf(facts.stats);
    lchownSync(toPath(target), uid, gid);
    lutimesSync(toPath(target), facts.stats.mtimeMs / 1000, facts.stats.mtimeMs / 1000);
  }

  /** A directory below the first: one that is there takes the source's owner and mode. */
  #mergeDirectory(target: string, facts: Facts): void {
    const existing = lstatSync(toPath(target), { throwIfNoEntry: false });
    const real = existing?.isSymbolicLink() === true ? statSync(toPath(target), { throwIfNoEntry: false }) : existing;
    if (real !== undefined && !real.isDirectory()) throw new FlotillaError("invalid", `cannot copy to non-directory: ${toDisplay(target)}`);
    if (real === undefined) return this.#makeDirectory(target, facts);
    this.#setDirectory(target, facts);
  }

  #makeDirectory(target: string, facts: Facts): void {
    mkdirSync(toPath(target), { recursive: true, mode: 0o755 });
    this.#setDirectory(target, facts);
  }

  #setDirectory(target: string, facts: Facts): void {
    const { uid, gid } = this.#ownerOf(facts.stats);
    lchownSync(toPath(target), uid, gid);
    chmodSync(toPath(target), this.#modeOf(facts.stats));
    this.#xattrs(target, facts);
  }

  /** Directories that are missing on the way to the destination: 0755, the owner of --chown, else root. */
  #ensureDirectory(path: string): void {
    if (path === "" || path === "/" || statSync(toPath(path), { throwIfNoEntry: false }) !== undefined) return;
    this.#ensureDirectory(parentPath(path));
    mkdirSync(toPath(path), { mode: 0o755 });
    const { uid, gid } = this.#job.owner ?? { uid: 0, gid: 0 };
    lchownSync(toPath(path), uid, gid);
  }

  #times(target: string, stats: Stats): void {
    utimesSync(toPath(target), stats.mtimeMs / 1000, stats.mtimeMs / 1000);
  }

  #xattrs(target: string, facts: Facts): void {
    for (const [name, value] of facts.xattrs) lsetxattr(toPath(target), name, value);
  }

  #ownerOf(stats: Stats): { uid: number; gid: number } {
    return this.#job.owner ?? stats;
  }

  #modeOf(stats: Stats): number {
    const mode = stats.mode & 0o7777;
    return this.#job.chmod === undefined ? mode : applyChmod(this.#job.chmod, mode, stats.isDirectory());
  }

  #inSource<T>(look: () => T): T {
    this.#enter("source");
    try {
      return look();
    } finally {
      this.#enter("target");
    }
  }

  #enter(which: keyof Roots): void {
    fchdir(this.#roots[which]);
    chroot(".");
  }
}

function factsOf(path: string): Facts {
  const stats = lstatSync(toPath(path));
  const isLink = stats.isSymbolicLink();
  const names = isLink ? [] : llistxattr(toPath(path)).filter((name) => name === "security.capability" || name.startsWith("user."));
  const xattrs = names.flatMap((name): [string, Buffer][] => {
    const value = lgetxattr(toPath(path), name);
    return value === undefined ? [] : [[name, Buffer.from(value)]];
  });
  return { stats, link: isLink ? readlinkSync(toPath(path), { encoding: "latin1" }) : "", xattrs };
}

function writeAll(fd: number, data: Buffer): void {
  for (let done = 0; done < data.length;) done += writeSync(fd, data, done);
}

function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function parentPath(path: string): string {
  const clean = path.replace(/\/+$/, "");
  return clean.slice(0, clean.lastIndexOf("/")) || "/";
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
