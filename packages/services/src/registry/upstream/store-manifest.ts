import { Prisma, type RegistryManifest, type RegistryRepository, type Transaction } from "@flotilla/db";
import type { Digest } from "@flotilla/image";
import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { lockRepository } from "../find-repository.ts";
import { holdBlobs, LEASE_MS, linkBlob, PATIENT } from "../links.ts";
import { type ManifestFacts, type NamedContent, readManifestFacts } from "../manifest-facts.ts";
import { requireRoomInside } from "../quota.ts";
import { registryError } from "../registry-error.ts";
import { makeRoom } from "./evict.ts";
import type { CachedRepository } from "./upstream-settings.ts";

/** A manifest that was fetched, and verified against its digest. */
export type FetchedContent = { content: Uint8Array<ArrayBuffer>; mediaType: string; digest: Digest; tag: string | undefined };

const blobRows = z.array(z.object({ digest: z.string(), size: z.coerce.number() }));

/**
 * Stores a manifest whose blobs are not here yet: they become wanted, and are fetched when a client asks for them. Blobs that
 * the team has already are used at once.
 */
export async function storeManifest(
  services: ServiceContext,
  cached: CachedRepository,
  fetched: FetchedContent,
): Promise<RegistryManifest> {
  const { upstream, path } = cached;
  const facts = readManifestFacts(fetched.content, fetched.mediaType);
  await makeRoom(services, upstream.teamId, fetched.content.length);
  await services.prisma.registryRepository.createMany({
    data: [{ path, teamId: upstream.teamId, upstreamId: upstream.id }],
    skipDuplicates: true,
  });
  const { id } = await services.prisma.registryRepository.findUniqueOrThrow({ where: { path }, select: { id: true } });
  return services.prisma.$transaction(async (tx) => {
    const repository = await lockRepository(tx, id);
    // The upstream was removed and made anew meanwhile, or somebody pushes here.
    if (repository.upstreamId !== upstream.id) throw registryError("DENIED", `${path} is not a copy of this upstream`);
    const key = { repositoryId: repository.id, digest: fetched.digest };
    const existing = await tx.registryManifest.findUnique({ where: { repositoryId_digest: key } });
    const manifest = existing ?? (await insert(tx, { services, repository, facts, fetched }));
    if (fetched.tag !== undefined) await setTag(tx, { services, manifest, tag: fetched.tag });
    return manifest;
  }, PATIENT);
}

type Insert = { services: ServiceContext; repository: RegistryRepository; facts: ManifestFacts; fetched: FetchedContent };

async function insert(tx: Transaction, { services, repository, facts, fetched }: Insert): Promise<RegistryManifest> {
  const now = new Date(services.nowMs());
  await requireRoomInside(tx, repository.teamId, fetched.content.length);
  const manifest = await tx.registryManifest.create({
    data: {
      repositoryId: repository.id,
      digest: fetched.digest,
      mediaType: facts.mediaType,
      artifactType: facts.artifactType,
      subject: facts.subject,
      annotations: facts.annotations,
      size: fetched.content.length,
      contentSize: BigInt(facts.blobs.reduce((sum, blob) => sum + blob.size, 0)),
      content: fetched.content,
      pushedBy: "upstream",
      createdAt: now,
      pushedAt: now,
      pulledAt: now,
    },
  });
  const blobs = await useTeamBlobs(tx, { repository, facts, leasedUntil: new Date(now.getTime() + LEASE_MS) });
  const children = await presentChildren(tx, repository.id, facts);
  await tx.registryReference.createMany({ data: [...blobs].map((digest) => ({ manifestId: manifest.id, digest })) });
  await tx.registryChild.createMany({ data: [...children.values()].map((childId) => ({ parentId: manifest.id, childId })) });
  const want = (parts: readonly NamedContent[], isManifest: boolean): Prisma.RegistryWantedCreateManyInput[] =>
    parts.map(({ digest, size }) => ({ manifestId: manifest.id, digest, size: BigInt(size), isManifest }));
  const missing = [
    ...want(
      facts.blobs.filter(({ digest }) => !blobs.has(digest)),
      false,
    ),
    ...want(
      facts.manifests.filter(({ digest }) => !children.has(digest)),
      true,
    ),
  ];
  await tx.registryWanted.createMany({ data: missing });
  await joinParents(tx, manifest);
  return manifest;
}

/** Blobs of the manifest that some repository of the team has, of the right size: readable here from now on. */
async function useTeamBlobs(
  tx: Transaction,
  use: { repository: RegistryRepository; facts: ManifestFacts; leasedUntil: Date },
): Promise<Set<string>> {
  const { repository, facts, leasedUntil } = use;
  const found = new Set<string>();
  if (facts.blobs.length === 0) return found;
  const held = await holdBlobs(
    tx,
    facts.blobs.map(({ digest }) => digest),
  );
  if (held.size === 0) return found;
  const rows = blobRows.parse(
    await tx.$queryRaw(Prisma.sql`
      SELECT b.digest, b.size::float8 AS size FROM registry_blobs b WHERE b.digest IN (${Prisma.join([...held])}) AND EXISTS
        (SELECT 1 FROM registry_links l JOIN registry_repositories r ON r.id = l.repository_id WHERE l.digest = b.digest AND r.team_id = ${repository.teamId})`),
  );
  const sizes = new Map(rows.map(({ digest, size }) => [digest, size]));
  for (const { digest, size } of facts.blobs) {
    if (sizes.get(digest) !== size) continue;
    await linkBlob(tx, { repositoryId: repository.id, digest: digest as Digest, leasedUntil });
    found.add(digest);
  }
  return found;
}

/** Manifests of an index that are here, by digest. */
async function presentChildren(tx: Transaction, repositoryId: string, facts: ManifestFacts): Promise<Map<string, string>> {
  if (facts.manifests.length === 0) return new Map();
  const sizes = new Map(facts.manifests.map(({ digest, size }) => [digest, size]));
  const rows = await tx.registryManifest.findMany({
    where: { repositoryId, digest: { in: [...sizes.keys()] } },
    select: { id: true, digest: true, size: true },
  });
  return new Map(rows.filter(({ digest, size }) => sizes.get(digest) === size).map(({ id, digest }) => [digest, id]));
}

/** Indexes of the repository that wanted this manifest have it now. One that says another size goes on wanting. */
async function joinParents(tx: Transaction, { id, repositoryId, digest, size }: RegistryManifest): Promise<void> {
  const where = { digest, isManifest: true, size: BigInt(size), manifest: { repositoryId } };
  const wanting = await tx.registryWanted.findMany({ where, select: { manifestId: true } });
  await tx.registryChild.createMany({
    data: wanting.map(({ manifestId }) => ({ parentId: manifestId, childId: id })),
    skipDuplicates: true,
  });
  await tx.registryWanted.deleteMany({ where });
}

async function setTag(
  tx: Transaction,
  { services, manifest, tag }: { services: ServiceContext; manifest: RegistryManifest; tag: string },
): Promise<void> {
  const now = new Date(services.nowMs());
  const data = { manifestId: manifest.id, pushedBy: "upstream", pushedAt: now, verifiedAt: now };
  const key = { repositoryId_name: { repositoryId: manifest.repositoryId, name: tag } };
  await tx.registryTag.upsert({ where: key, create: { repositoryId: manifest.repositoryId, name: tag, ...data }, update: data });
}
