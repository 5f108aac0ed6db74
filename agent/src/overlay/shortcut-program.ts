// What a router does with a packet that needs no flow to be tracked, as a program for the kernel: it goes from link to link by looks
// at two tables, past the router's network stack. Pure. Every packet that the program does not know all about goes the way through the
// stack, where the router's nftables table has the last word, so a missing entry costs time and never lets anything through.
//
// `places` says for each address of the subnet, by its distance from the first one, where it is: an array where the subnet is not
// large, which costs a few instructions where a hash table costs three calls. Whoever has an IPv4 address has the IPv6 address that
// ends in it (docs/design/overlay.md), so both families have one place. `targets` are addresses with a port of a protocol, looked for
// when the address's place says that it has any.
import type { Instruction } from "../host/bpf-assembler.ts";
import { add, alu, ifNull, jump, label, load, networkOrder, number, register, set, store, unlessNull, wide } from "../host/bpf-words.ts";

/** Of `places`: the distance, as the machine has numbers, to the index of a link, a MAC, and flags. A link 0 is the stack. */
export const PLACE = { keyBytes: 4, valueBytes: 12 } as const;
/** Of `targets`: address, port, protocol and a zero; the value says nothing. */
export const TARGET = { keyBytes: 8, valueBytes: 4 } as const;
/** Flags of a place. */
export const FLAG = { hasTargets: 1, isIpv4Only: 2 } as const;

export type ProgramFacts = {
  /** Address and mask of the network, as numbers. */
  subnet: { address: number; mask: number };
  /** What the network's IPv6 addresses begin with: three numbers of 32 bits. undefined without IPv6. */
  prefix6: readonly number[] | undefined;
  mtuBytes: number;
  vxlan: { index: number; mac: string };
  gatewayMac: string;
};
/** Descriptors of the tables. */
export type ProgramTables = { places: number; targets: number };

/** `struct __sk_buff`. */
const CONTEXT = { type: 4, link: 40, data: 76, end: 80, segmentBytes: 176 } as const;
/** Ethernet, then IP without options. */
const AT = { to: 0, from: 6, protocol: 12, ip: 14 } as const;
const AT4 = { version: 14, length: 16, fragment: 20, ttl: 22, next: 23, checksum: 24, source: 26, destination: 30, ports: 34, tcpOffset: 46, headersBytes: 20, tcpEnd: 54, udpEnd: 42 } as const; // prettier-ignore
const AT6 = { length: 18, next: 20, ttl: 21, source: 22, destination: 38, ports: 54, tcpOffset: 66, headersBytes: 40, tcpEnd: 74, udpEnd: 62 } as const; // prettier-ignore
const PREFIX6_BYTES = 12;
const UDP_HEADER_BYTES = 8;
const HELPER = { lookup: 1, redirect: 23, redirectToPeer: 155 } as const;
const PASS = 0;
const TCP = 6;
const UDP = 17;
const IPV4_NO_OPTIONS = 0x45;
/** As they are loaded. */
const ETHERTYPE = { ipv4: 0x0008, ipv6: 0xdd86 } as const;
const OFFSET = { link: 0, mac: 4, flags: 10 } as const;

/** Registers: what calls leave alone. */
const CONTEXT_REGISTER = 6;
const PACKET = 7;
const ENTRY = 8;
const LINK = 9;
const STACK = 10;
/** On the stack: keys, and of the packet what is looked at once more. `ports`: of source and destination. */
const KEY = -TARGET.keyBytes;
const SAVED = { place: -12, protocol: -16, ports: -20, source: -24, destination: -28, refusedFlags: -32, sourceFlags: -36 } as const;

