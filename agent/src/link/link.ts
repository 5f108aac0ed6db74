import { mkdirSync, watch } from "node:fs";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { dirname } from "node:path";
import { fullJitterMs, type Logger, toFlotillaError } from "@flotilla/core";
import { HEARTBEAT_INTERVAL_MS, type LinkSocket, SILENCE_LIMIT_MS } from "@flotilla/protocol";
import { dial } from "./dial.ts";
import { makeNonce, shakeHands } from "./handshake.ts";
import { ensureHostKey, identityPath, type LinkIdentity, readIdentity } from "./identity-file.ts";
import { readLinkFacts } from "./link-facts.ts";
import { serveTunnel } from "./serve-tunnel.ts";
import { type ContainerCounts, StatsSampler } from "./stats-sampler.ts";

export type LinkOptions = {
  /** `$FLOTILLA_DATA/agent`: holds the identity, and its file system is reported as the host's disk. */
  dataDir: string;
  agentVersion: string;
  logger: Logger;
  handleStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
  countContainers: () => ContainerCounts;
  /** Serves the stream of state. `origin` names the control plane and this host there; see DesiredState. */
  serveState: (stream: ServerHttp2Stream, origin: string) => void;
};

export type Link = { close(): Promise<void> };

const BACKOFF = { minMs: 100, maxMs: 30_000 };
/** A connection that held this long was a good one: the next failure starts over with short delays. */
const GOOD_AFTER_MS = 10_000;

/**
 * Keeps one connection to the control plane, if this host has joined one: dials, proves, serves, and dials again with
 * full jitter. A join (a new identity file) is noticed while it runs. The engine does not depend on it in any way.
 */
export function startLink(options: LinkOptions): Link {
  const loop = new LinkLoop(options);
  const directory = dirname(identityPath(options.dataDir));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const watcher = watch(directory, (_event, file) => {
    if (file === "identity.json") loop.restart();
  });
  watcher.on("error", (error) => options.logger.warn("identity is no longer watched", { error: error.message }));
  const running = loop.run();
  return {
    close: async () => {
      watcher.close();
      loop.stop();
      await running;
    },
  };
}

class LinkLoop {
  readonly #options: LinkOptions;
  readonly #sampler: StatsSampler;
  readonly #stop = new AbortController();
  /** Random per process: how the control plane tells this process that dials again from another machine with the same key. */
  readonly #processId = makeNonce();
  #restart = new AbortController();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#sampler = new StatsSampler(options.dataDir, options.countContainers);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Ends the connection and begins anew with the identity that is there now. */
  restart(): void {
    this.#restart.abort();
  }

  async run(): Promise<void> {
    for (let attempt = 0; !this.#stop.signal.aborted; attempt += 1) {
      this.#restart = new AbortController();
      const signal = AbortSignal.any([this.#stop.signal, this.#restart.signal]);
      const startedAt = performance.now();
      const pauseMs = await this.#connectOnce(signal);
      if (performance.now() - startedAt > GOOD_AFTER_MS || this.#restart.signal.aborted) attempt = 0;
      const jitterMs = fullJitterMs(attempt, BACKOFF, Math.random);
      await sleep(pauseMs === undefined ? Number.POSITIVE_INFINITY : Math.max(pauseMs, jitterMs), signal);
    }
  }

  /** Returns how long to stay away at least; undefined: until the identity changes. */
  async #connectOnce(signal: AbortSignal): Promise<number | undefined> {
    try {
      const identity = readIdentity(this.#options.dataDir);
      if (identity === undefined) return undefined;
      await this.#connect(identity, signal);
      return 0;
    } catch (error) {
      const { code, message, details } = toFlotillaError(error);
      if (!signal.aborted) this.#options.logger.warn("link is down", { error: message, code, refusal: details["refusal"] });
      return typeof details["retryAfterMs"] === "number" ? details["retryAfterMs"] : 0;
    }
  }

  async #connect(identity: LinkIdentity, signal: AbortSignal): Promise<void> {
    const { dataDir, agentVersion, logger, handleStream, serveState } = this.#options;
    const dialled = await dial(identity.controlUrl, signal);
    const { socket } = dialled;
    const onAbort = (): void => socket.terminate();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal.aborted) return;
      const { welcome } = await shakeHands(dialled, {
        purpose: "connect",
        subject: identity.hostId,
        key: ensureHostKey(dataDir),
        serverKey: identity.serverKey,
        binding: identity.binding,
        processId: this.#processId,
        facts: readLinkFacts(agentVersion),
      });
      logger.info("link is up", { hostId: welcome.hostId, name: welcome.name, epoch: welcome.epoch });
      const origin = `${identity.serverKey}/${identity.hostId}`;
      const session = serveTunnel(socket.toStream(), {
        handleStream,
        sampleStats: () => this.#sampler.sample(),
        serveState: (stream) => serveState(stream, origin),
      });
      const reason = await endOf(socket);
      session.destroy();
      logger.info("link ended", { reason });
    } finally {
      signal.removeEventListener("abort", onAbort);
      socket.terminate();
    }
  }
}

/** Waits for the end of a connection, and ends one on which nothing at all is heard any more. */
async function endOf(socket: LinkSocket): Promise<string> {
  const silence = setInterval(() => {
    if (Date.now() - socket.lastHeardMs > SILENCE_LIMIT_MS) socket.terminate();
  }, HEARTBEAT_INTERVAL_MS);
  const reason = await socket.closed;
  clearInterval(silence);
  return reason;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = Number.isFinite(ms) ? setTimeout(done, ms) : undefined;
    signal.addEventListener("abort", done, { once: true });
  });
}
