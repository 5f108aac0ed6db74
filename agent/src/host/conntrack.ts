// Forgetting tracked connections (ctnetlink). A flow keeps the translation that its first packet got: a UDP client that
// sends without pause to a port published after that, or again by another container, would be misled for ever.
import { isIPv6 } from "node:net";
import { packIp, unpackIp } from "./ip-bytes.ts";
import { errnoOf } from "./libc.ts";
import { decodeAttributes, encodeAttribute, encodeByte, encodeNested, encodeNumber } from "./netlink-message.ts";
import { NetlinkSocket } from "./netlink.ts";
import { AF } from "./socket.ts";

const NETLINK_NETFILTER = 12;
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const CTA = { TUPLE_ORIG: 1, TUPLE_REPLY: 2, STATUS: 3, FILTER: 25 } as const;
const CTA_FILTER_ORIG_FLAGS = 1;
const CTA_FILTER_REPLY_FLAGS = 2;
const CTA_TUPLE = { IP: 1, PROTO: 2 } as const;
const CTA_IP = { V4_SRC: 1, V4_DST: 2, V6_SRC: 3, V6_DST: 4 } as const;
const CTA_PROTO = { NUM: 1, SRC_PORT: 2, DST_PORT: 3 } as const;
/** Bit of CTA_STATUS: the destination was translated. */
const IPS_DST_NAT = 1 << 5;
const NFGENMSG_BYTES = 4;
/** Bits of CTA_FILTER_ORIG_FLAGS: which parts of the tuple count (net/netfilter/nf_internals.h). */
const FILTER_FLAG = { IP_SRC: 1 << 0, IP_DST: 1 << 1, PROTO_NUM: 1 << 3, PROTO_DST_PORT: 1 << 5 } as const;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;

/** `address` "0.0.0.0" is every IPv4 address, "::" every IPv6 one. */
export type UdpPort = { address: string; port: number };

/**
 * Forgets UDP flows whose first packet went to one of these ports; what goes on is tracked anew. Filtered in the
 * kernel, since Linux 5.8. @returns false where the kernel cannot.
 */
export function forgetUdpFlows(ports: readonly UdpPort[]): boolean {
  return forget("forget udp flows", ports.map(deleteMessage));
}

/** UDP flows to `address`:`port` that were translated to `backend`; of either family. */
export type TranslatedFlows = { address: string; port: number; backend: string };

/**
 * Forgets UDP flows of the calling thread's network namespace that went to an address and were given a certain backend, so
 * that their next packet gets another. Other backends' flows stay. @returns false where the kernel cannot filter.
 */
export function forgetTranslatedFlows(flows: readonly TranslatedFlows[]): boolean {
  return forget("forget translated udp flows", flows.map(translatedMessage));
}

/** Where a flow of a translated destination really goes. */
export type TranslatedTarget = { address: string; protocol: "tcp" | "udp"; port: number };

/** Of the flows of the calling thread's network namespace. */
export function translatedTargets(): TranslatedTarget[] {
  const socket = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    const type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET;
    const message = { type, flags: 0, payload: Buffer.from([AF.UNSPEC, 0, 0, 0]) };
    return socket.dump({ attempt: "list translated flows", message }).flatMap(parseTarget);
  } finally {
    socket.close();
  }
}

function parseTarget(payload: Buffer): TranslatedTarget[] {
  const nested = (bytes: Buffer | undefined): Map<number, Buffer> => decodeAttributes(bytes ?? Buffer.alloc(0), 0);
  const flow = decodeAttributes(payload, NFGENMSG_BYTES);
  const reply = nested(flow.get(CTA.TUPLE_REPLY));
  const ip = nested(reply.get(CTA_TUPLE.IP));
  const address = ip.get(CTA_IP.V4_SRC) ?? ip.get(CTA_IP.V6_SRC);
  const proto = nested(reply.get(CTA_TUPLE.PROTO));
  const number = proto.get(CTA_PROTO.NUM)?.readUInt8(0);
  const protocol = number === IPPROTO_TCP ? "tcp" : number === IPPROTO_UDP ? "udp" : undefined;
  const port = proto.get(CTA_PROTO.SRC_PORT)?.readUInt16BE(0);
  const isTranslated = ((flow.get(CTA.STATUS)?.readUInt32BE(0) ?? 0) & IPS_DST_NAT) !== 0;
  if (!isTranslated || address === undefined || port === undefined || protocol === undefined) return [];
  return [{ address: unpackIp(address), protocol, port }];
}

