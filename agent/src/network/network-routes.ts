import { FlotillaError, isFlotillaError } from "@flotilla/core";
import { booleanFilter, matchesLabels, parseFilters, type Filters } from "@flotilla/engine-api";
import { CALLER_HEADER } from "@flotilla/protocol";
import { z } from "zod";
import { empty, json, type Call, type Reply, type Route } from "../api/call.ts";
import { queryBoolean } from "../api/query.ts";
import type { ClusterNetworks, WishCaller } from "../overlay/network-wishes.ts";
import { parseTimeFilter } from "../storage/time-filter.ts";
import type { Ipv6Request } from "./ipv6.ts";
import type { Networks } from "./network-manager.ts";
import { scopeOf, toNetwork } from "./network-answers.ts";
import type { NetworkView } from "./network-view.ts";

/** Puts containers on networks and takes them off, remembering it for their next start: the engine's part. */
export type NetworkConnector = {
  connect(
    namespace: string,
    containerRef: string,
    endpoint: { networkName: string; aliases: string[]; links?: string[]; ipv4Address?: string; ipv6Address?: string; macAddress?: string },
  ): Promise<void>;
  disconnect(namespace: string, containerRef: string, options: { networkName: string; force: boolean }): Promise<void>;
};

export type NetworkRoutesDeps = {
  networks: Networks;
  /** Without it connect and disconnect are refused: a connection that a restart forgets would be worse. */
  connector?: NetworkConnector;
  /** Networks that span hosts. Without it there are none. */
  cluster?: ClusterNetworks;
};

const stringMap = z.record(z.string(), z.string()).nullish();
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

const IpamConfig = z.object({ Subnet: text, IPRange: text, Gateway: text, AuxiliaryAddresses: stringMap });
const NetworkCreateBody = z.object({
  Name: z.string(),
  Driver: text,
  Internal: flag,
  Attachable: flag,
  Ingress: flag,
  ConfigOnly: flag,
  EnableIPv6: flag,
  IPAM: z.object({ Driver: text, Config: z.array(IpamConfig).nullish() }).nullish(),
  Options: stringMap,
  Labels: stringMap,
});

const EndpointConfig = z.object({
  Aliases: z.array(z.string()).nullish(),
  Links: z.array(z.string()).nullish(),
  MacAddress: text,
  IPAMConfig: z.object({ IPv4Address: text, IPv6Address: text }).nullish(),
});
const ConnectBody = z.object({ Container: z.string().min(1), EndpointConfig: EndpointConfig.nullish() });
const DisconnectBody = z.object({ Container: z.string().min(1), Force: flag });

const LIST_FILTERS = ["dangling", "driver", "id", "label", "name", "scope", "type"];
const PRUNE_FILTERS = ["label", "label!", "until"];

/** Docker's network calls. */
export function networkRoutes(deps: NetworkRoutesDeps): Route[] {
  const { networks } = deps;
  return [
    { method: "GET", path: "/networks", handler: (call) => list(networks, call) },
    { method: "POST", path: "/networks/create", handler: (call) => create(deps, call) },
    { method: "POST", path: "/networks/prune", handler: (call) => prune(deps, call) },
    { method: "GET", path: "/networks/:id", handler: (call) => inspect(networks, call) },
    { method: "DELETE", path: "/networks/:id", handler: (call) => remove(deps, call) },
    { method: "POST", path: "/networks/:id/connect", handler: (call) => connect(deps, call) },
    { method: "POST", path: "/networks/:id/disconnect", handler: (call) => disconnect(deps, call) },
  ];
}

function list(networks: Networks, call: Call): Reply {
  const filters = parseFilters(call.query.get("filters"), LIST_FILTERS);
  return json(
    networks
      .list(call.namespace)
      .filter((view) => matches(view, filters))
      .map((view) => toNetwork(view, [])),
  );
}

