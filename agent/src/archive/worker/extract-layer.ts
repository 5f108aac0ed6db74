// Turns the tar of one image layer into a lower directory of overlayfs. The OCI layer specification's whiteouts become
// overlayfs's: `.wh.NAME` a character device 0:0 called NAME, `.wh..wh..opq` the attribute trusted.overlay.opaque=y.
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { FlotillaError } from "@flotilla/core";
import { lsetxattr, mknod } from "../../host/libc.ts";
import { toDisplay } from "../tar/block.ts";
import { TarReader, type ReadSource } from "../tar/reader.ts";
import { decompressing } from "./decompressing.ts";
import { forEntry } from "./for-entry.ts";
import type { Answer, Job } from "./jobs.ts";
import { baseOf, cleanEntryName, parentOf } from "./paths.ts";
import { TreeWriter } from "./tree-writer.ts";

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
/** Names that aufs used for itself: in layers made on it, never content. */
const WHITEOUT_META = ".wh..wh.";

type ExtractJob = Pick<Extract<Job, { kind: "extract-layer" }>, "compression" | "maxBytes">;

/** The process's root must be the layer's directory. Decompresses, hashes and extracts; reads `input` to its end. */
export function extractLayer(input: ReadSource, job: ExtractJob): Extract<Answer, { kind: "extracted" }> {
  const hash = createHash("sha256");
  const maxBytes = job.maxBytes ?? Number.POSITIVE_INFINITY;
  const plain = decompressing(input, job.compression);
  let seen = 0;
  const reader = new TarReader((buffer) => {
    const count = plain(buffer);
    if (count > 0) hash.update(buffer.subarray(0, count));
    seen += count;
    if (seen > maxBytes) throw new FlotillaError("invalid", `layer expands to more than ${maxBytes} bytes`);
    return count;
  });
  const tree = new TreeWriter({ base: "", noOverwriteDirNonDir: false });
  let entries = 0;
  for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
    entries++;
    const name = cleanEntryName(entry.name);
    forEntry(name, () => applyEntry(tree, name, () => tree.write(name, entry, reader)));
  }
  tree.finish();
  reader.drain();
  return { kind: "extracted", diffId: `sha256:${hash.digest("hex")}`, sizeBytes: tree.sizeBytes, entries };
}

function applyEntry(tree: TreeWriter, name: string, write: () => void): void {
  const base = baseOf(name);
  if (base === OPAQUE) markOpaque(tree, parentOf(name));
  else if (base.startsWith(WHITEOUT_META)) return;
  else if (base.startsWith(WHITEOUT)) whiteOut(tree, name);
  else writeEntry(tree, name, write);
}

/** A directory that replaces a whiteout of this layer hides what lies below it. */
function writeEntry(tree: TreeWriter, name: string, write: () => void): void {
  const existing = name === "" ? undefined : tree.find(name);
  const isWhiteout = existing?.isCharacterDevice() === true && existing.rdev === 0;
  write();
  if (isWhiteout && tree.find(name)?.isDirectory() === true) setOpaque(tree, name);
}

function markOpaque(tree: TreeWriter, directory: string): void {
  if (directory !== "") {
    tree.ensureParent(`${directory}/x`);
    if (tree.find(directory)?.isDirectory() !== true)
      throw new FlotillaError("invalid", `whiteout of "/${toDisplay(directory)}", which is not a directory`);
  }
  setOpaque(tree, directory);
}

function whiteOut(tree: TreeWriter, name: string): void {
  const hidden = baseOf(name).slice(WHITEOUT.length);
  if (hidden === "" || hidden === "." || hidden === "..") throw new FlotillaError("invalid", `invalid whiteout "/${toDisplay(name)}"`);
  const parent = parentOf(name);
  const target = parent === "" ? hidden : `${parent}/${hidden}`;
  tree.ensureParent(target);
  const existing = tree.find(target);
  // A whiteout hides lower layers only: what this layer itself brings stays.
  if (existing === undefined) mknod(tree.path(target), constants.S_IFCHR, { major: 0, minor: 0 });
  else if (existing.isDirectory()) setOpaque(tree, target);
}

function setOpaque(tree: TreeWriter, directory: string): void {
  lsetxattr(tree.path(directory), "trusted.overlay.opaque", Buffer.from("y"));
}
