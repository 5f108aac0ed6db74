import type { ClientHttp2Session } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { FlotillaError, fullJitterMs, type Logger, toFlotillaError } from "@flotilla/core";
import {
  formatLine,
  HEARTBEAT_INTERVAL_MS,
  type LinkSocket,
  MAX_ROSTER_BYTES,
  readLines,
  ROSTER_PATH,
  rosterMessage,
  SILENCE_LIMIT_MS,
  type SigningKey,
} from "@flotilla/protocol";
import type { z } from "zod";
import { answerBody } from "../agent-hub/answer-body.ts";
import { openTunnelSession } from "../agent-hub/tunnel-session.ts";
import { dialPeer } from "./dial-peer.ts";
import type { Plane } from "./plane-registry.ts";
import { provePeerAsDialler } from "./peer-handshake.ts";
import { Roster, type RosterChange } from "./roster.ts";

const BACKOFF = { minMs: 100, maxMs: 5_000 };
const ASK_TIMEOUT_MS = 4_000;
const MAX_ANSWER_BYTES = 4_096;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

export type PeerLinkOptions = {
  ownId: string;
  plane: Plane;
  key: SigningKey;
  logger: Logger;
  /** What the other one's hosts do; also all of them when it can be reached or not any more. */
  onChange: (change: RosterChange) => void;
  /** It can be reached, or not any more. */
  onReach: () => void;
};

/** The connection to one other control plane, made again until {@link close}. It counts as reached once its roster has come. */
export class PeerLink {
  readonly plane: Plane;
  readonly roster = new Roster();
  readonly #options: PeerLinkOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #session: ClientHttp2Session | undefined;
  readonly #tried = Promise.withResolvers<void>();
  #lastError = "";

  constructor(options: PeerLinkOptions) {
    this.plane = options.plane;
    this.#options = options;
    this.#running = this.#run();
  }

  /** The HTTP/2 connection, while the other one can be reached. */
  get session(): ClientHttp2Session | undefined {
    return this.#session;
  }

  /** Settles when it was reached, or could not be, for the first time. */
  get tried(): Promise<void> {
    return this.#tried.promise;
  }

  /** Asks the other control plane something short. @throws unavailable when it does not answer in time. */
  async ask<T extends z.ZodType>(path: string, body: unknown, schema: T): Promise<z.output<T>> {
    const session = this.#session;
    if (session === undefined || session.destroyed) throw this.#silent();
    const stream = session.request({ ":method": "POST", ":path": path }, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
    stream.on("error", () => undefined);
    stream.end(formatLine(body));
    for await (const answer of readLines(answerBody(stream), { schema, maxBytes: MAX_ANSWER_BYTES })) {
      stream.close();
      return answer;
    }
    throw this.#silent();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #silent(): FlotillaError {
    return new FlotillaError("unavailable", `the control plane at ${this.plane.url} does not answer`);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.#connect(() => (attempt = 0));
      } catch (error) {
        if (!signal.aborted) this.#warn(toFlotillaError(error).message);
      }
      this.#setReached(undefined);
      this.#tried.resolve();
      await sleep(BACKOFF.minMs + fullJitterMs(attempt, BACKOFF, Math.random), undefined, { signal }).catch(() => undefined);
    }
  }

  async #connect(onReached: () => void): Promise<void> {
    const { signal } = this.#stop;
    const { plane, key, ownId } = this.#options;
    const { socket, exporter, isTls } = await dialPeer(plane.url, signal);
    const end = (): void => socket.terminate();
    signal.addEventListener("abort", end, { once: true });
    const ping = setInterval(() => {
      if (Date.now() - socket.lastHeardMs > SILENCE_LIMIT_MS) socket.terminate();
      else socket.ping();
    }, HEARTBEAT_INTERVAL_MS);
    try {
      if (signal.aborted) return;
      await provePeerAsDialler({ socket, key, from: ownId, to: plane.id, isTls, exporter });
      await this.#follow(socket, onReached);
    } finally {
      clearInterval(ping);
      signal.removeEventListener("abort", end);
      socket.terminate();
    }
  }

  async #follow(socket: LinkSocket, onReached: () => void): Promise<void> {
    const session = openTunnelSession(socket, { authority: "peer", windowBytes: CONNECTION_WINDOW_BYTES });
    try {
      const stream = session.request({ ":method": "GET", ":path": ROSTER_PATH }, { endStream: true });
      for await (const message of readLines(answerBody(stream), { schema: rosterMessage, maxBytes: MAX_ROSTER_BYTES })) {
        const changes = this.roster.apply(message);
        if (this.#session === undefined) {
          this.#setReached(session);
          onReached();
        }
        for (const change of changes) this.#options.onChange(change);
      }
    } finally {
      session.destroy();
    }
  }

  #setReached(session: ClientHttp2Session | undefined): void {
    if (this.#session === session) return;
    this.#session = session;
    if (session !== undefined) this.#tried.resolve();
    const { logger, plane, onChange, onReach } = this.#options;
    if (session !== undefined) {
      this.#lastError = "";
      logger.info("another control plane is reached", { planeId: plane.id, url: plane.url });
    }
    onReach();
    if (session === undefined) for (const change of this.roster.clear()) onChange(change);
  }

  /** The same failure each few seconds is said once. */
  #warn(message: string): void {
    const { logger, plane } = this.#options;
    if (message !== this.#lastError)
      logger.warn("another control plane is not reached", { planeId: plane.id, url: plane.url, error: message });
    this.#lastError = message;
  }
}