/** @param canReachPeer whether the kernel can put a packet into the namespace at the other end of a veth. */
export function shortcutProgram(facts: ProgramFacts, tables: ProgramTables, canReachPeer: boolean): Instruction[] {
  return [
    ...parse(facts),
    ...checkSource(facts, tables),
    ...findDestination(facts, tables),
    ...checkTargets(facts, tables),
    ...forward(facts, canReachPeer),
    label("pass"),
    set(0, { number: PASS }),
    { kind: "exit" },
  ];
}

/** Passes a packet that is shorter. */
const within = (bytes: number): Instruction[] => [
  load(4, 3, CONTEXT_REGISTER, CONTEXT.end),
  set(2, register(PACKET)),
  add(2, bytes),
  wide({ kind: "jump", comparison: ">", register: 2, value: register(3), width: 8, target: "pass" }),
];

/** Whole packets of TCP and UDP that were sent to this router, can go on, and fit. */
function parse(facts: ProgramFacts): Instruction[] {
  return [
    set(CONTEXT_REGISTER, register(1)),
    load(4, 2, CONTEXT_REGISTER, CONTEXT.type),
    jump(2, "!=", number(0), "pass"),
    load(4, LINK, CONTEXT_REGISTER, CONTEXT.link),
    load(4, PACKET, CONTEXT_REGISTER, CONTEXT.data),
    ...within(AT4.udpEnd),
    load(2, 2, PACKET, AT.protocol),
    ...(facts.prefix6 === undefined ? [] : [jump(2, "==", number(ETHERTYPE.ipv6), "ipv6")]),
    jump(2, "!=", number(ETHERTYPE.ipv4), "pass"),
    ...parse4(facts),
    ...(facts.prefix6 === undefined ? [] : [{ kind: "goto", target: "parsed" } as const, label("ipv6"), ...parse6(facts, facts.prefix6)]),
    label("parsed"),
  ];
}

function parse4({ mtuBytes, subnet }: ProgramFacts): Instruction[] {
  return [
    load(1, 2, PACKET, AT4.version),
    jump(2, "!=", number(IPV4_NO_OPTIONS), "pass"),
    load(2, 2, PACKET, AT4.fragment),
    jump(2, "&", number(0xff3f), "pass"),
    ...measure("4", AT4, mtuBytes),
    ...[AT4.source, AT4.destination].flatMap((at) => [
      load(4, 2, PACKET, at),
      alu("&", 2, number(networkOrder(subnet.mask))),
      jump(2, "!=", number(networkOrder(subnet.address)), "pass"),
    ]),
    ...save(AT4, 0),
  ];
}

function parse6({ mtuBytes, subnet }: ProgramFacts, prefix6: readonly number[]): Instruction[] {
  return [
    ...within(AT6.udpEnd),
    ...measure("6", AT6, mtuBytes),
    ...[AT6.source, AT6.destination].flatMap((at) => [
      ...prefix6.flatMap((word, index) => [load(4, 2, PACKET, at + index * 4), jump(2, "!=", number(networkOrder(word)), "pass")]),
      load(4, 2, PACKET, at + PREFIX6_BYTES),
      alu("&", 2, number(networkOrder(subnet.mask))),
      jump(2, "!=", number(networkOrder(subnet.address)), "pass"),
    ]),
    ...save({ ...AT6, source: AT6.source + PREFIX6_BYTES, destination: AT6.destination + PREFIX6_BYTES }, FLAG.isIpv4Only),
  ];
}

