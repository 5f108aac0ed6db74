// What is said to nftables without libnftables, as netlink messages (linux/netfilter/nf_tables.h). Pure. Numbers are in network order.
import { packIp } from "./ip-bytes.ts";
import { encodeAttribute, encodeNested, encodeText, NLM_F } from "./netlink-message.ts";
import type { NetlinkRequest } from "./netlink.ts";

const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH = { BEGIN: 0x10, END: 0x11 } as const;
const NFT_MSG = { NEWTABLE: 0, GETTABLE: 1, NEWCHAIN: 3, NEWRULE: 6, NEWSETELEM: 12, DELSETELEM: 14 } as const;
/** NFPROTO_ of linux/netfilter.h. */
const FAMILIES: Readonly<Record<string, number>> = { inet: 1, ip: 2, ip6: 10 };
const NFTA_TABLE_NAME = 1;
const NFTA_CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5, TYPE: 7 } as const;
const NFTA_HOOK = { NUMBER: 1, PRIORITY: 2 } as const;
const NFTA_RULE = { TABLE: 1, CHAIN: 2, EXPRESSIONS: 4 } as const;
const NFTA_SET_ELEM_LIST = { TABLE: 1, SET: 2, ELEMENTS: 3 } as const;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_LIST_ELEM = 1;
const NFTA_DATA_VALUE = 1;
const NFTA_EXPR = { NAME: 1, DATA: 2 } as const;
const NF_ACCEPT = 1;
const IFNAMSIZ = 16;
/** Each part of a key takes whole words. */
const WORD_BYTES = 4;

/** Keys of one set that come or go. `type` is the set's, in nft(8)'s words, keys are as in its text. */
export type SetChange = { verb: "add" | "delete"; set: string; type: string; keys: readonly string[] };

/** Types of parts of keys, to bytes. */
const PARTS: Readonly<Record<string, (text: string) => Uint8Array>> = {
  ifname: (text) => {
    const bytes = Buffer.alloc(IFNAMSIZ);
    bytes.write(text.slice(1, -1), 0, IFNAMSIZ - 1, "latin1");
    return bytes;
  },
  ipv4_addr: packIp,
  ipv6_addr: packIp,
};

/** Whether keys of a set can be said without libnftables. @param type `ifname . ipv4_addr`. */
export const canEncode = (type: string): boolean => type.split(" . ").every((part) => part in PARTS);

/** nft(8)'s text for it, one line. @param table with its family. */
export const formatSetChange = (table: string, { verb, set, keys }: SetChange): string =>
  `${verb} element ${table} ${set} { ${keys.join(", ")} }`;

/** The only answer is the acknowledgement of the last request, or errors. */
export function transactionOf(requests: readonly NetlinkRequest[]): NetlinkRequest[] {
  if (requests.length === 0) return [];
  const frame = (type: number): NetlinkRequest["message"] => ({ type, flags: 0, payload: Buffer.from([0, 0, 0, NFNL_SUBSYS_NFTABLES]) });
  return [
    { attempt: "nft: begin", message: frame(NFNL_MSG_BATCH.BEGIN), isFrame: true },
    ...requests,
    { attempt: "nft: commit", message: frame(NFNL_MSG_BATCH.END), isFrame: true },
  ];
}

/** Asks for a table. @param name with its family, as `ip flotilla`. */
export function tableRequest(name: string): NetlinkRequest {
  return request(`find table ${name}`, { type: NFT_MSG.GETTABLE, table: name }, [[NFTA_TABLE_NAME, nameOf(name)]]);
}

/** @throws FlotillaError `invalid` for what is no address. */
export function elementRequest(table: string, change: SetChange): NetlinkRequest {
  const types = change.type.split(" . ");
  const elements = change.keys.map((key) =>
    encodeNested(NFTA_LIST_ELEM, [encodeNested(NFTA_SET_ELEM_KEY, [encodeAttribute(NFTA_DATA_VALUE, encodeKey(types, key))])]),
  );
  const isNew = change.verb === "add";
  const what = { type: isNew ? NFT_MSG.NEWSETELEM : NFT_MSG.DELSETELEM, flags: isNew ? NLM_F.CREATE : 0, table };
  return request(`nft: ${formatSetChange(table, change)}`, what, [
    [NFTA_SET_ELEM_LIST.TABLE, nameOf(table)],
    [NFTA_SET_ELEM_LIST.SET, change.set],
    encodeNested(NFTA_SET_ELEM_LIST.ELEMENTS, elements),
  ]);
}

function encodeKey(types: readonly string[], key: string): Buffer {
  const parts = key.split(" . ");
  return Buffer.concat(types.map((type, index) => padded(PARTS[type]?.(parts[index] ?? "") ?? Buffer.alloc(0))));
}

const padded = (bytes: Uint8Array): Uint8Array =>
  bytes.length % WORD_BYTES === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(WORD_BYTES - (bytes.length % WORD_BYTES))]);

/** A table that must not be there yet. */
export const newTable = (table: string): NetlinkRequest =>
  request(`nft: create table ${table}`, { type: NFT_MSG.NEWTABLE, flags: NLM_F.CREATE | NLM_F.EXCL, table }, [
    [NFTA_TABLE_NAME, nameOf(table)],
  ]);

