// What a router does with a packet that needs no flow to be tracked, as a program for the kernel: it goes from link to link by one look
// at a table, past the router's network stack. Pure. Every packet that the program does not know all about goes the way through the
// stack, where the router's nftables table has the last word, so a missing entry costs time and never lets anything through.
import type { Instruction, Operand } from "../host/bpf-assembler.ts";

/** The table: eight bytes of key, twelve of value. */
export const KEY_BYTES = 8;
export const VALUE_BYTES = 12;
/** What a key is about (its last byte); the byte before is a protocol or the length of a prefix. */
export const SUBJECT = { address: 0, target: 1, host: 2, block: 3 } as const;

export type ProgramFacts = {
  /** Address and mask of the network, as numbers. */
  subnet: { address: number; mask: number };
  /** Lengths of its blocks' prefixes, the longest first. */
  blockLengths: readonly number[];
  mtuBytes: number;
  vxlan: { index: number; mac: string };
  gatewayMac: string;
};

/** `struct __sk_buff` and headers: Ethernet, then IPv4 without options, then ports. */
const CONTEXT = { type: 4, link: 40, data: 76, end: 80, segmentBytes: 176 } as const;
const AT = { to: 0, from: 6, protocol: 12, version: 14, length: 16, fragment: 20, ttl: 22, next: 23, checksum: 24, source: 26, destination: 30, sourcePort: 34, destinationPort: 36, tcpOffset: 46 } as const; // prettier-ignore
const HEADERS_BYTES = 54;
const UDP_HEADERS_BYTES = 28;
const HELPER = { lookup: 1, redirect: 23, redirectToPeer: 155 } as const;
const PASS = 0;
const TCP = 6;
const UDP = 17;
const IPV4_NO_OPTIONS = 0x45;
/** `02:f1` of vtepMac, as it is loaded. */
const VTEP_PREFIX = 0xf102;

/** Registers: what calls leave alone. */
const CONTEXT_REGISTER = 6;
const PACKET = 7;
const ENTRY = 8;
const LINK = 9;
const STACK = 10;
/** On the stack: the key, and the protocol. */
const KEY = -KEY_BYTES;
const PROTOCOL = KEY - 4;

/** @param map descriptor of the table. @param canReachPeer whether the kernel can put a packet into the namespace at the other end of a veth. */
export function shortcutProgram(facts: ProgramFacts, map: number, canReachPeer: boolean): Instruction[] {
  return [
    ...parse(facts),
    ...checkSource(facts, map),
    ...findDestination(facts, map),
    ...checkTargets(facts, map),
    ...forward(facts, canReachPeer),
    label("pass"),
    set(0, { number: PASS }),
    { kind: "exit" },
  ];
}

const load = (width: 1 | 2 | 4, to: number, ...[from, offset]: [number, number]): Instruction => ({
  kind: "load",
  width,
  to,
  from,
  offset,
});
const store = (width: 1 | 2 | 4, ...[to, offset, value]: [number, number, Operand]): Instruction => ({ kind: "store", width, to, offset, value }); // prettier-ignore
const set = (register: number, value: Operand): Instruction => ({ kind: "alu", operation: "=", register, value, width: 8 });
const alu = (operation: "+" | "&" | ">>" | "<<", register: number, value: Operand): Instruction => ({ kind: "alu", operation, register, value, width: 4 }); // prettier-ignore
const jump = (register: number, comparison: "==" | "!=" | ">" | "&", ...[value, target]: [Operand, string]): Instruction => ({ kind: "jump", comparison, register, value, width: 4, target }); // prettier-ignore
const label = (name: string): Instruction => ({ kind: "label", name });
const number = (value: number): Operand => ({ number: value });
const register = (value: number): Operand => ({ register: value });
/** For addresses of memory. */
const wide = (instruction: Extract<Instruction, { kind: "jump" | "alu" }>): Instruction => ({ ...instruction, width: 8 });
const add = (to: number, value: number): Instruction => wide({ kind: "alu", operation: "+", register: to, value: number(value), width: 8 });
const ifNull = (target: string): Instruction => wide({ kind: "jump", comparison: "==", register: 0, value: number(0), width: 8, target });
const unlessNull = (target: string): Instruction =>
  wide({ kind: "jump", comparison: "!=", register: 0, value: number(0), width: 8, target });

