// What one host has in the kernel for one overlay network, as data. Pure. docs/design/overlay.md says why.
//
// Tables grow with hosts and blocks of addresses, not with containers of other hosts: per remote host one forwarding entry
// and one neighbour, per block one route.
import { type NetworkService, type NetworkState, overlayOverheadBytes } from "@flotilla/protocol";
import { canonicalIp } from "../host/ip-bytes.ts";
import { formatObject, MAIN_TABLE, slotOf, type KernelObject, type ObjectChange, type RouteObject } from "../host/kernel-objects.ts";
import { vxlanAddress } from "./tunnel-plan.ts";
import { entryTable, nextHop, UPLINK, vtepMac, VXLAN_LINK } from "./names.ts";
import { embedPrefix, embed, familyOf, firstAddress, formatPrefix, hostPrefix, parsePrefix } from "./prefixes.ts";

export type LocalEndpoint = {
  /** The router's end of its link. */
  link: string;
  address: string;
  /** "" without IPv6. */
  address6: string;
  mac: string;
};

/** Two addresses of 169.254.64.0/18 that only this host knows. */
export type Uplink = { hostLink: string; hostAddress: string; routerAddress: string };

export type RouterInput = {
  state: NetworkState;
  /** By id. */
  services: ReadonlyMap<string, NetworkService>;
  /** Those with a port on every host; none of an internal network. */
  published: readonly NetworkService[];
  endpoints: readonly LocalEndpoint[];
  /** Where this host's VXLAN packets leave from. */
  localAddress: string;
  /** undefined for an internal network: nothing leaves it. */
  uplink: Uplink | undefined;
};

/** This host's own entry. */
export function selfOf(state: NetworkState): NetworkState["hosts"][number] {
  const self = state.hosts.find((host) => host.number === state.self);
  if (self === undefined) throw new Error(`host ${state.self} is not among the hosts of ${state.name}`);
  return self;
}

/** MTU of everything in the network, when the underlay's is known. */
export function planMtu(state: NetworkState, underlayMtuBytes: number): number {
  return state.mtuBytes ?? largestMtu(state, underlayMtuBytes);
}

/** The largest packet that fits into one of the underlay. */
export function largestMtu(state: NetworkState, underlayMtuBytes: number): number {
  const { underlay } = selfOf(state);
  return underlayMtuBytes - overlayOverheadBytes(familyOf(underlay), state.isEncrypted);
}

/** Address of a host's router: the first of its first block; undefined while it has none. */
export function nodeAddress(state: NetworkState, host: number, family: 4 | 6): string | undefined {
  const block = state.blocks.find((each) => each.host === host);
  if (block === undefined || (family === 6 && state.subnet6 === null)) return undefined;
  const address = firstAddress(parsePrefix(block.cidr));
  return family === 4 || state.subnet6 === null ? address : embed(state.subnet6, address);
}

/** Addresses, forwarding entries, neighbours, rules and routes of the router, in the order in which they can be made. */
export function planObjects(input: RouterInput): KernelObject[] {
  const { state, uplink } = input;
  const remote = state.hosts.filter((host) => host.number !== state.self);
  return [
    ...planAddresses(input),
    ...remote.flatMap((host): KernelObject[] => {
      const destination = vxlanAddress(state, host);
      return destination === undefined
        ? []
        : [{ kind: "fdb", link: VXLAN_LINK, mac: vtepMac(host.number), destination: canonicalIp(destination) }];
    }),
    ...remote.map((host): KernelObject => ({
      kind: "neighbour",
      link: VXLAN_LINK,
      address: nextHop(host.number),
      mac: vtepMac(host.number),
    })),
    ...input.endpoints.flatMap(planNeighbours),
    ...input.endpoints.flatMap(planEndpointRoutes),
    ...planRemoteRoutes(state),
    // What nobody has goes nowhere, least of all out of the host.
    ...[state.subnet, state.subnet6].flatMap((subnet) => (subnet === null ? [] : [blackhole(subnet)])),
    ...(uplink === undefined ? [] : [route({ destination: "0.0.0.0/0", link: UPLINK, via: uplink.hostAddress })]),
    ...(input.published.length > 0 ? remote.flatMap((host) => planWayBack(host.number)) : []),
  ];
}

