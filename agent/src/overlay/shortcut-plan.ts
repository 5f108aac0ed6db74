// What is in the tables of a router's shortcut (shortcut-program.ts). Pure.
import type { NetworkService, NetworkState } from "@flotilla/protocol";
import type { TableShape } from "../host/link-programs.ts";
import { GATEWAY_MAC, vtepMac } from "./names.ts";
import { embed, parsePrefix, sizeOf, toNumber } from "./prefixes.ts";
import { FLAG, maskOf, PLACE, type ProgramFacts } from "./shortcut-program.ts";
import { vxlanAddress } from "./tunnel-plan.ts";
import type { RouterInput } from "./router-plan.ts";

/** Keys and values, a character for each byte. */
export type Entries = ReadonlyMap<string, string>;
/** Where packets are sent from as they are: `address`:`port` of a protocol. */
export type Target = { address: string; protocol: "tcp" | "udp"; port: number };

/** Places of a subnet of at most as many addresses are an array, of 16 bytes each. */
const MAX_ARRAY = 65_536;
/** Addresses at other hosts that are known at most; packets to others go through the stack. */
const MAX_REMOTE = 65_536;
const PROTOCOL_NUMBER = { tcp: 6, udp: 17 } as const;
const IPV6_WORDS = 3;

export function planFacts({ state }: RouterInput, mtuBytes: number, vxlanIndex: number): ProgramFacts {
  const { first, length } = parsePrefix(state.subnet);
  return {
    subnet: { address: Number(first), mask: maskOf(length) },
    prefix6: state.subnet6 === null ? undefined : wordsOf(state.subnet6),
    mtuBytes,
    vxlan: { index: vxlanIndex, mac: vtepMac(state.self) },
    gatewayMac: GATEWAY_MAC,
  };
}

function wordsOf(subnet6: string): number[] {
  const { first } = parsePrefix(subnet6);
  return Array.from({ length: IPV6_WORDS }, (_, index) => Number((first >> BigInt(96 - index * 32)) & 0xffff_ffffn));
}

/** @param used entries that there are to be. */
export function planShape({ subnet }: NetworkState, used: number): TableShape {
  const size = Number(sizeOf(parsePrefix(subnet)));
  const isArray = size <= MAX_ARRAY;
  return { kind: isArray ? "array" : "hash", ...PLACE, capacity: isArray ? size : roomFor(used) };
}

/** Twice as many entries as there are, and some. */
export const roomFor = (used: number): number => 2 ** Math.ceil(Math.log2(used * 2 + 256));

/** Addresses that are at other hosts: each of their blocks, and what is pinned. */
export function planRemotePlaces(state: NetworkState, vxlan: number): Entries {
  const { offsetOf } = addressing(state);
  const remote = new Set(state.hosts.filter((host) => host.number !== state.self && vxlanAddress(state, host) !== undefined).map((host) => host.number)); // prettier-ignore
  const entries = new Map<string, string>();
  for (const { host, cidr } of state.blocks) {
    const block = parsePrefix(cidr);
    const first = block.family === 6 ? undefined : offsetOf(cidr.split("/")[0] ?? "");
    if (first === undefined || !remote.has(host)) continue;
    const value = place(vxlan, vtepMac(host));
    const size = Number(sizeOf(block));
    for (let offset = first; offset < first + size && entries.size < MAX_REMOTE; offset += 1) entries.set(placeKey(offset), value);
  }
  for (const { host, address } of state.pins) {
    const offset = offsetOf(address);
    if (offset === undefined) continue;
    if (remote.has(host) && !address.includes(":")) entries.set(placeKey(offset), place(vxlan, vtepMac(host)));
    else entries.delete(placeKey(offset));
  }
  return entries;
}

/** Addresses of containers whose links are there. */
export function planLocalPlaces({ state, endpoints }: RouterInput, links: ReadonlyMap<string, number>): Entries {
  const { offsetOf } = addressing(state);
  const entries = new Map<string, string>();
  for (const { link, address, address6, mac } of endpoints) {
    const [index, offset] = [links.get(link), offsetOf(address)];
    if (index === undefined || offset === undefined) continue;
    const hasOwn6 = state.subnet6 !== null && address6 !== "" && isSame6(address6, embed(state.subnet6, address));
    entries.set(placeKey(offset), place(index, mac, hasOwn6 ? 0 : FLAG.isIpv4Only));
  }
  return entries;
}

