import { Prisma } from "@flotilla/db";
import type { Digest } from "@flotilla/image";
import { z } from "zod";
import type { ServiceContext } from "../context.ts";
import { holdBlobs, LEASE_MS, linkBlob, PATIENT } from "./links.ts";
import { requireRoomInside } from "./quota.ts";
import { registryError } from "./registry-error.ts";

export type BlobFacts = { digest: Digest; size: number; storageKey: string };

/** A client that asks for a blob before a push relies on it: its lease is renewed when less than half is left. */
const RENEW_BELOW_MS = LEASE_MS / 2;

const blobRow = z.object({ size: z.coerce.number(), storage_key: z.string(), leased_until: z.date() });

/** A blob as seen from one repository. @throws BLOB_UNKNOWN also for what only other repositories have. */
export async function findBlob(services: ServiceContext, repositoryId: string, digest: Digest): Promise<BlobFacts> {
  const rows = z.array(blobRow).parse(
    await services.prisma.$queryRaw(Prisma.sql`
      SELECT b.size::float8 AS size, b.storage_key, l.leased_until FROM registry_links l JOIN registry_blobs b ON b.digest = l.digest
      WHERE l.repository_id = ${repositoryId} AND l.digest = ${digest}`),
  );
  const [row] = rows;
  if (row === undefined) throw unknownBlob(digest);
  const nowMs = services.nowMs();
  if (row.leased_until.getTime() - nowMs < RENEW_BELOW_MS) {
    const { count } = await services.prisma.registryLink.updateMany({
      where: { repositoryId, digest },
      data: { leasedUntil: new Date(nowMs + LEASE_MS) },
    });
    // Clean-up was faster: saying that it is there would make the client leave out what it must send.
    if (count === 0) throw unknownBlob(digest);
  }
  return { digest, size: row.size, storageKey: row.storage_key };
}

export function unknownBlob(digest: string): Error {
  return registryError("BLOB_UNKNOWN", "blob unknown to registry", { digest });
}

/**
 * Makes a blob of another repository readable in this one, without a copy. The caller has checked that both may be used.
 * Returns false when the source does not have it.
 */
export async function mountBlob(
  services: ServiceContext,
  mount: { fromId: string; to: { id: string; teamId: string }; digest: Digest },
): Promise<boolean> {
  const { fromId, to, digest } = mount;
  return services.prisma.$transaction(async (tx) => {
    if (!(await holdBlobs(tx, [digest])).has(digest)) return false;
    const source = await tx.registryLink.findUnique({
      where: { repositoryId_digest: { repositoryId: fromId, digest } },
      include: { blob: true },
    });
    if (source === null) return false;
    const inTeam = await tx.registryLink.findFirst({ where: { digest, repository: { teamId: to.teamId } } });
    if (inTeam === null) await requireRoomInside(tx, to.teamId, Number(source.blob.size));
    await linkBlob(tx, { repositoryId: to.id, digest, leasedUntil: new Date(services.nowMs() + LEASE_MS) });
    return true;
  }, PATIENT);
}

/**
 * Takes a blob out of a repository. Its bytes go with the next clean-up, if no other repository has it.
 * @throws BLOB_UNKNOWN, and DENIED while a manifest of the repository needs it.
 */
export async function deleteBlobLink(services: ServiceContext, repositoryId: string, digest: Digest): Promise<void> {
  await services.prisma.$transaction(async (tx) => {
    // The same lock as for a push of a manifest: it comes before, and is seen, or after, and misses the blob.
    await tx.$queryRaw(Prisma.sql`SELECT 1 FROM registry_repositories WHERE id = ${repositoryId} FOR UPDATE`);
    const inUse = await tx.registryReference.count({ where: { digest, manifest: { repositoryId } } });
    if (inUse > 0) throw registryError("DENIED", "the blob is part of an image of this repository", { digest });
    const { count } = await tx.registryLink.deleteMany({ where: { repositoryId, digest } });
    if (count === 0) throw unknownBlob(digest);
  }, PATIENT);
}
