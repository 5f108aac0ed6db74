import { FlotillaError } from "@flotilla/core";

// Frames of RFC 6455, section 5.2, as a server needs them for a byte stream: no extensions, and the parts of a fragmented
// message are just more bytes.

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export type WebSocketFrame = { opcode: number; payload: Buffer };

/** A frame of input may not be larger. */
const MAX_PAYLOAD_BYTES = 1024 * 1024;
const MAX_CONTROL_BYTES = 125;
const FIN = 0x80;
const MASKED = 0x80;
const MASK_BYTES = 4;

/** One whole message, unmasked as a server's must be. */
export function encodeFrame(opcode: number, payload: Uint8Array): Buffer {
  const head = [FIN | opcode];
  const header = Buffer.from(
    payload.length < 126
      ? [...head, payload.length]
      : payload.length < 65_536
        ? [...head, 126, 0, 0]
        : [...head, 127, 0, 0, 0, 0, 0, 0, 0, 0],
  );
  if (header.length === 4) header.writeUInt16BE(payload.length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([header, payload]);
}

/** Takes chunks cut anywhere and gives whole frames of a client, unmasked. */
export class FrameDecoder {
  #pending: Buffer = Buffer.alloc(0);

  /** @throws FlotillaError `invalid` for what a client must not send. */
  push(chunk: Buffer): WebSocketFrame[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: WebSocketFrame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): WebSocketFrame | undefined {
    const buffer = this.#pending;
    if (buffer.length < 2) return undefined;
    const first = buffer.readUInt8(0);
    const second = buffer.readUInt8(1);
    const opcode = first & 0x0f;
    const lengthCode = second & 0x7f;
    const isControl = opcode >= OPCODE.close;
    if ((first & 0x70) !== 0 || (second & MASKED) === 0 || !Object.values<number>(OPCODE).includes(opcode)) refuse("a frame is malformed");
    if (isControl && (lengthCode > MAX_CONTROL_BYTES || (first & FIN) === 0)) refuse("a control frame is too long or in parts");
    const lengthBytes = lengthCode === 126 ? 2 : lengthCode === 127 ? 8 : 0;
    const maskAt = 2 + lengthBytes;
    if (buffer.length < maskAt + MASK_BYTES) return undefined;
    const length = lengthBytes === 0 ? lengthCode : lengthBytes === 2 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
    if (length > MAX_PAYLOAD_BYTES) refuse("a frame is too long");
    const start = maskAt + MASK_BYTES;
    if (buffer.length < start + length) return undefined;
    const payload = Buffer.from(buffer.subarray(start, start + length));
    for (let index = 0; index < length; index++) payload[index] = (payload[index] ?? 0) ^ (buffer[maskAt + (index & 3)] ?? 0);
    this.#pending = buffer.subarray(start + length);
    return { opcode, payload };
  }
}

function refuse(reason: string): never {
  throw new FlotillaError("invalid", `read WebSocket: ${reason}`);
}
