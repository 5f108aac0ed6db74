import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import { askHosts, type HostBrief, type HostList } from "../engine/ask-hosts.ts";
import { engineJson } from "../engine/engine-call.ts";
import { orAbsent } from "../engine/lenient.ts";

export const network = z.looseObject({
  Id: z.string(),
  Name: z.string(),
  Driver: z.string(),
  Scope: z.string().default("local"),
  Created: orAbsent(z.string()),
  Internal: z.boolean().default(false),
  IPAM: orAbsent(
    z.looseObject({ Config: orAbsent(z.array(z.looseObject({ Subnet: orAbsent(z.string()), Gateway: orAbsent(z.string()) }))) }),
  ),
  Labels: orAbsent(z.record(z.string(), z.string())),
});
export type Network = z.output<typeof network>;
export type NetworkRow = Network & { host: HostBrief };

export function listNetworks(services: ServiceContext, actor: Actor, input: { host?: string | undefined }): Promise<HostList<Network>> {
  return askHosts(services, actor, {
    host: input.host,
    ask: (link, namespace) => engineJson(link, { namespace, method: "GET", path: "/networks" }, z.array(network)),
  });
}
