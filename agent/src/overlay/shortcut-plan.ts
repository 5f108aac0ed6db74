// What is in the table of a router's shortcut (shortcut-program.ts). Pure. IPv4 alone: IPv6 goes through the stack.
import type { NetworkService } from "@flotilla/protocol";
import { GATEWAY_MAC, vtepMac } from "./names.ts";
import { familyOf, firstAddress, parsePrefix, type Prefix } from "./prefixes.ts";
import { maskOf, SUBJECT, type ProgramFacts } from "./shortcut-program.ts";
import { vxlanAddress } from "./tunnel-plan.ts";
import type { RouterInput } from "./router-plan.ts";

/** Keys and values, a character for each byte. */
export type Entries = ReadonlyMap<string, string>;
/** Where packets are sent from as they are: `address`:`port` of a protocol. */
export type Target = { address: string; protocol: "tcp" | "udp"; port: number };
/** Index of vx0, and of the links of containers that are there. */
export type LinkIndexes = { vxlan: number; links: ReadonlyMap<string, number> };

/** More would make the program long; more lengths than this are a network's that was split often. */
const MAX_BLOCK_LENGTHS = 4;
const PROTOCOL_NUMBER = { tcp: 6, udp: 17 } as const;
/** Value of no link: packets from and to this address, and of this port, go through the stack. */
export const THROUGH_STACK = value(0, "00:00:00:00:00:00");

export function planFacts({ state }: RouterInput, mtuBytes: number, vxlanIndex: number): ProgramFacts {
  const { first, length } = parsePrefix(state.subnet);
  const lengths = new Set(state.blocks.map(({ cidr }) => parsePrefix(cidr)).flatMap((block) => (block.family === 4 ? [block.length] : [])));
  return {
    subnet: { address: Number(first), mask: maskOf(length) },
    blockLengths: [...lengths].toSorted((a, b) => b - a).slice(0, MAX_BLOCK_LENGTHS),
    mtuBytes,
    vxlan: { index: vxlanIndex, mac: vtepMac(state.self) },
    gatewayMac: GATEWAY_MAC,
  };
}

/** All but what services add. */
export function planNetworkEntries({ state, endpoints }: RouterInput, { vxlan, links }: LinkIndexes): Entries {
  const remote = new Set(state.hosts.filter((host) => host.number !== state.self && vxlanAddress(state, host) !== undefined).map((host) => host.number)); // prettier-ignore
  const toHost = (host: number): string => value(vxlan, vtepMac(host));
  const entries: [string, string][] = [...remote].map((host) => [hostKey(host), toHost(host)]);
  for (const { host, cidr } of state.blocks) {
    const block = parsePrefix(cidr);
    if (block.family === 6 || !remote.has(host)) continue;
    entries.push([blockKey(block), toHost(host)]);
  }
  for (const { host, address } of state.pins)
    if (remote.has(host) && familyOf(address) === 4) entries.push([addressKey(address), toHost(host)]);
  for (const { link, address, mac } of endpoints) {
    const index = links.get(link);
    if (index !== undefined) entries.push([addressKey(address), value(index, mac)]);
  }
  // Last: whoever may not be talked to freely is not, whatever else the address is.
  for (const address of [...state.dead, ...state.isolated]) if (familyOf(address) === 4) entries.push([addressKey(address), THROUGH_STACK]);
  return new Map(entries);
}

/** Keys that a service adds, of addresses and targets: packets for its own addresses are translated, to the ports that it balances over. */
export function planServiceKeys({ addresses, ports, backends }: NetworkService): { addresses: string[]; targets: string[] } {
  const isV4 = (address: string): boolean => familyOf(address) === 4;
  const targets: string[] = [];
  for (const { address } of backends) {
    if (isV4(address)) for (const { protocol, targetPort: port } of ports) targets.push(targetKey({ address, protocol, port }));
  }
  return { addresses: addresses.filter(isV4).map(addressKey), targets };
}

/** Keys of targets that flows go to. */
export const planTargetKeys = (targets: readonly Target[]): string[] => targets.map(targetKey);

/** What makes `after` of `before`. */
export function diffEntries(before: Entries, after: Entries): { gone: string[]; come: Map<string, string> } {
  return {
    gone: [...before.keys()].filter((each) => !after.has(each)),
    come: new Map([...after].filter(([each, own]) => before.get(each) !== own)),
  };
}

const addressKey = (address: string): string => `${textOf(address)}\0\0\0${String.fromCharCode(SUBJECT.address)}`;
const blockKey = (block: Prefix): string => textOf(firstAddress(block)) + String.fromCharCode(0, 0, block.length, SUBJECT.block);
const hostKey = (host: number): string =>
  String.fromCharCode(host >>> 24, (host >> 16) & 0xff, (host >> 8) & 0xff, host & 0xff, 0, 0, 0, SUBJECT.host);
const targetKey = ({ address, protocol, port }: Target): string =>
  textOf(address) + String.fromCharCode(port >> 8, port & 0xff, PROTOCOL_NUMBER[protocol], SUBJECT.target);

/** An IPv4 address as four characters. Without a check: it comes from a schema, and ten thousand services have many. */
function textOf(address: string): string {
  const [a, b, c, d] = address.split(".");
  return String.fromCharCode(Number(a), Number(b), Number(c), Number(d));
}

function value(linkIndex: number, mac: string): string {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32LE(linkIndex, 0);
  bytes.write(mac.replaceAll(":", ""), 4, "hex");
  return bytes.toString("latin1");
}
