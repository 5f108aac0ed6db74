// One HTTP request, with the guard against being led inside. A registry may name other hosts (redirects, token realms,
// upload locations). Those that are neither the registry itself nor allowed by the operator must speak TLS and have a public
// address; the address that was checked is the one that is connected to, so a second look-up cannot change it.
import { FlotillaError } from "@flotilla/core";
import { lookup as dnsLookup, type LookupAddress } from "node:dns";
import type * as Http from "node:http";
import type { Agent as HttpAgent, ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import type { Endpoint } from "./endpoint.ts";
import type { Limits } from "./options.ts";
import { isPublicAddress } from "./public-address.ts";

/** As packages/engine-api/src/node-http.ts says. */
const http: typeof Http = process.getBuiltinModule("node:http");

export type HttpRequest = {
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  url: URL;
  headers: Readonly<Record<string, string>>;
  /** Sent with Content-Length, which must be among the headers when it is a stream. */
  body?: Uint8Array | AsyncIterable<Uint8Array>;
  signal: AbortSignal;
};

/** Whoever gets a response reads its body to the end or destroys it. */
export type HttpResponse = { status: number; headers: IncomingHttpHeaders; url: URL; body: IncomingMessage };

/** Requests on behalf of one endpoint. */
export class HttpClient implements Disposable {
  readonly #endpoint: Endpoint;
  readonly #limits: Limits;
  readonly #agents: { http: HttpAgent; https: HttpsAgent; guarded: HttpsAgent };

  constructor(endpoint: Endpoint, limits: Limits) {
    this.#endpoint = endpoint;
    this.#limits = limits;
    const keep = { keepAlive: true, maxFreeSockets: 8 };
    const own = { ...keep, ...(endpoint.isPublicOnly ? { lookup: publicLookup } : {}) };
    const tls = { ...own, rejectUnauthorized: !endpoint.isUnverified, ...(endpoint.ca === undefined ? {} : { ca: endpoint.ca }) };
    this.#agents = { http: new http.Agent(own), https: new HttpsAgent(tls), guarded: new HttpsAgent({ ...keep, lookup: publicLookup }) };
  }

  /** The registry itself or an origin that the operator allowed. Only there go the registry's credentials without question. */
  isTrusted(url: URL): boolean {
    return url.origin === this.#endpoint.base.origin || this.#endpoint.allowedOrigins.has(url.origin);
  }

  /** @throws FlotillaError `forbidden` for an address that it must not be led to, `unavailable` when there is no answer. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const { url } = request;
    this.#assertAllowed(url);
    const isPlain = url.protocol === "http:";
    const agent = isPlain ? this.#agents.http : this.isTrusted(url) ? this.#agents.https : this.#agents.guarded;
    const options: RequestOptions = { method: request.method, headers: request.headers, agent, signal: request.signal };
    const outgoing = isPlain ? http.request(url, options) : httpsRequest(url, options);
    const answer = this.#awaitAnswer(outgoing, url);
    void sendBody(outgoing, request.body);
    const body = await answer;
    // An answer that came before the body was sent (a refusal) makes the rest of it useless.
    body.once("close", () => {
      if (!outgoing.writableFinished) outgoing.destroy();
    });
    return { status: body.statusCode ?? 0, headers: body.headers, url, body };
  }

  [Symbol.dispose](): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  #assertAllowed(url: URL): void {
    const refuse = (why: string): never => {
      throw new FlotillaError("forbidden", `registry ${this.#endpoint.base.host} names ${url.origin}, which is refused: ${why}`);
    };
    if (url.protocol !== "https:" && url.protocol !== "http:") refuse("it is neither http nor https");
    if (url.username !== "" || url.password !== "") refuse("it has credentials in it");
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const isInside = isIP(host) !== 0 && !isPublicAddress(host);
    if (this.#endpoint.allowedOrigins.has(url.origin)) return;
    if (this.isTrusted(url)) {
      if (this.#endpoint.isPublicOnly && isInside) refuse("it is not a public address");
      return;
    }
    if (url.protocol !== "https:") refuse("it is not https");
    if (isInside) refuse("it is not a public address");
  }

  /** Whether the registry's credentials may be sent there, to get a token. */
  mayProve(url: URL): boolean {
    const { credentialOrigins } = this.#endpoint;
    return credentialOrigins === undefined || this.isTrusted(url) || credentialOrigins.has(url.origin);
  }

  async #awaitAnswer(outgoing: ClientRequest, url: URL): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    // The clock runs while nothing moves in either direction, so that a long upload is not taken for a missing answer.
    outgoing.setTimeout(this.#limits.headersTimeoutMs, () => {
      outgoing.destroy(new FlotillaError("unavailable", `${url.host}: timeout awaiting response headers`));
    });
    outgoing.on("response", (message) => {
      // From here on the reader of the body watches the time: a slow reader is not a slow server.
      outgoing.setTimeout(0);
      resolve(message);
    });
    outgoing.on("error", (error) => reject(connectionError(error, url)));
    return promise;
  }
}

/** Whether another try may help: the connection failed, and not because of what was asked. */
export function isConnectionError(error: unknown): boolean {
  return error instanceof FlotillaError && error.code === "unavailable" && error.details["isConnection"] === true;
}

async function sendBody(outgoing: ClientRequest, body: HttpRequest["body"]): Promise<void> {
  if (body === undefined) return void outgoing.end();
  if (body instanceof Uint8Array) return void outgoing.end(body);
  try {
    await pipeline(Readable.from(body, { objectMode: false, highWaterMark: 256 * 1024 }), outgoing);
  } catch (error) {
    // The request's own error says more and comes by its event; an error of the source must end the request.
    outgoing.destroy(error instanceof Error ? error : new Error("reading the body ended", { cause: error }));
  }
}

function connectionError(error: Error & { code?: string }, url: URL): FlotillaError {
  const found = error instanceof FlotillaError ? error : error.cause instanceof FlotillaError ? error.cause : undefined;
  if (found !== undefined && found.code !== "unavailable") return found;
  if (error.name === "AbortError")
    return new FlotillaError("unavailable", "context canceled", { cause: error, details: { isCancelled: true } });
  const message = found?.message ?? `${url.host}: ${error.message}`;
  const isTls = /^(ERR_SSL|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(error.code ?? "") || error.code === "EPROTO";
  return new FlotillaError("unavailable", message, { cause: error, details: { isConnection: true, isTls } });
}

/** As the system looks names up, but with an error when any of the addresses is inside. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error !== null) return callback(error, "", 0);
    const inside = addresses.find(({ address }) => !isPublicAddress(address));
    const [first] = addresses;
    if (inside !== undefined || first === undefined) {
      return callback(new FlotillaError("forbidden", `${hostname} is refused: it has an address that is not public`), "", 0);
    }
    if (options.all === true) return callback(null, addresses);
    callback(null, first.address, first.family);
  });
};
