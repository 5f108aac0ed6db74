import type { GuardRail, HostGrant, Team, Transaction } from "@flotilla/db";
import { type Guard, type GuardLimits, guardAllow, guardLimits, SAFE_GUARD } from "@flotilla/protocol";
import type { GuardSource } from "./schemas.ts";

/** Id of the row that holds where there is no other. */
export const DEFAULT_GUARD_ID = "default";

export const guardId = (hostId: string, teamId: string): string => `${hostId}/${teamId}`;

export type FoundGuard = { team: Pick<Team, "id" | "name" | "namespace">; guard: Guard; source: GuardSource; grantLimits: GuardLimits };

type Owned = { id: string; team: Pick<Team, "id" | "name" | "namespace"> };

/** By id of the host, what every team that may have containers there may do: the one whose host it is first, then by name. */
export async function findGuards(
  tx: Transaction,
  hosts: readonly Owned[],
): Promise<{ teams: ReadonlyMap<string, FoundGuard[]>; instanceDefault: Guard | null }> {
  const hostId = { in: hosts.map(({ id }) => id) };
  // One after the other: a transaction has one connection.
  const grants = await tx.hostGrant.findMany({ where: { hostId }, include: { team: true }, orderBy: { team: { name: "asc" } } });
  const rows = await tx.guardRail.findMany({ where: { OR: [{ hostId }, { id: DEFAULT_GUARD_ID }] } });
  const byId = new Map(rows.map((row) => [row.id, toGuard(row)]));
  const instanceDefault = byId.get(DEFAULT_GUARD_ID) ?? null;
  const find = (host: Owned, team: FoundGuard["team"], grantLimits: GuardLimits): FoundGuard => {
    const own = byId.get(guardId(host.id, team.id));
    const source = own !== undefined ? "own" : instanceDefault !== null ? "default" : "safe";
    return { team, guard: own ?? instanceDefault ?? SAFE_GUARD, source, grantLimits };
  };
  const teamsOf = (host: Owned): FoundGuard[] => {
    const granted = grants.filter((grant) => grant.hostId === host.id);
    return [find(host, host.team, {}), ...granted.map((grant) => find(host, grant.team, limitsOf(grant)))];
  };
  return { teams: new Map(hosts.map((host) => [host.id, teamsOf(host)])), instanceDefault };
}

/** A row that nobody can read any more allows nothing. */
export function toGuard(row: Pick<GuardRail, "limits" | "allow">): Guard {
  const [limits, allow] = [guardLimits.safeParse(row.limits), guardAllow.safeParse(row.allow)];
  return { limits: limits.success ? limits.data : { containers: 0 }, allow: allow.success ? allow.data : SAFE_GUARD.allow };
}

type LendingLimits = Pick<HostGrant, "maxContainers" | "maxCpus"> & { maxMemoryBytes: bigint | number | null; hostPorts: unknown };

/** What a grant limits, as the host is told it. What cannot be read leaves nothing to publish. */
export function limitsOf(grant: LendingLimits): GuardLimits {
  const ports = guardLimits.shape.hostPorts.safeParse(grant.hostPorts ?? undefined);
  return {
    ...(grant.maxContainers === null ? {} : { containers: grant.maxContainers }),
    ...(grant.maxCpus === null ? {} : { cpus: grant.maxCpus }),
    ...(grant.maxMemoryBytes === null ? {} : { memoryBytes: Number(grant.maxMemoryBytes) }),
    ...(ports.success ? (ports.data === undefined ? {} : { hostPorts: ports.data }) : { hostPorts: [] }),
  };
}