/** Not the last hop, TCP or UDP, and no wider on the wire than the MTU. */
function measure(name: string, at: typeof AT4 | typeof AT6, mtuBytes: number): Instruction[] {
  return [
    load(1, 2, PACKET, at.ttl),
    jump(2, "==", number(0), "pass"),
    jump(2, "==", number(1), "pass"),
    load(1, 4, PACKET, at.next),
    store(4, STACK, SAVED.protocol, register(4)),
    // In r2 the bytes of what will be one packet on the wire.
    load(4, 2, CONTEXT_REGISTER, CONTEXT.segmentBytes),
    jump(4, "==", number(TCP), `tcp${name}`),
    jump(4, "!=", number(UDP), "pass"),
    jump(2, "==", number(0), `single${name}`),
    alu("+", 2, number(at.headersBytes + UDP_HEADER_BYTES)),
    { kind: "goto", target: `measured${name}` },
    label(`tcp${name}`),
    jump(2, "==", number(0), `single${name}`),
    set(5, register(2)),
    ...within(at.tcpEnd),
    load(1, 2, PACKET, at.tcpOffset),
    alu(">>", 2, number(4)),
    alu("<<", 2, number(2)),
    alu("+", 2, number(at.headersBytes)),
    alu("+", 2, register(5)),
    { kind: "goto", target: `measured${name}` },
    label(`single${name}`),
    load(2, 2, PACKET, at.length),
    { kind: "swap", register: 2, bits: 16 },
    // IPv6 says what follows its header.
    ...(at === AT6 ? [alu("+", 2, number(at.headersBytes))] : []),
    label(`measured${name}`),
    jump(2, ">", number(mtuBytes), "pass"),
  ];
}

/** @param refusedFlags of places that the packet's family is not for. */
const save = (at: { source: number; destination: number; ports: number }, refusedFlags: number): Instruction[] => [
  ...[[at.source, SAVED.source], [at.destination, SAVED.destination], [at.ports, SAVED.ports]].flatMap(([from = 0, to = 0]) => [
    load(4, 2, PACKET, from),
    store(4, STACK, to, register(2)),
  ]), // prettier-ignore
  store(4, STACK, SAVED.refusedFlags, number(refusedFlags)),
];

/** Into r0 the place of a saved address, into r3 its flags. */
const findPlace = ({ subnet }: ProgramFacts, { places }: ProgramTables, saved: number): Instruction[] => [
  load(4, 2, STACK, saved),
  { kind: "swap", register: 2, bits: 32 },
  alu("&", 2, number(~subnet.mask)),
  store(4, STACK, SAVED.place, register(2)),
  { kind: "map", register: 1, descriptor: places },
  set(2, register(STACK)),
  add(2, SAVED.place),
  { kind: "call", helper: HELPER.lookup },
  ifNull("pass"),
  load(2, 3, 0, OFFSET.flags),
  load(4, 2, STACK, SAVED.refusedFlags),
  jump(3, "&", register(2), "pass"),
];

/** A container sends from its own address; a host from those that are at it, none of which is of this one. */
function checkSource(facts: ProgramFacts, tables: ProgramTables): Instruction[] {
  const { vxlan } = facts;
  return [
    ...findPlace(facts, tables, SAVED.source),
    store(4, STACK, SAVED.sourceFlags, register(3)),
    // Also for a packet of another host: then it is the VXLAN device.
    load(4, 2, 0, OFFSET.link),
    jump(2, "!=", register(LINK), "pass"),
    jump(LINK, "!=", number(vxlan.index), "to-where"),
    load(4, 2, 0, OFFSET.mac),
    load(4, 3, PACKET, AT.from),
    jump(2, "!=", register(3), "pass"),
    load(2, 2, 0, OFFSET.mac + 4),
    load(2, 3, PACKET, AT.from + 4),
    jump(2, "!=", register(3), "pass"),
    label("to-where"),
  ];
}

/** Containers of this host and, for packets of containers, addresses at other hosts: nothing goes from one host to another through a third. */
function findDestination(facts: ProgramFacts, tables: ProgramTables): Instruction[] {
  const { vxlan } = facts;
  return [
    ...findPlace(facts, tables, SAVED.destination),
    set(ENTRY, register(0)),
    load(4, 2, ENTRY, OFFSET.link),
    jump(2, "==", number(0), "pass"),
    jump(LINK, "!=", number(vxlan.index), "known"),
    jump(2, "==", number(vxlan.index), "pass"),
    { kind: "goto", target: "answers" },
    label("known"),
  ];
}