function matches(view: NetworkView, filters: Filters): boolean {
  const some = (key: string, test: (value: string) => boolean): boolean => filters.get(key)?.some(test) ?? true;
  const isUnused = !view.isPredefined && view.endpoints.length === 0;
  return (
    some("driver", (driver) => driver === view.driver) &&
    some("id", (id) => view.id.startsWith(id)) &&
    some("name", (name) => view.name.includes(name)) &&
    some("scope", (scope) => scope === scopeOf(view)) &&
    some("type", (type) => type === (view.isPredefined ? "builtin" : "custom")) &&
    (!filters.has("dangling") || booleanFilter(filters, "dangling", false) === isUnused) &&
    matchesLabels(view.labels, filters.get("label") ?? [])
  );
}

function inspect(networks: Networks, call: Call): Reply {
  const view = networks.inspect(call.namespace, call.params["id"] ?? "");
  const scope = call.query.get("scope") ?? "";
  if (scope !== "" && scope !== scopeOf(view)) throw new FlotillaError("not_found", `network ${call.params["id"] ?? ""} not found`);
  const result = toNetwork(view, view.endpoints);
  return json(queryBoolean(call.query, "verbose") ? { ...result, Services: {} } : result);
}

async function create({ networks, cluster }: NetworkRoutesDeps, call: Call): Promise<Reply> {
  const body = await call.json(NetworkCreateBody);
  if (body.Driver === "overlay" && cluster !== undefined) return createOverlay({ networks, cluster }, call, body);
  const { first, second, hasIpv6 } = addressing(body, "bridge driver doesn't support multiple subnets");
  if (body.Ingress || body.ConfigOnly) throw new FlotillaError("not_implemented", "ingress and config-only networks are not supported");
  const ipam = body.IPAM?.Driver ?? "";
  if (ipam !== "" && ipam !== "default") throw new FlotillaError("invalid", `failed to find a builtin or plugin ipam driver ${ipam}`);
  const id = networks.createNetwork(call.namespace, {
    name: body.Name,
    driver: body.Driver,
    subnet: first?.Subnet ?? "",
    gateway: first?.Gateway ?? "",
    addressRange: first?.IPRange ?? "",
    reserved: first?.AuxiliaryAddresses ?? {},
    ...(hasIpv6 ? { ipv6: toIpv6(second) } : {}),
    isInternal: body.Internal,
    isAttachable: body.Attachable,
    labels: body.Labels ?? {},
    options: body.Options ?? {},
  });
  return json({ Id: id, Warning: "" }, 201);
}

const toIpv6 = (config: IpamConfig | undefined): Ipv6Request => ({
  subnet: config?.Subnet ?? "",
  gateway: config?.Gateway ?? "",
  range: config?.IPRange ?? "",
  reserved: config?.AuxiliaryAddresses ?? {},
});

/** One network for all hosts of the team: the control plane makes it. */
async function createOverlay(
  { networks, cluster }: { networks: Networks; cluster: ClusterNetworks },
  call: Call,
  body: z.output<typeof NetworkCreateBody>,
): Promise<Reply> {
  if (body.Ingress || body.ConfigOnly) throw new FlotillaError("not_implemented", "ingress and config-only networks are not supported");
  if (networks.list(call.namespace).some(({ name }) => name === body.Name))
    throw new FlotillaError("conflict", `network with name ${body.Name} already exists`);
  const { first, second, hasIpv6 } = addressing(body, "an overlay network has one IPv4 and one IPv6 subnet at most");
  if ((second?.IPRange ?? "") !== "" || Object.keys(second?.AuxiliaryAddresses ?? {}).length > 0)
    throw new FlotillaError("not_implemented", "an overlay network has no ranges nor auxiliary addresses of its IPv6 subnet");
  const id = await cluster.create(callerOf(call), {
    name: body.Name,
    subnet: first?.Subnet ?? "",
    gateway: first?.Gateway ?? "",
    addressRange: first?.IPRange ?? "",
    hasIpv6,
    subnet6: second?.Subnet ?? "",
    isInternal: body.Internal,
    isAttachable: true,
    labels: body.Labels ?? {},
    options: body.Options ?? {},
  });
  return json({ Id: id, Warning: "" }, 201);
}

type IpamConfig = z.output<typeof IpamConfig>;

