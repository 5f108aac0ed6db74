import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { toPath } from "../../archive/tar/block.ts";
import { directoryTree } from "./directory-tree.ts";
import { planSources } from "./plan-items.ts";

const BUFFER_BYTES = 1024 * 1024;

/** One hash of all that sources mean inside the process's root: names, types, modes, owners, bytes; no times. */
export function scanSources(sources: readonly string[]): string {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  const bytes = sources.map((source) => Buffer.from(source, "utf8").toString("latin1"));
  for (const item of planSources(directoryTree, bytes, {
    keepsParents: true,
    missing: (source) => `stat ${source}: file does not exist`,
  })) {
    add(hash, { path: item.path, name: item.name }, buffer);
  }
  return hash.digest("hex");
}

function add(hash: Hash, at: { path: string; name: string }, buffer: Buffer): void {
  const path = toPath(`/${at.path}`);
  const stats = lstatSync(path);
  const link = stats.isSymbolicLink() ? readlinkSync(path, { encoding: "latin1" }) : "";
  hash.update(JSON.stringify([at.name, stats.mode, stats.uid, stats.gid, stats.isFile() ? stats.size : 0, link]), "latin1");
  if (stats.isFile()) addContent(hash, path, buffer);
  if (!stats.isDirectory()) return;
  for (const name of readdirSync(path, { encoding: "latin1" }).toSorted()) {
    add(hash, { path: at.path === "" ? name : `${at.path}/${name}`, name: `${at.name}/${name}` }, buffer);
  }
}

function addContent(hash: Hash, path: string | Buffer, buffer: Buffer): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) hash.update(buffer.subarray(0, count));
  } finally {
    closeSync(fd);
  }
}
