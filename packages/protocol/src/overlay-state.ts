// Desired state of overlay networks: the bodies of the resources `network/<id>` that a host is given (one per network that
// has or may have an endpoint on it), see desired-state.ts; their services are resources of their own, see network-service.ts. Everything is bounded here; what addresses must satisfy towards each other is checked
// by findContradiction, so that an agent never programs half of a contradiction.
import { isIP } from "node:net";
import { z } from "zod";
import { hostTunnel } from "./host-underlay.ts";

/** Kind of these resources. */
export const NETWORK_KIND = "network";
/** VNIs begin above what other products number their own from (Docker swarm: 4096). */
export const MIN_VNI = 4097;
export const MAX_VNI = 2 ** 24 - 1;
export const DEFAULT_VXLAN_PORT = 4789;

const ipv4 = z.ipv4();
const ipv6 = z.ipv6();
const address = z.union([ipv4, ipv6]);
const port = z.int().min(1).max(65_535);
const protocol = z.enum(["tcp", "udp"]);
/** An id of 64 hexadecimal digits, as Docker's. */
export const networkId = z.string().regex(/^[0-9a-f]{64}$/);
/** Host numbers are never reused: they are part of MAC addresses and of next hops, so a stale entry can only fail. */
const hostNumber = z.int().min(1).max(0xffff_ffff);
const textMap = z.record(z.string().max(256), z.string().max(4_096));

export const overlayHost = z.object({
  number: hostNumber,
  /** Where its VXLAN packets go, or its tunnels' packets that hold them; all hosts of a network are of one family. */
  underlay: address,
  /** Of an encrypted network: where to send, the one to use first. None: this host cannot, or has not said so yet. */
  tunnels: z.array(hostTunnel).max(2).default([]),
});
export type OverlayHost = z.output<typeof overlayHost>;

/** A part of the subnet that one host gives addresses from: it does so by itself, the control plane up or not. */
export const overlayBlock = z.object({ host: hostNumber, cidr: z.cidrv4() });

/** An address outside its host's blocks: pinned by a user, or of a container that moved. */
export const overlayPin = z.object({ host: hostNumber, address: ipv4 });

/** An endpoint on another host, for names. Its host counts as there. */
export const overlayMember = z.object({
  host: hostNumber,
  containerId: z.string().max(64),
  containerName: z.string().max(255),
  aliases: z.array(z.string().max(255)).max(256),
  address: ipv4,
  address6: ipv6.nullable(),
});
export type OverlayMember = z.output<typeof overlayMember>;

/** Who may connect to an isolated address; everything else to it is dropped. */
export const overlayRule = z.object({ from: ipv4, to: ipv4, protocol, port });

export const networkState = z.object({
  id: networkId,
  /** Whose network it is: containers of other namespaces do not see it. */
  namespace: z.string().min(1).max(128),
  name: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/),
  vni: z.int().min(MIN_VNI).max(MAX_VNI),
  vxlanPort: port.default(DEFAULT_VXLAN_PORT),
  subnet: z.cidrv4(),
  gateway: ipv4,
  /** At most /96: who has an IPv4 address has the IPv6 address that ends in it. null: IPv4 only. */
  subnet6: z.cidrv6().nullable(),
  /** null: what the underlay of each host allows. */
  mtuBytes: z.int().min(1_280).max(65_535).nullable(),
  isInternal: z.boolean(),
  /** Packets between hosts go through WireGuard, or not at all. */
  isEncrypted: z.boolean(),
  isAttachable: z.boolean(),
  labels: textMap,
  options: textMap,
  createdAtMs: z.int().min(0),
  /** Number of the host that reads this. */
  self: hostNumber,
  hosts: z.array(overlayHost).min(1).max(4_096),
  blocks: z.array(overlayBlock).max(65_536),
  pins: z.array(overlayPin).max(65_536),
  /** Endpoints of the other hosts, for names; the reader's own are not among them. */
  members: z.array(overlayMember).max(65_536),
  /** Addresses of endpoints that are gone for good: what still talks to them is told so at once. */
  dead: z.array(address).max(65_536),
  /** Endpoints of other hosts that count as down, for those of the readers that do not reach such a host either. */
  down: z
    .array(z.object({ host: hostNumber, addresses: z.array(address).max(65_536) }))
    .max(4_096)
    .default([]),
  isolated: z.array(ipv4).max(65_536),
  allow: z.array(overlayRule).max(65_536),
});
export type NetworkState = z.output<typeof networkState>;

