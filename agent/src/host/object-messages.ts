// Kernel objects as rtnetlink messages (linux/rtnetlink.h, neighbour.h, fib_rules.h) and back. Pure.
import { isIPv6 } from "node:net";
import { packIp, unpackIp } from "./ip-bytes.ts";
import { MAIN_TABLE, type KernelObject, type ObjectChange, type RouteObject, type RuleObject } from "./kernel-objects.ts";
import { decodeAttributes, encodeAttribute, encodeNumber, type NetlinkMessage, NLM_F } from "./netlink-message.ts";
import { AF } from "./socket.ts";

const RTM = { ADDR: 20, ROUTE: 24, NEIGH: 28, RULE: 32 } as const;
/** Within each group of four: new, delete, get. */
const VERB = { new: 0, delete: 1, get: 2 } as const;
const AF_BRIDGE = 7;
const IFA = { ADDRESS: 1, LOCAL: 2, FLAGS: 8 } as const;
const IFA_F = { NODAD: 0x02, NOPREFIXROUTE: 0x200 } as const;
const NDA = { DST: 1, LLADDR: 2 } as const;
const NUD_PERMANENT = 0x80;
const NTF_SELF = 0x02;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PREFSRC: 7, TABLE: 15, VIA: 18 } as const;
const RTN = { UNICAST: 1, BLACKHOLE: 6 } as const;
const RTPROT_STATIC = 4;
const RT_SCOPE = { UNIVERSE: 0, LINK: 253 } as const;
const RTNH_F_ONLINK = 4;
const RTM_F_CLONED = 0x200;
const FRA = { SRC: 2, PRIORITY: 6, FWMARK: 10, TABLE: 15 } as const;
const FR_ACT_TO_TBL = 1;
/** Before the main table's 32766, behind the local table's 0. */
const RULE_PRIORITY = 1_000;
const HEADER = { ADDR: 8, ROUTE: 12, NEIGH: 12, RULE: 12 } as const;

export type LinkIndexes = { indexOf(name: string): number; nameOf(index: number): string };

/** Errnos that mean that a change is done already. */
export const DONE_ALREADY = { replace: ["EEXIST"], delete: ["ENOENT", "ESRCH", "EADDRNOTAVAIL", "ENODEV"] } as const;

const familyOf = (address: string): number => (isIPv6(address) ? AF.INET6 : AF.INET);

export function encodeChange({ verb, object }: ObjectChange, links: Pick<LinkIndexes, "indexOf">): NetlinkMessage {
  const isNew = verb === "replace";
  const flags = isNew ? NLM_F.CREATE | NLM_F.REPLACE : 0;
  const make = (group: number, payload: Buffer): NetlinkMessage => ({ type: group + (isNew ? VERB.new : VERB.delete), flags, payload });
  switch (object.kind) {
    case "address":
      return make(RTM.ADDR, encodeAddress(object, links));
    case "fdb":
    case "neighbour":
      return make(RTM.NEIGH, encodeNeighbour(object, links));
    case "route":
      return make(RTM.ROUTE, encodeRoute(object, links));
    case "rule":
      // The kernel knows no replacing of rules: without EXCL it would add a second one.
      return { ...make(RTM.RULE, encodeRule(object)), flags: isNew ? NLM_F.CREATE | NLM_F.EXCL : 0 };
  }
}

function encodeAddress(object: Extract<KernelObject, { kind: "address" }>, links: Pick<LinkIndexes, "indexOf">): Buffer {
  const header = Buffer.alloc(HEADER.ADDR);
  header.writeUInt8(familyOf(object.address), 0);
  header.writeUInt8(object.prefixLength, 1);
  header.writeUInt32LE(links.indexOf(object.link), 4);
  const address = packIp(object.address);
  const flags = encodeNumber(IFA.FLAGS, IFA_F.NODAD | IFA_F.NOPREFIXROUTE);
  return Buffer.concat([header, encodeAttribute(IFA.LOCAL, address), encodeAttribute(IFA.ADDRESS, address), flags]);
}

