import { requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import { can } from "../access/can.ts";
import { hostObject } from "./find-host.ts";
import type { HostRow } from "./schemas.ts";
import { toHostRow } from "./to-host-row.ts";

/** Hosts of the caller's team, by name. */
export async function listHosts(services: ServiceContext, actor: Actor): Promise<HostRow[]> {
  const user = requireUser(actor);
  const hosts = await services.prisma.host.findMany({ where: { teamId: user.team.id }, orderBy: { name: "asc" } });
  return hosts
    .filter((host) => can(user, "host.read", hostObject(host)).allowed)
    .map((host) => toHostRow(host, services.links.state(host.id)));
}
