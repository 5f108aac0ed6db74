import { Prisma, type Transaction } from "@flotilla/db";
import type { ReplicaRow, StackRows } from "./stack-rows.ts";

type Round = { tx: Transaction; rows: StackRows; now: Date };

/** So many phases of a replica are kept. One that is restarted has about three with each start. */
export const MAX_REPLICA_EVENTS = 50;
const MANY_RESTARTS = 10;

type Change = { id: string; readyAt?: Date; failedAt?: Date; lastPhase?: string };
type Event = { replicaId: string; time: Date; phase: string; reason: string };

/**
 * Writes down when replicas were ready, and when they failed, for the first time, and each phase that they come into. Times are this end's own:
 * clocks of hosts differ.
 */
export async function noteReplicas({ tx, rows, now }: Round): Promise<void> {
  const down = new Set(rows.hosts.filter(({ downSince }) => downSince !== null).map(({ id }) => id));
  const events: Event[] = [];
  const changes: Change[] = [];
  for (const replica of rows.stacks.flatMap(({ services }) => services.flatMap(({ replicas }) => replicas))) {
    const phase = newPhase(replica, down.has(replica.hostId));
    if (phase !== undefined) {
      const reason = phase === LOST ? "" : (replica.observed?.reason ?? "");
      events.push({ replicaId: replica.id, time: now, phase, reason });
      if ((replica.observed?.restarts ?? 0) >= MANY_RESTARTS) await forgetOldEvents(tx, replica.id);
    }
    const change = { ...whatIsNew(replica, now), ...(phase === undefined ? {} : { lastPhase: phase }) };
    if (Object.keys(change).length === 0) continue;
    changes.push({ id: replica.id, ...change });
    Object.assign(replica, change);
  }
  if (changes.length > 0) await write(tx, changes);
  if (events.length > 0) await tx.stackReplicaEvent.createMany({ data: events });
}

/** However many, in one statement whose text is always the same. What a change does not say stays. */
async function write(tx: Transaction, changes: readonly Change[]): Promise<void> {
  const column = <T>(pick: (change: Change) => T | undefined): (T | null)[] => changes.map((change) => pick(change) ?? null);
  const readyAt = column((change) => change.readyAt?.toISOString());
  const failedAt = column((change) => change.failedAt?.toISOString());
  await tx.$executeRaw(Prisma.sql`
    UPDATE stack_replicas r SET ready_at = coalesce(n.ready_at, r.ready_at), failed_at = coalesce(n.failed_at, r.failed_at),
      last_phase = coalesce(n.last_phase, r.last_phase)
    FROM unnest(${changes.map(({ id }) => id)}::text[], ${readyAt}::timestamptz[], ${failedAt}::timestamptz[],
      ${column(({ lastPhase }) => lastPhase)}::text[]) AS n(id, ready_at, failed_at, last_phase)
    WHERE r.id = n.id`);
}

const LOST = "lost";

/** The phase that a replica has come into; undefined: it is in that of before, or nothing is known. Pure. */
export function newPhase({ observed, lastPhase }: Pick<ReplicaRow, "observed" | "lastPhase">, isDown: boolean): string | undefined {
  const phase = isDown ? LOST : observed?.phase;
  return phase === lastPhase ? undefined : phase;
}

/** Leaves room for one more. */
async function forgetOldEvents(tx: Transaction, replicaId: string): Promise<void> {
  const kept = await tx.stackReplicaEvent.findMany({
    where: { replicaId },
    orderBy: { id: "desc" },
    take: MAX_REPLICA_EVENTS - 1,
    select: { id: true },
  });
  await tx.stackReplicaEvent.deleteMany({ where: { replicaId, id: { lt: kept.at(-1)?.id ?? "" } } });
}

/** Pure. A replica that was restarted has failed, also if nobody saw it down. */
export function whatIsNew({ observed, readyAt, failedAt }: ReplicaRow, now: Date): { readyAt?: Date; failedAt?: Date } | undefined {
  if (observed === undefined) return undefined;
  const { phase, restarts } = observed;
  const isReady = phase === "running" || phase === "complete";
  const hasFailed = phase === "waiting" || phase === "failed" || phase === "unhealthy" || restarts > 0;
  const change = {
    ...(readyAt === null && isReady ? { readyAt: now } : {}),
    ...(failedAt === null && hasFailed ? { failedAt: now } : {}),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}