/** A base chain of filters that accepts what no rule drops. @param hook NF_INET_ of linux/netfilter.h. */
export const newFilterChain = (table: string, name: string, hook: { number: number; priority: number }): NetlinkRequest =>
  request(`nft: add chain ${table} ${name}`, { type: NFT_MSG.NEWCHAIN, flags: NLM_F.CREATE, table }, [
    [NFTA_CHAIN.TABLE, nameOf(table)],
    [NFTA_CHAIN.NAME, name],
    encodeNested(NFTA_CHAIN.HOOK, [number(NFTA_HOOK.NUMBER, hook.number), number(NFTA_HOOK.PRIORITY, hook.priority)]),
    number(NFTA_CHAIN.POLICY, NF_ACCEPT),
    [NFTA_CHAIN.TYPE, "filter"],
  ]);

/** At the end of a chain. */
export const newRule = (table: string, chain: string, expressions: readonly Buffer[]): NetlinkRequest =>
  request(`nft: add rule ${table} ${chain}`, { type: NFT_MSG.NEWRULE, flags: NLM_F.CREATE | NLM_F.APPEND, table }, [
    [NFTA_RULE.TABLE, nameOf(table)],
    [NFTA_RULE.CHAIN, chain],
    encodeNested(NFTA_RULE.EXPRESSIONS, expressions),
  ]);

const REGISTER = 1;
const META_L4PROTO = 16;
const PAYLOAD_BASE = { network: 1, transport: 2 } as const;
const CHECKSUM_INET = 1;
const NFTA_PAYLOAD = { DREG: 1, BASE: 2, OFFSET: 3, LEN: 4, SREG: 5, CSUM_TYPE: 6, CSUM_OFFSET: 7, CSUM_FLAGS: 8 } as const;
const NFTA_META = { DREG: 1, KEY: 2 } as const;
const NFTA_CMP = { SREG: 1, OP: 2, DATA: 3 } as const;
const NFTA_IMMEDIATE = { DREG: 1, DATA: 2 } as const;

/** Where in a packet: bytes behind the beginning of a header. */
export type PacketField = { header: keyof typeof PAYLOAD_BASE; offset: number };

/** A rule goes on for packets whose field has this value. */
export const matchField = ({ header, offset }: PacketField, value: Uint8Array): Buffer[] => [
  expression("payload", [
    number(NFTA_PAYLOAD.DREG, REGISTER),
    number(NFTA_PAYLOAD.BASE, PAYLOAD_BASE[header]),
    number(NFTA_PAYLOAD.OFFSET, offset),
    number(NFTA_PAYLOAD.LEN, value.length),
  ]),
  compare(value),
];

/** The same for packets of a protocol of IP. */
export const matchProtocol = (protocol: number): Buffer[] => [
  expression("meta", [number(NFTA_META.KEY, META_L4PROTO), number(NFTA_META.DREG, REGISTER)]),
  compare(Uint8Array.of(protocol)),
];

/** Writes a field, and the checksum of its header at `checksumOffset` with it. */
export const setField = ({ header, offset }: PacketField, value: Uint8Array, checksumOffset: number): Buffer[] => [
  expression("immediate", [number(NFTA_IMMEDIATE.DREG, REGISTER), valueAttribute(NFTA_IMMEDIATE.DATA, value)]),
  expression("payload", [
    number(NFTA_PAYLOAD.SREG, REGISTER),
    number(NFTA_PAYLOAD.BASE, PAYLOAD_BASE[header]),
    number(NFTA_PAYLOAD.OFFSET, offset),
    number(NFTA_PAYLOAD.LEN, value.length),
    number(NFTA_PAYLOAD.CSUM_TYPE, CHECKSUM_INET),
    number(NFTA_PAYLOAD.CSUM_OFFSET, checksumOffset),
    number(NFTA_PAYLOAD.CSUM_FLAGS, 0),
  ]),
];

const compare = (value: Uint8Array): Buffer =>
  expression("cmp", [number(NFTA_CMP.SREG, REGISTER), number(NFTA_CMP.OP, 0), valueAttribute(NFTA_CMP.DATA, value)]);
const valueAttribute = (type: number, value: Uint8Array): Buffer => encodeNested(type, [encodeAttribute(NFTA_DATA_VALUE, value)]);
const expression = (name: string, attributes: readonly Buffer[]): Buffer =>
  encodeNested(NFTA_LIST_ELEM, [encodeText(NFTA_EXPR.NAME, name), encodeNested(NFTA_EXPR.DATA, attributes)]);

function number(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return encodeAttribute(type, bytes);
}

const nameOf = (table: string): string => table.split(" ")[1] ?? "";

function request(
  attempt: string,
  { type, flags = 0, table }: { type: number; flags?: number; table: string },
  attributes: readonly (Buffer | readonly [type: number, text: string])[],
): NetlinkRequest {
  const header = Buffer.from([FAMILIES[table.split(" ")[0] ?? ""] ?? 0, 0, 0, 0]);
  const encoded = attributes.map((each) => (Buffer.isBuffer(each) ? each : encodeText(...(each as [number, string]))));
  return { attempt, message: { type: (NFNL_SUBSYS_NFTABLES << 8) | type, flags, payload: Buffer.concat([header, ...encoded]) } };
}
