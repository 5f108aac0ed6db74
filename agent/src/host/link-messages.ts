// Operations on links as rtnetlink messages (linux/if_link.h, if_addr.h, rtnetlink.h), and links, addresses and routes read back. Pure.
import { isIPv6 } from "node:net";
import { packIp } from "./ip-bytes.ts";
import { formatLinkOperation, type Link, type LinkAddress, type LinkOperation, type Route } from "./link-operations.ts";
import {
  decodeAttributes,
  decodeText,
  encodeAttribute,
  encodeByte,
  encodeNested,
  encodeNumber,
  encodeText,
  type NetlinkMessage,
  NLM_F,
} from "./netlink-message.ts";
import type { NetlinkRequest } from "./netlink.ts";
import { AF } from "./socket.ts";
import { decodeVxlan, vxlanLocalMessage } from "./vxlan-message.ts";

const RTM = { NEWLINK: 16, DELLINK: 17, GETLINK: 18, SETLINK: 19, NEWADDR: 20, GETADDR: 22, NEWROUTE: 24, GETROUTE: 26 } as const;
const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, MASTER: 10, PROTINFO: 12, LINKINFO: 18, AF_SPEC: 26, NET_NS_FD: 28, EXT_MASK: 29 } as const;
const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const VETH_INFO_PEER = 1;
const IFLA_BRPORT = { MODE: 4, ISOLATED: 33 } as const;
const AF_BRIDGE = 7;
const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4, FLAGS: 8 } as const;
const IFA_F_NODAD = 0x02;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, TABLE: 15 } as const;
const IFF_UP = 1;
const RT_TABLE_MAIN = 254;
const RTEXT_FILTER_SKIP_STATS = 8;
const RTPROT_STATIC = 4;
const RTN_UNICAST = 1;
const RTM_F_CLONED = 0x200;
const LINK_HEADER_BYTES = 16;
const ADDRESS_HEADER_BYTES = 8;
const ROUTE_HEADER_BYTES = 12;

/** Operations that are one message and no descriptor. */
export type LinkChange = Exclude<LinkOperation, { kind: "add-veth" | "add-vxlan" | "set-receive-offload" }>;

/** Names of links whose indexes a message needs. */
export function linksOf(operation: LinkOperation): string[] {
  switch (operation.kind) {
    case "add-veth":
      return operation.master === "" || operation.masterIndex !== undefined ? [] : [operation.master];
    case "set-master":
      return [operation.master];
    case "enable-hairpin":
    case "isolate-port":
    case "add-address":
      return [operation.name];
    case "add-default-route":
    case "replace-default-route":
      return [operation.link];
    case "add-bridge":
    case "add-vxlan":
    case "delete-link":
    case "disable-ipv6-autoconfiguration":
    case "set-mtu":
    case "set-receive-offload":
    case "set-up":
    case "set-vxlan-local":
      return [];
  }
}

/** A change of a link by one message. @param indexOf of the links that `linksOf` names. */
export function linkRequest(operation: LinkChange, indexOf: (name: string) => number): NetlinkRequest {
  const attempt = formatLinkOperation(operation);
  switch (operation.kind) {
    case "add-bridge":
      return { attempt, message: bridgeMessage(operation) };
    case "disable-ipv6-autoconfiguration":
      // A kernel booted without IPv6 has nothing to disable.
      return { attempt, message: setLinkMessage(operation.name, { attributes: [ADDRESS_GENERATION_NONE] }), ignore: ["EAFNOSUPPORT"] };
    case "set-vxlan-local":
      return { attempt, message: vxlanLocalMessage(operation) };
    case "set-mtu":
      return { attempt, message: setLinkMessage(operation.name, { attributes: [encodeNumber(IFLA.MTU, operation.mtuBytes)] }) };
    case "set-up":
      return { attempt, message: setLinkMessage(operation.name, { isUp: true }) };
    case "set-master":
      return {
        attempt,
        message: setLinkMessage(operation.name, { attributes: [encodeNumber(IFLA.MASTER, indexOf(operation.master))] }),
      };
    case "enable-hairpin":
      return { attempt, message: portMessage(indexOf(operation.name), IFLA_BRPORT.MODE) };
    case "isolate-port":
      return { attempt, message: portMessage(indexOf(operation.name), IFLA_BRPORT.ISOLATED) };
    case "add-address":
      return { attempt, message: addressMessage(indexOf(operation.name), operation), ignore: ["EEXIST"] };
    case "add-default-route":
      return { attempt, message: defaultRouteMessage(indexOf(operation.link), operation.gateway), ignore: ["EEXIST"] };
    case "replace-default-route": {
      const { payload, type } = defaultRouteMessage(indexOf(operation.link), operation.gateway);
      return { attempt, message: { type, payload, flags: NLM_F.CREATE | NLM_F.REPLACE } };
    }
    case "delete-link": {
      const payload = Buffer.concat([linkHeader(), encodeText(IFLA.IFNAME, operation.name)]);
      return { attempt, message: { type: RTM.DELLINK, flags: 0, payload }, ignore: ["ENODEV"] };
    }
  }
}

