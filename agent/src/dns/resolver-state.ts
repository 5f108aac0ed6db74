// What the resolver answers from: one file that the agent replaces and the resolver reads. Both ends share this schema.
import { isIP } from "node:net";
import { z } from "zod";

const address = z.string().refine((text) => isIP(text) !== 0, "not an IP address");
const named = z.object({ name: z.string().min(1).max(255), addresses: z.array(address) });

export const ResolverNetwork = z.object({
  id: z.string(),
  /** `web.app` is `web` on the network `app`; reverse lookups answer so. */
  name: z.string(),
  /** Containers, aliases, services: whatever is to be found by name, on this host and on others. */
  names: z.array(named),
  /** The one name that a reverse lookup of an address gives. */
  members: z.array(z.object({ address, name: z.string().min(1).max(255) })),
});
export type ResolverNetwork = z.output<typeof ResolverNetwork>;

export const ResolverContainer = z.object({
  id: z.string(),
  /** Its network namespace, kept under this path. */
  netnsPath: z.string().startsWith("/"),
  /** Ids of its networks, in the order that they are searched. */
  networks: z.array(z.string()),
  /** Names of its own (`--link`), before all others. */
  links: z.array(named),
  /** `--dns`: asked from the container's namespace. Empty: the host's resolvers, asked from the host's. */
  servers: z.array(address),
  /** False when it is on internal networks only: then nothing is asked outside. */
  isForwarding: z.boolean(),
});
export type ResolverContainer = z.output<typeof ResolverContainer>;

export const ResolverState = z.object({
  /** Grows with each change, across restarts of the agent. */
  version: z.number(),
  /** resolv.conf(5) of the host, read anew when it changes. */
  resolvConfPath: z.string(),
  networks: z.array(ResolverNetwork),
  containers: z.array(ResolverContainer),
});
export type ResolverState = z.output<typeof ResolverState>;

/** Where the container's programs look: images and users have it in their configurations, so it is Docker's. */
export const RESOLVER_ADDRESS = "127.0.0.11";
/** Port 53 belongs to the container, which may run a DNS server of its own; packets are rewritten on their way. */
export const RESOLVER_PORT = 40_053;

/** Addresses by name (lower case) and names by address, of one network. */
export type NetworkIndex = {
  name: string;
  addressesByName: ReadonlyMap<string, readonly string[]>;
  namesByAddress: ReadonlyMap<string, readonly string[]>;
};

/** What one container sees. */
export type ContainerView = Pick<ResolverContainer, "id" | "netnsPath" | "servers" | "isForwarding"> & {
  links: ReadonlyMap<string, readonly string[]>;
  networks: readonly NetworkIndex[];
};

/** The state as lookups want it; networks are shared between the containers on them. */
export function indexState(state: ResolverState): Map<string, ContainerView> {
  const networks = new Map(state.networks.map((network) => [network.id, indexNetwork(network)]));
  return new Map(
    state.containers.map((container) => {
      const own = container.networks.flatMap((id) => networks.get(id) ?? []);
      const { id, netnsPath, servers, isForwarding } = container;
      return [id, { id, netnsPath, servers, isForwarding, links: indexNames(container.links), networks: own }];
    }),
  );
}

function indexNetwork({ name, names, members }: ResolverNetwork): NetworkIndex {
  const namesByAddress = new Map<string, string[]>();
  for (const member of members) namesByAddress.set(member.address, [...(namesByAddress.get(member.address) ?? []), member.name]);
  return { name: name.toLowerCase(), addressesByName: indexNames(names), namesByAddress };
}

/** Several entries of one name are one name with all addresses. */
function indexNames(entries: readonly { name: string; addresses: readonly string[] }[]): Map<string, string[]> {
  const index = new Map<string, string[]>();
  for (const { name, addresses } of entries) {
    const key = name.toLowerCase();
    index.set(key, [...new Set([...(index.get(key) ?? []), ...addresses])]);
  }
  return index;
}
