// The nftables table by which probes to the port of VXLAN reach the socket of probes. Pure.
import { PROBE_MAGIC } from "./probe-message.ts";

export const probeTable = (instance: string): string => `inet flotilla_${instance}_probes`;

/**
 * One transaction. The port is rewritten as the last thing before the socket is looked for, so that every filter of this host
 * has judged the packet by the port that it was sent to. Packets of networks have other first bytes: VXLAN's flags.
 */
export function formatProbeTable(instance: string, { vxlanPort, probePort }: { vxlanPort: number; probePort: number }): string {
  const name = probeTable(instance);
  return `${formatProbeTableRemoval(instance)}table ${name} {
  chain arriving {
    type filter hook input priority 400; policy accept;
    udp dport ${vxlanPort} @th,64,32 ${PROBE_MAGIC} udp dport set ${probePort}
  }
}
`;
}

export function formatProbeTableRemoval(instance: string): string {
  const name = probeTable(instance);
  return `add table ${name}\ndelete table ${name}\n`;
}
