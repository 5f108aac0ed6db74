import { mkdirSync, statSync } from "node:fs";
import type { Digest } from "@flotilla/image";
import { resolveInRoot } from "../host/rooted-path.ts";
import type { BuildLayer } from "../storage/build-images.ts";
import type { BuildJob } from "./build-job.ts";
import { makeLayer } from "./make-layer.ts";

/** WORKDIR makes its directory when it is missing: root's, 0755, whatever USER says. */
export async function workdirStep(job: BuildJob, path: string, parent: Digest | null): Promise<BuildLayer | undefined> {
  let isMade = false;
  const layer = await makeLayer(job, parent, async (root) => {
    const directory = resolveInRoot(root, path);
    if (statSync(directory, { throwIfNoEntry: false }) !== undefined) return;
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    isMade = true;
  });
  return isMade ? layer : undefined;
}
