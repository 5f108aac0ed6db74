import { RESOLVER_ADDRESS, RESOLVER_PORT } from "./resolver-state.ts";

const DNS_PORT = 53;
const TABLE = "flotilla_dns";

/**
 * nft(8) text for a namespace that has no such table yet; nothing happens when it has. Removing one makes nftables wait for all
 * processors, for milliseconds, so what is new is not removed first.
 */
export const formatFirstRedirect = (): string => `create table ip ${TABLE}\n${formatTable()}`;

/**
 * nft(8) text, one transaction, for a container's namespace: what goes to 127.0.0.11 port 53 arrives at the resolver's
 * socket, and its answers come from port 53. Each packet by itself, with no connection tracking: lookups would fill its table.
 */
export const formatRedirect = (): string => `add table ip ${TABLE}\ndelete table ip ${TABLE}\n${formatTable()}`;

function formatTable(): string {
  const rules = ["udp", "tcp"].flatMap((protocol) => [
    `ip daddr ${RESOLVER_ADDRESS} ${protocol} dport ${DNS_PORT} ${protocol} dport set ${RESOLVER_PORT}`,
    `ip saddr ${RESOLVER_ADDRESS} ${protocol} sport ${RESOLVER_PORT} ${protocol} sport set ${DNS_PORT}`,
  ]);
  return `table ip ${TABLE} {
  chain out {
    type filter hook output priority -300; policy accept;
${rules.map((rule) => `    ${rule}`).join("\n")}
  }
}
`;
}
