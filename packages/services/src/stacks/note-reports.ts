import type { Prisma, Transaction } from "@flotilla/db";
import { type ObservedMessage, observedReplica, REPLICA_KIND } from "@flotilla/protocol";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { concernsStacks, notifyStacks } from "./stack-rows.ts";

type Report = { hostId: string; message: ObservedMessage };

/**
 * A report about replicas brings their stacks on; one by which a replica begins or ceases to serve makes the team's hosts route elsewhere. Before
 * the report is stored, in its transaction.
 */
export async function noteStackReports(tx: Transaction, { hostId, message }: Report): Promise<void> {
  const isWhole = message.type === "observed_snapshot";
  const keys = isWhole ? message.resources.map(({ key }) => key) : [...message.set.map(({ key }) => key), ...message.remove];
  if (!isWhole && !keys.some(concernsStacks)) return;
  const isRouted = isWhole || (await changesWhatServes(tx, { hostId, message }));
  for (const { id: teamId } of await tx.team.findMany({ where: teamsOn(hostId), select: { id: true } })) {
    await notifyStacks(tx, teamId);
    if (isRouted) await notifyHostState(tx, { teamId });
  }
}

/** A replica that is being prepared, which most reports of a rollout are about, changes nobody's routes. */
async function changesWhatServes(tx: Transaction, { hostId, message }: Report & { message: { type: "observed_delta" } }): Promise<boolean> {
  const after = new Map(message.set.map(({ key, body }) => [key, servedBy(body)]));
  for (const key of message.remove) after.set(key, "");
  const keys = [...after.keys()].filter((key) => key.startsWith(`${REPLICA_KIND}/`));
  if (keys.length === 0) return false;
  const stored = await tx.hostObserved.findMany({ where: { hostId, key: { in: keys } }, select: { key: true, body: true } });
  const before = new Map(stored.map(({ key, body }) => [key, servedBy(body)]));
  return keys.some((key) => (before.get(key) ?? "") !== after.get(key));
}

/** The container that serves; "": none does. */
function servedBy(body: unknown): string {
  const { data } = observedReplica.safeParse(body);
  return data?.phase === "running" ? (data.containerId ?? "") : "";
}

/** Teams with stacks that a host is of, is shared with, or has replicas of. */
function teamsOn(hostId: string): Prisma.TeamWhereInput {
  const own = { hosts: { some: { id: hostId } } };
  const granted = { hostGrants: { some: { hostId } } };
  const placed = { stacks: { some: { services: { some: { replicas: { some: { hostId } } } } } } };
  return { stacks: { some: {} }, OR: [own, granted, placed] };
}