/** What goes to a port that services balance over, and what comes back from one to a caller here, may belong to a translated flow. */
function checkTargets({ vxlan }: ProgramFacts, { targets }: ProgramTables): Instruction[] {
  const find = (address: number, port: number): Instruction[] => [
    load(4, 2, STACK, address),
    store(4, STACK, KEY, register(2)),
    load(2, 2, STACK, port),
    store(2, STACK, KEY + 4, register(2)),
    load(4, 2, STACK, SAVED.protocol),
    store(2, STACK, KEY + 6, register(2)),
    { kind: "map", register: 1, descriptor: targets },
    set(2, register(STACK)),
    add(2, KEY),
    { kind: "call", helper: HELPER.lookup },
    unlessNull("pass"),
  ];
  return [
    load(2, 3, ENTRY, OFFSET.flags),
    alu("&", 3, number(FLAG.hasTargets)),
    jump(3, "==", number(0), "no-target"),
    ...find(SAVED.destination, SAVED.ports + 2),
    label("no-target"),
    load(4, 2, ENTRY, OFFSET.link),
    jump(2, "==", number(vxlan.index), "forward"),
    label("answers"),
    load(4, 3, STACK, SAVED.sourceFlags),
    alu("&", 3, number(FLAG.hasTargets)),
    jump(3, "==", number(0), "forward"),
    ...find(SAVED.source, SAVED.ports),
    label("forward"),
  ];
}

/** As a router does: one hop less, other addresses of Ethernet. */
function forward({ vxlan, gatewayMac, prefix6 }: ProgramFacts, canReachPeer: boolean): Instruction[] {
  return [
    ...(prefix6 === undefined ? [] : [load(2, 2, PACKET, AT.protocol), jump(2, "!=", number(ETHERTYPE.ipv4), "hop6")]),
    load(1, 2, PACKET, AT4.ttl),
    alu("+", 2, number(-1)),
    store(1, PACKET, AT4.ttl, register(2)),
    // The sum of the header's other words has become one less in its high byte: RFC 1624.
    load(2, 2, PACKET, AT4.checksum),
    alu("+", 2, number(1)),
    set(3, register(2)),
    jump(3, "==", number(0xffff), "carry"),
    jump(3, "==", number(0x1_0000), "carry"),
    { kind: "goto", target: "summed" },
    label("carry"),
    alu("+", 2, number(1)),
    label("summed"),
    store(2, PACKET, AT4.checksum, register(2)),
    ...(prefix6 === undefined ? [] : [{ kind: "goto", target: "address" } as const, label("hop6"), ...lessHop6]),
    label("address"),
    load(4, 2, ENTRY, OFFSET.mac),
    store(4, PACKET, AT.to, register(2)),
    load(2, 2, ENTRY, OFFSET.mac + 4),
    store(2, PACKET, AT.to + 4, register(2)),
    load(4, 1, ENTRY, OFFSET.link),
    set(2, number(0)),
    jump(1, "==", number(vxlan.index), "to-host"),
    ...storeMac(gatewayMac),
    { kind: "call", helper: canReachPeer ? HELPER.redirectToPeer : HELPER.redirect },
    { kind: "exit" },
    label("to-host"),
    ...storeMac(vxlan.mac),
    { kind: "call", helper: HELPER.redirect },
    { kind: "exit" },
  ];
}

const lessHop6: readonly Instruction[] = [load(1, 2, PACKET, AT6.ttl), alu("+", 2, number(-1)), store(1, PACKET, AT6.ttl, register(2))];

function storeMac(mac: string): Instruction[] {
  const bytes = Buffer.from(mac.replaceAll(":", ""), "hex");
  return [store(4, PACKET, AT.from, number(bytes.readInt32LE(0))), store(2, PACKET, AT.from + 4, number(bytes.readInt16LE(4)))];
}

export const maskOf = (length: number): number => (length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0);
