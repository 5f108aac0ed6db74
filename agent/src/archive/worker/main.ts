// Entry point of a worker process: one job, then the end. The agent starts it (../workers.ts), because only a process of
// its own can have another root directory; everything is loaded before that, and nothing after.
//
// It works synchronously on purpose: blocking reads and writes are its back-pressure, and one thread has one root.
import { constants, openSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { extractContext } from "../../build/worker/build-context.ts";
import { buildCopy } from "../../build/worker/build-copy.ts";
import { scanSources } from "../../build/worker/build-scan.ts";
import { CAP, chroot, dropCapability } from "../../host/libc.ts";
import { extractLayer } from "./extract-layer.ts";
import { jobSchema, type Answer, type Job } from "./jobs.ts";
import { pack } from "./pack.ts";
import { packLayer } from "./pack-layer.ts";
import { parseClientPath, statPath } from "./stat-path.ts";
import { unpack } from "./unpack.ts";

const STDIN = 0;
const STDOUT = 1;

function perform(job: Job): Answer {
  // Opened before the root changes: after that there is no way to them.
  const output = job.kind === "build-context" ? openSync(job.indexPath, "wx", 0o600) : -1;
  const roots = job.kind === "build-copy" ? { source: openDirectory(job.sourceRoot), target: openDirectory(job.root) } : undefined;
  enter(job.root);
  switch (job.kind) {
    case "extract-layer":
      return extractLayer(STDIN, job);
    case "unpack":
      unpack(STDIN, job);
      return { kind: "done" };
    case "stat":
      return { kind: "stat", stat: statPath(parseClientPath(job.path)) };
    case "build-context":
      extractContext(STDIN, { output, maxBytes: job.maxBytes });
      return { kind: "done" };
    case "build-copy":
      if (roots !== undefined) buildCopy(roots, job);
      return { kind: "done" };
    case "build-scan":
      return { kind: "scanned", digest: scanSources(job.sources) };
    case "pack-layer":
      return packLayer(STDOUT, job);
    case "pack": {
      const client = parseClientPath(job.path);
      answer({ kind: "stat", stat: statPath(client) });
      pack(STDOUT, client, { isExport: job.isExport });
      return { kind: "done" };
    }
  }
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

function attempt(input: unknown): Answer {
  try {
    return perform(jobSchema.parse(input));
  } catch (error) {
    const failure = toFlotillaError(error);
    return { kind: "failed", code: failure.code, message: failure.message };
  }
}

process.once("message", (input: unknown) => answer(attempt(input), () => process.exit(0)));
// The agent is gone: nobody will send a job.
process.once("disconnect", () => process.exit(0));
// Now, because after the chroot the cache's path means another directory.
flushCompileCache();
answer({ kind: "ready" });
