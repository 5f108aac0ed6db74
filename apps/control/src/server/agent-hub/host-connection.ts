import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FlotillaError } from "@flotilla/core";
import {
  EXEMPT_HEADER,
  HEARTBEAT_INTERVAL_HEADER,
  HEARTBEAT_PATH,
  HIJACK_HEADER,
  type HostFacts,
  type HostStats,
  heartbeat,
  type LinkSocket,
  MAX_HEARTBEAT_BYTES,
  NAMESPACE_HEADER,
} from "@flotilla/protocol";
import type { EngineRequest, EngineResponse, HostLink } from "@flotilla/services";
import { answerBody } from "./answer-body.ts";

/** Receive windows: what a host may send before a reader has taken it. The connection's holds several busy streams. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 8 * 1024 * 1024;

export type ConnectionOptions = {
  hostId: string;
  hostName: string;
  epoch: number;
  processId: string;
  facts: HostFacts;
  socket: LinkSocket;
  onStats: (stats: HostStats) => void;
  /** How often the host is to send them now: it is told when that has become another matter. */
  statsIntervalMs: () => number;
};

/** A full-duplex call: end `input` for a half-close, close it to cancel; read `output` to its end. */
export type RawCall = {
  input: ClientHttp2Stream;
  output: Readable;
  answered: Promise<{ status: number; headers: Record<string, string>; isUpgraded: boolean }>;
};

/** One authenticated connection of a host: an HTTP/2 client inside its WebSocket. */
export class HostConnection implements HostLink {
  readonly hostId: string;
  readonly epoch: number;
  readonly processId: string;
  readonly facts: HostFacts;
  readonly socket: LinkSocket;
  stats: HostStats | null = null;
  readonly #hostName: string;
  readonly #session: ClientHttp2Session;

  constructor(options: ConnectionOptions) {
    this.hostId = options.hostId;
    this.epoch = options.epoch;
    this.processId = options.processId;
    this.facts = options.facts;
    this.socket = options.socket;
    this.#hostName = options.hostName;
    const stream = options.socket.toStream();
    this.#session = connect("http://agent", {
      createConnection: () => stream,
      settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false },
      maxSessionMemory: 64,
    });
    this.#session.on("error", () => stream.destroy());
    this.#session.once("connect", () => this.#session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    this.#session.once("close", () => stream.destroy());
    stream.once("close", () => this.#session.destroy());
    stream.on("error", () => undefined);
    void this.#followHeartbeats(options);
  }

  async request(request: EngineRequest): Promise<EngineResponse> {
    const { body } = request;
    const stream = this.#open(request, body === undefined);
    const answered = this.#answer(stream);
    const answer = answerBody(stream);
    if (typeof body === "string" || body instanceof Uint8Array) stream.end(body);
    // An engine may answer before it has read everything: the answer says why, the rest of the upload is dropped.
    else if (body !== undefined) void pipeline(body, stream).catch(() => undefined);
    const headers = await answered;
    return { status: Number(headers[":status"]), headers: plainHeaders(headers), body: answer };
  }

  /** Opens a full-duplex call without waiting for its answer: the raw input may have to be sent first. */
  openRaw(request: Omit<EngineRequest, "body">): RawCall {
    const input = this.#open(request, false);
    const output = answerBody(input);
    const answered = this.#answer(input).then((headers) => ({
      status: Number(headers[":status"]),
      headers: plainHeaders(headers),
      isUpgraded: headers[HIJACK_HEADER] === "101",
    }));
    return { input, output, answered };
  }

  destroy(): void {
    this.#session.destroy();
    this.socket.terminate();
  }

  #open(request: Omit<EngineRequest, "body">, endStream: boolean): ClientHttp2Stream {
    if (this.#session.destroyed || this.#session.closed) throw this.#gone();
    // After the caller's own headers: whose objects a call is about, and what binds it, nobody says but this process.
    const ours = { [NAMESPACE_HEADER]: request.namespace, [EXEMPT_HEADER]: request.isExempt === true ? "1" : "0" };
    const stream = this.#session.request(
      { ...request.headers, ":method": request.method, ":path": request.path, ...ours },
      { endStream, ...(request.signal === undefined ? {} : { signal: request.signal }) },
    );
    return stream;
  }

  #answer(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders & { ":status"?: number }> {
    return new Promise((resolve, reject) => {
      stream.once("response", resolve);
      // Stays for the stream's life: a later failure ends the body, and must not end the process.
      stream.on("error", (error) => reject(new FlotillaError("unavailable", `host ${this.#hostName}: ${error.message}`, { cause: error })));
      stream.once("close", () => reject(this.#gone()));
    });
  }

  #gone(): FlotillaError {
    return new FlotillaError("unavailable", `host ${this.#hostName} is not connected`);
  }

  async #followHeartbeats(options: ConnectionOptions): Promise<void> {
    try {
      // One round is as long as the interval that the host was told stays about right.
      while (await this.#readHeartbeats(options));
    } catch {
      // Fall through: a host without heartbeats, or with malformed ones, is not one that this control plane can use.
    }
    this.socket.close(1008, "no heartbeat");
    this.destroy();
  }

  /** @returns true when heartbeats are to be asked for anew: the fleet has become twice as large, or half. */
  async #readHeartbeats({ onStats, statsIntervalMs }: ConnectionOptions): Promise<boolean> {
    const intervalMs = statsIntervalMs();
    const headers = { [HEARTBEAT_INTERVAL_HEADER]: String(intervalMs) };
    const { body } = await this.request({ method: "GET", path: HEARTBEAT_PATH, namespace: "default", headers });
    let rest = "";
    for await (const chunk of body) {
      rest += String(chunk);
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > MAX_HEARTBEAT_BYTES) throw new FlotillaError("too_large", "a heartbeat is too long");
      for (const line of lines) {
        const { stats } = heartbeat.parse(JSON.parse(line));
        this.stats = stats;
        onStats(stats);
      }
      const ratio = statsIntervalMs() / intervalMs;
      if (ratio >= 2 || ratio <= 0.5) return true;
    }
    return false;
  }
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    plain[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return plain;
}