type FlowMessage = { type: number; flags: number; payload: Buffer };

/** Deletes what each message's filter finds. @returns false where the kernel cannot filter. */
function forget(attempt: string, messages: readonly FlowMessage[]): boolean {
  if (messages.length === 0) return true;
  const socket = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    // No flow at all is ENOENT.
    socket.execute(messages.map((message) => ({ attempt, ignore: ["ENOENT"], message })));
    return true;
  } catch (error) {
    if (["EOPNOTSUPP", "EINVAL", "EPROTONOSUPPORT"].includes(errnoOf(error))) return false;
    throw error;
  } finally {
    socket.close();
  }
}

function translatedMessage({ address, port, backend }: TranslatedFlows): FlowMessage {
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  const isV6 = isIPv6(address);
  const proto = encodeNested(CTA_TUPLE.PROTO, [encodeByte(CTA_PROTO.NUM, IPPROTO_UDP), encodeAttribute(CTA_PROTO.DST_PORT, portBytes)]);
  const orig = encodeNested(CTA_TUPLE.IP, [encodeAttribute(isV6 ? CTA_IP.V6_DST : CTA_IP.V4_DST, packIp(address))]);
  const reply = encodeNested(CTA_TUPLE.IP, [encodeAttribute(isV6 ? CTA_IP.V6_SRC : CTA_IP.V4_SRC, packIp(backend))]);
  const origFlags = FILTER_FLAG.PROTO_NUM | FILTER_FLAG.PROTO_DST_PORT | FILTER_FLAG.IP_DST;
  const payload = Buffer.concat([
    Buffer.from([isV6 ? AF.INET6 : AF.INET, 0, 0, 0]), // struct nfgenmsg
    encodeNested(CTA.FILTER, [encodeNumber(CTA_FILTER_ORIG_FLAGS, origFlags), encodeNumber(CTA_FILTER_REPLY_FLAGS, FILTER_FLAG.IP_SRC)]),
    encodeNested(CTA.TUPLE_ORIG, [orig, proto]),
    encodeNested(CTA.TUPLE_REPLY, [reply]),
  ]);
  return { type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, flags: 0, payload };
}

function deleteMessage(port: UdpPort): FlowMessage {
  const isV6 = isIPv6(port.address);
  const hasAddress = port.address !== "0.0.0.0" && port.address !== "::";
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port.port);
  const proto = encodeNested(CTA_TUPLE.PROTO, [encodeByte(CTA_PROTO.NUM, IPPROTO_UDP), encodeAttribute(CTA_PROTO.DST_PORT, portBytes)]);
  const ip = encodeNested(CTA_TUPLE.IP, [encodeAttribute(isV6 ? CTA_IP.V6_DST : CTA_IP.V4_DST, packIp(port.address))]);
  const flags = FILTER_FLAG.PROTO_NUM | FILTER_FLAG.PROTO_DST_PORT | (hasAddress ? FILTER_FLAG.IP_DST : 0);
  const payload = Buffer.concat([
    Buffer.from([isV6 ? AF.INET6 : AF.INET, 0, 0, 0]), // struct nfgenmsg
    encodeNested(CTA.FILTER, [encodeNumber(CTA_FILTER_ORIG_FLAGS, flags)]),
    encodeNested(CTA.TUPLE_ORIG, hasAddress ? [ip, proto] : [proto]),
  ]);
  return { type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, flags: 0, payload };
}
