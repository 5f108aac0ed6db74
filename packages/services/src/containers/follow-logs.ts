import type { Readable } from "node:stream";
import { StdcopyDecoder, STDCOPY } from "@flotilla/engine-api";
import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import { openHost } from "../engine/ask-hosts.ts";
import { ENGINE_API, toEngineError } from "../engine/engine-call.ts";
import { segment } from "./read-containers.ts";

export type LogLine = { stream: "stdout" | "stderr"; time: string; text: string };

export type LogRequest = { host: string; id: string; tail: number; since?: string | undefined; follow: boolean; signal: AbortSignal };

/** One batch holds at most this many lines; what waits longer is read later (the engine stops sending meanwhile). */
const MAX_BATCH_LINES = 1_000;
/** A longer line is cut: a page cannot show it, and one program must not fill the memory of a tab. */
const MAX_LINE_BYTES = 64 * 1024;

/** A container's log as batches of lines, oldest first; ends with the log, or when `signal` aborts. */
export async function* followLogs(services: ServiceContext, actor: Actor, request: LogRequest): AsyncGenerator<{ lines: LogLine[] }> {
  const { link, namespace } = await openHost(services, actor, request.host);
  const since = request.since === undefined ? "" : `&since=${encodeURIComponent(request.since)}`;
  const follow = request.follow ? 1 : 0;
  const query = `stdout=1&stderr=1&timestamps=1&follow=${follow}&tail=${request.tail}${since}`;
  const path = `${ENGINE_API}/containers/${segment(request.id)}/logs?${query}`;
  const response = await link.request({ namespace, method: "GET", path, signal: request.signal });
  if (response.status >= 400) throw await toEngineError(response.status, response.body);
  const isMultiplexed = (response.headers["content-type"] ?? "").includes("multiplexed");
  try {
    for await (const lines of readLines(response.body, isMultiplexed)) {
      for (let at = 0; at < lines.length; at += MAX_BATCH_LINES) yield { lines: lines.slice(at, at + MAX_BATCH_LINES) };
    }
  } catch (error) {
    if (!request.signal.aborted) throw error;
  } finally {
    response.body.destroy();
  }
}

async function* readLines(body: Readable, isMultiplexed: boolean): AsyncGenerator<LogLine[]> {
  const decoder = new StdcopyDecoder();
  const out = new LineSplitter("stdout");
  const err = new LineSplitter("stderr");
  for await (const chunk of body) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    const lines: LogLine[] = [];
    if (!isMultiplexed) lines.push(...out.push(bytes));
    else for (const frame of decoder.push(bytes)) lines.push(...(frame.stream === STDCOPY.stderr ? err : out).push(frame.payload));
    if (lines.length > 0) yield lines;
  }
  const rest = [...out.end(), ...err.end()];
  if (rest.length > 0) yield rest;
}

/** Cuts one stream into lines of `<RFC 3339 time> <text>`. */
export class LineSplitter {
  readonly #stream: LogLine["stream"];
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(stream: LogLine["stream"]) {
    this.#stream = stream;
  }

  push(bytes: Buffer): LogLine[] {
    const lines: LogLine[] = [];
    let from = 0;
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, from)) {
      this.#keep(bytes.subarray(from, at));
      lines.push(...this.end());
      from = at + 1;
    }
    this.#keep(bytes.subarray(from));
    return lines;
  }

  end(): LogLine[] {
    if (this.#restBytes === 0) return [];
    const line = Buffer.concat(this.#rest).toString("utf8").replace(/\r$/, "");
    this.#rest = [];
    this.#restBytes = 0;
    const space = line.indexOf(" ");
    return [{ stream: this.#stream, time: line.slice(0, Math.max(0, space)), text: line.slice(space + 1) }];
  }

  #keep(bytes: Buffer): void {
    const room = MAX_LINE_BYTES - this.#restBytes;
    if (bytes.length === 0 || room <= 0) return;
    // Copied: the chunk it is part of would otherwise stay in memory as long as an unfinished line.
    this.#rest.push(Buffer.from(bytes.subarray(0, room)));
    this.#restBytes += Math.min(room, bytes.length);
  }
}
