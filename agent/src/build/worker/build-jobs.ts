// What the agent tells a worker process for a build. Byte strings are latin1 (see archive/tar/block.ts).
import { z } from "zod";

const root = z.string().startsWith("/");

/** A build context from the file `inputPath`, else from stdin, into an empty directory; what it holds goes to `indexPath`. Both are outside. */
export const buildContextJobSchema = z.object({
  kind: z.literal("build-context"),
  root,
  inputPath: root.optional(),
  indexPath: root,
  maxBytes: z.number(),
});

const copyItemSchema = z.object({
  /** Where it is below `sourceRoot`, links resolved; its parts are never links. */
  path: z.string(),
  /** Name that it gets in a destination directory; "" for a directory whose content is copied. */
  name: z.string(),
});
export type CopyItem = z.output<typeof copyItemSchema>;

/** COPY and ADD: from one tree into another, each seen by the worker as its root directory in turn. */
export const buildCopyJobSchema = z.object({
  kind: z.literal("build-copy"),
  /** The tree that is written to. */
  root,
  sourceRoot: root,
  items: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("exact"), items: z.array(copyItemSchema) }),
    /** Looked up by the worker itself: trees of images have no index. */
    z.object({ kind: z.literal("patterns"), sources: z.array(z.string()) }),
  ]),
  /** Absolute; with a slash at the end it is a directory whatever comes. */
  destination: z.string(),
  keepsParents: z.boolean(),
  /** Undefined keeps the source's. */
  owner: z.object({ uid: z.number().int(), gid: z.number().int() }).optional(),
  /** Octal or symbolic. */
  chmod: z.string().optional(),
  exclude: z.array(z.string()),
  /** Patterns of .dockerignore, matched from the root of the source. */
  ignore: z.array(z.string()),
});
export type BuildCopyJob = z.output<typeof buildCopyJobSchema>;

/** What the sources of a COPY are, as one hash; nothing is written. */
export const buildScanJobSchema = z.object({
  kind: z.literal("build-scan"),
  root,
  sources: z.array(z.string()),
});

export const buildAnswerSchemas = [z.object({ kind: z.literal("scanned"), digest: z.string() })] as const;