/** What is contradictory in a network, as a sentence; undefined when nothing is. */
export function findContradiction(state: NetworkState): string | undefined {
  const numbers = state.hosts.map((host) => host.number);
  if (new Set(numbers).size !== numbers.length) return "a host number is given twice";
  if (new Set(state.hosts.map((host) => host.underlay)).size !== numbers.length) return "two hosts have one underlay address";
  if (new Set(state.hosts.map((host) => isIP(host.underlay))).size > 1) return "underlay addresses are of both families";
  if (!numbers.includes(state.self)) return `host ${state.self} is not among its hosts`;
  if (state.subnet6 !== null && Number(state.subnet6.split("/")[1]) > 96)
    return `${state.subnet6} is too small: IPv6 subnets are at most /96`;
  const known = new Set(numbers);
  const stray = [...state.blocks, ...state.pins].find(({ host }) => !known.has(host));
  if (stray !== undefined) return `host ${stray.host} has addresses but is not among the hosts`;
  return findMisplaced(state);
}

function findMisplaced(state: NetworkState): string | undefined {
  const [first, last] = rangeOf(state.subnet);
  const isInside = ([from, to]: readonly [number, number]): boolean => from >= first && to <= last;
  if (!isInside(rangeOf(`${state.gateway}/32`))) return `gateway ${state.gateway} is outside of ${state.subnet}`;
  const outside = [...state.blocks.map((block) => block.cidr), ...state.pins.map((pin) => `${pin.address}/32`)].find((cidr) => !isInside(rangeOf(cidr))); // prettier-ignore
  if (outside !== undefined) return `${outside} is outside of ${state.subnet}`;
  const ordered = state.blocks.map(({ cidr }) => ({ cidr, range: rangeOf(cidr) })).sort((a, b) => a.range[0] - b.range[0]);
  const overlap = ordered.findIndex(({ range }, index) => index > 0 && range[0] <= (ordered[index - 1]?.range[1] ?? -1));
  return overlap === -1 ? undefined : `blocks ${ordered[overlap - 1]?.cidr ?? ""} and ${ordered[overlap]?.cidr ?? ""} overlap`;
}

/** First and last address of an IPv4 prefix, as numbers. */
function rangeOf(cidr: string): readonly [number, number] {
  const [address = "", length = ""] = cidr.split("/");
  const size = 2 ** (32 - Number(length));
  const value = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = Math.floor(value / size) * size;
  return [first, first + size - 1];
}

/** What a host says of its part of a network, as the observed resource `network/<id>`. */
export const observedNetwork = z.object({
  mtuBytes: z.int().min(0),
  /** Containers of this host on it. */
  endpoints: z
    .array(
      z.object({
        id: z.string().max(64),
        containerId: z.string().max(64),
        containerName: z.string().max(255),
        address: ipv4,
        address6: ipv6.nullable(),
        macAddress: z.string().max(17),
        aliases: z.array(z.string().max(255)).max(256),
      }),
    ) // prettier-ignore
    .max(65_536),
  /** Of the addresses that are pinned to this host, those that a container asks for, also one that does not run. An older agent does not say. */
  pins: z.array(ipv4).max(65_536).optional(),
  /** Addresses that were given back a moment ago and are given to nobody yet. */
  resting: z.int().min(0).max(65_536).default(0),
  /** Why the network does not work here; null when it does. */
  problem: z.string().max(2_000).nullable(),
});
export type ObservedNetwork = z.output<typeof observedNetwork>;
