import { type HostObserved, Prisma, type Transaction } from "@flotilla/db";
import { kindOf, type ObservedMessage, type Resource, type ResourceFailure, type StateVersion } from "@flotilla/protocol";
import { z } from "zod";
import type { ServiceContext } from "../context.ts";
import { noteNetworks } from "../networks/note-networks.ts";
import { noteStackReports } from "../stacks/note-reports.ts";

/** Which connection of which host something comes from. A host's epoch rises with each connection. */
export type ReportSource = { hostId: string; epoch: number };

const rows = z.array(z.unknown());

/** A host says how far it is with a generation. Returns false for a connection that a newer one has replaced. */
export async function recordApplied(
  services: ServiceContext,
  source: ReportSource,
  report: { version: StateVersion; failures: readonly ResourceFailure[] },
): Promise<boolean> {
  const { version, failures } = report;
  const appliedAt = new Date(services.nowMs());
  const told = await services.prisma.$queryRaw(Prisma.sql`
    INSERT INTO host_states AS h (host_id, epoch, applied_generation, applied_hash, failures, applied_at)
    SELECT id, ${source.epoch}, ${version.generation}::bigint, ${version.hash}, ${JSON.stringify(failures)}::jsonb, ${appliedAt}
    FROM hosts WHERE id = ${source.hostId}
    ON CONFLICT (host_id) DO UPDATE SET epoch = EXCLUDED.epoch, applied_generation = EXCLUDED.applied_generation,
      applied_hash = EXCLUDED.applied_hash, failures = EXCLUDED.failures, applied_at = EXCLUDED.applied_at
    WHERE h.epoch <= EXCLUDED.epoch RETURNING 1`);
  return rows.parse(told).length > 0;
}

/** Stores what a host observes. Returns false for a connection that a newer one has replaced: nothing is stored. */
export async function storeObserved(services: ServiceContext, source: ReportSource, message: ObservedMessage): Promise<boolean> {
  const { hostId } = source;
  return services.prisma.$transaction(
    async (tx) => {
      if (!(await claim(tx, source))) return false;
      await noteNetworks(tx, { hostId, message, now: new Date(services.nowMs()) });
      await noteStackReports(tx, { hostId, message });
      if (message.type === "observed_snapshot") {
        await tx.hostObserved.deleteMany({ where: { hostId } });
        await insert(tx, { hostId, set: message.resources, now: new Date(services.nowMs()) });
        return true;
      }
      if (message.remove.length > 0)
        await tx.$executeRaw(Prisma.sql`DELETE FROM host_observed WHERE host_id = ${hostId} AND key = ANY(${message.remove}::text[])`);
      await insert(tx, { hostId, set: message.set, now: new Date(services.nowMs()) });
      return true;
    },
    { timeout: 60_000 },
  );
}

/** What was last observed of a kind, on one host or on all. It is of `updatedAt`: whether the host is there now is another question. */
export async function listObserved(services: ServiceContext, kind: string, hostId?: string): Promise<HostObserved[]> {
  const where = { OR: [{ key: kind }, { key: { startsWith: `${kind}/` } }], ...(hostId === undefined ? {} : { hostId }) };
  const found = await services.prisma.hostObserved.findMany({ where, orderBy: [{ hostId: "asc" }, { key: "asc" }] });
  return found.filter(({ key }) => kindOf(key) === kind);
}

/** Fencing: takes the host's row for a connection unless a newer one has reported. */
async function claim(tx: Transaction, { hostId, epoch }: ReportSource): Promise<boolean> {
  const claimed = await tx.$queryRaw(Prisma.sql`
    INSERT INTO host_states (host_id, epoch) SELECT id, ${epoch} FROM hosts WHERE id = ${hostId}
    ON CONFLICT (host_id) DO UPDATE SET epoch = EXCLUDED.epoch WHERE host_states.epoch <= EXCLUDED.epoch RETURNING 1`);
  return rows.parse(claimed).length > 0;
}

/** However many, in one statement whose text is always the same: Postgres and its client have seen it before. */
async function insert(tx: Transaction, { hostId, set, now }: { hostId: string; set: readonly Resource[]; now: Date }): Promise<void> {
  if (set.length === 0) return;
  const [keys, revisions] = [set.map(({ key }) => key), set.map(({ revision }) => revision)];
  const bodies = set.map(({ body }) => JSON.stringify(body));
  await tx.$executeRaw(Prisma.sql`
    INSERT INTO host_observed (host_id, key, revision, body, updated_at)
    SELECT ${hostId}, said.key, said.revision, said.body::jsonb, ${now}
    FROM unnest(${keys}::text[], ${revisions}::text[], ${bodies}::text[]) AS said(key, revision, body)
    ON CONFLICT (host_id, key) DO UPDATE SET revision = EXCLUDED.revision, body = EXCLUDED.body, updated_at = EXCLUDED.updated_at`);
}
