import { can } from "../access/can.ts";
import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import { findVisibleHosts, hostObject } from "./find-host.ts";
import type { HostRow } from "./schemas.ts";
import { toHostRow } from "./to-host-row.ts";

/** Hosts of the caller's team and those that are shared with it, by name. */
export async function listHosts(services: ServiceContext, actor: Actor): Promise<HostRow[]> {
  const hosts = await findVisibleHosts(services, actor);
  return hosts
    .filter((host) => can(actor, "host.read", hostObject(host)).allowed)
    .map((host) => toHostRow(host, services.links.state(host.id)));
}
