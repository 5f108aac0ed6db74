import { FlotillaError, fullJitterMs } from "@flotilla/core";
import { setTimeout as sleep } from "node:timers/promises";
import { Authorizer } from "./authorizer.ts";
import { discardBody } from "./body.ts";
import type { Endpoint } from "./endpoint.ts";
import { HttpClient, isConnectionError, type HttpRequest, type HttpResponse } from "./http-client.ts";
import type { Credentials, Limits, RegistryClientOptions } from "./options.ts";
import { errorOfResponse } from "./registry-error.ts";

export type SessionRequest = {
  method: HttpRequest["method"];
  /** Relative to the endpoint (`v2/…`), or absolute where the registry named it. */
  path: string | URL;
  headers?: Readonly<Record<string, string>>;
  /** Called for each attempt: a stream can be read only once. */
  body?: () => Uint8Array | AsyncIterable<Uint8Array>;
  scopes: readonly string[];
  /** Statuses that are answers; every other one is thrown as an error. */
  accept: readonly number[];
  signal: AbortSignal;
};

export type SessionOptions = Pick<RegistryClientOptions, "userAgent" | "random" | "now"> & {
  limits: Limits;
  credentials: Credentials | undefined;
};

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** The longest pause that a registry may ask for (Retry-After). */
const MAX_RETRY_AFTER_MS = 30_000;

/** Requests to one endpoint with one set of credentials: authentication, redirects, retries. */
export class Session implements Disposable {
  readonly endpoint: Endpoint;
  readonly #options: SessionOptions;
  readonly #http: HttpClient;
  readonly #authorizer: Authorizer;

  constructor(endpoint: Endpoint, options: SessionOptions) {
    this.endpoint = endpoint;
    this.#options = options;
    this.#http = new HttpClient(endpoint, options.limits);
    this.#authorizer = new Authorizer({ ...options, http: this.#http });
  }

  get limits(): Limits {
    return this.#options.limits;
  }

  get isAnonymous(): boolean {
    return this.#authorizer.isAnonymous;
  }

  /** As `sendOnce`, but tries again after errors that pass; for requests that may be repeated without harm. */
  async send(request: SessionRequest): Promise<HttpResponse> {
    return this.retry(request.signal, () => this.sendOnce(request));
  }

  /** One request with authentication and redirects. @throws FlotillaError for a status that is not among the accepted. */
  async sendOnce(request: SessionRequest): Promise<HttpResponse> {
    let sent: string | undefined;
    for (let attempt = 0; ; attempt++) {
      const authorization = await this.#authorizer.header(request.scopes, request.signal);
      sent = authorization;
      const response = await this.#follow(request, authorization);
      if (request.accept.includes(response.status)) return response;
      const mayTryAgain = response.status === 401 && attempt < 2 && this.#authorizer.learn(response.headers["www-authenticate"], sent);
      if (!mayTryAgain) throw await errorOfResponse(response, this.limits.stallTimeoutMs);
      await discardBody(response);
    }
  }

  /** Runs an attempt again while its errors are of the kind that passes. */
  async retry<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    for (let failures = 0; ; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (failures + 1 >= this.limits.maxAttempts || !isRetryable(error)) throw error;
        await this.pause(failures, signal, error);
      }
    }
  }

  /** Waits before the next try, with full jitter, and at least as long as the registry asks. */
  async pause(failures: number, signal: AbortSignal, error: unknown): Promise<void> {
    const { backoffMinMs, backoffMaxMs } = this.limits;
    const jitterMs = fullJitterMs(failures, { minMs: backoffMinMs, maxMs: backoffMaxMs }, this.#options.random);
    const asked = error instanceof FlotillaError ? error.details["retryAfterMs"] : undefined;
    const askedMs = typeof asked === "number" ? Math.min(asked, MAX_RETRY_AFTER_MS) : 0;
    try {
      await sleep(Math.max(jitterMs, askedMs), undefined, { signal });
    } catch (cause) {
      throw new FlotillaError("unavailable", "context canceled", { cause, details: { isCancelled: true } });
    }
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  async #follow(request: SessionRequest, authorization: string | undefined): Promise<HttpResponse> {
    let url = typeof request.path === "string" ? new URL(request.path, this.endpoint.base) : request.path;
    for (let redirects = 0; ; redirects++) {
      // What proves who we are goes to the registry alone, not to where it sends us.
      const isOwn = url.origin === this.endpoint.base.origin;
      const proof = isOwn && authorization !== undefined ? { authorization } : {};
      const headers = { "user-agent": this.#options.userAgent, ...request.headers, ...proof };
      const body = request.body?.();
      const { method, signal } = request;
      const response = await this.#http.send({ method, url, headers, signal, ...(body === undefined ? {} : { body }) });
      const isFollowed =
        REDIRECTS.has(response.status) && (method === "GET" || method === "HEAD") && !request.accept.includes(response.status);
      if (!isFollowed) return response;
      await discardBody(response);
      if (redirects >= MAX_REDIRECTS)
        throw new FlotillaError("unavailable", `${this.endpoint.base.host}: stopped after ${MAX_REDIRECTS} redirects`);
      url = locationOf(response);
    }
  }
}

/** Where a Location header leads. @throws FlotillaError `unavailable` when there is none. */
export function locationOf(response: HttpResponse): URL {
  const { location } = response.headers;
  if (location === undefined || !URL.canParse(location, response.url.href)) {
    throw new FlotillaError("unavailable", `${response.url.host}: answer ${response.status} has no usable Location`);
  }
  return new URL(location, response.url);
}

export function isRetryable(error: unknown): boolean {
  return isConnectionError(error) || (error instanceof FlotillaError && error.details["isRetryable"] === true);
}

/** Whether an operation ended because its signal was aborted. */
export function isCancelled(error: unknown): boolean {
  return error instanceof FlotillaError && error.details["isCancelled"] === true;
}
