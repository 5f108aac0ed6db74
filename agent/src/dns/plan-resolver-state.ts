// Which names a container finds, from rows of networks and endpoints and from what the control plane says of other hosts: one record
// for each that has names. Pure.
import type { NetworkService, OverlayMember } from "@flotilla/protocol";
import { containerKey, type ContainerRecord, namesKey, networkKey, RANK, type StateRecord } from "./resolver-state.ts";

/** A record under its key. */
export type Keyed = [key: string, record: StateRecord];

export type NamedEndpoint = {
  networkId: string;
  /** IPv4, and IPv6 when it has one. */
  addresses: readonly string[];
  aliases: readonly string[];
  /** `container:alias`, as `--link` has it. */
  links: readonly string[];
};

export type NamedContainer = {
  id: string;
  name: string;
  hostname: string;
  netnsPath: string;
  /** `--dns`. */
  servers: readonly string[];
  /** In the order of its interfaces. */
  endpoints: readonly NamedEndpoint[];
};

/** What a network is called. */
export const planNetworkRecord = ({ id, name }: { id: string; name: string }): Keyed => [networkKey(id), { kind: "network", id, name }];

/** What a container of this host is called on a network that it is on. */
export function planLocalNames({ id, name, hostname }: Pick<NamedContainer, "id" | "name" | "hostname">, endpoint: NamedEndpoint): Keyed {
  const { networkId, addresses, aliases } = endpoint;
  return planNames([networkId, `c ${id}`], { rank: RANK.reached, addresses, name, names: [name, ...aliases, shortId(id), hostname] });
}

/** What an endpoint of another host is called. Where this host gets no answer from, it is found by names that nobody else has. */
export function planMemberNames(networkId: string, member: OverlayMember, isReached: boolean): Keyed {
  const { containerId, containerName, aliases, address, address6 } = member;
  return planNames([networkId, `m ${address}`], {
    rank: isReached ? RANK.reached : RANK.unreached,
    addresses: address6 === null ? [address] : [address, address6],
    name: containerName,
    names: [containerName, ...aliases, shortId(containerId)],
  });
}

type Named = { rank: number; addresses: readonly string[]; name: string; names: readonly string[] };

function planNames([network, owner]: [string, string], { rank, addresses, name, names }: Named): Keyed {
  const own = [...new Set(names)].filter(isName).map((each) => ({ name: each, addresses: [...addresses] }));
  const members = isName(name) ? addresses.map((address) => ({ address, name })) : [];
  return [namesKey(network, owner), { kind: "names", network, rank, names: own, members }];
}

export const serviceNamesKey = (networkId: string, serviceId: string): string => namesKey(networkId, `s ${serviceId}`);

/** A service's name is its virtual address and nothing else, whatever containers of it are called. */
export function planServiceNames({ networkId, id, names, addresses, backends }: NetworkService): Keyed {
  const tasks = backends.filter(({ weight }) => weight > 0).map(({ address }) => address);
  const own = names.flatMap((name) => [
    { name, addresses: addresses.length > 0 ? [...addresses] : tasks },
    { name: `tasks.${name}`, addresses: tasks },
  ]);
  return [
    serviceNamesKey(networkId, id),
    { kind: "names", network: networkId, rank: RANK.service, names: own.filter(({ name }) => isName(name)), members: [] },
  ];
}

/** Which of a container's networks have names, and which lead nowhere. */
export type NetworkFacts = { hasNames(networkId: string): boolean; isInternal(networkId: string): boolean };

/** What a container sees; undefined when none of its networks has names: then it needs no resolver. */
export function planContainer({ id, netnsPath, servers, endpoints }: NamedContainer, facts: NetworkFacts): Keyed | undefined {
  const networks = endpoints.map(({ networkId }) => networkId).filter((networkId) => facts.hasNames(networkId));
  if (networks.length === 0) return undefined;
  const record: ContainerRecord = {
    kind: "container",
    id,
    netnsPath,
    networks,
    links: endpoints
      .filter(({ networkId }) => facts.hasNames(networkId))
      .flatMap(({ networkId, links }) => links.map((link) => ({ network: networkId, ...parseLink(link) })))
      .filter(({ alias, target }) => isName(alias) && isName(target)),
    servers: [...servers],
    isForwarding: endpoints.some(({ networkId }) => !facts.isInternal(networkId)),
  };
  return [containerKey(id), record];
}

/** `container:alias`; without an alias the container's own name. */
export function parseLink(link: string): { target: string; alias: string } {
  const [target = "", alias = target] = link.split(":");
  return { target, alias };
}

const shortId = (id: string): string => id.slice(0, 12);
const isName = (name: string): boolean => name !== "" && name.length <= 255;
