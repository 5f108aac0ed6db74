// Entry point of a process that decompresses what Node has no codec for: xz (WebAssembly) and bzip2 (JavaScript). Both take
// the processor for as long as they run, and a hostile archive may ask them for much memory: here that stops nobody else.
import { readSync, writeSync } from "node:fs";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import bzip2 from "seek-bzip";
import xz from "xz-decompress";
import { z } from "zod";
import type { Answer } from "./jobs.ts";

const STDIN = 0;
const STDOUT = 1;
const PIECE_BYTES = 64 * 1024;
/** `xz -9` has a dictionary of 64 MiB; what wants several times as much is refused. */
const MAX_RESIDENT_BYTES = 512 * 1024 * 1024;

/** What is decompressed in a process of its own. */
const jobSchema = z.object({ format: z.enum(["xz", "bzip2"]) });

async function decompressXz(): Promise<void> {
  const source = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = new Uint8Array(PIECE_BYTES);
        const count = readSync(STDIN, piece);
        if (count > 0) controller.enqueue(piece.subarray(0, count));
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  for await (const chunk of new xz.XzReadableStream(source)) {
    writeAll(chunk, chunk.length);
    if (process.memoryUsage.rss() > MAX_RESIDENT_BYTES) throw new FlotillaError("invalid", "xz: its dictionary is larger than 256 MiB");
  }
}

/** Blocks of at most 900 kB each; a run of equal bytes is never held as a whole. */
function decompressBzip2(): void {
  const input = Buffer.alloc(PIECE_BYTES);
  const output = Buffer.alloc(PIECE_BYTES);
  let [at, end, used] = [0, 0, 0];
  const fill = (): boolean => {
    if (at === end) [at, end] = [0, readSync(STDIN, input)];
    return at < end;
  };
  const source = {
    readByte: () => (fill() ? (input[at++] ?? -1) : -1),
    read(target: Uint8Array, offset: number, length: number): number {
      let count = 0;
      while (count < length && fill()) target[offset + count++] = input[at++] ?? 0;
      return count === 0 ? -1 : count;
    },
    eof: () => !fill(),
  };
  const flush = (): void => {
    writeAll(output, used);
    used = 0;
  };
  const sink = {
    writeByte(byte: number): void {
      output[used++] = byte;
      if (used === output.length) flush();
    },
  };
  bzip2.decode(source, sink, true);
  flush();
}

function writeAll(data: Uint8Array, length: number): void {
  for (let written = 0; written < length;) written += writeSync(STDOUT, data, written, length - written);
}

/** Error codes of XZ Embedded (xz.h): 6 is what it was built without, 8 an end that comes too early. */
function wording(format: "xz" | "bzip2", error: unknown): FlotillaError {
  if (error instanceof FlotillaError) return error;
  const message = toFlotillaError(error).message;
  if (format === "xz" && message.endsWith("error code 6"))
    return new FlotillaError("invalid", "xz: a filter or check of it is not supported");
  return new FlotillaError("invalid", `${format}: invalid or truncated data`, { cause: error });
}

async function attempt(input: unknown): Promise<Answer> {
  const { format } = jobSchema.parse(input);
  try {
    if (format === "xz") await decompressXz();
    else decompressBzip2();
    return { kind: "done" };
  } catch (error) {
    const failure = wording(format, error);
    return { kind: "failed", code: failure.code, message: failure.message };
  }
}

process.once("message", (input: unknown) => void attempt(input).then((answer) => process.send?.(answer, () => process.exit(0))));
// The agent is gone: nobody reads.
process.once("disconnect", () => process.exit(0));
