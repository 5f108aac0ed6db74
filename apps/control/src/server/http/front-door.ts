import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { answerProblem } from "@flotilla/api";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { PEER_PATH } from "@flotilla/protocol";
import { type Actor, findActorBySession, findActorByToken, type ServiceContext } from "@flotilla/services";
import type { AgentHub } from "../agent-hub/agent-hub.ts";
import type { Auth } from "../auth/create-auth.ts";
import { serveAuth } from "../auth/serve-auth.ts";
import type { SignInGuard } from "../auth/sign-in-guard.ts";
import type { PeerDoor } from "../peers/peer-door.ts";
import type { DockerProxy } from "../docker-proxy/docker-proxy.ts";
import type { RegistryDoor } from "../registry/registry-door.ts";
import type { TerminalSessions } from "../terminal/terminal-sessions.ts";
import { serveInstall } from "../install/install-door.ts";
import { serveAudit } from "../download/serve-audit.ts";
import { serveLog } from "../download/serve-log.ts";
import { serveBuild } from "../upload/serve-build.ts";
import { serveUpload } from "../upload/serve-upload.ts";
import { answerError, answerJson, answerText } from "./answer.ts";
import { ADDRESS_HEADER, clientAddress } from "./client-address.ts";
import type { RateLimits } from "./rate-limits.ts";
import type { Metrics } from "../metrics.ts";
import { isSameOrigin, requireSameOrigin } from "./origin.ts";
import { setSecurityHeaders } from "./security-headers.ts";

export type PageHandler = (req: IncomingMessage, res: ServerResponse) => Promise<void> | void;

export type FrontDoorOptions = {
  services: ServiceContext;
  auth: Auth;
  signInGuard: SignInGuard;
  limits: RateLimits;
  hub: AgentHub;
  peers: PeerDoor;
  docker: DockerProxy;
  registry: RegistryDoor;
  terminals: TerminalSessions;
  trpc: (req: IncomingMessage, res: ServerResponse) => void;
  rest: (req: IncomingMessage, res: ServerResponse) => Promise<void>;
  trpcSocket: (req: IncomingMessage, socket: Duplex, options: { head: Buffer; actor: Actor }) => void;
  /** The dashboard; undefined in tests. */
  page: PageHandler | undefined;
  isBehindProxy: boolean;
  isTls: boolean;
  metrics: Metrics;
  isReady: () => Promise<boolean>;
};

const BODY_TIMEOUT_MS = 15_000;

const DOWNLOADS: Readonly<Record<string, typeof serveLog>> = { "/api/download/log": serveLog, "/api/v1/audit/export": serveAudit };

/** The one port: decides by path who answers, and says who asks. */
export class FrontDoor {
  readonly #options: FrontDoorOptions;

  constructor(options: FrontDoorOptions) {
    this.#options = options;
  }

