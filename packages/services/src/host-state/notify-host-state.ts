import { Prisma, type Transaction } from "@flotilla/db";

/** Postgres channel on which control planes hear that hosts' desired state may have changed. */
export const HOST_STATE_CHANNEL = "flotilla_host_state";

/** Whose desired state may have changed: one host's, that of a team's hosts, or everybody's. */
export type HostStateScope = { hostId: string } | { teamId: string } | "all";

/** Tells every control plane, when the transaction commits. One that does not hear it finds the change within a minute. */
export async function notifyHostState(tx: Transaction, scope: HostStateScope): Promise<void> {
  const own = Prisma.sql`SELECT pg_notify(${HOST_STATE_CHANNEL}, ${formatScope(scope)})`;
  // Hosts that are shared with the team may have something of it too.
  const isTeam = scope !== "all" && "teamId" in scope;
  const shared = Prisma.sql`SELECT pg_notify(${HOST_STATE_CHANNEL}, 'host ' || host_id) FROM host_grants WHERE team_id = ${isTeam ? scope.teamId : ""}`;
  await tx.$executeRaw(isTeam ? Prisma.sql`${own} UNION ALL ${shared}` : own);
}

/** What the channel carries. */
export function formatScope(scope: HostStateScope): string {
  if (scope === "all") return "all";
  return "hostId" in scope ? `host ${scope.hostId}` : `team ${scope.teamId}`;
}

/** What is not understood may be of a newer control plane: everybody is looked at. */
export function parseScope(payload: string): HostStateScope {
  const [kind, id = ""] = payload.split(" ", 2);
  if (kind === "host" && id !== "") return { hostId: id };
  return kind === "team" && id !== "" ? { teamId: id } : "all";
}
