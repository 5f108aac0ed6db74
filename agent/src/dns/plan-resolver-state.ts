// Which names a container finds, from rows of networks and endpoints and from what the control plane says of other hosts. Pure.
import type { NetworkService, OverlayMember } from "@flotilla/protocol";
import type { ResolverContainer, ResolverNetwork, ResolverState } from "./resolver-state.ts";

/** `isReached` false: this host gets no answer from the member's. */
export type NamedMember = OverlayMember & { isReached: boolean };

export type NamedNetwork = {
  id: string;
  name: string;
  /** `bridge` has no names, as in Docker. */
  hasNames: boolean;
  isInternal: boolean;
  /** Of overlay networks: endpoints on other hosts, and services. */
  members: readonly NamedMember[];
  services: readonly NetworkService[];
};

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

export type NamesInput = { networks: readonly NamedNetwork[]; containers: readonly NamedContainer[] };

/** Containers without a network that has names need no resolver and are left out. */
export function planResolverState({ networks, containers }: NamesInput): Pick<ResolverState, "networks" | "containers"> {
  const named = new Map(networks.filter((network) => network.hasNames).map((network) => [network.id, planNetwork(network, containers)]));
  const internal = new Set(networks.filter((network) => network.isInternal).map((network) => network.id));
  const users = containers.filter(({ endpoints }) => endpoints.some(({ networkId }) => named.has(networkId)));
  const used = new Set(users.flatMap(({ endpoints }) => endpoints.map(({ networkId }) => networkId)));
  return {
    networks: [...named.values()].filter(({ id }) => used.has(id)),
    containers: users.map(({ id, netnsPath, servers, endpoints }): ResolverContainer => ({
      id,
      netnsPath,
      networks: endpoints.map(({ networkId }) => networkId).filter((networkId) => named.has(networkId)),
      links: endpoints.flatMap((endpoint) => planLinks(endpoint, named.get(endpoint.networkId))),
      servers: [...servers],
      isForwarding: endpoints.some(({ networkId }) => !internal.has(networkId)),
    })),
  };
}

function planNetwork(network: NamedNetwork, containers: readonly NamedContainer[]): ResolverNetwork {
  const local = containers.flatMap(({ id, name, hostname, endpoints }) =>
    endpoints
      .filter(({ networkId }) => networkId === network.id)
      .map(({ addresses, aliases }) => ({ addresses, name, names: [name, ...aliases, shortId(id), hostname], isReached: true })),
  );
  const remote = network.members.map(({ containerId, containerName, aliases, address, address6, isReached }) => ({
    isReached,
    addresses: address6 === null ? [address] : [address, address6],
    name: containerName,
    names: [containerName, ...aliases, shortId(containerId)],
  }));
  const everyone = [...local, ...remote];
  const byContainers = everyone.flatMap(({ names, addresses, isReached }) =>
    [...new Set(names)].filter(isName).map((name) => ({ name, addresses: [...addresses], isReached })),
  );
  return {
    id: network.id,
    name: network.name,
    names: withServices(withoutUnreached(byContainers), network.services),
    members: everyone.flatMap(({ addresses, name }) => (isName(name) ? addresses.map((address) => ({ address, name })) : [])),
  };
}

type Named = { name: string; addresses: string[] };

/** What has a name on a host that is not reached is left out, unless nobody else has the name. */
function withoutUnreached(entries: readonly (Named & { isReached: boolean })[]): Named[] {
  const reached = new Set(entries.filter(({ isReached }) => isReached).map(({ name }) => name.toLowerCase()));
  return entries
    .filter(({ name, isReached }) => isReached || !reached.has(name.toLowerCase()))
    .map(({ name, addresses }) => ({ name, addresses }));
}

/** A service's name is its virtual address and nothing else, whatever containers of it are called. */
function withServices(byContainers: readonly Named[], services: readonly NetworkService[]): Named[] {
  const byServices = services.flatMap(({ names, addresses, backends }): Named[] => {
    const tasks = backends.filter(({ weight }) => weight > 0).map(({ address }) => address);
    return names.flatMap((name) => [
      { name, addresses: addresses.length > 0 ? [...addresses] : tasks },
      { name: `tasks.${name}`, addresses: tasks },
    ]);
  });
  const taken = new Set(byServices.map(({ name }) => name.toLowerCase()));
  return [...byContainers.filter(({ name }) => !taken.has(name.toLowerCase())), ...byServices];
}

/** A link to a container that is not on the network now resolves to nothing: it may come back. */
function planLinks({ links }: NamedEndpoint, network: ResolverNetwork | undefined): Named[] {
  return links.flatMap((link) => {
    const { target, alias } = parseLink(link);
    const addresses = network?.names.filter(({ name }) => name.toLowerCase() === target.toLowerCase()).flatMap((each) => each.addresses);
    return addresses === undefined || addresses.length === 0 ? [] : [{ name: alias, addresses }];
  });
}

/** `container:alias`; without an alias the container's own name. */
export function parseLink(link: string): { target: string; alias: string } {
  const [target = "", alias = target] = link.split(":");
  return { target, alias };
}

const shortId = (id: string): string => id.slice(0, 12);
const isName = (name: string): boolean => name !== "" && name.length <= 255;
