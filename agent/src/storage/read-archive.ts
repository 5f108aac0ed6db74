import { posix } from "node:path";
import type { Readable } from "node:stream";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import type { Digest } from "@flotilla/image";
import { extract, type Header } from "tar-stream";
import { decompress, peekArchive } from "../archive/decompress.ts";
import type { StorageContext } from "./context.ts";
import type { Lease } from "./leases.ts";

/** A file of an archive, kept as a blob whatever its name. */
export type ArchivedFile = { digest: Digest; sizeBytes: number };

/** Files of an image archive by their path inside it. */
export type ImageArchive = {
  find(path: string): ArchivedFile | undefined;
  /** A file's text. @throws FlotillaError `invalid` when it is larger than a description can be. */
  text(file: ArchivedFile): Promise<string>;
};

/** An archive of a hundred images with fifty layers each has fewer. */
const MAX_FILES = 20_000;
const MAX_TEXT_BYTES = 16 * 1024 * 1024;
/** Links of old `docker save` point one step away; a chain of them is a trick. */
const MAX_LINKS = 8;

/**
 * Stores the files of an image archive as it streams in. Names are keys of a map and never paths on disk, so that no
 * name can do harm. The lease holds every file until the images made of them do.
 */
export async function readArchive(context: StorageContext, options: { tar: Readable; lease: Lease }): Promise<ImageArchive> {
  const files = new Map<string, ArchivedFile>();
  const links = new Map<string, string>();
  let broken: Error | undefined;
  try {
    const plain = decompress(await peekArchive(options.tar, context.workers));
    const entries = extract();
    plain.on("error", (error) => {
      broken = error;
      entries.destroy(error);
    });
    plain.pipe(entries);
    for await (const entry of entries) {
      const path = cleanPath(entry.header.name);
      if (files.size + links.size >= MAX_FILES) throw new FlotillaError("invalid", `archive holds more than ${MAX_FILES} files`);
      const target = linkTarget(entry.header);
      if (target !== undefined) links.set(path, target);
      if (entry.header.type === "file" || entry.header.type === "contiguous-file")
        files.set(path, await storeFile(context, { content: entry, lease: options.lease }));
      else entry.resume();
    }
  } catch (error) {
    options.tar.destroy();
    throw archiveError(broken ?? error);
  }
  return {
    find(path) {
      let at = cleanPath(path);
      for (let i = 0; i < MAX_LINKS && !files.has(at); i++) at = links.get(at) ?? at;
      return files.get(at);
    },
    text: (file) => readText(context, file),
  };
}

async function storeFile(context: StorageContext, from: { content: AsyncIterable<unknown>; lease: Lease }): Promise<ArchivedFile> {
  const writer = await context.blobs.create();
  try {
    for await (const chunk of from.content) if (Buffer.isBuffer(chunk)) await writer.write(chunk);
    return await writer.commit((digest) => from.lease.add(digest));
  } finally {
    await writer.abort();
  }
}

async function readText(context: StorageContext, file: ArchivedFile): Promise<string> {
  if (file.sizeBytes > MAX_TEXT_BYTES) throw new FlotillaError("invalid", `archive: a description of ${file.sizeBytes} bytes is too large`);
  const chunks: Buffer[] = [];
  for await (const chunk of context.blobs.read(file.digest)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function linkTarget(header: Header): string | undefined {
  if (typeof header.linkname !== "string") return undefined;
  if (header.type === "symlink") return cleanPath(posix.join(posix.dirname(header.name), header.linkname));
  return header.type === "link" ? cleanPath(header.linkname) : undefined;
}

function cleanPath(path: string): string {
  return posix.normalize(`/${path}`).slice(1).replace(/\/$/, "");
}

/** tar-stream's errors are plain ones; a broken archive is the sender's fault. */
function archiveError(error: unknown): FlotillaError {
  const message = error instanceof Error ? error.message : "";
  // Inside a file's data the end shows as the destruction of that file's stream.
  if (/^(?:Unexpected end of data|Stream was destroyed)/.test(message))
    return new FlotillaError("invalid", "unexpected EOF: the archive is truncated", { cause: error });
  const isTarFault = /^(?:Invalid (?:tar )?header|Header exceeds max size)/.test(message);
  return isTarFault ? new FlotillaError("invalid", "archive/tar: invalid tar header", { cause: error }) : toFlotillaError(error);
}
