import { FlotillaError } from "@flotilla/core";
import { imageConfigSchema, withDefaultTag, type Platform, type Reference } from "@flotilla/image";
import { fetchBlob, fetchManifest, type FetchedManifest, type OpenRepository } from "@flotilla/registry";
import { openRegistries, remoteOf, type DistributionContext, type DistributionRequest } from "./context.ts";

export type DistributionInspect = { Descriptor: { mediaType: string; digest: string; size: number }; Platforms: Platform[] };

const MAX_CONFIG_BYTES = 4 * 2 ** 20;

/** `GET /distribution/NAME/json`: what a registry has under a name, without pulling it. @throws FlotillaError in Docker's words. */
export async function inspectDistribution(
  context: DistributionContext,
  request: DistributionRequest & { reference: Reference },
): Promise<DistributionInspect> {
  const { credentials, signal } = request;
  const reference = withDefaultTag(request.reference);
  const { client, registries } = await openRegistries(context);
  using repository = await client.open({ reference: remoteOf(reference, registries), action: "pull", credentials, signal });
  const found = await fetchManifest(repository, reference.digest ?? reference.tag ?? "latest", signal);
  return {
    Descriptor: { mediaType: found.mediaType, digest: found.digest, size: found.bytes.length },
    Platforms: await platformsOf(repository, found, signal),
  };
}

async function platformsOf(repository: OpenRepository, found: FetchedManifest, signal: AbortSignal): Promise<Platform[]> {
  if (found.kind === "index") return found.index.manifests.flatMap(({ platform }) => (platform == null ? [] : [platform]));
  const bytes = await fetchBlob(repository, found.manifest.config, { maxBytes: MAX_CONFIG_BYTES, signal });
  const { architecture, os, variant } = parseConfig(bytes);
  return [variant == null ? { architecture, os } : { architecture, os, variant }];
}

function parseConfig(bytes: Buffer): Platform {
  try {
    return imageConfigSchema.parse(JSON.parse(bytes.toString("utf8")));
  } catch (error) {
    throw new FlotillaError("invalid", "invalid image configuration", { cause: error });
  }
}
