import type { IncomingMessage, ServerResponse } from "node:http";
import { toFlotillaError } from "@flotilla/core";
import {
  findRegistryCaller,
  locateRepository,
  OPERATION_ACTIONS,
  registryCodeOf,
  registryError,
  type RegistryCaller,
  type ServiceContext,
} from "@flotilla/services";
import type { SignInGuard } from "../auth/sign-in-guard.ts";
import type { RateLimits } from "../http/rate-limits.ts";
import type { LiveGuard } from "../live-guard.ts";
import { answerRegistryError, answerRegistryJson, type CallerExchange, type Exchange, setRegistryHeaders } from "./exchange.ts";
import { operationOf, parseRegistryRoute, type RegistryRoute } from "./parse-route.ts";
import { serveBlob } from "./serve-blob.ts";
import { serveCatalog, serveReferrers, serveTags } from "./serve-listing.ts";
import { serveManifest } from "./serve-manifest.ts";
import { serveToken } from "./token-endpoint.ts";
import { serveUpload, serveUploads } from "./serve-upload.ts";

export type RegistryDoorOptions = { services: ServiceContext; guard: LiveGuard; signInGuard: SignInGuard; limits: RateLimits };

/** `/v2/…`: the OCI distribution specification 1.1 over HTTP. Cookies mean nothing here: only what the client sends on purpose. */
export class RegistryDoor {
  readonly #options: RegistryDoorOptions;

  constructor(options: RegistryDoorOptions) {
    this.#options = options;
  }

  async handle(req: IncomingMessage, res: ServerResponse, client: { address: string; isTls: boolean }): Promise<void> {
    const { services } = this.#options;
    setRegistryHeaders(res);
    const [path = "/", search = ""] = (req.url ?? "/").split("?", 2);
    const query = new URLSearchParams(search);
    const exchange: Exchange = { services, req, res, query, origin: originOf(req, client.isTls), address: client.address };
    let route: RegistryRoute | undefined;
    try {
      route = parseRegistryRoute(path);
      await this.#serve(exchange, route);
    } catch (error) {
      const known = toFlotillaError(error);
      // A client that went away in the middle is no fault of ours; what else is not a FlotillaError is.
      if (known.code === "internal" && !res.destroyed && !req.destroyed) {
        services.logger.error("registry request ended with an unexpected error", {
          error: known.message,
          code: registryCodeOf(known),
          stack: known.stack,
        });
      }
      answerRegistryError(exchange, error, route);
    }
  }

  async #serve(exchange: Exchange, route: RegistryRoute | undefined): Promise<void> {
    if (route?.kind === "token") return serveToken(exchange, this.#options.signInGuard);
    const caller = await findCaller(exchange);
    try {
      this.#options.limits.admit(caller.actor, exchange.res);
    } catch (error) {
      throw registryError("TOOMANYREQUESTS", toFlotillaError(error).message);
    }
    if (route === undefined) throw registryError("NAME_UNKNOWN", "page not found");
    const unwatch = await this.#watch({ ...exchange, caller }, route);
    try {
      await dispatch({ ...exchange, caller }, route);
    } finally {
      unwatch();
    }
  }

  /** A pull or push that goes on when the right to it ends is cut off within seconds. */
  async #watch({ services, caller, req, res }: CallerExchange, route: RegistryRoute): Promise<() => void> {
    const operation = operationOf(route, req.method ?? "GET");
    if (
      caller.actor.kind !== "user" ||
      operation === undefined ||
      (route.kind !== "blob" && route.kind !== "upload" && route.kind !== "uploads")
    )
      return () => undefined;
    const { object } = await locateRepository(services, route.name);
    return this.#options.guard.watch({
      actor: caller.actor,
      rights: [{ action: OPERATION_ACTIONS[operation], object }],
      end: () => res.destroy(),
    });
  }
}

/** @throws UNAUTHORIZED for a bearer token that is not good. */
async function findCaller({ services, req, address }: Exchange): Promise<RegistryCaller> {
  const header = req.headers.authorization;
  if (header === undefined) return { actor: { kind: "anonymous", address }, grants: "all" };
  const bearer = /^Bearer ([\x21-\x7e]{1,16384})$/i.exec(header)?.[1];
  const caller = bearer === undefined ? undefined : await findRegistryCaller(services, bearer, address);
  if (caller === undefined) throw registryError("UNAUTHORIZED", "authentication required");
  return caller;
}

async function dispatch(exchange: CallerExchange, route: RegistryRoute): Promise<void> {
  const { req } = exchange;
  const isRead = req.method === "GET" || req.method === "HEAD";
  if (route.kind === "base" || route.kind === "catalog" || route.kind === "token") {
    if (!isRead) throw registryError("UNSUPPORTED", "the operation is unsupported");
    if (req.headers.authorization === undefined) throw registryError("UNAUTHORIZED", "authentication required");
    return route.kind === "catalog" ? serveCatalog(exchange) : answerRegistryJson(exchange, 200, { body: {} });
  }
  if (operationOf(route, req.method ?? "GET") === undefined) throw registryError("UNSUPPORTED", "the operation is unsupported");
  switch (route.kind) {
    case "tags":
      return serveTags(exchange, route.name);
    case "manifest":
      return serveManifest(exchange, route);
    case "referrers":
      return serveReferrers(exchange, route);
    case "blob":
      return serveBlob(exchange, route);
    case "uploads":
      return serveUploads(exchange, route.name);
    case "upload":
      return serveUpload(exchange, route);
  }
}

/** The address that the client itself uses, if its Host header is nothing but a host: tokens are fetched there. */
function originOf(req: IncomingMessage, isTls: boolean): string {
  const host = req.headers.host ?? "";
  return `${isTls ? "https" : "http"}://${/^[\w.[\]:-]{1,255}$/.test(host) ? host : "localhost"}`;
}
