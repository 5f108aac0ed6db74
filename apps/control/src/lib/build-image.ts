// zod/mini: the same schemas, of which a page loads a third.
import * as z from "zod/mini";
import { sendUpload } from "./send-upload.ts";

export type BuildRequest = {
  host: string;
  /** A tar archive, plain or compressed. */
  context: Blob;
  dockerfile: string;
  tags: readonly string[];
  args: readonly { name: string; value: string }[];
  target: string;
  noCache: boolean;
  pull: boolean;
};

export type BuildEvents = {
  onSent: (sentBytes: number) => void;
  /** Text of the log as it comes; lines may be cut anywhere. */
  onText: (text: string) => void;
};

const lineSchema = z.object({
  stream: z.optional(z.string()),
  status: z.optional(z.string()),
  id: z.optional(z.string()),
  progress: z.optional(z.string()),
  error: z.optional(z.string()),
  errorDetail: z.optional(z.partial(z.object({ message: z.string() }))),
});

/** Where a build is sent; its arguments go in a header, since they may hold secrets and addresses are written into logs. */
export function buildUrl({ host, dockerfile, tags, target, noCache, pull }: Omit<BuildRequest, "context" | "args">): string {
  const params = new URLSearchParams({ host });
  if (dockerfile !== "") params.set("dockerfile", dockerfile);
  for (const tag of tags) params.append("t", tag);
  if (target !== "") params.set("target", target);
  if (noCache) params.set("nocache", "1");
  if (pull) params.set("pull", "1");
  return `/api/upload/build?${params.toString()}`;
}

/** JSON in base64url (RFC 4648 section 5) without padding. */
export function encodeArgs(args: BuildRequest["args"]): string {
  const bytes = new TextEncoder().encode(JSON.stringify(Object.fromEntries(args.map(({ name, value }) => [name, value]))));
  return btoa(String.fromCodePoint(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** Sends a context and reads the build's log. Rejects with the engine's words when a step fails. */
export async function buildImage(request: BuildRequest, events: BuildEvents, signal: AbortSignal): Promise<void> {
  let failure: string | null = null;
  await sendUpload({
    url: buildUrl(request),
    body: request.context,
    headers: request.args.length === 0 ? {} : { "X-Flotilla-Build-Args": encodeArgs(request.args) },
    signal,
    onSent: events.onSent,
    onLine: (value) => {
      const { data: line } = lineSchema.safeParse(value);
      if (line === undefined) return;
      failure ??= line.errorDetail?.message ?? line.error ?? null;
      if (line.stream !== undefined) events.onText(line.stream);
      // The pull of a base image: its words, not each of its thousand steps.
      else if (line.status !== undefined && line.progress === undefined)
        events.onText(`${line.id === undefined ? "" : `${line.id}: `}${line.status}\n`);
    },
  });
  if (failure !== null) throw new Error(failure);
}
