import { packIp } from "../host/ip-bytes.ts";
import type { NetlinkRequest } from "../host/netlink.ts";
import { matchField, matchProtocol, newFilterChain, newRule, newTable, setField, type PacketField } from "../host/nft-messages.ts";
import { RESOLVER_ADDRESS, RESOLVER_PORT } from "./resolver-state.ts";

const DNS_PORT = 53;
const TABLE = "ip flotilla_dns";
const CHAIN = "out";
const PRIORITY = -300;
/** NF_INET_LOCAL_OUT */
const HOOK_OUTPUT = 3;
/** Protocols of IP, and where in their headers the checksum is. */
const PROTOCOLS = [
  { name: "udp", number: 17, checksumOffset: 6 },
  { name: "tcp", number: 6, checksumOffset: 16 },
] as const;
const SOURCE: PacketField = { header: "network", offset: 12 };
const DESTINATION: PacketField = { header: "network", offset: 16 };
const SOURCE_PORT: PacketField = { header: "transport", offset: 0 };
const DESTINATION_PORT: PacketField = { header: "transport", offset: 2 };

/**
 * What `formatRedirect` says, as requests, for a namespace that has no such table yet: one that has refuses them with EEXIST. Removing one
 * makes nftables wait for all processors, for milliseconds, so what is new is not removed first.
 */
export const REDIRECT_REQUESTS: readonly NetlinkRequest[] = [
  newTable(TABLE),
  newFilterChain(TABLE, CHAIN, { number: HOOK_OUTPUT, priority: PRIORITY }),
  ...PROTOCOLS.flatMap(({ number, checksumOffset }) => {
    const rewrite = (address: PacketField, port: PacketField, [from, to]: [number, number]): NetlinkRequest =>
      newRule(TABLE, CHAIN, [
        ...matchField(address, packIp(RESOLVER_ADDRESS)),
        ...matchProtocol(number),
        ...matchField(port, portBytes(from)),
        ...setField(port, portBytes(to), checksumOffset),
      ]);
    return [rewrite(DESTINATION, DESTINATION_PORT, [DNS_PORT, RESOLVER_PORT]), rewrite(SOURCE, SOURCE_PORT, [RESOLVER_PORT, DNS_PORT])];
  }),
];

/**
 * nft(8) text, one transaction, for a container's namespace: what goes to 127.0.0.11 port 53 arrives at the resolver's
 * socket, and its answers come from port 53. Each packet by itself, with no connection tracking: lookups would fill its table.
 */
export function formatRedirect(): string {
  const rules = PROTOCOLS.flatMap(({ name }) => [
    `ip daddr ${RESOLVER_ADDRESS} ${name} dport ${DNS_PORT} ${name} dport set ${RESOLVER_PORT}`,
    `ip saddr ${RESOLVER_ADDRESS} ${name} sport ${RESOLVER_PORT} ${name} sport set ${DNS_PORT}`,
  ]);
  return `add table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
  chain ${CHAIN} {
    type filter hook output priority ${PRIORITY}; policy accept;
${rules.map((rule) => `    ${rule}`).join("\n")}
  }
}
`;
}

function portBytes(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(port);
  return bytes;
}
