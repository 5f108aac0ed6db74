import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { type Limits, type OpenRepository, RegistryClient } from "@flotilla/registry";
import type { PrismaClient, RegistryUpstream } from "@flotilla/db";
import { registryError } from "../registry-error.ts";
import type { BlobFetch } from "./blob-fetch.ts";
import { type CachedRepository, credentialsOf, domainOf, settingsOf } from "./upstream-settings.ts";

/** Patience with an upstream while a client waits for us. */
const LIMITS: Partial<Limits> = { headersTimeoutMs: 15_000, stallTimeoutMs: 20_000, maxAttempts: 3, backoffMaxMs: 2_000 };
/** An upstream that did not answer is not asked again so soon where there is something to serve instead. */
const AWAY_MS = 10_000;
/** Blobs that come in at once in this process: each holds a connection and a portion of memory. */
const MAX_FETCHES = 64;
const NOTE_MS = 10_000;

export type UpstreamPullsOptions = {
  prisma: PrismaClient;
  sealKey: Uint8Array;
  nowMs: () => number;
  userAgent: string;
  limits?: Partial<Limits>;
};

/** What is under way with upstreams in this process: equal questions share one answer, equal blobs one fetch. */
export class UpstreamPulls {
  readonly #options: UpstreamPullsOptions;
  readonly #questions = new Map<string, Promise<unknown>>();
  readonly #fetches = new Map<string, BlobFetch>();
  readonly #away = new Map<string, { untilMs: number; error: FlotillaError }>();
  readonly #noted = new Map<string, number>();
  readonly #ended = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: UpstreamPullsOptions) {
    this.#options = options;
  }

  /** Ends what is under way, and waits for it. */
  async close(): Promise<void> {
    this.#ended.abort();
    await Promise.allSettled(this.#running);
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Runs something with the upstream's repository. What the upstream answers, or that it does not, is noted for its page. */
  async ask<T>(cached: CachedRepository, question: (repository: OpenRepository) => Promise<T>): Promise<T> {
    const { upstream, remotePath } = cached;
    using client = this.open(upstream);
    try {
      const reference = { domain: domainOf(upstream), path: remotePath };
      using repository = await client.open({ reference, action: "pull", signal: this.signal });
      const answer = await question(repository);
      this.#away.delete(upstream.id);
      await this.#note(upstream, null);
      return answer;
    } catch (error) {
      const known = toFlotillaError(error);
      if (isAway(known)) this.#away.set(upstream.id, { untilMs: this.#options.nowMs() + AWAY_MS, error: known });
      if (known.code !== "not_found") await this.#note(upstream, known.message);
      throw error;
    }
  }

  /** A client with the upstream's settings and credentials. */
  open(upstream: RegistryUpstream): RegistryClient {
    const credentials = credentialsOf(this.#options.sealKey, upstream);
    const settings = settingsOf(upstream);
    return new RegistryClient({
      settingsOf: () => settings,
      credentialsOf: async () => credentials,
      userAgent: this.#options.userAgent,
      random: Math.random,
      now: this.#options.nowMs,
      limits: { ...LIMITS, ...this.#options.limits },
    });
  }

  /** Why the upstream did not answer a moment ago; undefined when it did, or when it is time to ask again. */
  recentFailure(upstream: RegistryUpstream): FlotillaError | undefined {
    const away = this.#away.get(upstream.id);
    return away !== undefined && away.untilMs > this.#options.nowMs() ? away.error : undefined;
  }

  /** Whoever asks the same while it is being answered gets that answer. */
  async share<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const asked = this.#questions.get(key);
    if (asked !== undefined) return asked as Promise<T>;
    const answer = this.#track(ask()).finally(() => this.#questions.delete(key));
    this.#questions.set(key, answer);
    return answer;
  }

  /** The fetch of a blob that is under way, or else the one that `begin` makes; it is gone from here once `done` is settled. */
  fetch(key: string, begin: () => { fetch: BlobFetch; done: Promise<void> }): BlobFetch {
    const running = this.#fetches.get(key);
    if (running !== undefined) return running;
    if (this.#fetches.size >= MAX_FETCHES)
      throw registryError("TOOMANYREQUESTS", "too many blobs are being fetched from upstreams: try again");
    const { fetch, done } = begin();
    this.#fetches.set(key, fetch);
    void this.#track(done).then(
      () => this.#fetches.delete(key),
      () => this.#fetches.delete(key),
    );
    return fetch;
  }

  #track<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => this.#running.delete(tracked));
    tracked.catch(() => undefined);
    this.#running.add(tracked);
    return tracked;
  }

  async #note(upstream: RegistryUpstream, lastError: string | null): Promise<void> {
    const nowMs = this.#options.nowMs();
    const isNews = (lastError === null) !== (upstream.lastError === null);
    if (!isNews && nowMs - (this.#noted.get(upstream.id) ?? 0) < NOTE_MS) return;
    this.#noted.set(upstream.id, nowMs);
    const data = lastError === null ? { reachedAt: new Date(nowMs), lastError } : { lastError: lastError.slice(0, 500) };
    await this.#options.prisma.registryUpstream.updateMany({ where: { id: upstream.id }, data }).catch(() => undefined);
  }
}

/** Whether an error says that the upstream cannot answer now, and not that it answers no. */
export function isAway(error: FlotillaError): boolean {
  const { status } = error.details;
  return (
    error.code === "rate_limited" ||
    (error.code === "unavailable" && error.details["isCancelled"] !== true) ||
    (typeof status === "number" && status >= 500)
  );
}

/** What our client is told when an upstream failed. */
export function toClientError(error: unknown, { upstream }: CachedRepository): FlotillaError {
  const known = toFlotillaError(error);
  if (known.details["registryCode"] !== undefined && known.details["detail"] !== undefined) return known;
  const words = `upstream ${upstream.name}: ${known.message}`;
  if (known.code === "not_found") return registryError("MANIFEST_UNKNOWN", words);
  if (known.code === "forbidden" || known.code === "unauthenticated") return registryError("DENIED", words);
  if (known.code === "rate_limited") return registryError("TOOMANYREQUESTS", words);
  return new FlotillaError("unavailable", words, { cause: known });
}
