// Who owns a host's connection. Pure. A host's epoch rises with each accepted connection, in the database, in one row: the
// connection with that epoch is the host's, every other one is not, whatever its control plane believes.

/** A connection of a host that is here. */
export type HeldConnection = { hostId: string; epoch: number };

/** What the database says of a host: its newest epoch (null: it was removed), and at which one it is noted here (null: not). */
export type StoredConnection = { hostId: string; hostEpoch: number | null; heldEpoch: number | null };

export type FencingPlan = {
  /** Connections that are the host's no more: to be ended, if they are still of a lower epoch. */
  drop: { hostId: string; below: number; reason: string }[];
  /** Connections that the database does not note here. */
  claim: HeldConnection[];
};

/** What follows for the connections here from what the database says. What it says nothing of stays as it is. */
export function planFencing(held: readonly HeldConnection[], stored: readonly StoredConnection[]): FencingPlan {
  const byHost = new Map(stored.map((row) => [row.hostId, row]));
  const plan: FencingPlan = { drop: [], claim: [] };
  for (const { hostId, epoch } of held) {
    const row = byHost.get(hostId);
    if (row === undefined) continue;
    if (row.hostEpoch === null) plan.drop.push({ hostId, below: Infinity, reason: "the host was removed" });
    else if (row.hostEpoch > epoch) plan.drop.push({ hostId, below: row.hostEpoch, reason: "the host has a newer connection" });
    else if (row.hostEpoch === epoch && row.heldEpoch !== epoch) plan.claim.push({ hostId, epoch });
  }
  return plan;
}

export type Standing = {
  /** How long the lease lasts yet, by a clock that the lease cannot outlive. */
  leaseLeftMs: number;
  /** Control planes whose lease lasts, but who do not answer. */
  unreachable: number;
};

/**
 * Whether the database must be asked before a connection that is here is used: another control plane may have taken the host
 * and could not say so. While all others answer they would have.
 */
export function mustProveOwnership({ leaseLeftMs, unreachable }: Standing): boolean {
  return leaseLeftMs <= 0 || unreachable > 0;
}
