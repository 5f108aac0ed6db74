import {
  chmodSync,
  createReadStream,
  createWriteStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FlotillaError } from "@flotilla/core";
import { extract, type Header, type Pack, pack } from "tar-stream";

/** A file or tree of this machine as an archive in which it is called `name` (empty: only what is in it). */
export function packPath(path: string, { name, keepsOwner }: { name: string; keepsOwner: boolean }): Pack {
  const archive = pack();
  void addPath(archive, { path, name, keepsOwner }).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return archive;
}

async function addPath(archive: Pack, { path, name, keepsOwner }: { path: string; name: string; keepsOwner: boolean }): Promise<void> {
  const stat = lstatSync(path);
  const header = { name, mode: stat.mode & 0o7777, uid: keepsOwner ? stat.uid : 0, gid: keepsOwner ? stat.gid : 0, mtime: stat.mtime };
  if (stat.isDirectory()) {
    if (name !== "") archive.entry({ ...header, name: `${name}/`, type: "directory" });
    for (const entry of readdirSync(path).sort())
      await addPath(archive, { path: join(path, entry), name: name === "" ? entry : `${name}/${entry}`, keepsOwner });
  } else if (stat.isSymbolicLink()) archive.entry({ ...header, type: "symlink", linkname: readlinkSync(path) });
  else if (stat.isFile() && stat.size === 0) archive.entry({ ...header, size: 0 }, "");
  else if (stat.isFile()) await pipeline(createReadStream(path, { end: stat.size - 1 }), archive.entry({ ...header, size: stat.size }));
}

/**
 * Unpacks an archive of a container below a directory. What comes from a container is not trusted: no entry may lie outside, none is written through a
 * link, and devices, sockets and set-id bits are not made. @param rename another name for the first part of every path; empty takes it away.
 */
export async function unpackInto(body: Readable, { dir, rename }: { dir: string; rename: string | undefined }): Promise<void> {
  const unpacking = extract();
  const written = pipeline(body, unpacking);
  try {
    for await (const entry of unpacking) {
      const name = renamed(entry.header.name, rename);
      if (name !== "") await writeEntry(entry as unknown as Readable, { header: entry.header, path: safePath(dir, name), dir });
      else entry.resume();
    }
  } finally {
    unpacking.destroy();
    await written.catch(() => undefined);
  }
}

function renamed(name: string, rename: string | undefined): string {
  const clean = name.replace(/^(\.?\/)+/, "").replace(/\/+$/, "");
  if (rename === undefined) return clean;
  const [, ...rest] = clean.split("/");
  return [rename, ...rest].filter((part) => part !== "").join("/");
}

/** @throws invalid for a path that leaves the directory, by its words or by a link on its way. */
function safePath(dir: string, name: string): string {
  const path = resolve(dir, name);
  const refuse = (): never => {
    throw new FlotillaError("invalid", `the archive has an entry outside of its directory: ${name}`);
  };
  if (path !== dir && !path.startsWith(dir.endsWith(sep) ? dir : `${dir}${sep}`)) refuse();
  for (let at = dirname(path); at.length > dir.length; at = dirname(at))
    if (lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() === true) refuse();
  return path;
}

async function writeEntry(entry: Readable, { header, path }: { header: Header; path: string; dir: string }): Promise<void> {
  const mode = (header.mode ?? 0o644) & 0o777;
  if (header.type === "directory") {
    mkdirSync(path, { recursive: true });
    chmodSync(path, mode | 0o700);
    entry.resume();
  } else if (header.type === "symlink") {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) rmSync(path, { force: true });
    symlinkSync(header.linkname ?? "", path);
    entry.resume();
  } else if (header.type === "file" || header.type === "contiguous-file") {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(path);
    await pipeline(entry, createWriteStream(path, { mode }));
    chmodSync(path, mode);
  } else entry.resume();
}