function encodeNeighbour(object: Extract<KernelObject, { kind: "fdb" | "neighbour" }>, links: Pick<LinkIndexes, "indexOf">): Buffer {
  const header = Buffer.alloc(HEADER.NEIGH);
  const isFdb = object.kind === "fdb";
  const destination = isFdb ? object.destination : object.address;
  header.writeUInt8(isFdb ? AF_BRIDGE : familyOf(destination), 0);
  header.writeInt32LE(links.indexOf(object.link), 4);
  header.writeUInt16LE(NUD_PERMANENT, 8);
  header.writeUInt8(isFdb ? NTF_SELF : 0, 10);
  const mac = Buffer.from(object.mac.replaceAll(":", ""), "hex");
  return Buffer.concat([header, encodeAttribute(NDA.DST, packIp(destination)), encodeAttribute(NDA.LLADDR, mac)]);
}

function encodeRoute(route: RouteObject, links: Pick<LinkIndexes, "indexOf">): Buffer {
  const [address = "", length = "0"] = route.destination.split("/");
  const family = familyOf(address);
  const header = Buffer.alloc(HEADER.ROUTE);
  header.writeUInt8(family, 0);
  header.writeUInt8(Number(length), 1);
  header.writeUInt8(route.table < 256 ? route.table : 0, 4);
  header.writeUInt8(RTPROT_STATIC, 5);
  header.writeUInt8(route.type === "unicast" && route.via === "" ? RT_SCOPE.LINK : RT_SCOPE.UNIVERSE, 6);
  header.writeUInt8(route.type === "unicast" ? RTN.UNICAST : RTN.BLACKHOLE, 7);
  header.writeUInt32LE(route.via === "" ? 0 : RTNH_F_ONLINK, 8);
  return Buffer.concat([
    header,
    ...(length === "0" ? [] : [encodeAttribute(RTA.DST, packIp(address))]),
    encodeNumber(RTA.TABLE, route.table),
    ...(route.link === "" ? [] : [encodeNumber(RTA.OIF, links.indexOf(route.link))]),
    ...(route.via === "" ? [] : [encodeVia(route.via, family)]),
    ...(route.source === "" ? [] : [encodeAttribute(RTA.PREFSRC, packIp(route.source))]),
  ]);
}

/** A next hop of the other family goes into an attribute of its own (RFC 5549). */
function encodeVia(via: string, family: number): Buffer {
  const bytes = packIp(via);
  if (familyOf(via) === family) return encodeAttribute(RTA.GATEWAY, bytes);
  const head = Buffer.alloc(2);
  head.writeUInt16LE(familyOf(via));
  return encodeAttribute(RTA.VIA, Buffer.concat([head, bytes]));
}

function encodeRule(rule: RuleObject): Buffer {
  const header = Buffer.alloc(HEADER.RULE);
  header.writeUInt8(rule.family === 4 ? AF.INET : AF.INET6, 0);
  header.writeUInt8(rule.from === "" ? 0 : rule.family === 4 ? 32 : 128, 2);
  header.writeUInt8(FR_ACT_TO_TBL, 7);
  return Buffer.concat([
    header,
    encodeNumber(FRA.PRIORITY, RULE_PRIORITY),
    encodeNumber(FRA.TABLE, rule.table),
    ...(rule.from === "" ? [] : [encodeAttribute(FRA.SRC, packIp(rule.from))]),
    ...(rule.mark === 0 ? [] : [encodeNumber(FRA.FWMARK, rule.mark)]),
  ]);
}

/** Requests whose answers `decodeObject` reads: addresses, neighbours, forwarding entries, routes and rules of both families. */
export function dumpRequests(): { attempt: string; message: NetlinkMessage }[] {
  const request = (attempt: string, group: number, header: { family: number; bytes: number }) => {
    const payload = Buffer.alloc(header.bytes);
    payload.writeUInt8(header.family, 0);
    return { attempt, message: { type: group + VERB.get, flags: 0, payload } };
  };
  const both = [AF.INET, AF.INET6];
  return [
    ...both.map((family) => request("list addresses", RTM.ADDR, { family, bytes: HEADER.ADDR })),
    ...[...both, AF_BRIDGE].map((family) => request("list neighbours", RTM.NEIGH, { family, bytes: HEADER.NEIGH })),
    ...both.map((family) => request("list routes", RTM.ROUTE, { family, bytes: HEADER.ROUTE })),
    ...both.map((family) => request("list rules", RTM.RULE, { family, bytes: HEADER.RULE })),
  ];
}

