import { randomBytes } from "node:crypto";
import { FlotillaError, isFlotillaError } from "@flotilla/core";
import { resolveFrom, type Source } from "@flotilla/dockerfile";
import type { Digest } from "@flotilla/image";
import type { StepScope } from "./build-job.ts";
import { findBase } from "./find-base.ts";

/** The tree of a stage or image, mounted when somebody looks at it. What is written to it is thrown away. */
export type SourceMount = {
  /** Top layer: says all that is in the tree. */
  chainId: Digest | null;
  root(): Promise<string>;
  close(): Promise<void>;
};

/** What `--from` means; waits for a stage that is still being built. @throws FlotillaError as the base's search does. */
export async function openSource(scope: StepScope, from: string): Promise<SourceMount> {
  const { job, planned } = scope;
  const source = planned.from.get(from) ?? resolveFrom(job.dockerfile, from, planned.platform);
  const chainId = await chainOf(scope, source);
  const { rootfs, images } = job.deps;
  const id = `build-${randomBytes(12).toString("hex")}`;
  let mounted: Promise<string> | undefined;
  return {
    chainId,
    root() {
      mounted ??= images.prepare(id, chainId).then(() => images.mount(id));
      return mounted;
    },
    async close() {
      if (mounted === undefined) return;
      await mounted.catch(() => undefined);
      await rootfs.removeRootfs(id);
    },
  };
}

async function chainOf(scope: StepScope, source: Source): Promise<Digest | null> {
  const { job } = scope;
  if (source.kind === "scratch") throw new FlotillaError("invalid", 'invalid from flag value scratch: "scratch" is no image');
  if (source.kind === "stage") {
    if (!job.graph.stages.some((stage) => stage.index === source.index)) {
      throw new FlotillaError("invalid", `invalid from flag value ${source.index}: that stage is not part of this build`);
    }
    return (await job.stageOf(source.index)).layers.at(-1)?.chainId ?? null;
  }
  try {
    const image = await findBase(job, { reference: source.reference, platform: undefined, sink: scope.sink });
    return image.layers.at(-1)?.chainId ?? null;
  } catch (error) {
    if (!isFlotillaError(error, "not_found")) throw error;
    throw new FlotillaError("not_found", `invalid from flag value ${source.reference}: ${error.message}`, { cause: error });
  }
}
