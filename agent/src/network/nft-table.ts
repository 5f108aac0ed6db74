// The nftables tables of one instance, as text: pure, one per family. Rules name no network: what differs from one to the next is
// elements of sets, so that a packet and a change cost the same with a thousand networks as with one, and a container without
// published ports costs no transaction.
//
// Chains here only take away: `accept` in one base chain does not keep another table's chain from dropping, so the host's
// own firewall (forward and input chains of other tables) stays in charge, of published ports too.
import { formatAddress, formatSubnet } from "@flotilla/core";
import { canonicalIp } from "../host/ip-bytes.ts";
import { type Element, type ElementPlan, gatherElements } from "../host/element-table.ts";
import type { BridgePlan } from "./plan.ts";

/** `hostAddress` "0.0.0.0" is every IPv4 address of the host, "::" every IPv6 one; both addresses are of one family. */
export type PublishedPort = {
  hostAddress: string;
  hostPort: number;
  protocol: "tcp" | "udp" | "sctp";
  containerAddress: string;
  containerPort: number;
};

export type TablePlan = { table: string; bridges: readonly BridgePlan[]; ports: readonly PublishedPort[] };

/** What differs between the two tables. */
type Family = {
  ip: "ip" | "ip6";
  addressType: string;
  anyAddress: string;
  /** A bridge's subnet, undefined when it has none of the family. */
  subnetOf: (bridge: BridgePlan) => string | undefined;
  maskOf: (prefixLength: number) => string;
  loopback: string;
  /** What else may be the source of a packet from a bridge. */
  otherSources: readonly string[];
};
const V4: Family = {
  ip: "ip",
  addressType: "ipv4_addr",
  anyAddress: "0.0.0.0",
  subnetOf: (bridge) => formatSubnet(bridge.subnet),
  maskOf: (length) => formatAddress((2 ** 32 - 2 ** (32 - length)) >>> 0),
  loopback: "127.0.0.0/8",
  otherSources: [],
};
const V6: Family = {
  ip: "ip6",
  addressType: "ipv6_addr",
  anyAddress: "::",
  subnetOf: (bridge) => bridge.ipv6?.subnet,
  maskOf: maskOfIpv6,
  loopback: "::1",
  otherSources: ["fe80::/10", "::"],
};

const familyOf = (port: PublishedPort): Family => (port.hostAddress.includes(":") ? V6 : V4);
const setName = ({ ip }: Family, table: string, name: string): string => `${ip} ${table} ${name}`;
export const tableNames = (table: string): [string, string] => [`${V4.ip} ${table}`, `${V6.ip} ${table}`];

/** Everything that the tables are to have; none without bridges. */
export function planTables({ table, bridges, ports }: TablePlan): ElementPlan {
  const owners = new Map<string, readonly Element[]>([
    ...bridges.map((bridge) => [bridge.linkName, planBridgeElements(table, bridge)] as const),
    ...ports.map((port) => [portOwner(port), [planPortElement(table, port)]] as const),
  ]);
  const families = [...(bridges.length > 0 ? [V4] : []), ...(bridges.some(({ ipv6 }) => ipv6 !== undefined) ? [V6] : [])];
  return {
    owners,
    tables: new Set(families.map(({ ip }) => `${ip} ${table}`)),
    sets: new Set(
      families.flatMap((family) => [
        ...FIXED_SETS.map((name) => setName(family, table, name)),
        ...lengthsOf(family, bridges).flatMap((length) =>
          [sources(length), masqueraded(length)].map((name) => setName(family, table, name)),
        ),
      ]),
    ),
  };
}

const FIXED_SETS = ["bridges", "internal", "inside", "ports", "address_ports"];
const sources = (length: number): string => `sources_${length}`;
const masqueraded = (length: number): string => `masqueraded_${length}`;

/** Lengths of the bridges' prefixes: each costs a rule, so that a source is looked up by hash and not in an interval. */
const lengthsOf = ({ subnetOf }: Family, bridges: readonly BridgePlan[]): number[] =>
  [...new Set(bridges.map(subnetOf).flatMap((subnet) => (subnet === undefined ? [] : [splitSubnet(subnet).length])))].sort((a, b) => b - a);

/** What a bridge is in the sets of both families. */
export function planBridgeElements(table: string, bridge: BridgePlan): Element[] {
  const link = `"${bridge.linkName}"`;
  return [V4, V6].flatMap((family): Element[] => {
    const subnet = family.subnetOf(bridge);
    if (subnet === undefined) return [];
    const { address, length } = splitSubnet(subnet);
    const isMasqueraded = !bridge.isInternal && bridge.keepsSource !== true;
    const element = (name: string, text: string): Element => ({ set: setName(family, table, name), text });
    return [
      element("bridges", link),
      element(sources(length), `${link} . ${address}`),
      element("inside", `${link} . ${link} : ${bridge.isIsolating === true ? "goto isolated" : "accept"}`),
      ...(bridge.isInternal ? [element("internal", link)] : []),
      ...(isMasqueraded ? [element(masqueraded(length), address)] : []),
    ];
  });
}

/** A published port is an owner of its own. */
export const portOwner = (port: PublishedPort): string => `${port.protocol} ${port.hostAddress} ${port.hostPort}`;

export function planPortElement(table: string, port: PublishedPort): Element {
  const family = familyOf(port);
  const isAny = port.hostAddress === family.anyAddress;
  const address = isAny ? "" : `${port.hostAddress} . `;
  return {
    set: setName(family, table, isAny ? "ports" : "address_ports"),
    text: `${address}${port.protocol} . ${port.hostPort} : ${port.containerAddress} . ${port.containerPort}`,
  };
}

