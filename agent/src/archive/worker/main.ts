// Entry point of a worker process: one job, then the end, or several where `keepsWorker` says so. The agent starts it
// (../workers.ts), because only a process of its own can have another root directory; everything is loaded before that, and
// nothing after.
//
// It works synchronously on purpose: blocking reads and writes are its back-pressure, and one thread has one root.
import { closeSync, constants, openSync, readSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { extractContext } from "../../build/worker/build-context.ts";
import { buildCopy } from "../../build/worker/build-copy.ts";
import { scanSources } from "../../build/worker/build-scan.ts";
import { CAP, chroot, dropCapability, fchdir } from "../../host/libc.ts";
import { toStorageError } from "../../storage/storage-error.ts";
import type { ReadSource } from "../tar/reader.ts";
import { extractLayer } from "./extract-layer.ts";
import { growingFile } from "./growing-file.ts";
import { jobSchema, keepsWorker, type Answer, type Job } from "./jobs.ts";
import { pack } from "./pack.ts";
import { packLayer } from "./pack-layer.ts";
import { parseClientPath, statPath } from "./stat-path.ts";
import { unpack } from "./unpack.ts";

const STDIN = 0;
const STDOUT = 1;

/** The way back to the machine's own root, for the next job. */
const HOST_ROOT = openDirectory("/");

type Opened = { input: number; output: number; source: number; target: number };

function perform(job: Job): Answer {
  // A job that is the last one gives the way back up: somebody's /proc may be mounted in its tree.
  if (!keepsWorker(job)) closeSync(HOST_ROOT);
  // Opened before the root changes: after that there is no way to them.
  const opened = openFiles(job);
  enter(job.root);
  const answered = work(job, opened);
  // Only after a success: a worker whose job failed takes no other.
  if (keepsWorker(job)) {
    fchdir(HOST_ROOT);
    chroot(".");
    for (const fd of new Set(Object.values(opened))) if (fd > STDOUT) closeSync(fd);
  }
  return answered;
}

function openFiles(job: Job): Opened {
  const none = { input: STDIN, output: STDOUT, source: -1, target: -1 };
  if (job.kind === "build-copy") return { ...none, source: openDirectory(job.sourceRoot), target: openDirectory(job.root) };
  if (job.kind === "extract-layer" && job.inputPath !== undefined) return { ...none, input: openSync(job.inputPath, "r") };
  if (job.kind === "pack-layer" && job.outputPath !== undefined) return { ...none, output: openSync(job.outputPath, "wx", 0o600) };
  if (job.kind !== "build-context") return none;
  const input = job.inputPath === undefined ? STDIN : openSync(job.inputPath, "r");
  return { ...none, input, output: openSync(job.indexPath, "wx", 0o600) };
}

function work(job: Job, { input, output, source, target }: Opened): Answer {
  switch (job.kind) {
    case "extract-layer":
      return extractLayer(input === STDIN ? readingFrom(STDIN) : growingFile(input, readingFrom(STDIN)), job);
    case "unpack":
      unpack(input, job);
      return { kind: "done" };
    case "stat":
      return { kind: "stat", stat: statPath(parseClientPath(job.path)) };
    case "build-context":
      extractContext(input, { output, maxBytes: job.maxBytes });
      return { kind: "done" };
    case "build-copy":
      buildCopy({ source, target }, job);
      return { kind: "done" };
    case "build-scan":
      return { kind: "scanned", digest: scanSources(job.sources) };
    case "pack-layer":
      return packLayer(output, job);
    case "pack": {
      const client = parseClientPath(job.path);
      answer({ kind: "stat", stat: statPath(client) });
      pack(output, client, { isExport: job.isExport });
      return { kind: "done" };
    }
  }
}

function readingFrom(fd: number): ReadSource {
  return (buffer) => readSync(fd, buffer);
}

function openDirectory(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
}

function enter(root: string): void {
  try {
    chroot(root);
    // A container that shares the host's processes has a /proc whose links (/proc/1/root) lead out of any chroot; without
    // this capability the kernel refuses to follow them. Only now, because the tree itself is such a link.
    dropCapability(CAP.SYS_PTRACE);
  } catch (error) {
    throw new FlotillaError("internal", `enter the tree: ${toFlotillaError(error).message}`, { cause: error });
  }
  // Modes in archives are exact.
  process.umask(0);
}

function answer(message: Answer, then: () => void = () => undefined): void {
  process.send?.(message, then);
}

function attempt(input: unknown): { answered: Answer; isLast: boolean } {
  try {
    const job = jobSchema.parse(input);
    return { answered: perform(job), isLast: !keepsWorker(job) };
  } catch (error) {
    const failure = toStorageError("write", error);
    return { answered: { kind: "failed", code: failure.code, message: failure.message }, isLast: true };
  }
}

process.on("message", (input: unknown) => {
  const { answered, isLast } = attempt(input);
  answer(answered, isLast ? () => process.exit(0) : undefined);
});
// The agent is gone: nobody will send a job.
process.once("disconnect", () => process.exit(0));
// Now, because after the chroot the cache's path means another directory.
flushCompileCache();
answer({ kind: "ready" });
