import type { Duplex, Readable, Writable } from "node:stream";
import type { z } from "zod";

/** API version of a request: [major, minor], e.g. [1, 47]. */
export type ApiVersion = readonly [number, number];

/** One request to the engine, whichever way it came (unix socket or the tunnel's HTTP/2). */
export type Call = {
  namespace: string;
  /** Guard rails do not bind the caller: root on this machine, or an instance administrator by the control plane's word. */
  isExempt: boolean;
  version: ApiVersion;
  method: string;
  /** Path parameters, percent-decoded. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  header(name: string): string | undefined;
  /** The raw request body. */
  body: Readable;
  /** Reads the whole body (bounded) and parses it by `schema`; an empty body is `{}`. @throws invalid. */
  json<T extends z.ZodType>(schema: T): Promise<z.output<T>>;
  /** Aborts when the client is gone. */
  signal: AbortSignal;
};

export type Reply =
  | { kind: "empty"; status: number; headers?: Readonly<Record<string, string>> }
  | { kind: "json"; status: number; body: unknown; headers?: Readonly<Record<string, string>> }
  | { kind: "text"; status: number; body: string; headers?: Readonly<Record<string, string>> }
  /** Headers are flushed at once; `write` sends what follows and must respect back-pressure. After its end the response ends. */
  | {
      kind: "stream";
      status: number;
      contentType: string;
      headers?: Readonly<Record<string, string>>;
      write(sink: Writable): Promise<void>;
    }
  /**
   * Docker's hijack: 101 when the client asked to upgrade, else 200 with raw bytes. `run` owns the connection until it
   * settles; then it is ended. `headers` go with the answer (a WebSocket's accept key); the protocol is "tcp" unless named.
   */
  | {
      kind: "hijack";
      contentType?: string;
      protocol?: string;
      headers?: Readonly<Record<string, string>>;
      run(connection: Duplex): Promise<void>;
    };

export type Handler = (call: Call) => Promise<Reply> | Reply;

export type Route = {
  method: "GET" | "POST" | "PUT" | "DELETE" | "HEAD";
  /** Path without version, parameters as `:name`; `:name*` takes slashes too (image names). */
  path: string;
  handler: Handler;
};

export const empty = (status: number): Reply => ({ kind: "empty", status });
export const json = (body: unknown, status = 200): Reply => ({ kind: "json", status, body });
