import { FlotillaError, isFlotillaError } from "@flotilla/core";
import { booleanFilter, matchesLabels, parseFilters, type Filters } from "@flotilla/engine-api";
import { CALLER_HEADER } from "@flotilla/protocol";
import { z } from "zod";
import { empty, json, type Call, type Reply, type Route } from "../api/call.ts";
import { queryBoolean } from "../api/query.ts";
import type { ClusterNetworks, WishCaller } from "../overlay/network-wishes.ts";
import { parseTimeFilter } from "../storage/time-filter.ts";
import type { Networks } from "./network-manager.ts";
import type { NetworkView } from "./network-view.ts";

/** Puts containers on networks and takes them off, remembering it for their next start: the engine's part. */
export type NetworkConnector = {
  connect(
    namespace: string,
    containerRef: string,
    endpoint: { networkName: string; aliases: string[]; links?: string[]; ipv4Address?: string; macAddress?: string },
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
  IPAMConfig: z.object({ IPv4Address: text }).nullish(),
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
  const configs = body.IPAM?.Config ?? [];
  if (body.EnableIPv6) throw new FlotillaError("not_implemented", "IPv6 networks are not supported yet");
  if (body.Ingress || body.ConfigOnly) throw new FlotillaError("not_implemented", "ingress and config-only networks are not supported");
  const ipam = body.IPAM?.Driver ?? "";
  if (ipam !== "" && ipam !== "default") throw new FlotillaError("invalid", `failed to find a builtin or plugin ipam driver ${ipam}`);
  if (configs.length > 1) throw new FlotillaError("invalid", "bridge driver doesn't support multiple subnets");
  const id = networks.createNetwork(call.namespace, {
    name: body.Name,
    driver: body.Driver,
    subnet: configs[0]?.Subnet ?? "",
    gateway: configs[0]?.Gateway ?? "",
    addressRange: configs[0]?.IPRange ?? "",
    reserved: configs[0]?.AuxiliaryAddresses ?? {},
    isInternal: body.Internal,
    isAttachable: body.Attachable,
    labels: body.Labels ?? {},
    options: body.Options ?? {},
  });
  return json({ Id: id, Warning: "" }, 201);
}

/** One network for all hosts of the team: the control plane makes it. */
async function createOverlay(
  { networks, cluster }: { networks: Networks; cluster: ClusterNetworks },
  call: Call,
  body: z.output<typeof NetworkCreateBody>,
): Promise<Reply> {
  if (body.Ingress || body.ConfigOnly) throw new FlotillaError("not_implemented", "ingress and config-only networks are not supported");
  if (networks.list(call.namespace).some(({ name }) => name === body.Name))
    throw new FlotillaError("conflict", `network with name ${body.Name} already exists`);
  const configs = body.IPAM?.Config ?? [];
  const [first, second] = [configs.filter(({ Subnet }) => !Subnet.includes(":")), configs.filter(({ Subnet }) => Subnet.includes(":"))];
  if (first.length > 1 || second.length > 1)
    throw new FlotillaError("invalid", "an overlay network has one IPv4 and one IPv6 subnet at most");
  const id = await cluster.create(callerOf(call), {
    name: body.Name,
    subnet: first[0]?.Subnet ?? "",
    gateway: first[0]?.Gateway ?? "",
    addressRange: first[0]?.IPRange ?? "",
    hasIpv6: body.EnableIPv6 || second.length > 0,
    subnet6: second[0]?.Subnet ?? "",
    isInternal: body.Internal,
    isAttachable: true,
    labels: body.Labels ?? {},
    options: body.Options ?? {},
  });
  return json({ Id: id, Warning: "" }, 201);
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
  const mac = body.EndpointConfig?.MacAddress ?? "";
  await requireConnector(deps).connect(call.namespace, body.Container, {
    networkName: network.name,
    aliases: body.EndpointConfig?.Aliases ?? [],
    links: body.EndpointConfig?.Links ?? [],
    ...(address === "" ? {} : { ipv4Address: address }),
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

/** Docker's word for a network of several hosts. */
const scopeOf = (view: NetworkView): "local" | "swarm" => (view.driver === "overlay" ? "swarm" : "local");

/** Docker's `NetworkResource`. */
function toNetwork(view: NetworkView, endpoints: NetworkView["endpoints"]): Record<string, unknown> {
  return {
    Name: view.name,
    Id: view.id,
    Created: new Date(view.createdAtMs).toISOString(),
    Scope: scopeOf(view),
    Driver: view.driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: toIpamConfig(view) },
    Internal: view.isInternal,
    Attachable: view.isAttachable,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: Object.fromEntries(endpoints.map((endpoint) => [endpoint.containerId, toContainer(endpoint)])),
    Options: view.options,
    Labels: view.labels,
  };
}

function toIpamConfig({ addressing }: NetworkView): Record<string, unknown>[] {
  if (addressing === undefined) return [];
  const { subnet, gateway, addressRange, reserved } = addressing;
  const auxiliary = Object.keys(reserved).length === 0 ? {} : { AuxiliaryAddresses: reserved };
  return [{ Subnet: subnet, ...(addressRange === "" ? {} : { IPRange: addressRange }), Gateway: gateway, ...auxiliary }];
}

const toContainer = (endpoint: NetworkView["endpoints"][number]): Record<string, string> => ({
  Name: endpoint.containerName,
  EndpointID: endpoint.endpointId,
  MacAddress: endpoint.macAddress,
  IPv4Address: `${endpoint.ipv4Address}/${endpoint.prefixLength}`,
  IPv6Address: "",
});
