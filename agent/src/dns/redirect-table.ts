import { RESOLVER_ADDRESS, RESOLVER_PORT } from "./resolver-state.ts";

const DNS_PORT = 53;
const TABLE = "flotilla_dns";

/**
 * nft(8) text, one transaction, for a container's namespace: what goes to 127.0.0.11 port 53 arrives at the resolver's
 * socket, and its answers come from port 53. Each packet by itself, with no connection tracking: lookups would fill its table.
 */
export function formatRedirect(): string {
  const rules = ["udp", "tcp"].flatMap((protocol) => [
    `ip daddr ${RESOLVER_ADDRESS} ${protocol} dport ${DNS_PORT} ${protocol} dport set ${RESOLVER_PORT}`,
    `ip saddr ${RESOLVER_ADDRESS} ${protocol} sport ${RESOLVER_PORT} ${protocol} sport set ${DNS_PORT}`,
  ]);
  return `add table ip ${TABLE}
delete table ip ${TABLE}
table ip ${TABLE} {
  chain out {
    type filter hook output priority -300; policy accept;
${rules.map((rule) => `    ${rule}`).join("\n")}
  }
}
`;
}
