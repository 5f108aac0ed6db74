// Forgetting tracked connections (ctnetlink). A flow keeps the translation that its first packet got: a UDP client that
// sends without pause to a port published after that, or again by another container, would be misled for ever.
import { errnoOf } from "./libc.ts";
import { encodeAttribute, encodeByte, encodeNested, encodeNumber } from "./netlink-message.ts";
import { NetlinkSocket } from "./netlink.ts";
import { AF } from "./socket.ts";

const NETLINK_NETFILTER = 12;
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const CTA = { TUPLE_ORIG: 1, FILTER: 25 } as const;
const CTA_FILTER_ORIG_FLAGS = 1;
const CTA_TUPLE = { IP: 1, PROTO: 2 } as const;
const CTA_IP_V4_DST = 2;
const CTA_PROTO = { NUM: 1, DST_PORT: 3 } as const;
/** Bits of CTA_FILTER_ORIG_FLAGS: which parts of the tuple count (net/netfilter/nf_internals.h). */
const FILTER_FLAG = { IP_DST: 1 << 1, PROTO_NUM: 1 << 3, PROTO_DST_PORT: 1 << 5 } as const;
const IPPROTO_UDP = 17;

/** `address` "0.0.0.0" is every address. */
export type UdpPort = { address: string; port: number };

/**
 * Forgets IPv4 UDP flows whose first packet went to one of these ports; what goes on is tracked anew. Filtered in the
 * kernel, since Linux 5.8. @returns false where the kernel cannot.
 */
export function forgetUdpFlows(ports: readonly UdpPort[]): boolean {
  if (ports.length === 0) return true;
  const socket = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    const attempt = "forget udp flows";
    // No flow at all is ENOENT.
    socket.execute(ports.map((port) => ({ attempt, ignore: ["ENOENT"], message: deleteMessage(port) })));
    return true;
  } catch (error) {
    if (["EOPNOTSUPP", "EINVAL", "EPROTONOSUPPORT"].includes(errnoOf(error))) return false;
    throw error;
  } finally {
    socket.close();
  }
}

function deleteMessage(port: UdpPort): { type: number; flags: number; payload: Buffer } {
  const hasAddress = port.address !== "0.0.0.0";
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port.port);
  const proto = encodeNested(CTA_TUPLE.PROTO, [encodeByte(CTA_PROTO.NUM, IPPROTO_UDP), encodeAttribute(CTA_PROTO.DST_PORT, portBytes)]);
  const address = Buffer.from(port.address.split(".").map(Number));
  const ip = encodeNested(CTA_TUPLE.IP, [encodeAttribute(CTA_IP_V4_DST, address)]);
  const flags = FILTER_FLAG.PROTO_NUM | FILTER_FLAG.PROTO_DST_PORT | (hasAddress ? FILTER_FLAG.IP_DST : 0);
  const payload = Buffer.concat([
    Buffer.from([AF.INET, 0, 0, 0]), // struct nfgenmsg
    encodeNested(CTA.FILTER, [encodeNumber(CTA_FILTER_ORIG_FLAGS, flags)]),
    encodeNested(CTA.TUPLE_ORIG, hasAddress ? [ip, proto] : [proto]),
  ]);
  return { type: (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, flags: 0, payload };
}