/** Whole packets of TCP and UDP over IPv4 that were sent to this router, can go on, and fit. */
function parse({ mtuBytes, subnet }: ProgramFacts): Instruction[] {
  return [
    set(CONTEXT_REGISTER, register(1)),
    load(4, 2, CONTEXT_REGISTER, CONTEXT.type),
    jump(2, "!=", number(0), "pass"),
    load(4, LINK, CONTEXT_REGISTER, CONTEXT.link),
    load(4, PACKET, CONTEXT_REGISTER, CONTEXT.data),
    load(4, 3, CONTEXT_REGISTER, CONTEXT.end),
    set(2, register(PACKET)),
    add(2, UDP_HEADERS_BYTES + AT.version),
    wide({ kind: "jump", comparison: ">", register: 2, value: register(3), width: 8, target: "pass" }),
    load(2, 2, PACKET, AT.protocol),
    jump(2, "!=", number(0x0008), "pass"),
    load(1, 2, PACKET, AT.version),
    jump(2, "!=", number(IPV4_NO_OPTIONS), "pass"),
    load(2, 2, PACKET, AT.fragment),
    jump(2, "&", number(0xff3f), "pass"),
    load(1, 2, PACKET, AT.ttl),
    jump(2, "==", number(0), "pass"),
    jump(2, "==", number(1), "pass"),
    load(1, 4, PACKET, AT.next),
    store(4, STACK, PROTOCOL, register(4)),
    // In r2 the bytes of what will be one packet on the wire.
    load(4, 2, CONTEXT_REGISTER, CONTEXT.segmentBytes),
    jump(4, "==", number(TCP), "tcp"),
    jump(4, "!=", number(UDP), "pass"),
    jump(2, "==", number(0), "single"),
    alu("+", 2, number(UDP_HEADERS_BYTES)),
    { kind: "goto", target: "measured" },
    label("tcp"),
    jump(2, "==", number(0), "single"),
    set(5, register(PACKET)),
    add(5, HEADERS_BYTES),
    wide({ kind: "jump", comparison: ">", register: 5, value: register(3), width: 8, target: "pass" }),
    load(1, 5, PACKET, AT.tcpOffset),
    alu(">>", 5, number(4)),
    alu("<<", 5, number(2)),
    alu("+", 5, number(20)),
    alu("+", 2, register(5)),
    { kind: "goto", target: "measured" },
    label("single"),
    load(2, 2, PACKET, AT.length),
    { kind: "swap", register: 2, bits: 16 },
    label("measured"),
    jump(2, ">", number(mtuBytes), "pass"),
    ...[AT.source, AT.destination].flatMap((at) => [
      load(4, 2, PACKET, at),
      alu("&", 2, number(networkOrder(subnet.mask))),
      jump(2, "!=", number(networkOrder(subnet.address)), "pass"),
    ]),
  ];
}

/** Into r0 the entry of a key whose first word is in `value`. */
function lookup(map: number, subject: { word: Operand; rest: readonly Instruction[] }): Instruction[] {
  return [
    store(4, STACK, KEY, subject.word),
    ...subject.rest,
    { kind: "map", register: 1, descriptor: map },
    set(2, register(STACK)),
    add(2, KEY),
    { kind: "call", helper: HELPER.lookup },
  ];
}

const restOf = (subject: number, detail = 0): Instruction[] => [store(4, STACK, KEY + 4, number((subject << 24) | (detail << 16)))];

/** A container sends from its own address, another host from none of this one's, and only hosts of the network do. */
function checkSource({ vxlan }: ProgramFacts, map: number): Instruction[] {
  return [
    load(4, 2, PACKET, AT.source),
    ...lookup(map, { word: register(2), rest: restOf(SUBJECT.address) }),
    jump(LINK, "==", number(vxlan.index), "from-host"),
    ifNull("pass"),
    load(4, 2, 0, 0),
    jump(2, "!=", register(LINK), "pass"),
    { kind: "goto", target: "to-where" },
    label("from-host"),
    ifNull("vtep"),
    load(4, 2, 0, 0),
    jump(2, "!=", register(LINK), "pass"),
    label("vtep"),
    load(2, 2, PACKET, AT.from),
    jump(2, "!=", number(VTEP_PREFIX), "pass"),
    load(4, 2, PACKET, AT.from + 2),
    ...lookup(map, { word: register(2), rest: restOf(SUBJECT.host) }),
    ifNull("pass"),
    label("to-where"),
  ];
}

