import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { Prisma, type RegistryCleanup } from "@flotilla/db";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { ObjectRef } from "../access/can.ts";
import { requireUser } from "../access/authorize.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { collectWithRetries } from "./clean-up.ts";
import { pusherName } from "./registry-caller.ts";

/** A run whose control plane does not report for this long was killed. */
const HEARTBEAT_MS = 60_000;
const BEAT_MS = 15_000;

export type CleanupRow = {
  id: string;
  startedBy: string;
  startedAt: string;
  finishedAt: string | null;
  phase: "links" | "blobs" | "files" | "done" | "failed";
  checked: number;
  total: number;
  deletedBlobs: number;
  freedBytes: number;
  error: string | null;
};

const phase = z.enum(["links", "blobs", "files", "done", "failed"]);

/** What the next clean-up would free of the caller's team: blobs that none of its images names. Fresh ones wait for their manifest. */
export async function previewCleanup(
  services: ServiceContext,
  actor: Actor,
): Promise<{ blobs: number; bytes: number; leasedBlobs: number; leasedBytes: number }> {
  const { team } = requireUser(actor);
  const now = new Date(services.nowMs());
  const rows = await services.prisma.$queryRaw(Prisma.sql`
    SELECT COUNT(*) FILTER (WHERE NOT leased)::float8 AS blobs, COALESCE(SUM(size) FILTER (WHERE NOT leased), 0)::float8 AS bytes,
      COUNT(*) FILTER (WHERE leased)::float8 AS "leasedBlobs", COALESCE(SUM(size) FILTER (WHERE leased), 0)::float8 AS "leasedBytes" FROM (
      SELECT b.digest, b.size, bool_or(l.leased_until > ${now}) AS leased FROM registry_blobs b JOIN registry_links l ON l.digest = b.digest
      WHERE NOT EXISTS (SELECT 1 FROM registry_references f WHERE f.digest = b.digest)
      GROUP BY b.digest, b.size HAVING bool_and(l.repository_id IN (SELECT id FROM registry_repositories WHERE team_id = ${team.id}))) AS unused`);
  const [row] = z.tuple([z.object({ blobs: z.number(), bytes: z.number(), leasedBlobs: z.number(), leasedBytes: z.number() })]).parse(rows);
  return row;
}

/** The run that goes on, else the last one; null before the first. */
export async function getCleanupStatus(services: ServiceContext): Promise<CleanupRow | null> {
  const row = await services.prisma.registryCleanup.findFirst({ orderBy: { startedAt: "desc" } });
  return row === null ? null : toCleanupRow(row);
}

function toCleanupRow(row: RegistryCleanup): CleanupRow {
  const { id, startedBy, checked, total, deletedBlobs, error } = row;
  return {
    id,
    startedBy,
    startedAt: row.startedAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
    phase: phase.parse(row.phase),
    checked,
    total,
    deletedBlobs,
    freedBytes: Number(row.freedBytes),
    error,
  };
}

export type CleanupJob = { id: string; done: Promise<void> };

/**
 * Starts a clean-up; `done` resolves at its end and never rejects: a failure is in the run's row.
 * @throws conflict while one runs, here or in another control plane.
 */
export async function startCleanup(
  services: ServiceContext,
  actor: Actor,
  options: { signal?: AbortSignal; orphanAgeMs?: number } = {},
): Promise<CleanupJob> {
  const object: ObjectRef = { kind: "registry", id: "registry", name: "registry", teamId: actor.kind === "user" ? actor.team.id : null };
  const id = await services.prisma.$transaction(async (tx) => {
    const nowMs = services.nowMs();
    await tx.registryCleanup.updateMany({
      where: { finishedAt: null, heartbeatAt: { lt: new Date(nowMs - HEARTBEAT_MS) } },
      data: { finishedAt: new Date(nowMs), phase: "failed", error: "the control plane ended meanwhile" },
    });
    const now = new Date(nowMs);
    const inserted = await tx.registryCleanup.createManyAndReturn({
      data: [{ startedBy: pusherName(actor), startedAt: now, heartbeatAt: now, phase: "links" }],
      skipDuplicates: true,
    });
    const [row] = inserted;
    if (row === undefined) throw new FlotillaError("conflict", "a clean-up of the registry runs already");
    await recordAudit(tx, { actor, action: "registry.cleanup", object, outcome: "ok", detail: { cleanup: row.id } });
    return row.id;
  });
  return { id, done: runCleanup(services, id, options) };
}

async function runCleanup(services: ServiceContext, id: string, options: { signal?: AbortSignal; orphanAgeMs?: number }): Promise<void> {
  const { registryCleanup } = services.prisma;
  const beat = (): Promise<unknown> =>
    registryCleanup.updateMany({ where: { id, finishedAt: null }, data: { heartbeatAt: new Date(services.nowMs()) } });
  const timer = setInterval(() => void beat().catch(() => undefined), BEAT_MS);
  try {
    const result = await collectWithRetries(services, {
      ...options,
      onProgress: async (progress) => {
        await registryCleanup.updateMany({
          where: { id },
          data: { ...progress, freedBytes: BigInt(progress.freedBytes), heartbeatAt: new Date(services.nowMs()) },
        });
      },
    });
    await registryCleanup.updateMany({
      where: { id },
      data: { ...result, freedBytes: BigInt(result.freedBytes), finishedAt: new Date(services.nowMs()) },
    });
  } catch (error) {
    const { message } = toFlotillaError(error);
    services.logger.warn("registry clean-up ended early", { error: message });
    await registryCleanup
      .updateMany({ where: { id }, data: { phase: "failed", error: message.slice(0, 500), finishedAt: new Date(services.nowMs()) } })
      .catch(() => undefined);
  } finally {
    clearInterval(timer);
  }
}
