import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { ServiceContext } from "../context.ts";
import { askHosts, type HostBrief, type HostList, openHost } from "../engine/ask-hosts.ts";
import { engineJson, engineList } from "../engine/engine-call.ts";
import { orAbsent } from "../engine/lenient.ts";
import { detailOverlay, type OverlayDetail, type OverlaySummary, summariseOverlay } from "./describe-overlay.ts";
import { readOverlayRows } from "./overlay-rows.ts";

const ipamConfig = z.looseObject({ Subnet: orAbsent(z.string()), Gateway: orAbsent(z.string()), IPRange: orAbsent(z.string()) });
const networkContainer = z.looseObject({ Name: z.string(), IPv4Address: orAbsent(z.string()), IPv6Address: orAbsent(z.string()) });

export const network = z.looseObject({
  Id: z.string(),
  Name: z.string(),
  Driver: z.string(),
  Scope: z.string().default("local"),
  Created: orAbsent(z.string()),
  Internal: z.boolean().default(false),
  IPAM: orAbsent(z.looseObject({ Config: orAbsent(z.array(ipamConfig)) })),
  Containers: orAbsent(z.record(z.string(), networkContainer)),
  Labels: orAbsent(z.record(z.string(), z.string())),
  Options: orAbsent(z.record(z.string(), z.string())),
});
export type Network = z.output<typeof network>;
export type NetworkRow = Network & { host: HostBrief };

/** Networks of one host each in `items`, as their engines tell; those that span the team's hosts in `overlays`, each once. */
export type NetworkList = HostList<Network> & { overlays: OverlaySummary[] };

export async function listNetworks(services: ServiceContext, actor: Actor, input: { host?: string | undefined }): Promise<NetworkList> {
  const user = requireUser(actor);
  const [found, rows] = await Promise.all([
    askHosts(services, actor, {
      host: input.host,
      action: "network.read",
      ask: (link, namespace) => engineList(services.links, link, { namespace, path: "/networks", schema: z.array(network) }),
    }),
    services.prisma.$transaction((tx) => readOverlayRows(tx, user.team.id)),
  ]);
  const overlays = rows.networks.map((row) => summariseOverlay(row, rows)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { ...found, items: found.items.filter(({ Driver }) => Driver !== "overlay"), overlays };
}

/** An overlay network with its hosts and members. @throws not_found. */
export async function getOverlay(services: ServiceContext, actor: Actor, ref: string): Promise<OverlayDetail> {
  const user = requireUser(actor);
  const rows = await services.prisma.$transaction((tx) => readOverlayRows(tx, user.team.id));
  const row = rows.networks.find(({ id }) => id === ref) ?? rows.networks.find(({ name }) => name === ref);
  if (row === undefined) throw notFound("network", ref);
  return detailOverlay(row, rows);
}

/** A network of one host, with its containers, as its engine tells. */
export async function inspectNetwork(services: ServiceContext, actor: Actor, ref: { host: string; id: string }): Promise<NetworkRow> {
  const { link, namespace, brief } = await openHost(services, actor, ref.host);
  const found = await engineJson(link, { namespace, method: "GET", path: `/networks/${encodeURIComponent(ref.id)}` }, network);
  return { ...found, host: brief };
}
