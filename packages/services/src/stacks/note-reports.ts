import type { Prisma, Transaction } from "@flotilla/db";
import { type ObservedMessage, REPLICA_KIND } from "@flotilla/protocol";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { concernsStacks, notifyStacks } from "./stack-rows.ts";

/** A report about replicas makes the team's hosts route elsewhere, and stacks go on. In the report's transaction. */
export async function noteStackReports(tx: Transaction, { hostId, message }: { hostId: string; message: ObservedMessage }): Promise<void> {
  const isWhole = message.type === "observed_snapshot";
  const keys = isWhole ? message.resources.map(({ key }) => key) : [...message.set.map(({ key }) => key), ...message.remove];
  if (!isWhole && !keys.some(concernsStacks)) return;
  for (const { id: teamId } of await tx.team.findMany({ where: teamsOn(hostId), select: { id: true } })) {
    await notifyStacks(tx, teamId);
    if (isWhole || keys.some((key) => key.startsWith(`${REPLICA_KIND}/`))) await notifyHostState(tx, { teamId });
  }
}

/** Teams with stacks that a host is of, is shared with, or has replicas of. */
function teamsOn(hostId: string): Prisma.TeamWhereInput {
  const own = { hosts: { some: { id: hostId } } };
  const granted = { hostGrants: { some: { hostId } } };
  const placed = { stacks: { some: { services: { some: { replicas: { some: { hostId } } } } } } };
  return { stacks: { some: {} }, OR: [own, granted, placed] };
}
