import type { Reason } from "@flotilla/planner";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { ServiceContext } from "../context.ts";
import { stackInputRef } from "./control-stack.ts";
import { MAX_REPLICA_EVENTS } from "./note-replicas.ts";
import { toHostReason } from "./reasons.ts";

export const replicaRef = stackInputRef.extend({ replica: z.string().min(1).max(64) });

export type ReplicaEvent = { id: string; time: string; phase: string; reason: string; /** `reason` as data. */ said: Reason[] };

/** The phases that a replica was in, the newest first. @throws not_found. */
export async function listReplicaEvents(
  services: ServiceContext,
  actor: Actor,
  { stack, replica }: z.output<typeof replicaRef>,
): Promise<ReplicaEvent[]> {
  const { team } = requireUser(actor);
  const row = await services.prisma.stackReplica.findFirst({
    where: { id: replica, service: { stack: { teamId: team.id, name: stack } } },
    select: { events: { orderBy: { id: "desc" }, take: MAX_REPLICA_EVENTS } },
  });
  if (row === null) throw notFound("replica", replica);
  return row.events.map(({ id, time, phase, reason }) => ({
    id,
    time: time.toISOString(),
    phase,
    reason,
    said: reason === "" ? [] : [toHostReason(reason)],
  }));
}
