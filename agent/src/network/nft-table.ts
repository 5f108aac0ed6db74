// The nftables table of one instance, as text: pure, one table per instance, always replaced as a whole or changed by
// map elements, so that a container without published ports costs no transaction.
//
// Chains here only take away: `accept` in one base chain does not keep another table's chain from dropping, so the host's
// own firewall (forward and input chains of other tables) stays in charge, of published ports too.
import { formatAddress, formatSubnet } from "@flotilla/core";
import type { BridgePlan } from "./plan.ts";

/** `hostAddress` "0.0.0.0" is every address of the host. */
export type PublishedPort = {
  hostAddress: string;
  hostPort: number;
  protocol: "tcp" | "udp" | "sctp";
  containerAddress: number;
  containerPort: number;
};

export type TablePlan = { table: string; bridges: readonly BridgePlan[]; ports: readonly PublishedPort[] };

const ANY_ADDRESS = "0.0.0.0";

/** One transaction that puts the table in place, whatever was there under its name. */
export function formatTable(plan: TablePlan): string {
  const { table, bridges, ports } = plan;
  const isSpecific = (port: PublishedPort): boolean => port.hostAddress !== ANY_ADDRESS;
  return `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  set bridges {
    type ifname
${elementsLine(bridges.map((bridge) => quote(bridge.linkName)))}  }
  map ports {
    type inet_proto . inet_service : ipv4_addr . inet_service
${elementsLine(ports.filter((port) => !isSpecific(port)).map(formatElement))}  }
  map address_ports {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
${elementsLine(ports.filter(isSpecific).map(formatElement))}  }
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @address_ports
    dnat ip to meta l4proto . th dport map @ports
  }
${baseChain("guard", "filter hook prerouting priority raw", guardRules(bridges))}
${baseChain("prerouting", "nat hook prerouting priority dstnat", ["fib daddr type local jump publish"])}
${baseChain("output", "nat hook output priority -100", ["fib daddr type local jump publish"])}
${baseChain("forward", "filter hook forward priority filter", forwardRules(bridges))}
${baseChain("postrouting", "nat hook postrouting priority srcnat", postroutingRules(bridges))}
}
`;
}

/** One transaction that removes the table, there or not. */
export const formatTableRemoval = (table: string): string => `add table ip ${table}\ndelete table ip ${table}\n`;

/** One transaction for the ports of a container. */
export function formatPorts(verb: "add" | "delete", table: string, ports: readonly PublishedPort[]): string {
  return ports
    .map(
      (port) => `${verb} element ip ${table} ${port.hostAddress === ANY_ADDRESS ? "ports" : "address_ports"} { ${formatElement(port)} }\n`,
    )
    .join("");
}

/**
 * A container must not reach the host's loopback (route_localnet, which 127.0.0.1:port needs, would let it) nor send
 * with an address that is not of its network.
 */
function guardRules(bridges: readonly BridgePlan[]): string[] {
  return [
    "iifname @bridges ip daddr 127.0.0.0/8 drop",
    ...bridges.map((bridge) => `iifname ${quote(bridge.linkName)} ip saddr != ${formatSubnet(bridge.subnet)} drop`),
  ];
}

/** Into a network comes what answers, what stays inside, and what a published port translated; out of an internal one nothing. */
function forwardRules(bridges: readonly BridgePlan[]): string[] {
  return [
    "iifname != @bridges oifname != @bridges accept",
    ...bridges.flatMap((bridge) => insideRules(`iifname ${quote(bridge.linkName)} oifname ${quote(bridge.linkName)}`, bridge)),
    ...bridges
      .filter((bridge) => bridge.isInternal)
      .flatMap((bridge) => [`iifname ${quote(bridge.linkName)} drop`, `oifname ${quote(bridge.linkName)} drop`]),
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
function postroutingRules(bridges: readonly BridgePlan[]): string[] {
  return [
    "oifname @bridges ip saddr 127.0.0.0/8 masquerade",
    ...bridges.flatMap((bridge) => {
      const from = `ip saddr ${formatSubnet(bridge.subnet)}`;
      const hairpin = `oifname ${quote(bridge.linkName)} ${from} ct status dnat masquerade`;
      return bridge.isInternal || bridge.keepsSource === true
        ? [hairpin]
        : [hairpin, `oifname != ${quote(bridge.linkName)} ${from} masquerade`];
    }),
  ];
}

function formatElement(port: PublishedPort): string {
  const address = port.hostAddress === ANY_ADDRESS ? "" : `${port.hostAddress} . `;
  return `${address}${port.protocol} . ${port.hostPort} : ${formatAddress(port.containerAddress)} . ${port.containerPort}`;
}

const quote = (name: string): string => `"${name}"`;

const elementsLine = (elements: readonly string[]): string => (elements.length === 0 ? "" : `    elements = { ${elements.join(", ")} }\n`);

function baseChain(name: string, hook: string, rules: readonly string[]): string {
  return [`  chain ${name} {`, `    type ${hook}; policy accept;`, ...rules.map((rule) => `    ${rule}`), "  }"].join("\n");
}