/** Containers of this host, addresses that were pinned to others, and, for packets of containers, blocks of other hosts. */
function findDestination({ vxlan, blockLengths }: ProgramFacts, map: number): Instruction[] {
  const blocks = blockLengths.flatMap((length) => [
    load(4, 2, PACKET, AT.destination),
    alu("&", 2, number(networkOrder(maskOf(length)))),
    ...lookup(map, { word: register(2), rest: restOf(SUBJECT.block, length) }),
    unlessNull("found"),
  ]);
  return [
    load(4, 2, PACKET, AT.destination),
    ...lookup(map, { word: register(2), rest: restOf(SUBJECT.address) }),
    unlessNull("found"),
    jump(LINK, "==", number(vxlan.index), "pass"),
    ...blocks,
    { kind: "goto", target: "pass" },
    label("found"),
    set(ENTRY, register(0)),
    load(4, 2, ENTRY, 0),
    jump(2, "==", number(0), "pass"),
    // Nothing goes from one host to another through a third.
    jump(LINK, "!=", number(vxlan.index), "known"),
    jump(2, "==", number(vxlan.index), "pass"),
    label("known"),
  ];
}

/** What goes to a port that services balance over, and what comes back from one to a caller here, may belong to a translated flow. */
function checkTargets({ vxlan }: ProgramFacts, map: number): Instruction[] {
  const target = (address: number, port: number): Instruction[] => [
    load(4, 2, PACKET, address),
    load(2, 3, PACKET, port),
    load(1, 4, STACK, PROTOCOL),
    ...lookup(map, {
      word: register(2),
      rest: [
        store(2, STACK, KEY + 4, register(3)),
        store(1, STACK, KEY + 6, register(4)),
        store(1, STACK, KEY + 7, number(SUBJECT.target)),
      ],
    }),
    unlessNull("pass"),
  ];
  return [
    jump(LINK, "==", number(vxlan.index), "answers"),
    ...target(AT.destination, AT.destinationPort),
    load(4, 2, ENTRY, 0),
    jump(2, "==", number(vxlan.index), "forward"),
    label("answers"),
    ...target(AT.source, AT.sourcePort),
    label("forward"),
  ];
}

/** As a router does: one hop less, other addresses of Ethernet. */
function forward({ vxlan, gatewayMac }: ProgramFacts, canReachPeer: boolean): Instruction[] {
  return [
    load(1, 2, PACKET, AT.ttl),
    alu("+", 2, number(-1)),
    store(1, PACKET, AT.ttl, register(2)),
    // The sum of the header's other words has become one less in its high byte: RFC 1624.
    load(2, 2, PACKET, AT.checksum),
    alu("+", 2, number(1)),
    set(3, register(2)),
    jump(3, "==", number(0xffff), "carry"),
    jump(3, "==", number(0x1_0000), "carry"),
    { kind: "goto", target: "summed" },
    label("carry"),
    alu("+", 2, number(1)),
    label("summed"),
    store(2, PACKET, AT.checksum, register(2)),
    load(4, 2, ENTRY, 4),
    store(4, PACKET, AT.to, register(2)),
    load(2, 2, ENTRY, 8),
    store(2, PACKET, AT.to + 4, register(2)),
    load(4, 1, ENTRY, 0),
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

function storeMac(mac: string): Instruction[] {
  const bytes = Buffer.from(mac.replaceAll(":", ""), "hex");
  return [store(4, PACKET, AT.from, number(bytes.readInt32LE(0))), store(2, PACKET, AT.from + 4, number(bytes.readInt16LE(4)))];
}

/** Numbers as a little-endian machine loads them from a packet. */
const networkOrder = (value: number): number => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.readInt32LE(0);
};

export const maskOf = (length: number): number => (length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0);
