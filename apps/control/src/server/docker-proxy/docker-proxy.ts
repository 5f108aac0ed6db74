import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { constants } from "node:http2";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { shieldBody } from "@flotilla/engine-api";
import { CALLER_HEADER, HIJACK_BODY_HEADER } from "@flotilla/protocol";
import { finishAudit, isExemptFromGuards, recordAudit, type ServiceContext, type StreamBounds } from "@flotilla/services";
import type { HostRouter } from "../peers/host-router.ts";
import { answerError, describeError } from "../http/answer.ts";
import type { RateLimits } from "../http/rate-limits.ts";
import type { LiveGuard } from "../live-guard.ts";
import { type Admitted, admitDockerCall } from "./admit.ts";
import { forwardHeaders, returnHeaders } from "./forward-headers.ts";
import { sendRedacted } from "./send-redacted.ts";

export type DockerProxyOptions = {
  services: ServiceContext;
  hosts: HostRouter;
  guard: LiveGuard;
  limits: RateLimits;
  bounds: StreamBounds;
};

/** The Docker Engine API of each host at `/docker/<host>/…`. */
export class DockerProxy {
  readonly #options: DockerProxyOptions;

  constructor(options: DockerProxyOptions) {
    this.#options = options;
  }

  /** One plain call: streaming both ways, with back-pressure from end to end. */
  async handle(req: IncomingMessage, res: ServerResponse, address: string): Promise<void> {
    const { services, hosts, limits } = this.#options;
    try {
      // Node hands such a request over and breaks off afterwards: the host would act on a request that the client is told was refused.
      if (!/^(chunked)?$/i.test(req.headers["transfer-encoding"] ?? ""))
        throw new FlotillaError("invalid", "the only transfer encoding of a request is chunked");
      const admitted = await admitDockerCall(services, req, address);
      limits.admit(admitted.actor, res);
      const gone = new AbortController();
      res.once("close", () => gone.abort());
      const unwatch = this.#watch(admitted, () => res.destroy());
      res.once("close", unwatch);
      const caller = services.callers.issue(admitted.host.id, admitted.actor);
      res.once("close", caller.end);
      await this.#audited(admitted, async () => {
        const response = await hosts.get(admitted.host).request({
          method: req.method ?? "GET",
          path: admitted.target,
          namespace: admitted.actor.team.namespace,
          isExempt: isExemptFromGuards(admitted.actor),
          headers: { ...forwardHeaders(req.headers), [CALLER_HEADER]: caller.ticket },
          ...(hasBody(req) ? { body: shieldBody(req) } : {}),
          signal: gone.signal,
        });
        if (admitted.isRedacted && response.status === 200) return { status: 200, done: sendRedacted(response, res) };
        res.writeHead(response.status, returnHeaders(response.headers));
        res.flushHeaders();
        if (!req.complete) res.once("finish", () => endUpload(req));
        return { status: response.status, done: pipeline(response.body, res) };
      });
    } catch (error) {
      this.#answerFailure(req, res, error);
    }
  }

  /** A call that asks to upgrade (attach, exec): the connection becomes raw bytes both ways, or ends. */
  async handleUpgrade(req: IncomingMessage, socket: Duplex, options: { head: Buffer; address: string }): Promise<void> {
    const { services, hosts, limits } = this.#options;
    socket.on("error", () => socket.destroy());
    try {
      const length = Number(req.headers["content-length"] ?? "0");
      // With an upgrade nobody parses the body for us; a chunked one could hide a second request.
      if (req.headers["transfer-encoding"] !== undefined || !Number.isSafeInteger(length) || length > 1_048_576) {
        writeFailure(socket, { status: 400, message: "an upgraded request must have a short body of known length" });
        return;
      }
      const admitted = await admitDockerCall(services, req, options.address);
      limits.admit(admitted.actor, undefined);
      const unwatch = this.#watch(admitted, () => socket.destroy());
      socket.once("close", unwatch);
      await this.#audited(admitted, async () => {
        const { "content-length": _, ...headers } = forwardHeaders(req.headers);
        const { input, output, answered } = await hosts.get(admitted.host).openRaw({
          method: req.method ?? "POST",
          path: admitted.target,
          namespace: admitted.actor.team.namespace,
          isExempt: isExemptFromGuards(admitted.actor),
          headers: { ...headers, [HIJACK_BODY_HEADER]: String(length) },
        });
        socket.once("close", () => input.close(constants.NGHTTP2_CANCEL));
        if (options.head.length > 0) input.write(options.head);
        socket.pipe(input);
        const response = await answered;
        if (response.isUpgraded) {
          socket.write(formatHead("101 UPGRADED", { ...returnHeaders(response.headers), connection: "Upgrade", upgrade: "tcp" }));
          return { status: 101, done: pipeline(output, socket).finally(() => linger(socket)) };
        }
        // Not upgraded: whatever else the client sends on this connection is not part of any call (CVE-2018-1002105).
        socket.unpipe(input);
        socket.write(formatHead(String(response.status), { ...returnHeaders(response.headers), connection: "close" }));
        return { status: response.status, done: pipeline(output, socket).finally(() => socket.destroy()) };
      });
    } catch (error) {
      this.#logUnexpected(error);
      writeFailure(socket, describeError(error));
    }
  }

  /** A call is watched, and counted as a stream, until the returned function is called. @throws rate_limited */
  #watch(admitted: Admitted, end: () => void): () => void {
    const release = this.#options.bounds.open(admitted.actor);
    const { actor, action, object } = admitted;
    const unwatch = this.#options.guard.watch({ actor, rights: [{ action, object }], end });
    return () => {
      unwatch();
      release();
    };
  }

  /**
   * Changes are audited before they are sent, and their outcome is known by the head of the answer. The body may go on
   * for hours: its end is not waited for.
   */
  async #audited(admitted: Admitted, work: () => Promise<{ status: number; done: Promise<unknown> }>): Promise<void> {
    const { services } = this.#options;
    const { actor, action, object, isChange, target } = admitted;
    const call = target.split("?")[0] ?? "";
    const id = isChange ? await recordAudit(services.prisma, { actor, action, object, outcome: "started", detail: { call } }) : undefined;
    const finish = (outcome: "ok" | "failed", status: number): void => {
      if (id !== undefined) void finishAudit(services, id, { outcome, detail: { call, status } });
    };
    let done: Promise<unknown>;
    try {
      const answer = await work();
      finish(answer.status < 400 ? "ok" : "failed", answer.status);
      done = answer.done;
    } catch (error) {
      finish("failed", describeError(error).status);
      throw error;
    }
    // A client or host that goes away in the middle of a body is everyday life; both ends are closed by the pipeline.
    await done.catch(() => undefined);
  }

  #answerFailure(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    this.#logUnexpected(error);
    if (res.destroyed) return;
    if (!req.complete) res.once("finish", () => endUpload(req));
    answerError(res, error);
  }

  #logUnexpected(error: unknown): void {
    const known = toFlotillaError(error);
    if (known.code === "internal")
      this.#options.services.logger.error("docker call ended with an unexpected error", { error: known.message, stack: known.stack });
  }
}

const LINGER_MS = 2_000;
const UPLOAD_LINGER_MS = 10_000;

/** Reads and drops the rest of an upload until the client has read the answer and closes. */
function endUpload(req: IncomingMessage): void {
  req.resume();
  const timer = setTimeout(() => req.destroy(), UPLOAD_LINGER_MS);
  req.once("close", () => clearTimeout(timer));
}

/** The program ended; a client that does not close its half is not waited for. */
function linger(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}

function hasBody(req: IncomingMessage): boolean {
  return req.headers["transfer-encoding"] !== undefined || Number(req.headers["content-length"] ?? "0") > 0;
}

function writeFailure(socket: Duplex, failure: { status: number; message: string }): void {
  if (socket.destroyed) return;
  const body = JSON.stringify({ message: failure.message });
  socket.end(
    formatHead(String(failure.status), {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      connection: "close",
    }) + body,
    () => socket.destroy(),
  );
}

function formatHead(status: string, headers: Readonly<Record<string, string>>): string {
  const reason = status.includes(" ") ? status : `${status} ${STATUS_CODES[status] ?? ""}`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value.split(/[\r\n]/, 1)[0] ?? ""}\r\n`);
  return `HTTP/1.1 ${reason}\r\n${lines.join("")}\r\n`;
}
