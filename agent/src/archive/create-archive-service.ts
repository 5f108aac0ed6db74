import type { Readable } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import type { AgentConfig } from "../config.ts";
import type { ArchiveService } from "../engine/ports.ts";
import { decompress, peekArchive } from "./decompress.ts";
import { makeArchiveWorkers, type ArchiveWorkers } from "./workers.ts";

export type ArchiveServiceDeps = {
  config: Pick<AgentConfig, "compileCacheDir">;
  /** Shared with the image store; the service makes its own otherwise. */
  workers?: ArchiveWorkers;
};

/** What `docker cp` and `docker export` need besides the engine's port. */
export type Archives = ArchiveService & {
  /** A tar of everything under a root, without the root itself: `docker export`. */
  exportTree(root: string): Promise<Readable>;
};

/**
 * Copies in and out of containers' trees, in worker processes whose root directory is that tree: no path, symlink or race
 * inside it leads out.
 */
export function createArchiveService(deps: ArchiveServiceDeps): Archives {
  const workers = deps.workers ?? makeArchiveWorkers(deps.config);
  return {
    async stat(root, path) {
      const answer = await workers.run({ kind: "stat", root, path: toBytes(path) });
      if (answer.kind !== "stat") throw new FlotillaError("internal", `archive worker: unexpected answer ${answer.kind}`);
      return answer.stat;
    },
    read: (root, path) => workers.pack({ kind: "pack", root, path: toBytes(path), isExport: false }),
    // oxlint-disable-next-line max-params -- the engine's port has four
    async write(root, path, tar, options) {
      // Owners are those of the archive either way, as in Docker: what differs is what the docker command puts there.
      const plain = decompress(await peekArchive(tar, workers));
      await workers.run(
        {
          kind: "unpack",
          root,
          path: toBytes(path),
          noOverwriteDirNonDir: options.noOverwriteDirNonDir,
          isRootReadOnly: options.isRootReadOnly === true,
        },
        plain,
      );
    },
    async exportTree(root) {
      return (await workers.pack({ kind: "pack", root, path: "/", isExport: true })).stream;
    },
  };
}

/** A path as byte string (see tar/block.ts). */
function toBytes(path: string): string {
  return Buffer.from(path, "utf8").toString("latin1");
}
