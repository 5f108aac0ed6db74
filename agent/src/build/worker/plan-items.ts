import { posix } from "node:path";
import { FlotillaError } from "@flotilla/core";
import type { BuildCopyJob } from "./build-jobs.ts";
import { directoryTree } from "./directory-tree.ts";
import { findSources, hasWildcard, type FoundSource, type SourceTree } from "./source-tree.ts";

/** One source of a copy: `name` is what it is called in the destination, "" for a directory whose content goes there. */
export type PlannedItem = { path: string; name: string; type: FoundSource["type"] };

/** What a job copies; the process's root is the source. @throws FlotillaError `invalid` in Docker's words. */
export function planItems(job: BuildCopyJob): PlannedItem[] {
  if (job.items.kind === "exact") {
    return job.items.items.map((item) => ({ ...item, type: directoryTree.typeOf(item.path) === "directory" ? "directory" : "file" }));
  }
  const { sources } = job.items;
  return planSources(directoryTree, sources.map(toBytes), {
    keepsParents: job.keepsParents,
    missing: (source) => `stat ${source}: file does not exist`,
  });
}

/** @throws FlotillaError `invalid` for a source that is not there. */
export function planSources(
  tree: SourceTree,
  sources: readonly string[],
  options: { keepsParents: boolean; missing(source: string): string },
): PlannedItem[] {
  return sources.flatMap((source) => {
    // What stands before `/./` is not kept by --parents.
    const pivot = options.keepsParents ? source.indexOf("/./") : -1;
    const found = findSources(tree, source);
    if (found.length === 0 && !hasWildcard(source))
      throw new FlotillaError("invalid", options.missing(Buffer.from(source, "latin1").toString("utf8")));
    const cut =
      pivot === -1
        ? 0
        : source
            .slice(0, pivot)
            .split("/")
            .filter((part) => part !== "" && part !== ".").length;
    return found.map((item) => ({
      path: item.resolved,
      type: item.type,
      name: options.keepsParents ? item.path.split("/").slice(cut).join("/") : item.type === "directory" ? "" : posix.basename(item.path),
    }));
  });
}

function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
