import { FlotillaError } from "@flotilla/core";
import { imageRef } from "@flotilla/services";
import { z } from "zod";

const flag = z.enum(["0", "1"]).transform((value) => value === "1");
const query = z.object({
  dockerfile: z.string().min(1).max(1_024).default("Dockerfile"),
  target: z
    .string()
    .max(256)
    .regex(/^[\w.-]+$/)
    .optional(),
  nocache: flag.default(false),
  pull: flag.default(false),
});
const tags = z.array(imageRef).max(20);
const buildArgs = z.record(z.string().regex(/^[A-Za-z_]\w*$/), z.string().max(4_096));

/** Header with the build's arguments as JSON in base64url: they may hold secrets, and addresses are written into logs. */
export const BUILD_ARGS_HEADER = "x-flotilla-build-args";

export type BuildOptions = z.output<typeof query> & { tags: string[]; buildArgs: Record<string, string> };

/** What the page wants built. @throws invalid, naming what is wrong. */
export function parseBuildOptions(search: URLSearchParams, header: string | undefined): BuildOptions {
  const single = Object.fromEntries([...search].filter(([name]) => name !== "t" && name !== "host"));
  const parsed = z.object({ options: query, tags, buildArgs }).safeParse({
    options: single,
    tags: search.getAll("t"),
    buildArgs: header === undefined ? {} : decodeJson(header),
  });
  if (parsed.success) return { ...parsed.data.options, tags: parsed.data.tags, buildArgs: parsed.data.buildArgs };
  const [issue] = parsed.error.issues;
  throw new FlotillaError("invalid", `the build's parameters are not valid: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`);
}

/** Path and query of `POST /build` (Docker Engine API 1.47). Intermediate containers never stay behind. */
export function buildPath({ dockerfile, target, nocache, pull, tags: names, buildArgs: args }: BuildOptions): string {
  const params = new URLSearchParams({ dockerfile, rm: "1", forcerm: "1", buildargs: JSON.stringify(args) });
  for (const name of names) params.append("t", name);
  if (target !== undefined) params.set("target", target);
  if (nocache) params.set("nocache", "1");
  if (pull) params.set("pull", "1");
  return `/build?${params.toString()}`;
}

function decodeJson(header: string): unknown {
  try {
    return JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