/** Both ends at once. @param netns descriptor of the namespace of the far end. @param indexOf of the master. */
export function vethMessage(
  operation: Extract<LinkOperation, { kind: "add-veth" }>,
  netns: number,
  indexOf: (name: string) => number,
): NetlinkMessage {
  const peer = Buffer.concat([
    linkHeader(),
    encodeText(IFLA.IFNAME, operation.peer.name),
    encodeAttribute(IFLA.ADDRESS, parseMac(operation.peer.mac)),
    encodeNumber(IFLA.MTU, operation.mtuBytes),
    encodeNumber(IFLA.NET_NS_FD, netns),
  ]);
  const payload = Buffer.concat([
    linkHeader(),
    encodeText(IFLA.IFNAME, operation.name),
    encodeAttribute(IFLA.ADDRESS, parseMac(operation.mac)),
    encodeNumber(IFLA.MTU, operation.mtuBytes),
    ...(operation.master === "" ? [] : [encodeNumber(IFLA.MASTER, operation.masterIndex ?? indexOf(operation.master))]),
    encodeNested(IFLA.LINKINFO, [
      encodeText(IFLA_INFO.KIND, "veth"),
      encodeNested(IFLA_INFO.DATA, [encodeAttribute(VETH_INFO_PEER, peer)]),
    ]),
  ]);
  return { type: RTM.NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL, payload };
}

const WITHOUT_COUNTERS = encodeNumber(IFLA.EXT_MASK, RTEXT_FILTER_SKIP_STATS);

/** Asks for a link; its counters are left out. */
export const findRequest = (name: string): NetlinkRequest => ({
  attempt: `find link ${name}`,
  message: { type: RTM.GETLINK, flags: 0, payload: Buffer.concat([linkHeader(), encodeText(IFLA.IFNAME, name), WITHOUT_COUNTERS]) },
  isQuestion: true,
});

/** Of all objects of a kind; addresses and routes of IPv4. */
export const listRequests = {
  links: { attempt: "list links", message: { type: RTM.GETLINK, flags: 0, payload: linkHeader() } },
  addresses: { attempt: "list addresses", message: { type: RTM.GETADDR, flags: 0, payload: ofIpv4(ADDRESS_HEADER_BYTES) } },
  routes: { attempt: "list routes", message: { type: RTM.GETROUTE, flags: 0, payload: ofIpv4(ROUTE_HEADER_BYTES) } },
} as const;

function ofIpv4(bytes: number): Buffer {
  const header = Buffer.alloc(bytes);
  header.writeUInt8(AF.INET, 0);
  return header;
}

/** Unicast, and not of the kernel's cache. */
export const isKeptRoute = (payload: Buffer): boolean =>
  payload.readUInt8(7) === RTN_UNICAST && (payload.readUInt32LE(8) & RTM_F_CLONED) === 0;

export const linkIndexOf = (payload: Buffer): number => payload.readInt32LE(4);

const ADDRESS_GENERATION_NONE = encodeNested(IFLA.AF_SPEC, [
  encodeNested(AF.INET6, [encodeByte(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE)]),
]);

/** struct ifinfomsg; with `isUp` it changes IFF_UP only. */
function linkHeader(options: { isUp?: boolean } = {}): Buffer {
  const header = Buffer.alloc(LINK_HEADER_BYTES);
  if (options.isUp === true) {
    header.writeUInt32LE(IFF_UP, 8);
    header.writeUInt32LE(IFF_UP, 12);
  }
  return header;
}

function setLinkMessage(name: string, change: { isUp?: boolean; attributes?: Buffer[] }): NetlinkMessage {
  const payload = Buffer.concat([linkHeader(change), encodeText(IFLA.IFNAME, name), ...(change.attributes ?? [])]);
  return { type: RTM.NEWLINK, flags: 0, payload };
}

function portMessage(linkIndex: number, flag: number): NetlinkMessage {
  const header = linkHeader();
  header.writeUInt8(AF_BRIDGE, 0);
  header.writeInt32LE(linkIndex, 4);
  return { type: RTM.SETLINK, flags: 0, payload: Buffer.concat([header, encodeNested(IFLA.PROTINFO, [encodeByte(flag, 1)])]) };
}