/** Keys of places that are the stack's whatever else they are: of whom may not be talked to freely. */
export const planGuarded = (state: NetworkState): Set<string> => new Set(placeKeys(state, [...state.dead, ...state.isolated]));

/** Keys of places, those in the network. */
export function placeKeys(state: NetworkState, addresses: readonly string[]): string[] {
  const { offsetOf } = addressing(state);
  return addresses.flatMap((address) => {
    const offset = offsetOf(address);
    return offset === undefined ? [] : [placeKey(offset)];
  });
}

/** Keys that a service adds: of places whose packets are translated, and of targets that it balances over with their places. */
export function planServiceKeys(
  state: NetworkState,
  { addresses, ports, backends }: NetworkService,
): { addresses: string[]; targets: Entries } {
  const all = backends.flatMap(({ address }) => ports.map(({ protocol, targetPort: port }) => ({ address, protocol, port })));
  return { addresses: placeKeys(state, addresses), targets: planTargets(state, all) };
}

/** Key → key of its place. What is not in the network is nobody's place. */
export function planTargets(state: NetworkState, targets: readonly Target[]): Entries {
  const { offsetOf, first } = addressing(state);
  const entries = new Map<string, string>();
  for (const { address, protocol, port } of targets) {
    const offset = offsetOf(address);
    if (offset === undefined) continue;
    const at = first + offset;
    const bytes = [at >>> 24, (at >>> 16) & 0xff, (at >>> 8) & 0xff, at & 0xff, port >> 8, port & 0xff, PROTOCOL_NUMBER[protocol], 0];
    entries.set(String.fromCharCode(...bytes), placeKey(offset));
  }
  return entries;
}

/** A place whose packets may be of flows to one of its targets. */
export function withTargets(value: string): string {
  return (
    value.slice(0, PLACE.valueBytes - 2) + String.fromCharCode(value.charCodeAt(PLACE.valueBytes - 2) | FLAG.hasTargets) + value.slice(-1)
  );
}

type Addressing = { first: number; offsetOf: (address: string) => number | undefined };

/** Distances from the first address of the network; undefined for what is outside it. Of either family: who has one address has the other. */
function addressing(state: NetworkState): Addressing {
  const known = addressings.get(state);
  if (known !== undefined) return known;
  const { first: start, length } = parsePrefix(state.subnet);
  const [first, size] = [Number(start), 2 ** (32 - length)];
  const start6 = state.subnet6 === null ? undefined : parsePrefix(state.subnet6).first;
  const offsetOf = (address: string): number | undefined => {
    const offset = lastWord(address, start6) - first;
    return offset >= 0 && offset < size ? offset : undefined;
  };
  addressings.set(state, { first, offsetOf });
  return { first, offsetOf };
}
const addressings = new WeakMap<NetworkState, Addressing>();

/** Without a check: it comes from a schema, and ten thousand services have many. @returns NaN outside the network's IPv6 addresses. */
function lastWord(address: string, start6: bigint | undefined): number {
  if (address.includes(":")) {
    const rest = start6 === undefined ? -1n : numberOf6(address) - start6;
    return rest >= 0n && rest <= 0xffff_ffffn ? Number(rest) : Number.NaN;
  }
  const [a, b, c, d] = address.split(".");
  return ((Number(a) * 256 + Number(b)) * 256 + Number(c)) * 256 + Number(d);
}

/** Most are one text: all containers of a network are looked at with each that comes. */
const isSame6 = (a: string, b: string): boolean => a === b || numberOf6(a) === numberOf6(b);

/** Of all backends of a service at each change of one. */
function numberOf6(address: string): bigint {
  const known = numbers6.get(address);
  if (known !== undefined) return known;
  if (numbers6.size >= MAX_NUMBERS6) numbers6.clear();
  const made = toNumber(address);
  numbers6.set(address, made);
  return made;
}
const numbers6 = new Map<string, bigint>();
const MAX_NUMBERS6 = 10_000;

/** Little-endian, as the program makes it. */
const placeKey = (offset: number): string =>
  String.fromCharCode(offset & 0xff, (offset >>> 8) & 0xff, (offset >>> 16) & 0xff, offset >>> 24);

function place(linkIndex: number, mac: string, flags = 0): string {
  const bytes = Buffer.alloc(PLACE.valueBytes);
  bytes.writeUInt32LE(linkIndex, 0);
  bytes.write(mac.replaceAll(":", ""), 4, "hex");
  bytes.writeUInt16LE(flags, 10);
  return bytes.toString("latin1");
}
