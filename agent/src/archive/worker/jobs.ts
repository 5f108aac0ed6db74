// What the agent tells a worker process and what it answers, one JSON message each way over Node's IPC channel. Tar
// bytes go through the worker's standard input and output. Byte strings are latin1 (see ../tar/block.ts).
import { ERROR_CODES } from "@flotilla/core";
import { z } from "zod";
import { buildAnswerSchemas, buildContextJobSchema, buildCopyJobSchema, buildScanJobSchema } from "../../build/worker/build-jobs.ts";

const rootSchema = z.string().startsWith("/");

export const jobSchema = z.discriminatedUnion("kind", [
  /**
   * One image layer into an empty directory, of at most so many bytes when it is decompressed: from stdin, or from a file that
   * still grows, and then stdin says how far it is (growing-file.ts).
   */
  z.object({
    kind: z.literal("extract-layer"),
    root: rootSchema,
    inputPath: rootSchema.optional(),
    compression: z.enum(["none", "gzip", "zstd"]),
    maxBytes: z.number().int().positive().optional(),
  }),
  /** `docker cp` into a container: a tar from stdin into the existing directory `path` of the tree. */
  z.object({
    kind: z.literal("unpack"),
    root: rootSchema,
    path: z.string(),
    noOverwriteDirNonDir: z.boolean(),
    isRootReadOnly: z.boolean(),
  }),
  /** A tar of `path` to stdout, its entries named `name/…`; `stat` says what it is first. */
  z.object({ kind: z.literal("pack"), root: rootSchema, path: z.string(), isExport: z.boolean() }),
  z.object({ kind: z.literal("stat"), root: rootSchema, path: z.string() }),
  /** The layer that an upper directory of overlayfs (or a plain directory) is, as a tar to the new file `outputPath`, else to stdout. */
  z.object({
    kind: z.literal("pack-layer"),
    root: rootSchema,
    outputPath: rootSchema.optional(),
    /** Paths without leading slash, deepest first, that are left out while there is nothing else in them: what the runtime mounts on. */
    mountPoints: z.array(z.string()),
    /** Later times become this one (SOURCE_DATE_EPOCH). */
    maxMtimeSeconds: z.number().int().nonnegative().optional(),
    /** The directory itself becomes the layer: it is made to say what the tar says. */
    isConsumed: z.boolean(),
  }),
  buildContextJobSchema,
  buildCopyJobSchema,
  buildScanJobSchema,
]);
export type Job = z.output<typeof jobSchema>;

/**
 * Whether the worker takes another job afterwards. Only what a pull and a build do, from file to file: nothing is mounted in their
 * trees, so that no name in them (`/proc/self/fd`) leads to what the worker holds open for its way back.
 */
export function keepsWorker(job: Job): boolean {
  if (job.kind === "extract-layer") return job.inputPath !== undefined;
  if (job.kind === "build-context") return job.inputPath !== undefined;
  if (job.kind === "pack-layer") return job.outputPath !== undefined;
  return job.kind === "build-copy" || job.kind === "build-scan";
}

export const pathStatSchema = z.object({
  name: z.string(),
  size: z.number(),
  /** Go's os.FileMode. */
  mode: z.number().int().nonnegative(),
  mtime: z.string(),
  linkTarget: z.string(),
});
export type PathStat = z.output<typeof pathStatSchema>;

export const answerSchema = z.discriminatedUnion("kind", [
  /** The worker has loaded its code and takes a job. */
  z.object({ kind: z.literal("ready") }),
  z.object({ kind: z.literal("stat"), stat: pathStatSchema }),
  /** `diffId` is the hash of all bytes of the layer; `sizeBytes` the sum of the file sizes. */
  z.object({ kind: z.literal("extracted"), diffId: z.string(), sizeBytes: z.number(), entries: z.number() }),
  /** `sizeBytes` is the sum of the file sizes; `diffId` the hash of the tar and `tarBytes` its length. */
  z.object({ kind: z.literal("packed"), sizeBytes: z.number(), diffId: z.string(), tarBytes: z.number() }),
  z.object({ kind: z.literal("done") }),
  ...buildAnswerSchemas,
  z.object({ kind: z.literal("failed"), code: z.enum(ERROR_CODES), message: z.string() }),
]);
export type Answer = z.output<typeof answerSchema>;
