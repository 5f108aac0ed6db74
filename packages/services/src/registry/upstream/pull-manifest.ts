import { toFlotillaError } from "@flotilla/core";
import type { RegistryManifest, RegistryTag } from "@flotilla/db";
import { isDigest } from "@flotilla/image";
import { fetchManifest, findManifest } from "@flotilla/registry";
import type { ServiceContext } from "../../context.ts";
import { unknownManifest } from "../read-manifests.ts";
import type { CachedRepository } from "./upstream-settings.ts";
import { storeManifest } from "./store-manifest.ts";
import { isAway, toClientError } from "./upstream-pulls.ts";

/** `isStale`: the upstream could not be asked whether the tag still leads there. */
export type PulledManifest = { manifest: RegistryManifest; isStale: boolean };

/** When something was last pulled is written at most this often. */
const PULLED_STEP_MS = 60_000;

/**
 * A manifest of a cached repository: what is here and fresh, else what the upstream has, which is stored.
 * @param reference a tag or a digest.
 * @throws MANIFEST_UNKNOWN; DENIED when the upstream refuses us or leads where it must not; unavailable when it is away.
 */
export async function pullManifest(services: ServiceContext, cached: CachedRepository, reference: string): Promise<PulledManifest> {
  const pulled = isDigest(reference) ? await byDigest(services, cached, reference) : await byTag(services, cached, reference);
  await touch(services, pulled.manifest);
  return pulled;
}

async function byDigest(services: ServiceContext, cached: CachedRepository, digest: string): Promise<PulledManifest> {
  const local = await services.prisma.registryManifest.findFirst({ where: { digest, repository: { path: cached.path } } });
  if (local !== null) return { manifest: local, isStale: false };
  try {
    return { manifest: await fetchAndStore(services, cached, { digest, tag: undefined }), isStale: false };
  } catch (error) {
    throw toClientError(error, cached);
  }
}

type LocalTag = RegistryTag & { manifest: RegistryManifest };

async function byTag(services: ServiceContext, cached: CachedRepository, tag: string): Promise<PulledManifest> {
  const { upstream, path } = cached;
  const { upstreams } = services.registry;
  const local = await services.prisma.registryTag.findFirst({ where: { name: tag, repository: { path } }, include: { manifest: true } });
  if (local !== null && isFresh(services, cached, local)) return { manifest: local.manifest, isStale: false };
  if (local !== null && upstreams.recentFailure(upstream) !== undefined) return { manifest: local.manifest, isStale: true };
  try {
    const manifest = await upstreams.share(`${upstream.id} ${path}:${tag}`, () => revalidate(services, cached, { tag, local }));
    return { manifest, isStale: false };
  } catch (error) {
    if (local !== null && isAway(toFlotillaError(error))) return { manifest: local.manifest, isStale: true };
    throw toClientError(error, cached);
  }
}

function isFresh(services: ServiceContext, { upstream }: CachedRepository, { verifiedAt }: RegistryTag): boolean {
  return verifiedAt !== null && services.nowMs() - verifiedAt.getTime() < upstream.tagTtlSeconds * 1000;
}

/** Asks where the tag leads now, by HEAD; only what is not here is fetched. */
async function revalidate(
  services: ServiceContext,
  cached: CachedRepository,
  { tag, local }: { tag: string; local: LocalTag | null },
): Promise<RegistryManifest> {
  const { prisma, registry } = services;
  const remote = await registry.upstreams.ask(cached, (repository) => findManifest(repository, tag, registry.upstreams.signal));
  if (remote === undefined) {
    // It is gone there: serving it on would hide that.
    if (local !== null) await prisma.registryTag.deleteMany({ where: { id: local.id, verifiedAt: local.verifiedAt } });
    throw unknownManifest(tag);
  }
  if (local !== null && local.manifest.digest === remote.digest) {
    await prisma.registryTag.updateMany({ where: { id: local.id }, data: { verifiedAt: new Date(services.nowMs()) } });
    return local.manifest;
  }
  return fetchAndStore(services, cached, { digest: remote.digest, tag });
}

async function fetchAndStore(
  services: ServiceContext,
  cached: CachedRepository,
  wanted: { digest: string; tag: string | undefined },
): Promise<RegistryManifest> {
  const { digest, tag } = wanted;
  const { upstreams } = services.registry;
  return upstreams.share(`${cached.upstream.id} ${cached.path}@${digest} ${tag ?? ""}`, async () => {
    // By digest, so that what comes is what the tag led to when we asked.
    const fetched = await upstreams.ask(cached, (repository) => fetchManifest(repository, digest, upstreams.signal));
    return storeManifest(services, cached, {
      content: new Uint8Array(fetched.bytes),
      mediaType: fetched.mediaType,
      digest: fetched.digest,
      tag,
    });
  });
}

async function touch(services: ServiceContext, { id, pulledAt }: RegistryManifest): Promise<void> {
  const nowMs = services.nowMs();
  if (pulledAt !== null && nowMs - pulledAt.getTime() < PULLED_STEP_MS) return;
  const at = new Date(nowMs);
  await services.prisma.registryManifest.updateMany({ where: { id }, data: { pulledAt: at } });
  await services.prisma.registryTag.updateMany({ where: { manifestId: id }, data: { pulledAt: at } });
}
