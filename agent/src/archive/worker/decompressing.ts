// Decompression that a worker process can do as it does everything: synchronously, in bounded memory, into the buffer of
// whoever reads. Node offers streams, which are neither, and whole buffers, which are not bounded. What its own
// `gunzipSync` works with, the binding below the stream, is all three. It is not documented, so all that is known of it
// is here; the Node version is ours (scripts/bootstrap.mjs), and decompressing.test.ts fails when it changes.
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { FlotillaError } from "@flotilla/core";
import type { Compression } from "@flotilla/image";
import { z } from "zod";
import type { ReadSource } from "../tar/reader.ts";

const INPUT_BYTES = 256 * 1024;

type Piece = { buffer: Buffer; offset: number; length: number };

type Binding = {
  writeSync(
    flush: number,
    input: Buffer,
    ...rest: [inOffset: number, inLength: number, out: Buffer, outOffset: number, outLength: number]
  ): void;
  onerror: (message: string, errno: number, code: string) => void;
};

const codecSchema = z.object({
  _handle: z.custom<Binding>((value) => typeof value === "object" && value !== null && "writeSync" in value),
  /** What the last step left: room in the output, bytes of the input. */
  _writeState: z.instanceof(Uint32Array),
});

/** The plain bytes of a compressed source. @throws FlotillaError `invalid` for what is no such data or ends too early. */
export function decompressing(source: ReadSource, compression: Compression): ReadSource {
  if (compression === "none") return source;
  const codec = new Codec(compression);
  const input: Piece = { buffer: Buffer.allocUnsafe(INPUT_BYTES), offset: 0, length: 0 };
  let isAtEnd = false;
  let isDone = false;
  const refill = (): void => {
    if (input.length > 0 || isAtEnd) return;
    input.offset = 0;
    input.length = source(input.buffer);
    isAtEnd = input.length === 0;
  };
  return (out) => {
    while (!isDone) {
      refill();
      const { read, written } = codec.step(input, out, isAtEnd);
      input.offset += read;
      input.length -= read;
      if (written > 0) return written;
      // Its stream has ended: what it leaves is padding.
      isDone = isAtEnd || (read === 0 && input.length > 0);
    }
    // A source is read to its end, whatever follows the stream.
    while (!isAtEnd) isAtEnd = source(input.buffer) === 0;
    return 0;
  };
}

class Codec {
  readonly #name: Compression;
  readonly #binding: Binding;
  readonly #state: Uint32Array;
  readonly #flags: { more: number; end: number };
  #error: string | undefined;

  constructor(compression: "gzip" | "zstd") {
    const stream = compression === "gzip" ? createGunzip() : createZstdDecompress();
    const codec = codecSchema.parse(stream);
    this.#name = compression;
    this.#binding = codec._handle;
    this.#state = codec._writeState;
    this.#flags =
      compression === "gzip"
        ? { more: constants.Z_NO_FLUSH, end: constants.Z_FINISH }
        : { more: constants.ZSTD_e_continue, end: constants.ZSTD_e_end };
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the binding is no EventTarget: it calls this property
    this.#binding.onerror = (_message, _errno, code) => {
      this.#error = code;
    };
  }

  step(input: Piece, out: Buffer, isLast: boolean): { read: number; written: number } {
    const flush = isLast ? this.#flags.end : this.#flags.more;
    this.#binding.writeSync(flush, input.buffer, input.offset, input.length, out, 0, out.length);
    if (this.#error !== undefined) throw new FlotillaError("invalid", `${this.#name}: invalid or truncated data (${this.#error})`);
    const [room = 0, left = 0] = this.#state;
    return { read: input.length - left, written: out.length - room };
  }
}
