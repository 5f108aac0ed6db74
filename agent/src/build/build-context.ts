// The files that a client sends along with a build. A small context stays in memory as the tar it came as: a build that
// finds everything in the cache then never writes it anywhere. A larger one is extracted, hashed and indexed in one pass.
import { readFileSync } from "node:fs";
import { mkdir, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { decompress, peekArchive } from "../archive/decompress.ts";
import { cleanEntryName } from "../archive/worker/paths.ts";
import { TarReader } from "../archive/tar/reader.ts";
import { END_OF_ARCHIVE, formatHeader } from "../archive/tar/writer.ts";
import { paddingOf } from "../archive/tar/block.ts";
import type { ArchiveWorkers } from "../archive/workers.ts";
import { readTextInRoot } from "../host/rooted-path.ts";
import type { BuildImages, Scratch } from "../storage/build-images.ts";
import { ContextIndex, indexEntrySchema, indexTar, type IndexEntry } from "./worker/context-index.ts";
import { resolveInTree } from "./worker/source-tree.ts";

/** Hashing this much in the agent takes some milliseconds, less than starting a worker. */
const MEMORY_BYTES = 2 * 1024 * 1024;
const MEMORY_CHUNK_BYTES = 32 * 1024;
const MAX_TEXT_BYTES = 8 * 1024 * 1024;

export type ContextDeps = { images: BuildImages; workers: ArchiveWorkers };

export class BuildContext {
  readonly #deps: ContextDeps;
  readonly #entries: readonly IndexEntry[];
  readonly #scratch: Scratch;
  readonly #tar: Buffer | undefined;
  #extracted: Promise<string> | undefined;
  #whole: ContextIndex | undefined;

  constructor(parts: { deps: ContextDeps; entries: readonly IndexEntry[]; scratch: Scratch; tar: Buffer | undefined }) {
    this.#deps = parts.deps;
    this.#entries = parts.entries;
    this.#scratch = parts.scratch;
    this.#tar = parts.tar;
  }

  /** What is in it, without what `isIgnored` (a UTF-8 path) says. */
  index(isIgnored: (path: string) => boolean = () => false): ContextIndex {
    return new ContextIndex(this.#entries, (path) => isIgnored(Buffer.from(path, "latin1").toString("utf8")));
  }

  /** Text of a file inside the context, links followed inside it; undefined when there is none. */
  readText(path: string): string | undefined {
    this.#whole ??= this.index();
    const found = resolveInTree(this.#whole, Buffer.from(path, "utf8").toString("latin1"));
    if (found?.type !== "file") return undefined;
    if (this.#tar === undefined)
      return readTextInRoot(join(this.#scratch.path, "tree"), Buffer.from(found.path, "latin1").toString("utf8"), MAX_TEXT_BYTES);
    return readFromTar(this.#tar, found.path);
  }

  /** Host path of the extracted tree. */
  async directory(signal: AbortSignal): Promise<string> {
    const { path } = this.#scratch;
    if (this.#tar === undefined) return join(path, "tree");
    this.#extracted ??= extract(this.#deps, { directory: path, tar: this.#tar, signal }).then(() => join(path, "tree"));
    return await this.#extracted;
  }

  close(): void {
    this.#scratch.discard();
  }
}

/**
 * Takes a context in: a tar, plain or compressed by gzip, zstd, xz or bzip2.
 * @throws FlotillaError `invalid` for a broken or hostile tar, `too_large`; nothing is left then.
 */
export async function receiveContext(deps: ContextDeps, source: AsyncIterable<Buffer>, signal: AbortSignal): Promise<BuildContext> {
  const scratch = deps.images.scratch();
  try {
    const plain = decompress(await peekArchive(source, deps.workers));
    const iterator = plain[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const { head, isWhole } = await takeUpTo(iterator, signal);
    if (isWhole) return new BuildContext({ deps, entries: indexTar(readerOf(head)), scratch, tar: head });
    const entries = await extract(deps, {
      directory: scratch.path,
      tar: Readable.from(joined(head, iterator), { objectMode: false }),
      signal,
    });
    return new BuildContext({ deps, entries, scratch, tar: undefined });
  } catch (error) {
    scratch.discard();
    throw error;
  }
}

/** A context of one file, called `Dockerfile`. */
export async function contextOfText(deps: ContextDeps, text: string, signal: AbortSignal): Promise<BuildContext> {
  const bytes = Buffer.from(text, "utf8");
  const header = formatHeader({
    type: "file",
    name: "Dockerfile",
    linkName: "",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: bytes.length,
    mtimeSeconds: 0,
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
  });
  const tar = Buffer.concat([header, bytes, Buffer.alloc(paddingOf(bytes.length)), END_OF_ARCHIVE]);
  return await receiveContext(deps, Readable.from(tar, { objectMode: false }), signal);
}

/** A tar that is here goes to the worker by a file: then the worker is there for the copy too. */
async function extract(deps: ContextDeps, from: { directory: string; tar: Readable | Buffer; signal: AbortSignal }): Promise<IndexEntry[]> {
  const root = join(from.directory, "tree");
  const indexPath = join(from.directory, "index.json");
  await mkdir(root, { mode: 0o755 });
  const { bavail, bsize } = await statfs(root);
  const job = { kind: "build-context" as const, root, indexPath, maxBytes: bavail * bsize };
  if (Buffer.isBuffer(from.tar)) {
    const inputPath = join(from.directory, "context.tar");
    await writeFile(inputPath, from.tar, { mode: 0o600 });
    await deps.workers.run({ ...job, inputPath }, undefined, from.signal);
  } else await deps.workers.run(job, from.tar, from.signal);
  return z.array(indexEntrySchema).parse(JSON.parse(readFileSync(indexPath, "utf8")));
}

async function takeUpTo(iterator: AsyncIterator<Buffer>, signal: AbortSignal): Promise<{ head: Buffer; isWhole: boolean }> {
  const chunks: Buffer[] = [];
  for (let bytes = 0; bytes <= MEMORY_BYTES;) {
    signal.throwIfAborted();
    const next = await iterator.next();
    if (next.done === true) return { head: Buffer.concat(chunks), isWhole: true };
    chunks.push(next.value);
    bytes += next.value.length;
  }
  return { head: Buffer.concat(chunks), isWhole: false };
}

async function* joined(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield head;
  try {
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function readerOf(tar: Buffer): TarReader {
  let at = 0;
  return new TarReader((buffer) => {
    const count = tar.copy(buffer, 0, at);
    at += count;
    return count;
  }, MEMORY_CHUNK_BYTES);
}

function readFromTar(tar: Buffer, path: string): string | undefined {
  const reader = readerOf(tar);
  let content: Buffer | undefined;
  for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
    if (entry.type !== "file" || cleanEntryName(entry.name) !== path) continue;
    if (entry.size > MAX_TEXT_BYTES) throw new FlotillaError("too_large", `${path} is larger than ${MAX_TEXT_BYTES} bytes`);
    const chunks: Buffer[] = [];
    reader.readContent((chunk) => void chunks.push(Buffer.from(chunk)));
    content = Buffer.concat(chunks);
  }
  return content?.toString("utf8");
}