/** One subnet of each family at most. A gateway or range without a subnet is IPv4's, as in Docker, unless it cannot be. */
function addressing(
  body: z.output<typeof NetworkCreateBody>,
  problem: string,
): { first: IpamConfig | undefined; second: IpamConfig | undefined; hasIpv6: boolean } {
  const { v4 = [], v6 = [] } = Object.groupBy(body.IPAM?.Config ?? [], ({ Subnet, Gateway }) => (`${Subnet}${Gateway}`.includes(":") ? "v6" : "v4")); // prettier-ignore
  if (v4.length > 1 || v6.length > 1) throw new FlotillaError("invalid", problem);
  return { first: v4[0], second: v6[0], hasIpv6: body.EnableIPv6 || v6.length > 0 };
}

function callerOf(call: Call): WishCaller {
  const ticket = call.header(CALLER_HEADER);
  return { namespace: call.namespace, ...(ticket === undefined ? {} : { ticket: ticket.slice(0, 64) }) };
}

async function remove(deps: NetworkRoutesDeps, call: Call): Promise<Reply> {
  await removeNetwork(deps, call, call.params["id"] ?? "");
  return empty(204);
}

async function removeNetwork({ networks, cluster }: NetworkRoutesDeps, call: Call, ref: string): Promise<void> {
  const view = networks.inspect(call.namespace, ref);
  if (view.driver !== "overlay" || cluster === undefined) return networks.removeNetwork(call.namespace, ref);
  if (view.endpoints.length > 0)
    throw new FlotillaError("forbidden", `error while removing network: network ${view.name} id ${view.id} has active endpoints`);
  await cluster.remove(callerOf(call), view.id);
}

async function prune(deps: NetworkRoutesDeps, call: Call): Promise<Reply> {
  const filters = parseFilters(call.query.get("filters"), PRUNE_FILTERS);
  const until = filters.get("until")?.map((text) => parseTimeFilter(text, Date.now()));
  const unwanted = filters.get("label!");
  const deleted: string[] = [];
  for (const view of deps.networks.list(call.namespace)) {
    const isWanted =
      matchesLabels(view.labels, filters.get("label") ?? []) && (unwanted === undefined || !matchesLabels(view.labels, unwanted));
    const isOld = until === undefined || until.every((ms) => view.createdAtMs < ms);
    if (view.isPredefined || view.endpoints.length > 0 || !isWanted || !isOld) continue;
    if (await isRemoved(deps, call, view)) deleted.push(view.name);
  }
  return json({ NetworksDeleted: deleted });
}

/** A network of the cluster that another host uses, or whose control plane is away, is not unused. */
async function isRemoved(deps: NetworkRoutesDeps, call: Call, view: NetworkView): Promise<boolean> {
  try {
    await removeNetwork(deps, call, view.id);
    return true;
  } catch (error) {
    if (view.driver === "overlay" && (isFlotillaError(error, "forbidden") || isFlotillaError(error, "unavailable"))) return false;
    throw error;
  }
}

async function connect(deps: NetworkRoutesDeps, call: Call): Promise<Reply> {
  const body = await call.json(ConnectBody);
  const network = deps.networks.inspect(call.namespace, call.params["id"] ?? "");
  const address = body.EndpointConfig?.IPAMConfig?.IPv4Address ?? "";
  const address6 = body.EndpointConfig?.IPAMConfig?.IPv6Address ?? "";
  const mac = body.EndpointConfig?.MacAddress ?? "";
  await requireConnector(deps).connect(call.namespace, body.Container, {
    networkName: network.name,
    aliases: body.EndpointConfig?.Aliases ?? [],
    links: body.EndpointConfig?.Links ?? [],
    ...(address === "" ? {} : { ipv4Address: address }),
    ...(address6 === "" ? {} : { ipv6Address: address6 }),
    ...(mac === "" ? {} : { macAddress: mac }),
  });
  return empty(200);
}

async function disconnect(deps: NetworkRoutesDeps, call: Call): Promise<Reply> {
  const body = await call.json(DisconnectBody);
  const network = deps.networks.inspect(call.namespace, call.params["id"] ?? "");
  await requireConnector(deps).disconnect(call.namespace, body.Container, { networkName: network.name, force: body.Force });
  return empty(200);
}

function requireConnector(deps: NetworkRoutesDeps): NetworkConnector {
  if (deps.connector !== undefined) return deps.connector;
  throw new FlotillaError("not_implemented", "connecting containers to networks and disconnecting them is not supported yet");
}
