import { z } from "zod";

/** How a service's image is built: `docker build` in long form. */
export const Build = z.object({
  /** Absolute directory, or an address of a remote context (`https://…`, `git@…`). */
  context: z.string(),
  /** Relative to the context, or absolute. */
  dockerfile: z.string().default("Dockerfile"),
  /** The Dockerfile's text, instead of a file. */
  dockerfileInline: z.string().optional(),
  /** null: unset, so that the Dockerfile's default counts. */
  args: z.record(z.string(), z.string().nullable()).default({}),
  labels: z.record(z.string(), z.string()).default({}),
  tags: z.array(z.string()).default([]),
  cacheFrom: z.array(z.string()).default([]),
  cacheTo: z.array(z.string()).default([]),
  additionalContexts: z.record(z.string(), z.string()).default({}),
  /** `name` or `name=address`. */
  extraHosts: z.array(z.string()).default([]),
  network: z.string().optional(),
  target: z.string().optional(),
  platforms: z.array(z.string()).default([]),
  isPrivileged: z.boolean().default(false),
  noCache: z.boolean().default(false),
  pull: z.boolean().default(false),
  shmSizeBytes: z.int().optional(),
  secrets: z.array(z.object({ source: z.string(), target: z.string().optional() })).default([]),
  ssh: z.array(z.string()).default([]),
  ulimits: z.record(z.string(), z.object({ soft: z.int(), hard: z.int() })).default({}),
});
export type Build = z.infer<typeof Build>;