  handle(req: IncomingMessage, res: ServerResponse): void {
    res.on("error", () => undefined);
    this.#route(req, res).catch((error: unknown) => {
      const known = toFlotillaError(error);
      if (known.code === "internal")
        this.#options.services.logger.error("request ended with an unexpected error", { error: known.message, stack: known.stack });
      if (isBelow(pathOf(req), "/api/v1")) answerProblem(res, error);
      else answerError(res, error);
    });
  }

  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    this.#routeUpgrade(req, socket, head).catch((error: unknown) => {
      this.#options.services.logger.error("upgrade ended with an unexpected error", { error: toFlotillaError(error).message });
      socket.destroy();
    });
  }

  /** Who asks: an API token, else the session of the cookie, else nobody. A token that is not good is nobody, whatever the cookie. */
  async findActor(req: IncomingMessage): Promise<Actor> {
    const { services, auth } = this.#options;
    const address = this.#address(req);
    const bearer = /^Bearer (\S{1,128})$/i.exec(req.headers.authorization ?? "")?.[1];
    if (req.headers.authorization !== undefined) {
      return (bearer === undefined ? undefined : await findActorByToken(services, bearer, address)) ?? { kind: "anonymous", address };
    }
    const sessionId = await auth.findSessionId(req);
    return (sessionId === undefined ? undefined : await findActorBySession(services, sessionId, address)) ?? { kind: "anonymous", address };
  }

  /** Who asks, when they have so many calls left. @throws rate_limited */
  async admit(req: IncomingMessage, res: ServerResponse, calls = 1): Promise<Actor> {
    const actor = await this.findActor(req);
    this.#options.limits.admit(actor, res, calls);
    return actor;
  }

  #address(req: IncomingMessage): string {
    return clientAddress(req, this.#options.isBehindProxy);
  }

  async #route(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = pathOf(req);
    const { docker, registry, auth, signInGuard: guard, services } = this.#options;
    const address = this.#address(req);
    req.headers[ADDRESS_HEADER] = address;
    if (isBelow(path, "/docker")) return docker.handle(req, res, address);
    if (isBelow(path, "/v2")) return registry.handle(req, res, { address, isTls: this.#isTls(req) });
    setSecurityHeaders(req, res, this.#isTls(req));
    if (path === "/api/upload/image" || path === "/api/upload/build") {
      requireSameOrigin(req);
      const serve = path === "/api/upload/build" ? serveBuild : serveUpload;
      return serve(services, await this.admit(req, res), { req, res });
    }
    const download = DOWNLOADS[path];
    if (download !== undefined) {
      requireSameOrigin(req);
      return download(services, await this.admit(req, res), { req, res });
    }
    endSlowBody(req);
    if (isBelow(path, "/api/auth")) return serveAuth({ auth, guard, services }, { req, res, address });
    if (isBelow(path, "/api/trpc")) {
      if (req.method !== "GET") requireSameOrigin(req);
      return this.#options.trpc(req, res);
    }
    if (isBelow(path, "/api/v1")) {
      requireSameOrigin(req);
      return this.#options.rest(req, res);
    }
    if (path === "/install.sh" || isBelow(path, "/install")) return serveInstall(req, res, { path, controlUrl: services.publicUrl });
    if (path === "/healthz") return answerText(res, 200, "ok\n");
    if (path === "/readyz") return (await this.#options.isReady()) ? answerText(res, 200, "ready\n") : answerText(res, 503, "not ready\n");
    if (path === "/metrics") return this.#serveMetrics(req, res);
    if (isBelow(path, "/api") || isBelow(path, "/agent") || isBelow(path, "/peer") || this.#options.page === undefined)
      return answerJson(res, 404, { message: "page not found" });
    return this.#options.page(req, res);
  }

  async #routeUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const path = pathOf(req);
    const address = this.#address(req);
    req.headers[ADDRESS_HEADER] = address;
    if (path === "/agent/v1") return this.#options.hub.handleUpgrade(req, socket, { head, address });
    if (path === PEER_PATH) return this.#options.peers.handleUpgrade(req, socket, { head, address });
    if (isBelow(path, "/docker")) return this.#options.docker.handleUpgrade(req, socket, { head, address });
    if (path !== "/api/trpc" && path !== "/api/terminal") {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
      return;
    }
    // CORS does not cover WebSockets: whoever made the browser open this one is found out here.
    const actor: Actor = isSameOrigin(req) ? await this.findActor(req) : { kind: "anonymous", address };
    if (actor.kind !== "user") {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n");
      return;
    }
    if (path === "/api/terminal") this.#options.terminals.handleUpgrade(req, socket, { head, actor });
    else this.#options.trpcSocket(req, socket, { head, actor });
  }

  /** Figures of the control plane are also for those on this machine (a Prometheus beside it) who show no token; a token is what its team may see. */
  async #serveMetrics(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const isLocal = !this.#options.isBehindProxy && this.#address(req).startsWith("127.");
    const actor = await this.findActor(req);
    const isRefused = actor.kind !== "user" && (!isLocal || req.headers.authorization !== undefined);
    if (isRefused) throw new FlotillaError("unauthenticated", "an API token is required");
    return answerText(res, 200, await this.#options.metrics.format(actor, isLocal && actor.kind !== "user"));
  }

  #isTls(req: IncomingMessage): boolean {
    return this.#options.isTls || (this.#options.isBehindProxy && req.headers["x-forwarded-proto"] === "https");
  }
}

/** Uploads may take hours; every other body is a few kilobytes, and a client that trickles them holds nothing for long. */
function endSlowBody(req: IncomingMessage): void {
  if (req.complete) return;
  const timer = setTimeout(() => req.destroy(), BODY_TIMEOUT_MS);
  for (const event of ["end", "close"]) req.once(event, () => clearTimeout(timer));
}

function pathOf(req: IncomingMessage): string {
  return (req.url ?? "/").split("?")[0] ?? "/";
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}
