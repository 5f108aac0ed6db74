import { randomBytes } from "node:crypto";
import type { Digest } from "@flotilla/image";
import type { BuildLayer } from "../storage/build-images.ts";
import type { BuildJob } from "./build-job.ts";

/** Mounts a writable root file system on `parent`, lets `work` change it, and makes a layer of what changed. */
export async function makeLayer(job: BuildJob, parent: Digest | null, work: (root: string) => Promise<void>): Promise<BuildLayer> {
  const { images, rootfs } = job.deps;
  // No container has this id: what a kill leaves is removed by the engine's own start-up.
  const id = `build-${randomBytes(12).toString("hex")}`;
  try {
    await images.prepare(id, parent);
    await work(await images.mount(id));
    return await commitRootfs(job, id, parent);
  } finally {
    await rootfs.removeRootfs(id);
  }
}

/** A layer of what is in the writable directory of a root file system; its directory is used up. */
export async function commitRootfs(job: BuildJob, id: string, parent: Digest | null): Promise<BuildLayer> {
  const { images, rootfs } = job.deps;
  await rootfs.unmountRootfs(id);
  return await images.commit(id, { parent, lease: job.lease, maxMtimeSeconds: job.epochSeconds, signal: job.signal });
}
