// What the resolver answers from: records by key, which the agent writes and the resolver reads (state-file.ts). Both ends share
// these schemas.
import { isIP } from "node:net";
import { z } from "zod";

const address = z.string().refine((text) => isIP(text) !== 0, "not an IP address");
const name = z.string().min(1).max(255);

/** Of several that have one name those of the lowest rank are found, and nobody else. */
export const RANK = { service: 0, reached: 1, unreached: 2 } as const;

/** `web.app` is `web` on the network `app`; reverse lookups answer so. */
export const NetworkRecord = z.object({ kind: z.literal("network"), id: z.string(), name: z.string() });

/** What one container (of this host or another) or one service is called on one network. */
export const NamesRecord = z.object({
  kind: z.literal("names"),
  network: z.string(),
  rank: z.int().min(0).max(2),
  /** Whatever is to be found by name. */
  names: z.array(z.object({ name, addresses: z.array(address) })),
  /** The one name that a reverse lookup of an address gives. */
  members: z.array(z.object({ address, name })),
});
export type NamesRecord = z.output<typeof NamesRecord>;

export const ContainerRecord = z.object({
  kind: z.literal("container"),
  id: z.string(),
  /** Its network namespace, kept under this path. */
  netnsPath: z.string().startsWith("/"),
  /** Ids of its networks, in the order that they are searched. */
  networks: z.array(z.string()),
  /** Names of its own (`--link`), before all others: whoever has the name `target` on the network. */
  links: z.array(z.object({ alias: name, network: z.string(), target: name })),
  /** `--dns`: asked from the container's namespace. Empty: the host's resolvers, asked from the host's. */
  servers: z.array(address),
  /** False when it is on internal networks only: then nothing is asked outside. */
  isForwarding: z.boolean(),
});
export type ContainerRecord = z.output<typeof ContainerRecord>;

export const StateRecord = z.discriminatedUnion("kind", [NetworkRecord, NamesRecord, ContainerRecord]);
export type StateRecord = z.output<typeof StateRecord>;

export const containerKey = (id: string): string => `container ${id}`;
export const networkKey = (id: string): string => `network ${id}`;
export const namesKey = (networkId: string, owner: string): string => `names ${networkId} ${owner}`;

/** One step from a version to the next: all of it or nothing. A network takes its names with it. */
export const StateChange = z.object({
  /** Grows with each change, across restarts of the agent. */
  version: z.number(),
  remove: z.array(z.string()),
  put: z.array(z.tuple([z.string(), StateRecord])),
});
export type StateChange = z.output<typeof StateChange>;

/** Where the container's programs look: images and users have it in their configurations, so it is Docker's. */
export const RESOLVER_ADDRESS = "127.0.0.11";
/** Port 53 belongs to the container, which may run a DNS server of its own; packets are rewritten on their way. */
export const RESOLVER_PORT = 40_053;
