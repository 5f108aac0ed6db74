// The wire format of netlink (netlink(7), RFC 3549): pure, no socket. Numbers are in host order, which is little endian
// on every machine that Node 24 has binaries for; addresses are in network order.

export const NLM_F = {
  REQUEST: 0x1,
  MULTI: 0x2,
  ACK: 0x4,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  REPLACE: 0x100,
  DUMP: 0x300,
} as const;

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
const ATTRIBUTE_TYPE_MASK = 0x3fff; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
const NLA_F_NESTED = 0x8000;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

export type NetlinkMessage = { type: number; flags: number; payload: Buffer };

export type ReceivedMessage =
  | { kind: "data"; sequence: number; type: number; payload: Buffer }
  | { kind: "done"; sequence: number; errno: number; reason: string }
  /** errno 0 acknowledges; `reason` is the kernel's extended message, "" when it gave none. */
  | { kind: "ack"; sequence: number; errno: number; reason: string };

const align = (length: number): number => (length + 3) & ~3;

/** One request as the kernel reads it, padded to four bytes. */
export function encodeMessage(message: NetlinkMessage, sequence: number): Buffer {
  const length = HEADER_BYTES + message.payload.length;
  const buffer = Buffer.alloc(align(length));
  buffer.writeUInt32LE(length, 0);
  buffer.writeUInt16LE(message.type, 4);
  buffer.writeUInt16LE(message.flags, 6);
  buffer.writeUInt32LE(sequence, 8);
  message.payload.copy(buffer, HEADER_BYTES);
  return buffer;
}

export function encodeAttribute(type: number, value: Uint8Array): Buffer {
  const length = ATTRIBUTE_HEADER_BYTES + value.length;
  const buffer = Buffer.alloc(align(length));
  buffer.writeUInt16LE(length, 0);
  buffer.writeUInt16LE(type, 2);
  buffer.set(value, ATTRIBUTE_HEADER_BYTES);
  return buffer;
}

export const encodeNested = (type: number, parts: readonly Uint8Array[]): Buffer =>
  encodeAttribute(type | NLA_F_NESTED, Buffer.concat(parts));
export const encodeText = (type: number, text: string): Buffer => encodeAttribute(type, Buffer.from(`${text}\0`, "utf8"));
export const encodeByte = (type: number, value: number): Buffer => encodeAttribute(type, Uint8Array.of(value));

export function encodeNumber(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return encodeAttribute(type, bytes);
}

/** Attributes from `offset` on, by type; of a repeated one the last. What is cut short ends the list. */
export function decodeAttributes(payload: Buffer, offset: number): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  let at = offset;
  while (at + ATTRIBUTE_HEADER_BYTES <= payload.length) {
    const length = payload.readUInt16LE(at);
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > payload.length) break;
    attributes.set(payload.readUInt16LE(at + 2) & ATTRIBUTE_TYPE_MASK, payload.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length));
    at += align(length);
  }
  return attributes;
}

/** A NUL-terminated text attribute, "" when absent. */
export const decodeText = (value: Buffer | undefined): string => value?.toString("utf8").replace(/\0.*$/s, "") ?? "";

/** All messages of one datagram. */
export function decodeMessages(datagram: Buffer): ReceivedMessage[] {
  const messages: ReceivedMessage[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= datagram.length) {
    const length = datagram.readUInt32LE(at);
    if (length < HEADER_BYTES || at + length > datagram.length) break;
    messages.push(decodeOne(datagram.subarray(at, at + length)));
    at += align(length);
  }
  return messages;
}

function decodeOne(message: Buffer): ReceivedMessage {
  const type = message.readUInt16LE(4);
  const flags = message.readUInt16LE(6);
  const sequence = message.readUInt32LE(8);
  const payload = message.subarray(HEADER_BYTES);
  if (type === NLMSG_ERROR) {
    return { kind: "ack", sequence, errno: 0 - payload.readInt32LE(0), reason: extendedReason(payload, flags) };
  }
  if (type === NLMSG_DONE) return { kind: "done", sequence, errno: payload.length >= 4 ? 0 - payload.readInt32LE(0) : 0, reason: "" };
  return { kind: "data", sequence, type, payload };
}

/** struct nlmsgerr is the errno and the request's header; the request follows unless capped, then the attributes. */
function extendedReason(payload: Buffer, flags: number): string {
  if ((flags & NLM_F_ACK_TLVS) === 0) return "";
  const requestLength = (flags & NLM_F_CAPPED) !== 0 ? HEADER_BYTES : payload.readUInt32LE(4);
  return decodeText(decodeAttributes(payload, 4 + align(requestLength)).get(NLMSGERR_ATTR_MSG));
}
