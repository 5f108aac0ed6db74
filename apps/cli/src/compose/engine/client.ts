import type * as Http from "node:http";
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { type ErrorCode, FlotillaError, HTTP_STATUS } from "@flotilla/core";
import { z } from "zod";
import type { Endpoint } from "./endpoint.ts";

/** The newest API that these commands speak; an older engine's own is used instead. */
const MAX_API = "1.47";
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

const errorAnswer = z.object({ message: z.string() });

export type Query = Readonly<Record<string, string | number | boolean | undefined | readonly string[]>>;

export type Call = {
  method: "GET" | "POST" | "PUT" | "DELETE" | "HEAD";
  /** Without version and query; segments are encoded by `segment`. */
  path: string;
  query?: Query | undefined;
  /** A stream is sent as it is, everything else as JSON. */
  body?: unknown;
  headers?: Readonly<Record<string, string>> | undefined;
  signal?: AbortSignal | undefined;
};

/** A connection taken over for attach or exec: bytes both ways; `isMultiplexed` tells whether they are in frames. */
export type Hijacked = { socket: Socket; head: Buffer; isMultiplexed: boolean };

export const segment = (text: string): string => encodeURIComponent(text);

/** The Docker Engine API of one engine. Every answer is checked; an engine's error keeps its words. */
export class EngineClient {
  readonly endpoint: Endpoint;
  #agent: Agent | undefined;
  #version: Promise<string> | undefined;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
  }

  /** Ends idle connections, so that the program can end. */
  close(): void {
    this.#agent?.destroy();
  }

  /** The API version spoken with this engine, e.g. `1.41`. @throws unavailable when no engine answers. */
  version(): Promise<string> {
    this.#version ??= this.#negotiate();
    return this.#version;
  }

  async json<T extends z.ZodType>(schema: T, call: Call): Promise<z.output<T>> {
    return parseAnswer(schema, call, await readAll(await this.stream(call)));
  }

  /** A call that the engine takes up at once and answers later. @returns when it has taken it up. */
  async begin<T extends z.ZodType>(schema: T, call: Call): Promise<{ answer: Promise<z.output<T>> }> {
    const response = await this.stream(call);
    return { answer: readAll(response).then((body) => parseAnswer(schema, call, body)) };
  }

  /** A call for its effect. "Already so" (304) counts as done: false. */
  async run(call: Call): Promise<boolean> {
    const response = await this.stream(call);
    await readAll(response);
    return response.statusCode !== 304;
  }

  /** The answer's body. It must be read to its end, or destroyed. */
  async stream(call: Call): Promise<IncomingMessage> {
    const version = call.path === "/_ping" ? undefined : await this.version();
    const response = await this.#send(call, version);
    if ((response.statusCode ?? 500) >= 400) throw await toError(response, call);
    return response;
  }

  /** Takes the connection over. @throws the engine's error before that. */
  async hijack(call: Call): Promise<Hijacked> {
    const version = await this.version();
    const request = this.#open({ ...call, headers: { connection: "Upgrade", upgrade: "tcp", ...call.headers } }, version);
    return new Promise((resolve, reject) => {
      request.on("error", (error) => reject(this.#unreachable(error)));
      request.on("response", (response) => void toError(response, call).then(reject, reject));
      request.on("upgrade", (response, socket, head) => {
        const type = response.headers["content-type"] ?? "";
        resolve({ socket: socket as Socket, head, isMultiplexed: type !== "application/vnd.docker.raw-stream" });
      });
      request.end(call.body === undefined ? undefined : JSON.stringify(call.body));
    });
  }

  async #negotiate(): Promise<string> {
    const response = await this.stream({ method: "GET", path: "/_ping" });
    await readAll(response);
    const offered = String(response.headers["api-version"] ?? "");
    return isNewer(offered, MAX_API) || !/^\d+\.\d+$/.test(offered) ? MAX_API : offered;
  }

  #send(call: Call, version: string | undefined): Promise<IncomingMessage> {
    const request = this.#open(call, version);
    return new Promise((resolve, reject) => {
      request.on("error", (error) => reject(call.signal?.aborted === true ? error : this.#unreachable(error)));
      request.on("response", resolve);
      if (call.body instanceof Readable) {
        call.body.on("error", (error) => request.destroy(error));
        call.body.pipe(request);
      } else request.end(call.body === undefined ? undefined : JSON.stringify(call.body));
    });
  }

  #open(call: Call, version: string | undefined): ClientRequest {
    const { endpoint } = this;
    const search = queryText(call.query ?? {});
    const path = `${version === undefined ? "" : `/v${version}`}${call.path}${search}`;
    const isJson = call.body !== undefined && !(call.body instanceof Readable);
    const headers = { ...(isJson ? { "content-type": "application/json" } : {}), ...call.headers };
    const options: RequestOptions = {
      method: call.method,
      agent: (this.#agent ??= new (http().Agent)({ keepAlive: true, maxSockets: 64 })),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    };
    if (endpoint.kind === "unix")
      return http().request({
        ...options,
        ...WITHOUT_TLS,
        socketPath: endpoint.socketPath,
        path,
        headers: { host: "localhost", ...headers },
      });
    const { url } = endpoint;
    if (url.protocol === "https:")
      return secureRequest(url, {
        ...options,
        path: `${url.pathname.replace(/\/$/, "")}${path}`,
        headers: { ...headers, ...endpoint.headers },
      });
    const address = { host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port === "" ? 80 : Number(url.port) };
    return http().request({
      ...options,
      ...WITHOUT_TLS,
      ...address,
      path: `${url.pathname.replace(/\/$/, "")}${path}`,
      headers: { ...headers, ...endpoint.headers },
    });
  }

  #unreachable(cause: unknown): FlotillaError {
    const { endpoint } = this;
    const where = endpoint.kind === "unix" ? `unix://${endpoint.socketPath}` : endpoint.url.href;
    const why = cause instanceof Error ? cause.message : String(cause);
    return new FlotillaError("unavailable", `cannot connect to the engine at ${where}: ${why}`, { cause });
  }
}

/** Loaded with the first call: an `import` of it would load all of fetch, and what is in a start-up snapshot cannot have it at all. */
const http = (): typeof Http => process.getBuiltinModule("node:http");

/** Asked for the name that a certificate shall have, Node compiles a pattern that takes 5 ms, also where there is no TLS. */
const WITHOUT_TLS: object = { servername: "" };

/** TLS is loaded only by those who need it. */
function secureRequest(url: URL, options: RequestOptions): ClientRequest {
  const https = process.getBuiltinModule("node:https");
  const address = { host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port === "" ? 443 : Number(url.port) };
  return https.request({ ...options, ...address, agent: new https.Agent({ keepAlive: false }) });
}

function queryText(query: Query): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (typeof value === "object") for (const item of value) search.append(key, item);
    else if (value !== undefined) search.append(key, typeof value === "boolean" ? (value ? "1" : "0") : String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

/** `filters` as Docker's clients send it. */
export const filters = (wanted: Readonly<Record<string, readonly string[]>>): string => JSON.stringify(wanted);

function parseAnswer<T extends z.ZodType>(schema: T, { method, path }: Call, answer: Buffer): z.output<T> {
  const parsed = schema.safeParse(answer.length === 0 ? undefined : parseJson(answer.toString("utf8")));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const problem = `${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`;
  throw new FlotillaError("internal", `the engine answered ${method} ${path} in an unexpected shape: ${problem}`);
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > MAX_ANSWER_BYTES) throw new FlotillaError("too_large", `an answer of the engine is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

async function toError(response: IncomingMessage, call: Call): Promise<FlotillaError> {
  const status = response.statusCode ?? 500;
  const text = (await readAll(response)).toString("utf8").trim();
  const parsed = errorAnswer.safeParse(parseJson(text));
  const code = (Object.keys(HTTP_STATUS) as ErrorCode[]).find((known) => HTTP_STATUS[known] === status) ?? "internal";
  const message = parsed.success ? parsed.data.message : text || `the engine answered ${call.method} ${call.path} with status ${status}`;
  return new FlotillaError(code, message, { details: { fromEngine: true, status } });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether API version `a` is newer than `b`. */
export function isNewer(a: string, b: string): boolean {
  const [majorA = 0, minorA = 0] = a.split(".").map(Number);
  const [majorB = 0, minorB = 0] = b.split(".").map(Number);
  return majorA > majorB || (majorA === majorB && minorA > minorB);
}
