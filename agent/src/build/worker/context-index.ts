// What a build context holds, without its bytes: enough to say what a COPY means and whether its files are the same as
// last time. Made while the context's tar is read.
import { createHash, type Hash } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { TarEntry } from "../../archive/tar/entry.ts";
import type { TarReader } from "../../archive/tar/reader.ts";
import { cleanEntryName, parentOf } from "../../archive/worker/paths.ts";
import type { NodeType, SourceTree } from "./source-tree.ts";

/** Path, type, digest of everything that decides a copy (but the time), target of a link. */
export const indexEntrySchema = z.tuple([z.string(), z.enum(["file", "directory", "symlink"]), z.string(), z.string()]);
export type IndexEntry = z.output<typeof indexEntrySchema>;

const DEFAULT_DIRECTORY = "directory:755:0:0";

/** @throws FlotillaError `invalid` for a device or pipe: nothing that a build should take from a client. */
export function assertContextEntry(name: string, entry: TarEntry): void {
  if (["character-device", "block-device", "fifo"].includes(entry.type)) {
    throw new FlotillaError("invalid", `build context: ${name} is a device or a pipe, which a context cannot hold`);
  }
}

/** Takes the entries of a tar one by one; a later entry of a name replaces the earlier one and what was below it. */
export class IndexBuilder {
  readonly #entries = new Map<string, IndexEntry>();
  readonly #children = new Map<string, Set<string>>();

  /** @param content hash of the file's bytes. */
  add(name: string, entry: TarEntry, content: string): void {
    if (name === "") return;
    this.#ensureParent(name);
    const existing = this.#entries.get(name);
    if (existing !== undefined && (existing[1] === "directory") !== (entry.type === "directory")) this.#drop(name);
    this.#put(entryOf(name, entry, { content, linked: (target) => this.#entries.get(target) }));
  }

  entries(): IndexEntry[] {
    return [...this.#entries.values()];
  }

  #put(entry: IndexEntry): void {
    const [name] = entry;
    this.#entries.set(name, entry);
    const parent = parentOf(name);
    const names = this.#children.get(parent) ?? new Set();
    this.#children.set(parent, names.add(name));
  }

  #ensureParent(name: string): void {
    for (let parent = parentOf(name); parent !== "" && !this.#entries.has(parent); parent = parentOf(parent)) {
      this.#put([parent, "directory", DEFAULT_DIRECTORY, ""]);
    }
  }

  #drop(name: string): void {
    for (const child of this.#children.get(name) ?? []) this.#drop(child);
    this.#children.delete(name);
    this.#entries.delete(name);
  }
}

function entryOf(name: string, entry: TarEntry, known: { content: string; linked(target: string): IndexEntry | undefined }): IndexEntry {
  if (entry.type === "link") {
    const target = known.linked(cleanEntryName(entry.linkName));
    if (target === undefined || target[1] !== "file")
      throw new FlotillaError("invalid", `build context: hard link to a missing file ${entry.linkName}`);
    return [name, "file", target[2], ""];
  }
  const type = entry.type === "directory" || entry.type === "symlink" ? entry.type : "file";
  const facts = [type, entry.mode.toString(8), entry.uid, entry.gid].join(":");
  const xattrs = [...entry.xattrs].map(([key, value]) => `${key}=${value}`).sort((a, b) => (a < b ? -1 : 1));
  const link = type === "symlink" ? entry.linkName : "";
  if (type === "directory" && xattrs.length === 0) return [name, type, facts, ""];
  return [name, type, digestText(JSON.stringify([facts, xattrs, link, type === "file" ? known.content : ""])), link];
}

/** Hashes what passes: the stored bytes of a file, and where they go when it has holes. */
export function startContentHash(entry: TarEntry): Hash {
  const hash = createHash("sha256");
  if (entry.sparse !== undefined) hash.update(JSON.stringify([entry.size, entry.sparse]));
  return hash;
}

/** Indexes a whole tar. */
export function indexTar(reader: TarReader): IndexEntry[] {
  const builder = new IndexBuilder();
  for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
    const name = cleanEntryName(entry.name);
    assertContextEntry(name, entry);
    const hash = startContentHash(entry);
    reader.readContent((chunk) => void hash.update(chunk));
    builder.add(name, entry, entry.type === "file" ? hash.digest("hex") : "");
  }
  return builder.entries();
}

/** An index to look at like a tree, without what is ignored. */
export class ContextIndex implements SourceTree {
  readonly #entries = new Map<string, IndexEntry>();
  readonly #children = new Map<string, string[]>();

  constructor(entries: readonly IndexEntry[], isIgnored: (path: string) => boolean = () => false) {
    for (const entry of entries) {
      const [path] = entry;
      if (isIgnored(path)) continue;
      this.#entries.set(path, entry);
      const parent = parentOf(path);
      const names = this.#children.get(parent);
      const name = parent === "" ? path : path.slice(parent.length + 1);
      if (names === undefined) this.#children.set(parent, [name]);
      else names.push(name);
    }
    for (const names of this.#children.values()) names.sort();
  }

  typeOf(path: string): NodeType | undefined {
    // A directory that is ignored shows where something below it is not.
    return this.#entries.get(path)?.[1] ?? (this.#children.has(path) ? "directory" : undefined);
  }

  readLink(path: string): string {
    return this.#entries.get(path)?.[3] ?? "";
  }

  children(path: string): readonly string[] {
    return this.#children.get(path) ?? [];
  }

  digestOf(path: string): string {
    return this.#entries.get(path)?.[2] ?? DEFAULT_DIRECTORY;
  }

  get size(): number {
    return this.#entries.size;
  }
}

function digestText(text: string): string {
  return createHash("sha256").update(text, "latin1").digest("hex");
}
