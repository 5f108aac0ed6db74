import { pipeline, Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { FlotillaError } from "@flotilla/core";
import { detectCompression, type Compression } from "@flotilla/image";
import type { ArchiveWorkers } from "./workers.ts";

const CHUNK_BYTES = 256 * 1024;
/** Enough to tell gzip, zstd, bzip2 and xz from a tar. */
const HEAD_BYTES = 6;

export type PeekedSource = { compression: Compression; source: AsyncIterable<Buffer> };

/**
 * Looks at the first bytes of a stream without losing them. @throws FlotillaError `invalid` for bzip2 and xz, which no layer
 * of an image may have.
 */
export async function peekCompression(stream: AsyncIterable<Buffer>): Promise<PeekedSource> {
  const { head, source } = await peek(stream);
  const format = slowFormatOf(head);
  if (format !== undefined) throw new FlotillaError("invalid", `archive is compressed with ${format}: use gzip, zstd or no compression`);
  return { compression: detectCompression(head), source };
}

/** What people bring as an archive may also be bzip2 or xz, as in Docker: that comes out plain, by a process of its own. */
export async function peekArchive(stream: AsyncIterable<Buffer>, workers: Pick<ArchiveWorkers, "decompress">): Promise<PeekedSource> {
  const { head, source } = await peek(stream);
  const format = slowFormatOf(head);
  if (format !== undefined) return { compression: "none", source: workers.decompress(format, source) };
  return { compression: detectCompression(head), source };
}

async function peek(stream: AsyncIterable<Buffer>): Promise<{ head: Buffer; source: AsyncIterable<Buffer> }> {
  const iterator = stream[Symbol.asyncIterator]();
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    chunks.push(next.value);
    length += next.value.length;
  }
  const head = Buffer.concat(chunks);
  return { head, source: resume(head, iterator) };
}

async function* resume(head: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (head.length > 0) yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

/** The magic numbers of bzip2 (with its block size) and of the .xz file format, section 2.1.1.1. */
function slowFormatOf(head: Buffer): "bzip2" | "xz" | undefined {
  const magic = head.toString("latin1");
  if (/^BZh[1-9]/.test(magic)) return "bzip2";
  return magic.startsWith("\xfd7zXZ\0") ? "xz" : undefined;
}

/** The plain bytes of a source. Errors of the source and of the decompressor are errors of the stream. */
export function decompress(peeked: PeekedSource): Readable {
  const source = Readable.from(peeked.source, { objectMode: false, highWaterMark: CHUNK_BYTES });
  if (peeked.compression === "none") return source;
  const codec = peeked.compression === "gzip" ? createGunzip({ chunkSize: CHUNK_BYTES }) : createZstdDecompress({ chunkSize: CHUNK_BYTES });
  // Worded before the pipeline's own listeners see it; the error of the source passes unchanged.
  const plain = pipeline(source, codec, () => undefined);
  return Readable.from(withWording(plain, peeked.compression), { objectMode: false, highWaterMark: CHUNK_BYTES });
}

async function* withWording(plain: Readable, compression: Compression): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of plain) yield chunk;
  } catch (error) {
    const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
    if (!code.startsWith("Z_") && !code.startsWith("ZSTD_")) throw error;
    throw new FlotillaError("invalid", `${compression}: invalid or truncated data (${code})`, { cause: error });
  }
}
