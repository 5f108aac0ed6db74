import { pipeline, Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { FlotillaError } from "@flotilla/core";
import { detectCompression, type Compression } from "@flotilla/image";

const CHUNK_BYTES = 256 * 1024;
/** Enough to tell gzip, zstd, bzip2 and xz from a tar. */
const HEAD_BYTES = 6;

export type PeekedSource = { compression: Compression; source: AsyncIterable<Buffer> };

/** Looks at the first bytes of a stream without losing them. @throws FlotillaError `invalid` for bzip2 and xz. */
export async function peekCompression(stream: AsyncIterable<Buffer>): Promise<PeekedSource> {
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
  refuseUnknown(head);
  return { compression: detectCompression(head), source: resume(head, iterator) };
}

async function* resume(head: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (head.length > 0) yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

function refuseUnknown(head: Buffer): void {
  const magic = head.toString("latin1");
  if (magic.startsWith("BZh")) throw new FlotillaError("invalid", "archive is compressed with bzip2: use gzip, zstd or no compression");
  if (magic.startsWith("\xfd7zXZ\0")) throw new FlotillaError("invalid", "archive is compressed with xz: use gzip, zstd or no compression");
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
