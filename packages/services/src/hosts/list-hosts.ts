import { requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import type { HostRow } from "./schemas.ts";
import { toHostRow } from "./to-host-row.ts";

/** Hosts of the caller's team, by name. */
export async function listHosts(services: ServiceContext, actor: Actor): Promise<HostRow[]> {
  const { team } = requireUser(actor);
  const hosts = await services.prisma.host.findMany({ where: { teamId: team.id }, orderBy: { name: "asc" } });
  return hosts.map((host) => toHostRow(host, services.links.state(host.id)));
}
