import type { Transaction } from "@flotilla/db";
import type { ReplicaRow, StackRows } from "./stack-rows.ts";

type Round = { tx: Transaction; rows: StackRows; now: Date };

/** Writes down when replicas were ready, and when they failed, for the first time. Times are this end's own: clocks of hosts differ. */
export async function noteReplicas({ tx, rows, now }: Round): Promise<void> {
  for (const { services } of rows.stacks) {
    for (const { replicas } of services) {
      for (const replica of replicas) {
        const change = whatIsNew(replica, now);
        if (change === undefined) continue;
        await tx.stackReplica.update({ where: { id: replica.id }, data: change });
        Object.assign(replica, change);
      }
    }
  }
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
