import type { ClientHttp2Session } from "node:http2";
import { FlotillaError } from "@flotilla/core";
import {
  HEARTBEAT_INTERVAL_HEADER,
  HEARTBEAT_PATH,
  type HostFacts,
  type HostStats,
  heartbeat,
  type LinkSocket,
  MAX_HEARTBEAT_BYTES,
} from "@flotilla/protocol";
import type { EngineRequest, EngineResponse, HostLink } from "@flotilla/services";
import { type RawCall, type RawRequest, TunnelCalls } from "./tunnel-calls.ts";
import { openTunnelSession } from "./tunnel-session.ts";

/** Holds several busy streams. */
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

/** One authenticated connection of a host: an HTTP/2 client inside its WebSocket. */
export class HostConnection implements HostLink {
  readonly hostId: string;
  readonly epoch: number;
  readonly processId: string;
  readonly facts: HostFacts;
  readonly socket: LinkSocket;
  stats: HostStats | null = null;
  readonly #calls: TunnelCalls;
  readonly #session: ClientHttp2Session;

  constructor(options: ConnectionOptions) {
    this.hostId = options.hostId;
    this.epoch = options.epoch;
    this.processId = options.processId;
    this.facts = options.facts;
    this.socket = options.socket;
    this.#session = openTunnelSession(options.socket, { authority: "agent", windowBytes: CONNECTION_WINDOW_BYTES });
    const label = `host ${options.hostName}`;
    this.#calls = new TunnelCalls({ session: this.#session, label, goneMessage: `${label} is not connected` });
    void this.#followHeartbeats(options);
  }

  async request(request: EngineRequest): Promise<EngineResponse> {
    return this.#calls.request(request);
  }

  /** Opens a full-duplex call without waiting for its answer: the raw input may have to be sent first. */
  openRaw(request: RawRequest, options?: { endStream: boolean }): RawCall {
    return this.#calls.openRaw(request, options);
  }

  destroy(): void {
    this.#session.destroy();
    this.socket.terminate();
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
