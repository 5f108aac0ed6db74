import { readSync, realpathSync, statSync } from "node:fs";
import { FlotillaError } from "@flotilla/core";
import { toPath } from "../tar/block.ts";
import { TarReader } from "../tar/reader.ts";
import { forEntry } from "./for-entry.ts";
import type { Job } from "./jobs.ts";
import { cleanEntryName } from "./paths.ts";
import { lookUp, parseClientPath } from "./stat-path.ts";
import { TreeWriter } from "./tree-writer.ts";

/** `docker cp` into a tree: the process's root is the container's. Reads `input` to its end. */
export function unpack(input: number, job: Extract<Job, { kind: "unpack" }>): void {
  const client = parseClientPath(job.path);
  lookUp({ ...client, isFollowed: true });
  const directory = realpathSync(toPath(client.path), { encoding: "latin1" });
  if (!statSync(toPath(directory)).isDirectory()) throw new FlotillaError("invalid", "extraction point is not a directory");
  // A volume is another file system than the root, and may be written to also when the root may not.
  if (job.isRootReadOnly && statSync(toPath(directory)).dev === statSync("/").dev) {
    throw new FlotillaError("forbidden", "container rootfs is marked read-only");
  }
  const reader = new TarReader((buffer) => readSync(input, buffer));
  const base = directory.endsWith("/") ? directory : `${directory}/`;
  const tree = new TreeWriter({ base, noOverwriteDirNonDir: job.noOverwriteDirNonDir });
  for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
    const name = cleanEntryName(entry.name);
    // An entry for the extraction point itself must not change its owner or mode.
    if (name === "") continue;
    forEntry(name, () => tree.write(name, entry, reader));
  }
  tree.finish();
  reader.drain();
}
