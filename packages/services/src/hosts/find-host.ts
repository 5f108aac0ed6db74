import { FlotillaError } from "@flotilla/core";
import type { Host, Prisma } from "@flotilla/db";
import { notFound, requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import type { ObjectRef } from "../access/can.ts";
import type { ServiceContext } from "../context.ts";

/** A host as a team sees it: its own, or one that is shared with it. */
export type VisibleHost = Host & {
  /** Id of the team that looks: what it has there belongs to it, whoever owns the host. */
  seenBy: string;
};

/** Hosts that a team can see: its own, and those that a grant shares with it. */
export function visibleTo(teamId: string): Prisma.HostWhereInput {
  return { OR: [{ teamId }, { grants: { some: { teamId } } }] };
}

/**
 * A host that the caller's team can see, by name or id. Of equal names the team's own one is meant.
 * @throws not_found, in the same words for hosts of others; conflict for a name that only hosts of others have, more than one.
 */
export async function findHost(services: ServiceContext, actor: Actor, ref: string): Promise<VisibleHost> {
  if (actor.kind !== "user") throw notFound("host", ref);
  const teamId = actor.team.id;
  const found = await services.cache.get(`host ${teamId} ${ref}`, async () => {
    const named = { OR: [{ name: ref }, { id: ref }] };
    const rows = await services.prisma.host.findMany({ where: { AND: [visibleTo(teamId), named] }, orderBy: { id: "asc" } });
    return pickHost(rows, { teamId, ref });
  });
  if (found === undefined) throw notFound("host", ref);
  return found;
}

function pickHost(rows: readonly Host[], { teamId, ref }: { teamId: string; ref: string }): VisibleHost | undefined {
  const own = rows.find((host) => host.teamId === teamId);
  const [first, second] = rows;
  const picked = rows.find((host) => host.id === ref) ?? own ?? first;
  if (picked === undefined) return undefined;
  if (own === undefined && second !== undefined && picked.id !== ref)
    throw new FlotillaError("conflict", `several hosts that are shared with you are called ${ref}: name it by its id`);
  return { ...picked, seenBy: teamId };
}

/** Every host that the caller's team can see, by name. */
export async function findVisibleHosts(services: ServiceContext, actor: Actor): Promise<VisibleHost[]> {
  const { team } = requireUser(actor);
  const rows = await services.prisma.host.findMany({ where: visibleTo(team.id), orderBy: [{ name: "asc" }, { id: "asc" }] });
  return rows.map((host) => ({ ...host, seenBy: team.id }));
}

/** A host as the object of an action. On a host of others the grant must allow what is done. */
export function hostObject(host: { id: string; name: string; teamId: string; seenBy?: string }): ObjectRef {
  const { id, name, teamId } = host;
  return { kind: "host", id, name, teamId: host.seenBy ?? teamId, host: { id, teamId } };
}
