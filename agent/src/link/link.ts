import { mkdirSync, watch } from "node:fs";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { dirname } from "node:path";
import { fullJitterMs, type Logger, toFlotillaError } from "@flotilla/core";
import { HEARTBEAT_INTERVAL_MS, SILENCE_LIMIT_MS } from "@flotilla/protocol";
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
  handleStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
  countContainers(): ContainerCounts;
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
  const stop = new AbortController();
  const sampler = new StatsSampler(options.dataDir, options.countContainers);
  // Random per process: how the control plane tells this process that dials again from another machine with the same key.
  const processId = makeNonce();
  let restart = new AbortController();
  const directory = dirname(identityPath(options.dataDir));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const watcher = watch(directory, (_event, file) => {
    if (file === "identity.json") restart.abort();
  });
  watcher.on("error", (error) => options.logger.warn("identity is no longer watched", { error: error.message }));
  const running = run();
  return {
    close: async () => {
      stop.abort();
      watcher.close();
      await running;
    },
  };

  async function run(): Promise<void> {
    for (let attempt = 0; !stop.signal.aborted; attempt += 1) {
      restart = new AbortController();
      const signal = AbortSignal.any([stop.signal, restart.signal]);
      const startedAt = performance.now();
      const pause = await connectOnce(signal);
      if (performance.now() - startedAt > GOOD_AFTER_MS || restart.signal.aborted) attempt = 0;
      const jitter = fullJitterMs(attempt, BACKOFF, Math.random);
      await sleep(pause === undefined ? Number.POSITIVE_INFINITY : Math.max(pause, jitter), signal);
    }
  }

  /** Returns how long to stay away at least; undefined: until the identity changes. */
  async function connectOnce(signal: AbortSignal): Promise<number | undefined> {
    try {
      const identity = readIdentity(options.dataDir);
      if (identity === undefined) return undefined;
      await connect(identity, signal);
      return 0;
    } catch (error) {
      const { code, message, details } = toFlotillaError(error);
      if (!signal.aborted) options.logger.warn("link is down", { error: message, code, refusal: details["refusal"] });
      return typeof details["retryAfterMs"] === "number" ? details["retryAfterMs"] : 0;
    }
  }

  async function connect(identity: LinkIdentity, signal: AbortSignal): Promise<void> {
    const dialled = await dial(identity.controlUrl, signal);
    const { socket } = dialled;
    const onAbort = (): void => socket.terminate();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal.aborted) return;
      const { welcome } = await shakeHands(dialled, {
        purpose: "connect",
        subject: identity.hostId,
        key: ensureHostKey(options.dataDir),
        serverKey: identity.serverKey,
        binding: identity.binding,
        processId,
        facts: readLinkFacts(options.agentVersion),
      });
      options.logger.info("link is up", { hostId: welcome.hostId, name: welcome.name, epoch: welcome.epoch });
      const session = serveTunnel(socket.toStream(), { handleStream: options.handleStream, sampleStats: () => sampler.sample() });
      const silence = setInterval(() => {
        if (Date.now() - socket.lastHeardMs > SILENCE_LIMIT_MS) socket.terminate();
      }, HEARTBEAT_INTERVAL_MS);
      const reason = await socket.closed;
      clearInterval(silence);
      session.destroy();
      options.logger.info("link ended", { reason });
    } finally {
      signal.removeEventListener("abort", onAbort);
      socket.terminate();
    }
  }
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
