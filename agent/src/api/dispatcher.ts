import { finished } from "node:stream/promises";
import { FlotillaError, HTTP_STATUS, toFlotillaError, type Logger } from "@flotilla/core";
import { API_VERSION_MAX, formatApiVersion } from "@flotilla/engine-api";
import { readJson, type BodyLimits } from "./body.ts";
import type { Call, Reply, Route } from "./call.ts";
import type { Exchange } from "./exchange.ts";
import { Router } from "./router.ts";
import { splitVersion } from "./version-gate.ts";

export type DispatcherOptions = { routes: readonly Route[]; productVersion: string; limits: BodyLimits; logger: Logger };

/**
 * Runs one request: version, route, handler, answer. It never throws: what a handler throws becomes the error answer, or
 * cuts the connection when the answer had begun.
 */
export class Dispatcher {
  readonly #router: Router;
  readonly limits: BodyLimits;
  readonly #logger: Logger;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: DispatcherOptions) {
    this.#router = new Router(options.routes);
    this.limits = options.limits;
    this.#logger = options.logger;
    this.#headers = {
      "Api-Version": formatApiVersion(API_VERSION_MAX),
      "Docker-Experimental": "false",
      Ostype: "linux",
      Server: `Flotilla/${options.productVersion} (linux)`,
    };
  }

  async dispatch(exchange: Exchange): Promise<void> {
    let reply: Reply;
    try {
      reply = await this.#handle(exchange);
    } catch (error) {
      reply = this.#errorReply(exchange, error);
    }
    try {
      await this.#send(exchange, reply);
    } catch (error) {
      if (exchange.signal.aborted) return;
      this.#logger.warn("answer was cut off", { method: exchange.method, path: pathOf(exchange), error: toFlotillaError(error).message });
    }
  }

  async #handle(exchange: Exchange): Promise<Reply> {
    const [rawPath = "/", ...queryParts] = exchange.target.split("?");
    const { version, path } = splitVersion(rawPath);
    const match = this.#router.find(exchange.method, path);
    if (match === undefined) throw new FlotillaError("not_found", "page not found");
    const call: Call = {
      namespace: exchange.namespace,
      isExempt: exchange.isExempt,
      version,
      method: exchange.method,
      params: match.params,
      query: new URLSearchParams(queryParts.join("?")),
      header: (name) => exchange.header(name),
      body: exchange.body,
      signal: exchange.signal,
      json: async (schema) => {
        checkContentType(exchange);
        return await readJson(exchange.body, schema, this.limits);
      },
    };
    return await match.handler(call);
  }

  #errorReply(exchange: Exchange, error: unknown): Reply {
    const failure = toFlotillaError(error);
    const status = HTTP_STATUS[failure.code];
    if (failure.code === "internal" && !exchange.signal.aborted) {
      const { method, namespace } = exchange;
      this.#logger.error("request failed", {
        method,
        path: pathOf(exchange),
        namespace,
        error: failure.message,
        stack: failure.stack,
        cause: failure.cause,
      });
    }
    return status === 304 ? { kind: "empty", status } : { kind: "json", status, body: { message: failure.message } };
  }

  async #send(exchange: Exchange, reply: Reply): Promise<void> {
    const { responder } = exchange;
    switch (reply.kind) {
      case "empty":
        return responder.end({ status: reply.status, headers: { ...this.#headers, ...reply.headers } });
      case "json": {
        const headers = { ...this.#headers, "Content-Type": "application/json", ...reply.headers };
        return responder.end({ status: reply.status, headers }, Buffer.from(`${JSON.stringify(reply.body)}\n`));
      }
      case "text": {
        const headers = { ...this.#headers, "Content-Type": "text/plain; charset=utf-8", ...reply.headers };
        return responder.end({ status: reply.status, headers }, Buffer.from(reply.body));
      }
      case "stream": {
        const sink = responder.stream({
          status: reply.status,
          headers: { ...this.#headers, "Content-Type": reply.contentType, ...reply.headers },
        });
        return await runOwned(sink, () => reply.write(sink));
      }
      case "hijack": {
        const type: Record<string, string> = reply.contentType === undefined ? {} : { "Content-Type": reply.contentType };
        const connection = await responder.hijack({ ...this.#headers, ...type, ...reply.headers }, reply.protocol ?? "tcp");
        return await runOwned(connection, () => reply.run(connection));
      }
    }
  }
}

/** For the log: the query may hold a secret (build arguments, changes of an import). */
function pathOf(exchange: Exchange): string {
  return exchange.target.split("?", 1)[0] ?? "";
}

/** Ends the stream after `work`, or destroys it when `work` throws. */
async function runOwned(stream: NodeJS.WritableStream & { destroy(): void; destroyed: boolean }, work: () => Promise<void>): Promise<void> {
  // A stream without a listener for errors ends the process when the client disappears.
  stream.on("error", () => undefined);
  try {
    await work();
  } catch (error) {
    stream.destroy();
    throw error;
  }
  if (stream.destroyed) return;
  stream.end();
  await finished(stream, { readable: false });
}

/** Docker's check: a body needs no type, but a type that is named must be JSON. */
function checkContentType(exchange: Exchange): void {
  const type = exchange.header("content-type");
  if (type === undefined || type === "" || exchange.header("content-length") === "0") return;
  const isEmpty = exchange.header("content-length") === undefined && exchange.header("transfer-encoding") === undefined;
  if (isEmpty || /^application\/json\s*(;|$)/i.test(type.trim())) return;
  throw new FlotillaError("invalid", `Content-Type specified (${type}) must be 'application/json'`);
}