/** What the router has for one container. */
export const planEndpoint = (endpoint: LocalEndpoint): KernelObject[] => [...planNeighbours(endpoint), ...planEndpointRoutes(endpoint)];

function planAddresses({ state, uplink }: RouterInput): KernelObject[] {
  const node4 = nodeAddress(state, state.self, 4);
  const node6 = nodeAddress(state, state.self, 6);
  return [
    { kind: "address", link: "lo", address: canonicalIp(state.gateway), prefixLength: 32 },
    ...(node4 === undefined ? [] : [{ kind: "address", link: VXLAN_LINK, address: node4, prefixLength: 32 } as const]),
    ...(node6 === undefined ? [] : [{ kind: "address", link: VXLAN_LINK, address: node6, prefixLength: 128 } as const]),
    ...(uplink === undefined ? [] : [{ kind: "address", link: UPLINK, address: uplink.routerAddress, prefixLength: 31 } as const]),
  ];
}

const addressesOf = (endpoint: LocalEndpoint): string[] =>
  [endpoint.address, endpoint.address6].filter((address) => address !== "").map(canonicalIp);

const planNeighbours = (endpoint: LocalEndpoint): KernelObject[] =>
  addressesOf(endpoint).map((address) => ({ kind: "neighbour", link: endpoint.link, address, mac: endpoint.mac }));

const planEndpointRoutes = (endpoint: LocalEndpoint): KernelObject[] =>
  addressesOf(endpoint).map((address) => route({ destination: hostPrefix(address), link: endpoint.link }));

function planRemoteRoutes(state: NetworkState): KernelObject[] {
  const blocks = state.blocks.map(({ host, cidr }) => ({ host, destination: formatPrefix(parsePrefix(cidr)) }));
  const pins = state.pins.map(({ host, address }) => ({ host, destination: hostPrefix(address) }));
  return [...blocks, ...pins]
    .filter(({ host }) => host !== state.self)
    .flatMap(({ host, destination }) =>
      [destination, ...(state.subnet6 === null ? [] : [embedPrefix(state.subnet6, destination)])].map((each) =>
        route({ destination: each, link: VXLAN_LINK, via: nextHop(host) }),
      ),
    );
}

/** An answer to a caller from outside leaves by the host that the caller called, which knows the translation. */
function planWayBack(host: number): KernelObject[] {
  const table = entryTable(host);
  return [
    route({ destination: "0.0.0.0/0", link: VXLAN_LINK, via: nextHop(host), table }),
    { kind: "rule", family: 4, mark: host, from: "", table },
  ];
}

/** A unicast route; the main table unless told otherwise. */
export function route(given: Pick<RouteObject, "destination" | "link"> & Partial<RouteObject>): RouteObject {
  return { kind: "route", table: MAIN_TABLE, type: "unicast", via: "", source: "", ...given };
}

const blackhole = (subnet: string): RouteObject => ({
  ...route({ destination: formatPrefix(parsePrefix(subnet)), link: "" }),
  type: "blackhole",
});

/** Additions in the plan's order, then removals in the reverse order of kinds, so that a route never lacks its neighbour. */
export function planChanges(wanted: readonly KernelObject[], present: readonly KernelObject[], mayDelete: boolean): ObjectChange[] {
  const have = new Set(present.map(formatObject));
  const slots = new Set(wanted.map(slotOf));
  const additions = wanted.filter((object) => !have.has(formatObject(object))).map((object) => ({ verb: "replace", object }) as const);
  if (!mayDelete) return additions;
  const order: readonly KernelObject["kind"][] = ["rule", "route", "neighbour", "fdb", "address"];
  const extras = present.filter((object) => !slots.has(slotOf(object)));
  return [
    ...additions,
    ...order.flatMap((kind) => extras.filter((object) => object.kind === kind).map((object) => ({ verb: "delete", object }) as const)),
  ];
}
