// The nftables table for the VXLAN packets of one instance, in the host's own namespace. Pure.
import { type NetworkState, tunnelAddress } from "@flotilla/protocol";
import { canonicalIp } from "../host/ip-bytes.ts";
import { familyOf } from "./prefixes.ts";
import { tunnelPrefix, underlayTable } from "./names.ts";

/** One transaction; without networks it removes the table. Packets of VNIs that are not ours are nobody's business here. */
export function formatUnderlayTable(instance: string, networks: readonly NetworkState[]): string {
  const name = `inet ${underlayTable(instance)}`;
  const head = `add table ${name}\ndelete table ${name}\n`;
  if (networks.length === 0) return head;
  const ports = [...new Set(networks.map((network) => network.vxlanPort))];
  const lookups = ports.map((port) => {
    const cases = networks.filter((network) => network.vxlanPort === port).map((network) => `${network.vni} : jump vni_${network.vni}`);
    // The VNI: three bytes behind the UDP header's eight and the VXLAN header's first four.
    return `    udp dport ${port} @th,96,24 vmap { ${cases.join(", ")} }`;
  });
  // No flow is tracked for what is only an envelope: a table of flows that is full would cut the hosts off.
  const untracked = `    udp dport { ${ports.join(", ")} } notrack`;
  return `${head}table ${name} {
${networks.map((network) => formatPeers(instance, network)).join("\n")}
  chain fl_in {
    type filter hook prerouting priority raw; policy accept;
${lookups.join("\n")}
${untracked}
  }
  chain fl_out {
    type filter hook output priority raw; policy accept;
${formatClosedDoors(instance, networks)}${untracked}
  }
}
`;
}

/** Packets of an encrypted network leave through a tunnel or not at all, whatever becomes of devices and routes. */
function formatClosedDoors(instance: string, networks: readonly NetworkState[]): string {
  return networks
    .filter((network) => network.isEncrypted)
    .map((network) => `    udp dport ${network.vxlanPort} @th,96,24 ${network.vni} oifname != "${tunnelPrefix(instance)}*" drop\n`)
    .join("");
}

/** Only hosts of a network may send into it, and into an encrypted one only through a tunnel. */
function formatPeers(instance: string, network: NetworkState): string {
  const others = network.hosts.filter((host) => host.number !== network.self);
  const peers = others.flatMap((host) =>
    network.isEncrypted ? host.tunnels.map(({ slot }) => tunnelAddress(host.number, slot)) : [host.underlay],
  );
  const [first] = peers;
  const ip = first !== undefined && familyOf(first) === 6 ? "ip6" : "ip";
  const rules = first === undefined ? "" : `    ${ip} saddr { ${peers.map(canonicalIp).join(", ")} } notrack accept\n`;
  const inTheClear = network.isEncrypted ? `    iifname != "${tunnelPrefix(instance)}*" drop\n` : "";
  return `  chain vni_${network.vni} {\n${inTheClear}${rules}    drop\n  }`;
}
