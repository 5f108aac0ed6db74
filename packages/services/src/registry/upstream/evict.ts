import { Prisma, type Transaction } from "@flotilla/db";
import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { PATIENT } from "../links.ts";
import { overQuota, roomLeft } from "../quota.ts";

/** What was pulled a moment ago is being pulled: its blobs are still asked for. */
const IN_USE_MS = 15 * 60_000;
const DAY_MS = 86_400_000;

const candidate = z.array(z.object({ id: z.string(), repository_id: z.string() }));

/**
 * Evicts cached images of a team, least recently pulled first, until so many bytes fit into its quota. Called before a
 * transaction that stores something, never inside one: it locks other repositories.
 * @throws DENIED when they do not fit, whatever is evicted.
 */
export async function makeRoom(services: ServiceContext, teamId: string, bytes: number): Promise<void> {
  const quota = await services.prisma.registryQuota.findUnique({ where: { teamId } });
  if (quota === null || quota.limitBytes === null) return;
  while ((await roomLeft(services, teamId)) < bytes) {
    const before = new Date(services.nowMs() - IN_USE_MS);
    if (!(await evictOne(services, Prisma.sql`r.team_id = ${teamId} AND COALESCE(m.pulled_at, m.created_at) < ${before}`)))
      throw overQuota();
  }
}

/** Evicts what nobody pulled for as long as its upstream keeps it. Returns how many images. */
export async function evictUnused(services: ServiceContext): Promise<number> {
  let count = 0;
  for (const { id, keepDays } of await services.prisma.registryUpstream.findMany({ select: { id: true, keepDays: true } })) {
    const before = new Date(services.nowMs() - keepDays * DAY_MS);
    while (await evictOne(services, Prisma.sql`r.upstream_id = ${id} AND COALESCE(m.pulled_at, m.created_at) < ${before}`)) count += 1;
  }
  return count;
}

/** The least recently pulled image that no index holds. An index goes before its images, which are then looked at by themselves. */
async function evictOne(services: ServiceContext, which: Prisma.Sql): Promise<boolean> {
  const [found] = candidate.parse(
    await services.prisma.$queryRaw(Prisma.sql`
      SELECT m.id, m.repository_id FROM registry_manifests m JOIN registry_repositories r ON r.id = m.repository_id
      WHERE r.upstream_id IS NOT NULL AND ${which} AND NOT EXISTS (SELECT 1 FROM registry_children c WHERE c.child_id = m.id)
      ORDER BY COALESCE(m.pulled_at, m.created_at), m.id LIMIT 1`),
  );
  if (found === undefined) return false;
  await services.prisma.$transaction((tx) => evict(tx, found), PATIENT);
  return true;
}

/** Removes a manifest with its tags, and the repository's hold of blobs that no other manifest of it names. */
async function evict(tx: Transaction, { id, repository_id: repositoryId }: { id: string; repository_id: string }): Promise<void> {
  await tx.$queryRaw(Prisma.sql`SELECT 1 FROM registry_repositories WHERE id = ${repositoryId} FOR UPDATE`);
  await tx.registryManifest.deleteMany({ where: { id, parents: { none: {} } } });
  await tx.$executeRaw(Prisma.sql`
    DELETE FROM registry_links l WHERE l.repository_id = ${repositoryId} AND NOT EXISTS
      (SELECT 1 FROM registry_references f JOIN registry_manifests m ON m.id = f.manifest_id WHERE m.repository_id = l.repository_id AND f.digest = l.digest)`);
}
