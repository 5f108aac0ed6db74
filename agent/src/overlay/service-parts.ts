// What services and published ports are in a router's table: elements of its balancing sets and maps, and chains by number of slots. Pure.
import type { NetworkService } from "@flotilla/protocol";
import { canonicalIp } from "../host/ip-bytes.ts";
import { familyOf } from "./prefixes.ts";
import { planServers, type VirtualServer } from "./virtual-servers.ts";

/** Elements by set or map: key, and value for a map ("" for a set). */
export type Elements = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** What is planned and changed alone: no two share an element. */
export type TablePart = { servers: readonly VirtualServer[]; elements: Elements };

/** What one service is in a table. */
export type ServicePart = TablePart & { service: NetworkService };

export type PartChanges<T extends TablePart = TablePart> = { gone: readonly T[]; come: readonly T[] };
export const NO_CHANGES: PartChanges = { gone: [], come: [] };

/** What a service adds to the table. */
export function planPart(service: NetworkService): ServicePart {
  const servers = planServers(service);
  const elements = new Map<string, Map<string, string>>();
  for (const address of service.addresses.map(canonicalIp)) put(elements, familyOf(address) === 4 ? "vips" : "vips6", address, "");
  addServers(elements, servers);
  return { service, servers, elements };
}

/** What differs between the parts that are loaded and the services that shall be. @param touched the only ones that may. */
export function planPartChanges(
  parts: ReadonlyMap<string, ServicePart>,
  services: ReadonlyMap<string, NetworkService>,
  touched: Iterable<string> = new Set([...parts.keys(), ...services.keys()]),
): PartChanges<ServicePart> {
  const gone: ServicePart[] = [];
  const come: ServicePart[] = [];
  for (const id of touched) {
    const [part, service] = [parts.get(id), services.get(id)];
    if (part?.service === service) continue;
    if (part !== undefined) gone.push(part);
    if (service !== undefined) come.push(planPart(service));
  }
  return { gone, come };
}

/** The elements of servers that are no service's own. */
export function planElements(servers: readonly VirtualServer[]): Elements {
  const elements = new Map<string, Map<string, string>>();
  addServers(elements, servers);
  return elements;
}

function addServers(elements: Map<string, Map<string, string>>, servers: readonly VirtualServer[]): void {
  for (const server of servers) {
    put(elements, `svc${suffixOf(server)}`, `${server.address} . ${server.protocol} . ${server.port}`, `goto ${chainOf(server)}`);
    const map = slotMapOf(server);
    for (const [index, slot] of server.slots.entries())
      put(elements, map, `${server.address} . ${server.port} . ${index}`, `${slot.address} . ${slot.port}`);
  }
}

function put(elements: Map<string, Map<string, string>>, set: string, ...[key, value]: [string, string]): void {
  const present = elements.get(set);
  if (present === undefined) elements.set(set, new Map([[key, value]]));
  else present.set(key, value);
}

/** Chains of numbers of slots that servers go to, with their one rule. */
export const planChains = (servers: readonly VirtualServer[]): [string, string][] =>
  servers.map((server) => [chainOf(server), chainRule(server)]);

const suffixOf = (server: VirtualServer): "" | "6" => (familyOf(server.address) === 6 ? "6" : "");
const slotMapOf = (server: VirtualServer): string => `eps_${server.protocol}${suffixOf(server)}`;

/** `n_tcp_3`: any of three; `a_tcp_3`: the same one for the same caller; with a 6 for IPv6. */
const chainOf = (server: VirtualServer): string =>
  `${server.isSticky ? "a" : "n"}_${server.protocol}${suffixOf(server)}_${server.slots.length}`;

function chainRule(server: VirtualServer): string {
  const ip = suffixOf(server) === "6" ? "ip6" : "ip";
  const slot = server.isSticky ? `jhash ${ip} saddr mod ${server.slots.length}` : `numgen random mod ${server.slots.length}`;
  return `dnat ${ip} to ${ip} daddr . ${server.protocol} dport . ${slot} map @${slotMapOf(server)}`;
}
