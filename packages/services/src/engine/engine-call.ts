import type { Readable } from "node:stream";
import { type ErrorCode, FlotillaError, HTTP_STATUS } from "@flotilla/core";
import { z } from "zod";
import type { EngineRequest, HostLink, HostLinks } from "./host-links.ts";
import { SharedReads } from "./shared-reads.ts";

/** An answer of an engine that is read whole may not be larger. */
const MAX_JSON_BYTES = 32 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
const CALL_TIMEOUT_MS = 30_000;

/** API version of the calls that the control plane makes itself. */
export const ENGINE_API = "/v1.47";

const errorAnswer = z.looseObject({ message: z.string() });

export type EngineJsonRequest = Omit<EngineRequest, "body"> & {
  /** Sent as JSON. */
  body?: unknown;
  /** How long the whole call may take. Default 30 s. */
  timeoutMs?: number;
};

/** Calls a host's engine and parses its JSON. `path` is without version. @throws the engine's own error with its message. */
export async function engineJson<T extends z.ZodType>(link: HostLink, request: EngineJsonRequest, schema: T): Promise<z.output<T>> {
  const text = await engineText(link, request);
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new FlotillaError(
    "internal",
    `the engine answered ${request.method} ${request.path} in an unexpected shape: ${describe(parsed.error)}`,
    {
      cause: parsed.error,
      details: { fromEngine: true },
    },
  );
}

const READS = new WeakMap<HostLinks, SharedReads>();

/**
 * The same for a list that many ask for at once: who asks while it is read shares the next reading. The answer is theirs together and
 * must not be changed.
 */
export function engineList<T extends z.ZodType>(
  links: HostLinks,
  link: HostLink,
  { namespace, path, schema }: { namespace: string; path: string; schema: T },
): Promise<z.output<T>> {
  const shared = READS.get(links) ?? new SharedReads();
  READS.set(links, shared);
  const key = [link.hostId, link.epoch, namespace, path].join("\0");
  return shared.read(key, () => engineJson(link, { namespace, method: "GET", path }, schema));
}

/** Calls a host's engine for its effect. A 304 (already so) counts as done. */
export async function engineDo(link: HostLink, request: EngineJsonRequest): Promise<void> {
  await engineText(link, request);
}

async function engineText(link: HostLink, request: EngineJsonRequest): Promise<string> {
  const timeout = AbortSignal.timeout(request.timeoutMs ?? CALL_TIMEOUT_MS);
  const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
  const { body, timeoutMs: _, ...rest } = request;
  const response = await link.request({
    ...rest,
    path: `${ENGINE_API}${request.path}`,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal,
  });
  if (response.status >= 400) throw await toEngineError(response.status, response.body);
  return readText(response.body, MAX_JSON_BYTES);
}

/** The error of an engine's answer, with its own message and a code by its status. */
export async function toEngineError(status: number, body: Readable): Promise<FlotillaError> {
  const text = await readText(body, MAX_ERROR_BYTES);
  const parsed = errorAnswer.safeParse(parseJson(text));
  return new FlotillaError(codeOf(status), parsed.success ? parsed.data.message : `the engine answered ${status}`, {
    details: { fromEngine: true, status },
  });
}

function codeOf(status: number): ErrorCode {
  const found = (Object.keys(HTTP_STATUS) as ErrorCode[]).find((code) => HTTP_STATUS[code] === status);
  // An engine's 401 is about a registry, not about who asks here.
  return found === undefined || found === "unauthenticated" ? "internal" : found;
}

function parseJson(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a body to its end. @throws too_large beyond the bound. */
export async function readText(body: Readable, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += buffer.length;
    if (size > maxBytes) throw new FlotillaError("too_large", `an answer of the engine is larger than ${maxBytes} bytes`);
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? "unknown" : `${issue.path.join(".")}: ${issue.message}`;
}
