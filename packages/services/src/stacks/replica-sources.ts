import type { Actor } from "../access/actor.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { ServiceContext } from "../context.ts";
import { readStackRows } from "./stack-rows.ts";

/** A container of a stack on a host that can be asked. */
export type ReplicaSource = { service: string; slot: string; host: string; replicaId: string; containerId: string };

/** The containers of a stack, or of one service. @throws not_found. */
export async function findSources(
  services: ServiceContext,
  actor: Actor,
  request: { stack: string; service?: string | undefined },
): Promise<ReplicaSource[]> {
  const { team } = requireUser(actor);
  const { stacks, hosts } = await services.prisma.$transaction((tx) => readStackRows(tx, team.id, request.stack));
  const [stack] = stacks;
  if (stack === undefined) throw notFound("stack", request.stack);
  const chosen = stack.services.filter(({ name }) => request.service === undefined || name === request.service);
  if (chosen.length === 0 && request.service !== undefined) throw notFound("service", request.service);
  return chosen.flatMap((service) =>
    service.replicas.flatMap(({ id, slot, hostId, observed }) => {
      const host = hosts.find((row) => row.id === hostId);
      if (observed?.containerId == null || host === undefined || host.downSince !== null) return [];
      return [{ service: service.name, slot, host: host.name, replicaId: id, containerId: observed.containerId }];
    }),
  );
}