/** One transaction that puts the tables in place, whatever was there under their names, and removes those that are `stale`. */
export function formatTables(plan: ElementPlan, stale: readonly string[]): string {
  const elements = gatherElements(plan.owners);
  const tables = [V4, V6].flatMap((family) =>
    [...plan.tables].filter((name) => name.startsWith(`${family.ip} `)).map((name) => formatTable(name, family, { plan, elements })),
  );
  return [...tables, ...stale.map(formatTableRemoval)].join("");
}

/** One transaction that removes a table, there or not. @param name with its family. */
export const formatTableRemoval = (name: string): string => `add table ${name}\ndelete table ${name}\n`;

type Contents = { plan: ElementPlan; elements: ReadonlyMap<string, readonly string[]> };

function formatTable(name: string, family: Family, { plan, elements }: Contents): string {
  const { ip, addressType } = family;
  const prefix = `${name} ${sources(0).slice(0, -1)}`;
  const lengths = [...plan.sets].filter((set) => set.startsWith(prefix)).map((set) => Number(set.slice(prefix.length)));
  const set = (kind: "set" | "map", own: string, type: string): string =>
    `  ${kind} ${own} {\n    type ${type}\n${elementsLine(elements.get(`${name} ${own}`) ?? [])}  }\n`;
  return [
    formatTableRemoval(name),
    `table ${name} {\n`,
    set("set", "bridges", "ifname"),
    set("set", "internal", "ifname"),
    set("map", "inside", "ifname . ifname : verdict"),
    ...lengths.flatMap((length) => [set("set", sources(length), `ifname . ${addressType}`), set("set", masqueraded(length), addressType)]),
    set("map", "ports", `inet_proto . inet_service : ${addressType} . inet_service`),
    set("map", "address_ports", `${addressType} . inet_proto . inet_service : ${addressType} . inet_service`),
    chain("publish", [
      `dnat ${ip} to ${ip} daddr . meta l4proto . th dport map @address_ports`,
      `dnat ${ip} to meta l4proto . th dport map @ports`,
    ]),
    chain("isolated", ["ct state established,related accept", "ct status dnat accept", "drop"]),
    chain("from_bridge", guardRules(family, lengths)),
    baseChain("guard", "filter hook prerouting priority raw", ["iifname @bridges jump from_bridge"]),
    baseChain("prerouting", "nat hook prerouting priority dstnat", ["fib daddr type local jump publish"]),
    baseChain("output", "nat hook output priority -100", ["fib daddr type local jump publish"]),
    baseChain("forward", "filter hook forward priority filter", FORWARD_RULES),
    baseChain("postrouting", "nat hook postrouting priority srcnat", postroutingRules(family, lengths)),
    "}\n",
  ].join("");
}

/**
 * A container must not reach the host's loopback (route_localnet, which 127.0.0.1:port needs, would let it) nor send
 * with an address that is not of its network.
 */
function guardRules({ ip, loopback, otherSources, maskOf }: Family, lengths: readonly number[]): string[] {
  return [
    `${ip} daddr ${loopback} drop`,
    ...lengths.map((length) => `iifname . (${ip} saddr & ${maskOf(length)}) @${sources(length)} accept`),
    ...(otherSources.length === 0 ? [] : [`${ip} saddr { ${otherSources.join(", ")} } accept`]),
    "drop",
  ];
}

/**
 * Into a network comes what answers, what stays inside, and what a published port translated; out of an internal one nothing.
 * Ports of an isolating bridge exchange no frames; inside it is then the way round by its gateway.
 */
const FORWARD_RULES: readonly string[] = [
  "iifname != @bridges oifname != @bridges accept",
  "iifname . oifname vmap @inside",
  "iifname @internal drop",
  "oifname @internal drop",
  "ct state established,related accept",
  "oifname @bridges ct status dnat accept",
  "oifname @bridges drop",
];

/** Loopback callers and hairpins get the gateway's address, so that the answer comes back here; the rest the way out's. */
function postroutingRules({ ip, loopback, maskOf }: Family, lengths: readonly number[]): string[] {
  const masked = (length: number): string => `${ip} saddr & ${maskOf(length)}`;
  return [
    `oifname @bridges ${ip} saddr ${loopback} masquerade`,
    ...lengths.flatMap((length) => {
      const isOwn = `oifname . (${masked(length)}) @${sources(length)}`;
      return [`${isOwn} ct status dnat masquerade`, `${isOwn} accept`];
    }),
    ...lengths.map((length) => `${masked(length)} @${masqueraded(length)} masquerade`),
  ];
}

function splitSubnet(subnet: string): { address: string; length: number } {
  const [address = "", length = ""] = subnet.split("/");
  return { address, length: Number(length) };
}

function maskOfIpv6(length: number): string {
  const words = Array.from({ length: 8 }, (_, index) => {
    const bits = Math.max(0, Math.min(16, length - index * 16));
    return ((0xffff << (16 - bits)) & 0xffff).toString(16);
  });
  return canonicalIp(words.join(":"));
}

const elementsLine = (elements: readonly string[]): string => (elements.length === 0 ? "" : `    elements = { ${elements.join(", ")} }\n`);

const chain = (name: string, rules: readonly string[]): string =>
  [`  chain ${name} {`, ...rules.map((rule) => `    ${rule}`), "  }\n"].join("\n");

const baseChain = (name: string, hook: string, rules: readonly string[]): string => chain(name, [`type ${hook}; policy accept;`, ...rules]);
