// Probes on the wire, a datagram each. Pure but for the digest.
//
//    0  "FLPR"                        16  nonce, 8 bytes: an answer repeats its question's
//    4  version, 1                    24  HMAC-SHA256 of bytes 0 to 23, its first 16 bytes
//    5  1 question, 2 answer          40  zeros up to the length: questions that try a path's MTU
//    6  length of the datagram
//    8  number of the sender
//   12  number of the receiver
//
// The key is the pair's own, so a host can forge only what it may send anyway. An answer has 40 bytes and goes to the address
// that desired state names: who replays a question from elsewhere gets nothing, and nobody more than was sent.
import { createHmac, timingSafeEqual } from "node:crypto";

export const PROBE_BYTES = 40;
/** The first four bytes of every probe. */
export const PROBE_MAGIC = 0x464c5052;
const VERSION = 1;
const DIGEST_AT = 24;
const DIGEST_BYTES = 16;
const KINDS = ["question", "answer"] as const;

export type ProbeMessage = {
  kind: (typeof KINDS)[number];
  sender: number;
  receiver: number;
  /** 16 hexadecimal digits. */
  nonce: string;
};

/** @param lengthBytes of the whole datagram; at least {@link PROBE_BYTES}. */
export function encodeProbe(message: ProbeMessage, key: Uint8Array, lengthBytes = PROBE_BYTES): Buffer {
  const buffer = Buffer.alloc(lengthBytes);
  buffer.writeUInt32BE(PROBE_MAGIC, 0);
  buffer.writeUInt8(VERSION, 4);
  buffer.writeUInt8(KINDS.indexOf(message.kind) + 1, 5);
  buffer.writeUInt16BE(lengthBytes, 6);
  buffer.writeUInt32BE(message.sender, 8);
  buffer.writeUInt32BE(message.receiver, 12);
  buffer.write(message.nonce, 16, 8, "hex");
  digest(buffer, key).copy(buffer, DIGEST_AT);
  return buffer;
}

/** @param keyOf the key shared with a host; undefined when it is no peer. @returns undefined for whatever is not a probe by its key. */
export function decodeProbe(datagram: Buffer, keyOf: (sender: number) => Uint8Array | undefined): ProbeMessage | undefined {
  if (datagram.length < PROBE_BYTES || datagram.readUInt32BE(0) !== PROBE_MAGIC || datagram.readUInt8(4) !== VERSION) return undefined;
  const kind = KINDS[datagram.readUInt8(5) - 1];
  const sender = datagram.readUInt32BE(8);
  const key = keyOf(sender);
  if (kind === undefined || key === undefined || datagram.readUInt16BE(6) !== datagram.length) return undefined;
  if (!timingSafeEqual(digest(datagram, key), datagram.subarray(DIGEST_AT, DIGEST_AT + DIGEST_BYTES))) return undefined;
  return { kind, sender, receiver: datagram.readUInt32BE(12), nonce: datagram.toString("hex", 16, 24) };
}

function digest(datagram: Buffer, key: Uint8Array): Buffer {
  return createHmac("sha256", key).update(datagram.subarray(0, DIGEST_AT)).digest().subarray(0, DIGEST_BYTES);
}
