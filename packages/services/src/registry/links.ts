import { Prisma, type Transaction } from "@flotilla/db";
import type { Digest } from "@flotilla/image";
import { z } from "zod";

/**
 * How long clean-up leaves a blob alone that no manifest names: from its upload, mount, or a client's question whether it
 * is there, until the manifest must have come. Far more than any push takes between the two.
 */
export const LEASE_MS = 6 * 3_600_000;

/** Pushes of one repository wait for each other: longer than Prisma's own two and five seconds before it gives up. */
export const PATIENT = { maxWait: 15_000, timeout: 60_000 } as const;

const digestRows = z.array(z.object({ digest: z.string() }));

/**
 * Holds blobs for the rest of the transaction: clean-up waits, then sees what was made of them. Always taken before rows
 * of `registry_links`, and in the order of digests, so that nobody waits in a circle. Returns those that exist.
 */
export async function holdBlobs(tx: Transaction, digests: readonly string[]): Promise<Set<string>> {
  if (digests.length === 0) return new Set();
  const rows = await tx.$queryRaw(
    Prisma.sql`SELECT digest FROM registry_blobs WHERE digest IN (${Prisma.join([...digests])}) ORDER BY digest FOR KEY SHARE`,
  );
  return new Set(digestRows.parse(rows).map((row) => row.digest));
}

/** Makes a held blob readable in a repository, leased anew. */
export async function linkBlob(tx: Transaction, link: { repositoryId: string; digest: Digest; leasedUntil: Date }): Promise<void> {
  const { repositoryId, digest, leasedUntil } = link;
  await tx.$executeRaw(Prisma.sql`
    INSERT INTO registry_links (repository_id, digest, leased_until) VALUES (${repositoryId}, ${digest}, ${leasedUntil})
    ON CONFLICT (repository_id, digest) DO UPDATE SET leased_until = GREATEST(registry_links.leased_until, EXCLUDED.leased_until)`);
}

/**
 * Takes indexes and their images apart, before their repositories are deleted: Postgres checks each image that it deletes by a cascade
 * for indexes that name it, and whether those went before depends on the order of rows on the disk.
 */
export async function detachChildren(tx: Transaction, repositories: Prisma.RegistryRepositoryWhereInput): Promise<void> {
  await tx.registryChild.deleteMany({ where: { parent: { repository: repositories } } });
}
