// One question to the resolver that a container's programs ask, from where they ask it.
import { randomInt } from "node:crypto";
import type { ReachFacts } from "@flotilla/protocol";
import { decode, encode } from "dns-packet";
import { RESOLVER_ADDRESS } from "../dns/resolver-state.ts";
import { socketTransport } from "../dns/transport.ts";

const TIMEOUT_MS = 3_000;
const DNS_PORT = 53;

/** IPv4 addresses of a name. `silent`: nobody answers there, which is so on networks without names. */
export async function resolveInside(netnsPath: string, name: string): Promise<ReachFacts["name"]> {
  const id = randomInt(1, 65_536);
  const query = encode({ type: "query", id, flags: 0x0100, questions: [{ type: "A", name }] });
  const accept = (answer: Buffer): boolean => answer.length > 2 && answer.readUInt16BE(0) === id;
  try {
    const upstream = { address: RESOLVER_ADDRESS, port: DNS_PORT, netnsPath };
    const answer = decode(await socketTransport.datagram(upstream, query, { timeoutMs: TIMEOUT_MS, accept }));
    const addresses = (answer.answers ?? []).flatMap((record) => (record.type === "A" ? [record.data] : []));
    return { outcome: addresses.length === 0 ? "unknown" : "answered", addresses: addresses.slice(0, 64) };
  } catch {
    return { outcome: "silent", addresses: [] };
  }
}
