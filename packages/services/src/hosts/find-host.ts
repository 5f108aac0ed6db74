import type { Host } from "@flotilla/db";
import { notFound } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import type { ObjectRef } from "../access/can.ts";
import type { ServiceContext } from "../context.ts";

/** A host of the caller's team by name or id. @throws not_found, in the same words for hosts of other teams. */
export async function findHost(services: ServiceContext, actor: Actor, ref: string): Promise<Host> {
  if (actor.kind !== "user") throw notFound("host", ref);
  const teamId = actor.team.id;
  const host = await services.cache.get(`host ${teamId} ${ref}`, () =>
    services.prisma.host.findFirst({ where: { teamId, OR: [{ name: ref }, { id: ref }] }, orderBy: { id: "asc" } }),
  );
  if (host === null) throw notFound("host", ref);
  return host;
}

export function hostObject(host: { id: string; name: string; teamId: string }): ObjectRef {
  return { kind: "host", id: host.id, name: host.name, teamId: host.teamId, host: { id: host.id, teamId: host.teamId } };
}
