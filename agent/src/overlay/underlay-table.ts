// The nftables table for the VXLAN packets of one instance, in the host's own namespace. Pure. Its rules name no network: networks
// and their hosts are elements of sets, keyed by UDP port and VNI.
import { type NetworkState, tunnelAddress } from "@flotilla/protocol";
import { type Element, type ElementPlan, gatherElements, type Owners } from "../host/element-table.ts";
import { canonicalIp } from "../host/ip-bytes.ts";
import { PROBE_MAGIC } from "../mesh/probe-message.ts";
import { familyOf } from "./prefixes.ts";
import { tunnelPrefix, underlayTable } from "./names.ts";

/** The VNI: three bytes behind the UDP header's eight and the VXLAN header's first four. */
const ENVELOPE = "udp dport . @th,96,24";
const SETS = {
  ports: "type inet_service",
  networks: `typeof ${ENVELOPE}`,
  /** Those that are encrypted. */
  sealed: `typeof ${ENVELOPE}`,
  peers4: `typeof ${ENVELOPE} . ip saddr`,
  peers6: `typeof ${ENVELOPE} . ip6 saddr`,
};

/** Probes of hosts (docs/design/mesh.md) go to the same port. What stands where VXLAN has its number is 65792 in them; the flags before it are none of VXLAN's. */
const PROBES = `    @th,64,32 ${PROBE_MAGIC} notrack accept\n`;

export const underlayTableName = (instance: string): string => `inet ${underlayTable(instance)}`;

/** The table for these networks; none without networks. */
export function planUnderlay(instance: string, networks: readonly NetworkState[]): ElementPlan {
  const name = underlayTableName(instance);
  const isNeeded = networks.length > 0;
  // Rules about the encrypted are there when one is: its first element is of a set that the table has not, so it is made anew.
  const sets = Object.keys(SETS).filter((set) => set !== "sealed" || networks.some(({ isEncrypted }) => isEncrypted));
  return {
    owners: new Map(networks.flatMap((network) => [...planUnderlayNetwork(instance, network)])),
    tables: new Set(isNeeded ? [name] : []),
    sets: new Set(isNeeded ? sets.map((set) => `${name} ${set}`) : []),
  };
}

/** What one network adds. Only its hosts may send into it, and into an encrypted one only through a tunnel. */
export function planUnderlayNetwork(instance: string, network: NetworkState): Owners {
  const { vni, vxlanPort, isEncrypted } = network;
  const element = (set: keyof typeof SETS, text: string): Element => ({ set: `${underlayTableName(instance)} ${set}`, text });
  const peers = network.hosts
    .filter((host) => host.number !== network.self)
    .flatMap((host) => (isEncrypted ? host.tunnels.map(({ slot }) => tunnelAddress(host.number, slot)) : [host.underlay]));
  const envelope = `${vxlanPort} . ${vni}`;
  return new Map([
    // Of whichever network; it stays until the table is made anew.
    [`port ${vxlanPort}`, [element("ports", String(vxlanPort))]],
    [
      network.id,
      [
        element("networks", envelope),
        ...(isEncrypted ? [element("sealed", envelope)] : []),
        ...[...new Set(peers.map(canonicalIp))].map((peer) => element(familyOf(peer) === 6 ? "peers6" : "peers4", `${envelope} . ${peer}`)),
      ],
    ],
  ]);
}

/** One transaction that puts the table in place, whatever was there, or removes it. Packets of VNIs that are not ours are nobody's business here. */
export function formatUnderlay(instance: string, plan: ElementPlan): string {
  const name = underlayTableName(instance);
  const head = `add table ${name}\ndelete table ${name}\n`;
  if (plan.tables.size === 0) return head;
  const elements = gatherElements(plan.owners);
  const sets = Object.entries(SETS).map(([set, type]) => {
    const own = elements.get(`${name} ${set}`) ?? [];
    return `  set ${set} {\n    ${type}\n${own.length === 0 ? "" : `    elements = { ${own.join(", ")} }\n`}  }\n`;
  });
  // Gone through by every packet.
  const isSealing = elements.has(`${name} sealed`);
  const inTheClear = (link: "iifname" | "oifname"): string => `    ${ENVELOPE} @sealed ${link} != "${tunnelPrefix(instance)}*" drop\n`;
  const fromPeers = `    ${ENVELOPE} . ip saddr @peers4 notrack accept\n    ${ENVELOPE} . ip6 saddr @peers6 notrack accept\n`;
  // No flow is tracked for what is only an envelope: a table of flows that is full would cut the hosts off. Packets of an encrypted
  // network leave through a tunnel or not at all, whatever becomes of devices and routes. What comes from peers is asked for first:
  // that is most of what comes, and each rule is paid for by all that is behind it.
  return `${head}table ${name} {
${sets.join("")}  chain arriving {
${PROBES}${isSealing ? inTheClear("iifname") + fromPeers : ""}    ${ENVELOPE} @networks drop
    notrack
  }
${isSealing ? `  chain leaving {\n${PROBES}${inTheClear("oifname")}    notrack\n  }\n` : ""}  chain fl_in {
    type filter hook prerouting priority raw; policy accept;
${isSealing ? "" : fromPeers}    udp dport @ports jump arriving
  }
  chain fl_out {
    type filter hook output priority raw; policy accept;
    udp dport @ports ${isSealing ? "jump leaving" : "notrack"}
  }
}
`;
}

/** The whole for these networks. */
export const formatUnderlayTable = (instance: string, networks: readonly NetworkState[]): string =>
  formatUnderlay(instance, planUnderlay(instance, networks));
