import type { Transaction } from "@flotilla/db";
import { type ObservedMessage, REPLICA_KIND } from "@flotilla/protocol";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { concernsStacks, notifyStacks } from "./stack-rows.ts";

/** A report about replicas makes the team's hosts route elsewhere, and stacks go on. In the report's transaction. */
export async function noteStackReports(tx: Transaction, { hostId, message }: { hostId: string; message: ObservedMessage }): Promise<void> {
  const isWhole = message.type === "observed_snapshot";
  const keys = isWhole ? message.resources.map(({ key }) => key) : [...message.set.map(({ key }) => key), ...message.remove];
  if (!isWhole && !keys.some(concernsStacks)) return;
  const host = await tx.host.findUnique({
    where: { id: hostId },
    select: { teamId: true, team: { select: { stacks: { take: 1, select: { id: true } } } } },
  });
  if (host === null || host.team.stacks.length === 0) return;
  await notifyStacks(tx, host.teamId);
  if (isWhole || keys.some((key) => key.startsWith(`${REPLICA_KIND}/`))) await notifyHostState(tx, { teamId: host.teamId });
}
