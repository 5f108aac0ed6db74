import { FlotillaError } from "@flotilla/core";

// Docker's stream format for attach, exec and logs without a terminal: frames of an 8-byte header (byte 0 the stream,
// bytes 4-7 the payload's length, big-endian) and the payload.

export const STDCOPY = { stdin: 0, stdout: 1, stderr: 2, systemError: 3 } as const;

export type StdcopyStream = 0 | 1 | 2 | 3;

export const STDCOPY_HEADER_BYTES = 8;

/** Larger than anything an engine sends in one frame; a longer announcement is not this format. */
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

export type StdcopyFrame = { stream: StdcopyStream; payload: Buffer };

/** Writes a frame's header into `target` at `offset`, for writers that batch many frames into one buffer. */
export function writeStdcopyHeader(target: Buffer, offset: number, frame: { stream: StdcopyStream; payloadBytes: number }): void {
  target.writeUInt32BE(frame.stream * 0x0100_0000, offset);
  target.writeUInt32BE(frame.payloadBytes, offset + 4);
}

/** One frame as one buffer. */
export function encodeStdcopy(stream: StdcopyStream, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(STDCOPY_HEADER_BYTES + payload.length);
  writeStdcopyHeader(frame, 0, { stream, payloadBytes: payload.length });
  frame.set(payload, STDCOPY_HEADER_BYTES);
  return frame;
}

/** Takes chunks cut anywhere and gives whole frames. */
export class StdcopyDecoder {
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  /** @throws FlotillaError `invalid` when the bytes are not this format. */
  push(chunk: Buffer): StdcopyFrame[] {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    const frames: StdcopyFrame[] = [];
    while (this.#pendingBytes >= STDCOPY_HEADER_BYTES) {
      const length = this.#nextFrameBytes();
      if (this.#pendingBytes < length) break;
      frames.push(this.#take(length));
    }
    return frames;
  }

  /** Bytes of a frame that has not come whole: not 0 at the end of a stream means that it was cut. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  #nextFrameBytes(): number {
    if ((this.#pending[0]?.length ?? 0) < STDCOPY_HEADER_BYTES) this.#pending = [Buffer.concat(this.#pending)];
    const header = this.#pending[0] ?? Buffer.alloc(0);
    const payloadBytes = header.readUInt32BE(4);
    if (header.readUInt8(0) > STDCOPY.systemError || header.readUIntBE(1, 3) !== 0 || payloadBytes > MAX_PAYLOAD_BYTES) {
      throw new FlotillaError("invalid", "decode stream: not a multiplexed stream");
    }
    return STDCOPY_HEADER_BYTES + payloadBytes;
  }

  #take(length: number): StdcopyFrame {
    const first = this.#pending[0];
    const joined = first !== undefined && first.length >= length ? first : Buffer.concat(this.#pending);
    const rest = joined === first ? this.#pending.slice(1) : [];
    if (joined.length > length) rest.unshift(joined.subarray(length));
    this.#pending = rest;
    this.#pendingBytes -= length;
    return { stream: streamOf(joined.readUInt8(0)), payload: joined.subarray(STDCOPY_HEADER_BYTES, length) };
  }
}

function streamOf(byte: number): StdcopyStream {
  if (byte === 0 || byte === 1 || byte === 2) return byte;
  return 3;
}
