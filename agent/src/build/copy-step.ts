import { writeFileSync, mkdirSync, createReadStream, utimesSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { FlotillaError, isFlotillaError } from "@flotilla/core";
import type { CopyStep } from "@flotilla/dockerfile";
import type { Digest } from "@flotilla/image";
import { decompress, peekArchive } from "../archive/decompress.ts";
import type { ArchiveWorkers } from "../archive/workers.ts";
import { BLOCK, isChecksumRight, isZeroBlock } from "../archive/tar/block.ts";
import type { BuildLayer } from "../storage/build-images.ts";
import type { BuildJob } from "./build-job.ts";
import type { CopySources } from "./copy-sources.ts";
import { makeLayer } from "./make-layer.ts";
import { resolveOwner, type NumericOwner } from "./resolve-owner.ts";
import type { BuildCopyJob, CopyItem } from "./worker/build-jobs.ts";

const ROOT_OWNER: NumericOwner = { uid: 0, gid: 0 };
/** The time of files whose content stands in the Dockerfile: none of their own, and the same for each build. */
const INLINE_MTIME_SECONDS = 0;

/** A block of bzip2 is at most 900 kB and must be whole; a little more than that when it cannot be compressed. */
const FIRST_BYTES = 1024 * 1024;

type CopyInto = Pick<BuildCopyJob, "root" | "destination" | "keepsParents" | "chmod" | "exclude">;

/** Does what COPY or ADD says, as a layer on `parent`. */
export async function copyStep(job: BuildJob, step: CopyStep, at: { sources: CopySources; parent: Digest | null }): Promise<BuildLayer> {
  return await makeLayer(job, at.parent, async (root) => {
    const named = step.chown === undefined ? undefined : resolveOwner(root, step.chown);
    const into: CopyInto = {
      root,
      destination: step.destination,
      keepsParents: step.keepsParents,
      exclude: [...step.exclude],
      ...(step.chmod === undefined ? {} : { chmod: step.chmod }),
    };
    const owner = named ?? ROOT_OWNER;
    const { contextItems, other, fetched } = at.sources;
    if (contextItems.length > 0) await copyFromContext(job, { step, into, owner, items: contextItems });
    if (other !== undefined) {
      const items = { kind: "patterns" as const, sources: [...other.sources] };
      // From an image files keep their owners, unless the instruction says whose they are to be.
      const keeping = named === undefined ? {} : { owner: named };
      await run(job, { ...into, ...keeping, kind: "build-copy", sourceRoot: await other.mount.root(), items, ignore: [] });
    }
    for (const file of fetched) {
      if (step.unpack === true) await unpack(job, { into, owner, path: join(file.directory, "file") });
      else await copyExact(job, { into, owner, sourceRoot: file.directory, items: [{ path: "file", name: file.name }] });
    }
    if (step.files.length > 0) await copyInline(job, { into, owner, files: step.files });
  });
}

type FromContext = { step: CopyStep; into: CopyInto; owner: NumericOwner; items: readonly CopyItem[] };

async function copyFromContext(job: BuildJob, { step, into, owner, items }: FromContext): Promise<void> {
  const sourceRoot = await job.context.directory(job.signal);
  const plain: CopyItem[] = [];
  for (const item of items) {
    const path = join(sourceRoot, Buffer.from(item.path, "latin1").toString("utf8"));
    const isUnpacked =
      step.kind === "add" && step.unpack !== false && job.index.typeOf(item.path) === "file" && (await isArchive(path, job.deps.workers));
    if (isUnpacked) await unpack(job, { into, owner, path });
    else plain.push(item);
  }
  if (plain.length > 0) await copyExact(job, { into, owner, sourceRoot, items: plain, ignore: job.ignorePatterns });
}

type Exact = { into: CopyInto; owner: NumericOwner; sourceRoot: string; items: readonly CopyItem[]; ignore?: readonly string[] };

async function copyExact(job: BuildJob, { into, owner, sourceRoot, items, ignore = [] }: Exact): Promise<void> {
  await run(job, { ...into, kind: "build-copy", owner, sourceRoot, items: { kind: "exact", items: [...items] }, ignore: [...ignore] });
}

async function copyInline(job: BuildJob, request: { into: CopyInto; owner: NumericOwner; files: CopyStep["files"] }): Promise<void> {
  const scratch = job.deps.images.scratch();
  try {
    const sourceRoot = join(scratch.path, "tree");
    mkdirSync(sourceRoot);
    for (const [at, file] of request.files.entries()) {
      const path = join(sourceRoot, String(at));
      writeFileSync(path, file.content, { mode: 0o644 });
      utimesSync(path, INLINE_MTIME_SECONDS, INLINE_MTIME_SECONDS);
    }
    const items = request.files.map((file, at) => ({ path: String(at), name: Buffer.from(file.name, "utf8").toString("latin1") }));
    await copyExact(job, { into: request.into, owner: request.owner, sourceRoot, items });
  } finally {
    scratch.discard();
  }
}

/** A local archive is unpacked into the destination, which is a directory then. The archive's owners stay. */
async function unpack(job: BuildJob, request: { into: CopyInto; owner: NumericOwner; path: string }): Promise<void> {
  const { into, owner, path } = request;
  // Makes the destination with what is missing above it.
  await copyExact(job, {
    into: { ...into, destination: `${into.destination.replace(/\/+$/, "")}/` },
    owner,
    sourceRoot: into.root,
    items: [],
  });
  const tar = decompress(await peekArchive(createReadStream(path), job.deps.workers));
  await job.deps.workers.run(
    { kind: "unpack", root: into.root, path: into.destination, noOverwriteDirNonDir: false, isRootReadOnly: false },
    tar,
    job.signal,
  );
}

/** Whether a file is a tar, plain or compressed. @throws FlotillaError `invalid` for a tar in a compression that is not known. */
async function isArchive(path: string, workers: ArchiveWorkers): Promise<boolean> {
  const file = createReadStream(path, { end: FIRST_BYTES - 1 });
  try {
    const head = await firstBlock(decompress(await peekArchive(file, workers)));
    return head !== undefined && !isZeroBlock(head) && isChecksumRight(head);
  } catch (error) {
    if (isFlotillaError(error, "invalid") && error.message.includes("not supported") && /\.(tar\.|t[bx]z)/.test(path)) {
      throw new FlotillaError("invalid", `ADD failed: ${error.message}`, { cause: error });
    }
    // Something compressed that is no tar, or no archive at all.
    return false;
  } finally {
    file.destroy();
  }
}

async function firstBlock(plain: Readable): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of plain as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= BLOCK) return Buffer.concat(chunks).subarray(0, BLOCK);
  }
  return undefined;
}

async function run(job: BuildJob, copy: BuildCopyJob): Promise<void> {
  await job.deps.workers.run(copy, undefined, job.signal);
}
