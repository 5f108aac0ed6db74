import { Prisma, type PrismaClient, type Transaction } from "@flotilla/db";
import { z } from "zod";
import { type Actor } from "../access/actor.ts";
import { requireUser } from "../access/authorize.ts";
import type { ObjectRef } from "../access/can.ts";
import { difference } from "../audit/difference.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { registryError } from "./registry-error.ts";

/** Bytes; `limitBytes` null is no limit. `uploadBytes` are of pushes that are under way. */
export type RegistryUsage = { usedBytes: number; uploadBytes: number; limitBytes: number | null; repositories: number };

const usageRow = z.tuple([z.object({ blobs: z.coerce.number(), manifests: z.coerce.number(), uploads: z.coerce.number() })]);

type Usage = { storedBytes: number; uploadBytes: number; limitBytes: number | null };

/** What a team holds: each blob once, however many of its repositories have it. */
async function readUsage(db: PrismaClient | Transaction, teamId: string): Promise<Usage> {
  const rows = await db.$queryRaw(Prisma.sql`
    SELECT
      (SELECT COALESCE(SUM(b.size), 0) FROM registry_blobs b WHERE b.digest IN
        (SELECT l.digest FROM registry_links l JOIN registry_repositories r ON r.id = l.repository_id WHERE r.team_id = ${teamId}))::float8 AS blobs,
      (SELECT COALESCE(SUM(m.size), 0) FROM registry_manifests m JOIN registry_repositories r ON r.id = m.repository_id WHERE r.team_id = ${teamId})::float8 AS manifests,
      (SELECT COALESCE(SUM(u."offset"), 0) FROM registry_uploads u JOIN registry_repositories r ON r.id = u.repository_id WHERE r.team_id = ${teamId})::float8 AS uploads`);
  const [{ blobs, manifests, uploads }] = usageRow.parse(rows);
  const quota = await db.registryQuota.findUnique({ where: { teamId } });
  const limit = quota?.limitBytes ?? null;
  return { storedBytes: blobs + manifests, uploadBytes: uploads, limitBytes: limit === null ? null : Number(limit) };
}

/** Bytes that a team may still send; Infinity without a quota. Uploads that are under way count. */
export async function roomLeft(services: ServiceContext, teamId: string): Promise<number> {
  const { limitBytes, storedBytes, uploadBytes } = await readUsage(services.prisma, teamId);
  return limitBytes === null ? Infinity : limitBytes - storedBytes - uploadBytes;
}

/**
 * The check that counts, in the transaction that stores something: it holds the team's quota until the transaction ends,
 * so that pushes beside each other cannot pass it together.
 */
export async function requireRoomInside(tx: Transaction, teamId: string, bytes: number): Promise<void> {
  const rows = await tx.$queryRaw(
    Prisma.sql`SELECT 1 FROM registry_quotas WHERE team_id = ${teamId} AND limit_bytes IS NOT NULL FOR UPDATE`,
  );
  if (z.array(z.unknown()).parse(rows).length === 0) return;
  const { limitBytes, storedBytes } = await readUsage(tx, teamId);
  if (limitBytes !== null && storedBytes + bytes > limitBytes) throw overQuota();
}

export function overQuota(): Error {
  return registryError(
    "DENIED",
    "the team's registry quota is used up: delete images and run the clean-up, or ask an administrator for more",
  );
}

/** Use and limit of the caller's team. */
export async function getRegistryUsage(services: ServiceContext, actor: Actor): Promise<RegistryUsage> {
  const { team } = requireUser(actor);
  const [usage, repositories] = await Promise.all([
    readUsage(services.prisma, team.id),
    services.prisma.registryRepository.count({ where: { teamId: team.id } }),
  ]);
  return { usedBytes: usage.storedBytes, uploadBytes: usage.uploadBytes, limitBytes: usage.limitBytes, repositories };
}

/** Sets or lifts the limit of the caller's team. What is over it stays; nothing more can be pushed. */
export async function setRegistryQuota(services: ServiceContext, actor: Actor, limitBytes: number | null): Promise<void> {
  const { team } = requireUser(actor);
  const limit = limitBytes === null ? null : BigInt(limitBytes);
  const object: ObjectRef = { kind: "registry", id: team.id, name: "registry", teamId: team.id };
  await services.prisma.$transaction(async (tx) => {
    const before = await tx.registryQuota.findUnique({ where: { teamId: team.id } });
    await tx.registryQuota.upsert({
      where: { teamId: team.id },
      create: { teamId: team.id, limitBytes: limit },
      update: { limitBytes: limit },
    });
    const changes = difference({ limitBytes: before?.limitBytes }, { limitBytes: limit });
    await recordAudit(tx, { actor, action: "registry.setQuota", object, outcome: "ok", changes });
  });
}
