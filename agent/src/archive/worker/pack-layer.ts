// The way back of extract-layer.ts: an upper directory of overlayfs becomes the tar of an image layer. Character devices 0:0
// become `.wh.NAME`, trusted.overlay.opaque becomes `.wh..wh..opq` (OCI image specification, "Representing Changes").
import { createHash } from "node:crypto";
import { closeSync, fstatSync, lstatSync, lutimesSync, readdirSync, rmdirSync, unlinkSync, type Stats } from "node:fs";
import { lgetxattr } from "../../host/libc.ts";
import { toPath } from "../tar/block.ts";
import { formatHeader, type NewEntry } from "../tar/writer.ts";
import { entryOf, openUnlessGone, typeOf } from "./entry-of.ts";
import type { Answer, Job } from "./jobs.ts";
import { TarOutput } from "./tar-output.ts";

const OPAQUE_MARKER = ".wh..wh..opq";
const OPAQUE_ATTRIBUTE = "trusted.overlay.opaque";

type PackLayer = Pick<Extract<Job, { kind: "pack-layer" }>, "mountPoints" | "maxMtimeSeconds" | "isConsumed">;

/**
 * Writes the layer that the process's root directory is to file descriptor `output`. Names are sorted by their bytes and
 * nothing but the tree goes in, so that the same tree always gives the same bytes.
 */
export function packLayer(output: number, job: PackLayer): Extract<Answer, { kind: "packed" }> {
  const packer = new LayerPacker(output, job);
  if (job.isConsumed) removeMountPoints(job.mountPoints);
  packer.addChildren("/", "");
  return packer.end();
}

class LayerPacker {
  readonly #hash = createHash("sha256");
  readonly #output: TarOutput;
  readonly #job: PackLayer;
  readonly #mountPoints: ReadonlySet<string>;
  readonly #links = new Map<string, string>();
  #sizeBytes = 0;

  constructor(output: number, job: PackLayer) {
    this.#output = new TarOutput(output, this.#hash);
    this.#job = job;
    this.#mountPoints = new Set(job.mountPoints);
  }

  addChildren(path: string, prefix: string): void {
    const children = readdirSync(toPath(path), { encoding: "latin1" }).map((name) => ({ name, stats: statOf(`${path}${name}`) }));
    const written = children.flatMap(({ name, stats }) => (stats === undefined ? [] : [{ name, stats, shown: shownName(name, stats) }]));
    for (const child of written.toSorted((a, b) => (a.shown < b.shown ? -1 : 1)))
      this.#add({ path: `${path}${child.name}`, name: `${prefix}${child.shown}`, stats: child.stats });
  }

  end(): Extract<Answer, { kind: "packed" }> {
    this.#output.end();
    return {
      kind: "packed",
      sizeBytes: this.#sizeBytes,
      diffId: `sha256:${this.#hash.digest("hex")}`,
      tarBytes: this.#output.writtenBytes,
    };
  }

  #add(at: { path: string; name: string; stats: Stats }): void {
    const { path, name, stats } = at;
    if (isWhiteout(stats)) return this.#marker(name, stats);
    if (this.#isMountPoint(name, stats)) return;
    if (stats.isFile()) return this.#file(path, name);
    const type = typeOf(stats);
    if (type === undefined) return;
    const entry = this.#entry({ path, name, stats, type });
    this.#output.write(formatHeader(entry));
    if (type !== "directory") return;
    if (isOpaque(path)) this.#marker(`${name}/${OPAQUE_MARKER}`, stats);
    this.addChildren(`${path}/`, `${name}/`);
  }

  #file(path: string, name: string): void {
    const fd = openUnlessGone(path);
    if (fd === undefined) return;
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return;
      const inode = `${stats.dev}:${stats.ino}`;
      const first = stats.nlink > 1 ? this.#links.get(inode) : undefined;
      if (first !== undefined) {
        const entry = this.#entry({ path, name, stats, type: "link" });
        return this.#output.write(formatHeader({ ...entry, linkName: first, size: 0 }));
      }
      if (stats.nlink > 1) this.#links.set(inode, name);
      this.#output.write(formatHeader(this.#entry({ path, name, stats, type: "file" })));
      this.#output.content(fd, stats.size);
      this.#sizeBytes += stats.size;
    } finally {
      closeSync(fd);
    }
  }

  #entry(from: Parameters<typeof entryOf>[0]): NewEntry {
    const entry = entryOf(from);
    const max = this.#job.maxMtimeSeconds;
    if (max === undefined || entry.mtimeSeconds <= max) return entry;
    // The tree that stays is what the tar says, so that what is built on it is the same wherever the layer came from.
    if (this.#job.isConsumed) lutimesSync(toPath(from.path), max, max);
    return { ...entry, mtimeSeconds: max };
  }

  #marker(name: string, stats: Stats): void {
    const max = this.#job.maxMtimeSeconds ?? Number.POSITIVE_INFINITY;
    const mtimeSeconds = Math.min(stats.mtimeMs / 1000, max);
    this.#output.write(formatHeader({ ...MARKER, name, mtimeSeconds }));
  }

  /** What the runtime made to mount on, empty and in no image: in the layer it would hide nothing and say nothing. */
  #isMountPoint(name: string, stats: Stats): boolean {
    if (!this.#mountPoints.has(name)) return false;
    if (!stats.isDirectory()) return stats.size === 0;
    return readdirSync(toPath(`/${name}`), { encoding: "latin1" }).every((child) => {
      const below = statOf(`/${name}/${child}`);
      return below === undefined || this.#isMountPoint(`${name}/${child}`, below);
    });
  }
}

const MARKER: NewEntry = {
  type: "file",
  name: "",
  linkName: "",
  mode: 0o600,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeSeconds: 0,
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
};

function statOf(path: string): Stats | undefined {
  return lstatSync(toPath(path), { throwIfNoEntry: false });
}

function shownName(name: string, stats: Stats): string {
  return isWhiteout(stats) ? `.wh.${name}` : name;
}

function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}

function isOpaque(path: string): boolean {
  const value = lgetxattr(toPath(path), OPAQUE_ATTRIBUTE);
  return value !== undefined && Buffer.from(value).toString("latin1") === "y";
}

function isEmpty(path: string): boolean {
  return readdirSync(toPath(path)).length === 0;
}

function removeMountPoints(names: readonly string[]): void {
  for (const name of names) {
    const stats = statOf(`/${name}`);
    if (stats?.isDirectory() === true) {
      if (isEmpty(`/${name}`)) rmdirSync(`/${name}`);
    } else if (stats?.isFile() === true && stats.size === 0) unlinkSync(`/${name}`);
  }
}
