// The nftables tables of one instance, as text: pure, one per family, always replaced as a whole or changed by
// map elements, so that a container without published ports costs no transaction.
//
// Chains here only take away: `accept` in one base chain does not keep another table's chain from dropping, so the host's
// own firewall (forward and input chains of other tables) stays in charge, of published ports too.
import { formatSubnet } from "@flotilla/core";
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
  anyAddress: string;
  /** A bridge's subnet, undefined when it has none of the family. */
  subnetOf: (bridge: BridgePlan) => string | undefined;
  loopback: string;
  /** What else may be the source of a packet from a bridge. */
  otherSources: readonly string[];
};
const V4: Family = { ip: "ip", anyAddress: "0.0.0.0", subnetOf: (bridge) => formatSubnet(bridge.subnet), loopback: "127.0.0.0/8", otherSources: [] }; // prettier-ignore
const V6: Family = { ip: "ip6", anyAddress: "::", subnetOf: (bridge) => bridge.ipv6?.subnet, loopback: "::1", otherSources: ["fe80::/10", "::"] }; // prettier-ignore

const familyOf = (port: PublishedPort): Family => (port.hostAddress.includes(":") ? V6 : V4);

/** Whether the plan needs a table for IPv6. */
export const hasIpv6 = (plan: Pick<TablePlan, "bridges">): boolean => plan.bridges.some((bridge) => bridge.ipv6 !== undefined);

/** One transaction that puts the tables in place, whatever was there under their name; the IPv6 one when it is needed. */
export const formatTables = (plan: TablePlan): string => formatTable(plan, V4) + (hasIpv6(plan) ? formatTable(plan, V6) : "");

type Network = { link: string; subnet: string; bridge: BridgePlan };

function formatTable({ table, bridges, ports }: TablePlan, family: Family): string {
  const { ip, anyAddress, subnetOf } = family;
  const networks = bridges.flatMap((bridge): Network[] => {
    const subnet = subnetOf(bridge);
    return subnet === undefined ? [] : [{ link: quote(bridge.linkName), subnet, bridge }];
  });
  const own = ports.filter((port) => familyOf(port) === family);
  const isSpecific = (port: PublishedPort): boolean => port.hostAddress !== anyAddress;
  const address = `${ip === "ip" ? "ipv4" : "ipv6"}_addr`;
  return `add table ${ip} ${table}
delete table ${ip} ${table}
table ${ip} ${table} {
  set bridges {
    type ifname
${elementsLine(networks.map(({ link }) => link))}  }
  map ports {
    type inet_proto . inet_service : ${address} . inet_service
${elementsLine(own.filter((port) => !isSpecific(port)).map(formatElement))}  }
  map address_ports {
    type ${address} . inet_proto . inet_service : ${address} . inet_service
${elementsLine(own.filter(isSpecific).map(formatElement))}  }
  chain publish {
    dnat ${ip} to ${ip} daddr . meta l4proto . th dport map @address_ports
    dnat ${ip} to meta l4proto . th dport map @ports
  }
${baseChain("guard", "filter hook prerouting priority raw", guardRules(networks, family))}
${baseChain("prerouting", "nat hook prerouting priority dstnat", ["fib daddr type local jump publish"])}
${baseChain("output", "nat hook output priority -100", ["fib daddr type local jump publish"])}
${baseChain("forward", "filter hook forward priority filter", forwardRules(networks))}
${baseChain("postrouting", "nat hook postrouting priority srcnat", postroutingRules(networks, family))}
}
`;
}

/** One transaction that removes a table, there or not. */
export const formatTableRemoval = (table: string, family: Family["ip"]): string =>
  `add table ${family} ${table}\ndelete table ${family} ${table}\n`;

/** One transaction for the ports of a container. */
export function formatPorts(verb: "add" | "delete", table: string, ports: readonly PublishedPort[]): string {
  return ports
    .map((port) => {
      const { ip, anyAddress } = familyOf(port);
      return `${verb} element ${ip} ${table} ${port.hostAddress === anyAddress ? "ports" : "address_ports"} { ${formatElement(port)} }\n`;
    })
    .join("");
}

/**
 * A container must not reach the host's loopback (route_localnet, which 127.0.0.1:port needs, would let it) nor send
 * with an address that is not of its network.
 */
function guardRules(networks: readonly Network[], { ip, loopback, otherSources }: Family): string[] {
  return [
    `iifname @bridges ${ip} daddr ${loopback} drop`,
    ...networks.map(({ link, subnet }) => {
      const sources = otherSources.length === 0 ? subnet : `{ ${[subnet, ...otherSources].join(", ")} }`;
      return `iifname ${link} ${ip} saddr != ${sources} drop`;
    }),
  ];
}

/** Into a network comes what answers, what stays inside, and what a published port translated; out of an internal one nothing. */
function forwardRules(networks: readonly Network[]): string[] {
  return [
    "iifname != @bridges oifname != @bridges accept",
    ...networks.flatMap(({ link, bridge }) => insideRules(`iifname ${link} oifname ${link}`, bridge)),
    ...networks.filter(({ bridge }) => bridge.isInternal).flatMap(({ link }) => [`iifname ${link} drop`, `oifname ${link} drop`]),
    "ct state established,related accept",
    "oifname @bridges ct status dnat accept",
    "oifname @bridges drop",
  ];
}

/** Between containers of one network. Ports of an isolating bridge exchange no frames; this is the way round by its gateway. */
function insideRules(inside: string, bridge: BridgePlan): string[] {
  if (bridge.isIsolating !== true) return [`${inside} accept`];
  return [`${inside} ct state established,related accept`, `${inside} ct status dnat accept`, `${inside} drop`];
}

/** Loopback callers and hairpins get the gateway's address, so that the answer comes back here; the rest the way out's. */
function postroutingRules(networks: readonly Network[], { ip, loopback }: Family): string[] {
  return [
    `oifname @bridges ${ip} saddr ${loopback} masquerade`,
    ...networks.flatMap(({ link, subnet, bridge }) => {
      const from = `${ip} saddr ${subnet}`;
      const hairpin = `oifname ${link} ${from} ct status dnat masquerade`;
      return bridge.isInternal || bridge.keepsSource === true ? [hairpin] : [hairpin, `oifname != ${link} ${from} masquerade`];
    }),
  ];
}

function formatElement(port: PublishedPort): string {
  const address = port.hostAddress === familyOf(port).anyAddress ? "" : `${port.hostAddress} . `;
  return `${address}${port.protocol} . ${port.hostPort} : ${port.containerAddress} . ${port.containerPort}`;
}

const quote = (name: string): string => `"${name}"`;

const elementsLine = (elements: readonly string[]): string => (elements.length === 0 ? "" : `    elements = { ${elements.join(", ")} }\n`);

function baseChain(name: string, hook: string, rules: readonly string[]): string {
  return [`  chain ${name} {`, `    type ${hook}; policy accept;`, ...rules.map((rule) => `    ${rule}`), "  }"].join("\n");
}