/** An answer to one of dumpRequests; undefined for what the kernel made by itself (local routes, multicast, learned entries). */
export function decodeObject(requestType: number, payload: Buffer, links: LinkIndexes): KernelObject | undefined {
  switch (requestType - VERB.get) {
    case RTM.ADDR:
      return decodeAddress(payload, links);
    case RTM.NEIGH:
      return decodeNeighbour(payload, links);
    case RTM.ROUTE:
      return decodeRoute(payload, links);
    default:
      return decodeRule(payload);
  }
}

function decodeAddress(payload: Buffer, links: LinkIndexes): KernelObject | undefined {
  const attributes = decodeAttributes(payload, HEADER.ADDR);
  const bytes = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS);
  const flags = attributes.get(IFA.FLAGS)?.readUInt32LE(0) ?? 0;
  if (bytes === undefined || (flags & IFA_F.NOPREFIXROUTE) === 0) return undefined;
  return { kind: "address", link: links.nameOf(payload.readUInt32LE(4)), address: unpackIp(bytes), prefixLength: payload.readUInt8(1) };
}

function decodeNeighbour(payload: Buffer, links: LinkIndexes): KernelObject | undefined {
  const attributes = decodeAttributes(payload, HEADER.NEIGH);
  const destination = attributes.get(NDA.DST);
  const mac = attributes.get(NDA.LLADDR)?.toString("hex").replace(/(..)(?=.)/g, "$1:"); // prettier-ignore
  if (destination === undefined || mac === undefined || (payload.readUInt16LE(8) & NUD_PERMANENT) === 0) return undefined;
  const link = links.nameOf(payload.readInt32LE(4));
  const address = unpackIp(destination);
  return payload.readUInt8(0) === AF_BRIDGE ? { kind: "fdb", link, mac, destination: address } : { kind: "neighbour", link, address, mac };
}

function decodeRoute(payload: Buffer, links: LinkIndexes): KernelObject | undefined {
  const type = payload.readUInt8(7);
  const isOurs = payload.readUInt8(5) === RTPROT_STATIC && (payload.readUInt32LE(8) & RTM_F_CLONED) === 0;
  if (!isOurs || (type !== RTN.UNICAST && type !== RTN.BLACKHOLE)) return undefined;
  const attributes = decodeAttributes(payload, HEADER.ROUTE);
  const family = payload.readUInt8(0);
  const bytes = attributes.get(RTA.DST) ?? Buffer.alloc(family === AF.INET6 ? 16 : 4);
  const isUnicast = type === RTN.UNICAST;
  const link = attributes.get(RTA.OIF)?.readUInt32LE(0);
  const via = attributes.get(RTA.GATEWAY) ?? attributes.get(RTA.VIA)?.subarray(2);
  const source = attributes.get(RTA.PREFSRC);
  return {
    kind: "route",
    destination: `${unpackIp(bytes)}/${payload.readUInt8(1)}`,
    table: attributes.get(RTA.TABLE)?.readUInt32LE(0) ?? MAIN_TABLE,
    type: isUnicast ? "unicast" : "blackhole",
    // IPv6 blackholes name the loopback link.
    link: isUnicast && link !== undefined ? links.nameOf(link) : "",
    via: via === undefined ? "" : unpackIp(via),
    source: source === undefined ? "" : unpackIp(source),
  };
}

function decodeRule(payload: Buffer): KernelObject | undefined {
  const attributes = decodeAttributes(payload, HEADER.RULE);
  if (attributes.get(FRA.PRIORITY)?.readUInt32LE(0) !== RULE_PRIORITY) return undefined;
  const from = attributes.get(FRA.SRC);
  return {
    kind: "rule",
    family: payload.readUInt8(0) === AF.INET ? 4 : 6,
    mark: attributes.get(FRA.FWMARK)?.readUInt32LE(0) ?? 0,
    from: from === undefined ? "" : unpackIp(from),
    table: attributes.get(FRA.TABLE)?.readUInt32LE(0) ?? 0,
  };
}
