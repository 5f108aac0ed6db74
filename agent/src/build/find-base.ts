import { FlotillaError, isFlotillaError } from "@flotilla/core";
import { formatPlatform } from "@flotilla/dockerfile";
import { formatFamiliar, parseReference, type Platform } from "@flotilla/image";
import type { BuildImage } from "../storage/build-images.ts";
import type { BuildJob } from "./build-job.ts";
import type { BuildSink } from "./build-types.ts";

export type BaseQuery = { reference: string; platform: Platform | undefined; sink: BuildSink };

/**
 * The image of a FROM or `--from`: the one that is here, else the registry's.
 * @throws FlotillaError `not_found`, or `invalid` when it is for another kind of machine than asked for.
 */
export async function findBase(job: BuildJob, query: BaseQuery): Promise<BuildImage> {
  const { images } = job.deps;
  const { namespace, isPullForced } = job.request;
  const find = (): BuildImage | undefined => {
    try {
      return images.resolve(namespace, query.reference);
    } catch (error) {
      // An id is written like a name, and a name in full form is no id.
      if (isFlotillaError(error, "not_found")) return findById(job, query.reference);
      throw error;
    }
  };
  let found = find();
  if (found === undefined || isPullForced) {
    await pull(job, query, found !== undefined);
    found = find() ?? found;
  }
  if (found === undefined) throw new FlotillaError("not_found", `No such image: ${query.reference}`);
  assertPlatform(found, query);
  images.markUsed(namespace, found.id);
  for (const { chainId, blobDigest } of found.layers) {
    // Somebody may remove the image's name while the build goes on.
    job.lease.add(chainId);
    job.lease.add(blobDigest);
  }
  return found;
}

async function pull(job: BuildJob, query: BaseQuery, isHere: boolean): Promise<void> {
  const { pullBase } = job.deps;
  if (pullBase === undefined) {
    if (isHere) return;
    throw new FlotillaError(
      "not_implemented",
      `${query.reference} is not on this host, and pulling images is not available yet: bring it in with docker load or docker import`,
    );
  }
  const { namespace, registryConfig } = job.request;
  await pullBase({
    namespace,
    reference: query.reference,
    platform: query.platform,
    registryConfig,
    signal: job.signal,
    progress: (message) => query.sink({ kind: "progress", message }),
  });
}

/** `FROM 1a2b3c…`: planned as `docker.io/library/1a2b3c…:latest`. */
function findById(job: BuildJob, canonical: string): BuildImage | undefined {
  const [, id] = /^docker\.io\/library\/([0-9a-f]{4,64}):latest$/.exec(canonical) ?? [];
  const [, digest] = /@(sha256:[0-9a-f]{64})$/.exec(canonical) ?? [];
  const candidate = id ?? digest;
  if (candidate === undefined) return undefined;
  try {
    return job.deps.images.resolve(job.request.namespace, candidate);
  } catch {
    return undefined;
  }
}

function assertPlatform(image: BuildImage, { reference, platform }: BaseQuery): void {
  if (platform === undefined) return;
  const { architecture, os } = image.config;
  if (platform.os === os && platform.architecture === architecture) return;
  const name = formatFamiliar(parseReference(reference));
  throw new FlotillaError(
    "invalid",
    `image with reference ${name} was found but does not match the specified platform: wanted ${formatPlatform(platform)}, actual: ${os}/${architecture}`,
  );
}
