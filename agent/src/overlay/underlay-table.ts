// The nftables table for the VXLAN packets of one instance, in the host's own namespace. Pure.
import type { NetworkState } from "@flotilla/protocol";
import { canonicalIp } from "../host/ip-bytes.ts";
import { familyOf } from "./prefixes.ts";
import { underlayTable } from "./names.ts";

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
${networks.map(formatPeers).join("\n")}
  chain fl_in {
    type filter hook prerouting priority raw; policy accept;
${lookups.join("\n")}
${untracked}
  }
  chain fl_out {
    type filter hook output priority raw; policy accept;
${untracked}
  }
}
`;
}

/** Only hosts of a network may send into it. */
function formatPeers(network: NetworkState): string {
  const peers = network.hosts.filter((host) => host.number !== network.self).map((host) => canonicalIp(host.underlay));
  const [first] = peers;
  const ip = first !== undefined && familyOf(first) === 6 ? "ip6" : "ip";
  const rule = first === undefined ? "drop" : `${ip} saddr != { ${peers.join(", ")} } drop`;
  const otherFamily = first === undefined ? "" : `    meta nfproto != ${ip === "ip" ? "ipv4" : "ipv6"} drop\n`;
  return `  chain vni_${network.vni} {\n${otherFamily}    ${rule}\n  }`;
}
