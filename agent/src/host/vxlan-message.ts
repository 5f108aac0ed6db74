// RTM_NEWLINK of a VXLAN device (linux/if_link.h).
import { isIPv6 } from "node:net";
import { packIp, unpackIp } from "./ip-bytes.ts";
import type { LinkOperation, VxlanFacts } from "./link-operations.ts";
import type { NetlinkRequest } from "./netlink.ts";
import { decodeAttributes, encodeAttribute, encodeByte, encodeNested, encodeNumber, encodeText, NLM_F } from "./netlink-message.ts";

const RTM_NEWLINK = 16;
const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, LINKINFO: 18, NET_NS_FD: 28 } as const;
const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
const IFLA_VXLAN = { ID: 1, LOCAL: 4, LEARNING: 7, PORT: 15, LOCAL6: 17, ZERO_CSUM6_TX: 19, ZERO_CSUM6_RX: 20 } as const;
const LINK_HEADER_BYTES = 16;

/** @param netns open file of the namespace that the device is made in. */
export function vxlanMessage(operation: Extract<LinkOperation, { kind: "add-vxlan" }>, netns: number): NetlinkRequest["message"] {
  const port = Buffer.alloc(2);
  port.writeUInt16BE(operation.port);
  const isV6 = isIPv6(operation.localAddress);
  const local = encodeAttribute(isV6 ? IFLA_VXLAN.LOCAL6 : IFLA_VXLAN.LOCAL, packIp(operation.localAddress));
  // As with IPv4, the inner packets have checksums of their own.
  const zeroChecksums = isV6 ? [encodeByte(IFLA_VXLAN.ZERO_CSUM6_TX, 1), encodeByte(IFLA_VXLAN.ZERO_CSUM6_RX, 1)] : [];
  const data = [
    encodeNumber(IFLA_VXLAN.ID, operation.vni),
    local,
    encodeByte(IFLA_VXLAN.LEARNING, 0),
    encodeAttribute(IFLA_VXLAN.PORT, port),
    ...zeroChecksums,
  ];
  const payload = Buffer.concat([
    Buffer.alloc(LINK_HEADER_BYTES),
    encodeText(IFLA.IFNAME, operation.name),
    encodeAttribute(IFLA.ADDRESS, Buffer.from(operation.mac.replaceAll(":", ""), "hex")),
    encodeNumber(IFLA.MTU, operation.mtuBytes),
    encodeNumber(IFLA.NET_NS_FD, netns),
    encodeNested(IFLA.LINKINFO, [encodeText(IFLA_INFO.KIND, "vxlan"), encodeNested(IFLA_INFO.DATA, data)]),
  ]);
  return { type: RTM_NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL, payload };
}

/** Another local address; all else stays. */
export function vxlanLocalMessage(operation: Extract<LinkOperation, { kind: "set-vxlan-local" }>): NetlinkRequest["message"] {
  const { name, vni, localAddress } = operation;
  const local = encodeAttribute(isIPv6(localAddress) ? IFLA_VXLAN.LOCAL6 : IFLA_VXLAN.LOCAL, packIp(localAddress));
  const payload = Buffer.concat([
    Buffer.alloc(LINK_HEADER_BYTES),
    encodeText(IFLA.IFNAME, name),
    encodeNested(IFLA.LINKINFO, [
      encodeText(IFLA_INFO.KIND, "vxlan"),
      encodeNested(IFLA_INFO.DATA, [encodeNumber(IFLA_VXLAN.ID, vni), local]),
    ]),
  ]);
  return { type: RTM_NEWLINK, flags: 0, payload };
}

/** @param data the attribute IFLA_INFO_DATA of a VXLAN device. */
export function decodeVxlan(data: Buffer): VxlanFacts {
  const attributes = decodeAttributes(data, 0);
  const local = attributes.get(IFLA_VXLAN.LOCAL) ?? attributes.get(IFLA_VXLAN.LOCAL6);
  return {
    vni: attributes.get(IFLA_VXLAN.ID)?.readUInt32LE(0) ?? 0,
    localAddress: local === undefined ? "" : unpackIp(local),
    port: attributes.get(IFLA_VXLAN.PORT)?.readUInt16BE(0) ?? 0,
  };
}