function bridgeMessage(operation: Extract<LinkOperation, { kind: "add-bridge" }>): NetlinkMessage {
  const payload = Buffer.concat([
    linkHeader(),
    encodeText(IFLA.IFNAME, operation.name),
    encodeAttribute(IFLA.ADDRESS, parseMac(operation.mac)),
    encodeNumber(IFLA.MTU, operation.mtuBytes),
    encodeNested(IFLA.LINKINFO, [encodeText(IFLA_INFO.KIND, "bridge")]),
  ]);
  return { type: RTM.NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL, payload };
}

function addressMessage(linkIndex: number, request: { address: string; prefixLength: number }): NetlinkMessage {
  const header = Buffer.alloc(ADDRESS_HEADER_BYTES);
  const isV6 = isIPv6(request.address);
  header.writeUInt8(isV6 ? AF.INET6 : AF.INET, 0);
  header.writeUInt8(request.prefixLength, 1);
  header.writeUInt32LE(linkIndex, 4);
  const address = packIp(request.address);
  const attributes = [encodeAttribute(IFA.LOCAL, address), encodeAttribute(IFA.ADDRESS, address)];
  // Nobody else has it: usable at once, without asking around for a second.
  if (isV6) attributes.push(encodeNumber(IFA.FLAGS, IFA_F_NODAD));
  // Two addresses or one have no broadcast address among them (RFC 3021): it would be the peer's.
  else if (request.prefixLength < 31) {
    const broadcast = Buffer.alloc(4);
    broadcast.writeUInt32BE((address.readUInt32BE(0) | (0xffff_ffff >>> request.prefixLength)) >>> 0);
    attributes.push(encodeAttribute(IFA.BROADCAST, broadcast));
  }
  return { type: RTM.NEWADDR, flags: NLM_F.CREATE | NLM_F.EXCL, payload: Buffer.concat([header, ...attributes]) };
}

function defaultRouteMessage(linkIndex: number, gateway: string): NetlinkMessage {
  const header = Buffer.alloc(ROUTE_HEADER_BYTES);
  header.writeUInt8(isIPv6(gateway) ? AF.INET6 : AF.INET, 0);
  header.writeUInt8(RT_TABLE_MAIN, 4);
  header.writeUInt8(RTPROT_STATIC, 5);
  header.writeUInt8(RTN_UNICAST, 7);
  const payload = Buffer.concat([header, encodeAttribute(RTA.GATEWAY, packIp(gateway)), encodeNumber(RTA.OIF, linkIndex)]);
  return { type: RTM.NEWROUTE, flags: NLM_F.CREATE | NLM_F.EXCL, payload };
}

export function parseLink(payload: Buffer): Link {
  const attributes = decodeAttributes(payload, LINK_HEADER_BYTES);
  const info = decodeAttributes(attributes.get(IFLA.LINKINFO) ?? Buffer.alloc(0), 0);
  const kind = decodeText(info.get(IFLA_INFO.KIND));
  const data = info.get(IFLA_INFO.DATA);
  return {
    index: linkIndexOf(payload),
    name: decodeText(attributes.get(IFLA.IFNAME)),
    kind,
    mac: formatMac(attributes.get(IFLA.ADDRESS)),
    mtuBytes: attributes.get(IFLA.MTU)?.readUInt32LE(0) ?? 0,
    masterIndex: attributes.get(IFLA.MASTER)?.readUInt32LE(0) ?? 0,
    isUp: (payload.readUInt32LE(8) & IFF_UP) !== 0,
    ...(kind === "vxlan" && data !== undefined ? { vxlan: decodeVxlan(data) } : {}),
  };
}

export function parseAddress(payload: Buffer): LinkAddress {
  const attributes = decodeAttributes(payload, ADDRESS_HEADER_BYTES);
  const address = unpackAddress(attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS));
  return { linkIndex: payload.readUInt32LE(4), address, prefixLength: payload.readUInt8(1) };
}

export function parseRoute(payload: Buffer): Route {
  const attributes = decodeAttributes(payload, ROUTE_HEADER_BYTES);
  return {
    destination: unpackAddress(attributes.get(RTA.DST)),
    prefixLength: payload.readUInt8(1),
    gateway: attributes.has(RTA.GATEWAY) ? unpackAddress(attributes.get(RTA.GATEWAY)) : "",
    linkIndex: attributes.get(RTA.OIF)?.readUInt32LE(0) ?? 0,
    metric: attributes.get(RTA.PRIORITY)?.readUInt32LE(0) ?? 0,
    table: attributes.get(RTA.TABLE)?.readUInt32LE(0) ?? payload.readUInt8(4),
  };
}

const unpackAddress = (bytes: Buffer | undefined): string => (bytes === undefined ? "0.0.0.0" : [...bytes].join("."));
const parseMac = (mac: string): Buffer => Buffer.from(mac.replaceAll(":", ""), "hex");
const formatMac = (bytes: Buffer | undefined): string => bytes?.toString("hex").replace(/(..)(?=.)/g, "$1:") ?? "";
