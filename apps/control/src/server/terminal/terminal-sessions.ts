import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import { HIJACK_BODY_HEADER } from "@flotilla/protocol";
import {
  type Actor,
  audited,
  containerRef,
  ENGINE_API,
  engineDo,
  engineJson,
  isExemptFromGuards,
  namedContainer,
  type ObjectRef,
  openHost,
  requireUser,
  type ServiceContext,
  type TerminalRequest,
  type Terminals,
  toEngineError,
  type UserActor,
} from "@flotilla/services";
import { WebSocketServer } from "ws";
import { z } from "zod";
import type { HostRouter } from "../peers/host-router.ts";
import type { LiveGuard } from "../live-guard.ts";
import { TerminalSession } from "./terminal-session.ts";
import { Tickets } from "./tickets.ts";

const SUBPROTOCOL = "flotilla.terminal.v1";
const MAX_PER_PERSON = 20;
/** Pages that show one terminal at once. */
const MAX_VIEWERS = 10;
const MAX_MESSAGE_BYTES = 256 * 1024;

/** The best shell that the image has. Runs inside the container, with nothing of the caller in it. */
const DEFAULT_COMMAND = ["/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi"];

const created = z.object({ Id: z.string().regex(/^[0-9a-f]{64}$/) });
const execState = z.looseObject({ ExitCode: z.number().nullish() });

type Ticket = { sessionId: string; userId: string };

export type TerminalOptions = { services: ServiceContext; hosts: HostRouter; guard: LiveGuard };

/** Terminals in containers, as exec sessions through the tunnel. They outlive a page, not the control plane. */
export class TerminalSessions implements Terminals {
  readonly #options: TerminalOptions;
  readonly #sessions = new Map<string, TerminalSession>();
  readonly #tickets = new Tickets<Ticket>();
  readonly #onEnd = new Map<string, () => void>();
  /** How many terminals of a person are being opened. */
  readonly #opening = new Map<string, number>();
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: () => SUBPROTOCOL,
  });

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  async open(actor: Actor, request: TerminalRequest): Promise<{ sessionId: string; ticket: string }> {
    const user = requireUser(actor);
    const release = this.#reserve(user.userId);
    try {
      return await this.#open(user, request);
    } finally {
      release();
    }
  }

  /** A place among the person's terminals, from before the first question to the host: many at once are counted too. */
  #reserve(userId: string): () => void {
    const opening = this.#opening.get(userId) ?? 0;
    const open = [...this.#sessions.values()].filter((session) => session.actor.userId === userId).length;
    if (open + opening >= MAX_PER_PERSON)
      throw new FlotillaError("rate_limited", `you have ${MAX_PER_PERSON} terminals open: close one first`);
    this.#opening.set(userId, opening + 1);
    return () => {
      const left = (this.#opening.get(userId) ?? 1) - 1;
      if (left > 0) this.#opening.set(userId, left);
      else this.#opening.delete(userId);
    };
  }

  async #open(user: UserActor, request: TerminalRequest): Promise<{ sessionId: string; ticket: string }> {
    const { services } = this.#options;
    const object = await namedContainer(services, user, { host: request.host, id: containerRef.parse(request.id) });
    // The program only: its arguments may hold a secret.
    const detail = { terminal: true, command: request.command?.[0] ?? "", user: request.user ?? "" };
    const session = await audited(services, { actor: user, action: "container.exec", object, detail }, () =>
      this.#start(user, { request, object }),
    );
    this.#sessions.set(session.id, session);
    const rights = [{ action: "container.exec" as const, object }];
    const unwatch = this.#options.guard.watch({ actor: user, rights, end: (reason) => session.end(reason) });
    this.#onEnd.set(session.id, unwatch);
    return { sessionId: session.id, ticket: this.#tickets.issue({ sessionId: session.id, userId: user.userId }) };
  }

  async reattach(actor: Actor, sessionId: string): Promise<{ ticket: string }> {
    const user = requireUser(actor);
    const session = this.#sessions.get(sessionId);
    if (session === undefined || session.actor.userId !== user.userId) throw new FlotillaError("not_found", "this terminal has ended");
    return { ticket: this.#tickets.issue({ sessionId, userId: user.userId }) };
  }

  /** Takes the upgrade of `/api/terminal`; the caller has compared Origin and found out who asks. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, options: { head: Buffer; actor: Actor }): void {
    const protocols = (req.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    const text = protocols.find((name) => name.startsWith("ticket."))?.slice("ticket.".length);
    const ticket = text === undefined ? undefined : this.#tickets.redeem(text);
    const session = ticket === undefined ? undefined : this.#sessions.get(ticket.sessionId);
    const { actor } = options;
    if (session === undefined || actor.kind !== "user" || actor.userId !== ticket?.userId || !protocols.includes(SUBPROTOCOL)) {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n");
      return;
    }
    if (session.viewers >= MAX_VIEWERS) {
      socket.end("HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\n\r\n");
      return;
    }
    this.#sockets.handleUpgrade(req, socket, options.head, (viewer) => {
      // Whoever looks may be signed in elsewhere than whoever opened it: either session's end is the end of this view.
      const rights = [{ action: "container.exec" as const, object: session.object }];
      const unwatch = this.#options.guard.watch({ actor, rights, end: (reason) => viewer.close(1008, reason) });
      viewer.once("close", unwatch);
      session.addViewer(viewer);
    });
  }

  close(): void {
    for (const session of this.#sessions.values()) session.end("the control plane stops");
    for (const viewer of this.#sockets.clients) viewer.terminate();
    this.#sockets.close();
  }

  async #start(user: UserActor, { request, object }: { request: TerminalRequest; object: ObjectRef }): Promise<TerminalSession> {
    const { host, link, namespace } = await openHost(this.#options.services, user, request.host);
    const body = {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
      Cmd: request.command ?? DEFAULT_COMMAND,
      Env: ["TERM=xterm-256color"],
      ConsoleSize: [request.rows, request.cols],
      ...(request.user === undefined ? {} : { User: request.user }),
    };
    const path = `/containers/${encodeURIComponent(request.id.replace(/^\//, ""))}/exec`;
    const { Id: execId } = await engineJson(link, { namespace, method: "POST", path, body }, created);
    const start = JSON.stringify({ Detach: false, Tty: true, ConsoleSize: [request.rows, request.cols] });
    const headers = { "content-type": "application/json", [HIJACK_BODY_HEADER]: String(Buffer.byteLength(start)) };
    const { input, output, answered } = await this.#options.hosts
      .get(host)
      .openRaw({ namespace, isExempt: isExemptFromGuards(user), method: "POST", path: `${ENGINE_API}/exec/${execId}/start`, headers });
    input.write(start);
    const answer = await answered;
    if (!answer.isUpgraded) throw await toEngineError(answer.status, output);
    const id = randomUUID();
    return new TerminalSession({
      id,
      actor: user,
      object,
      input,
      output,
      resize: ({ cols, rows }) => engineDo(link, { namespace, method: "POST", path: `/exec/${execId}/resize?h=${rows}&w=${cols}` }),
      readExitCode: async () =>
        (await engineJson(link, { namespace, method: "GET", path: `/exec/${execId}/json` }, execState)).ExitCode ?? null,
      onEnd: () => this.#forget(id),
    });
  }

  #forget(id: string): void {
    this.#sessions.delete(id);
    this.#onEnd.get(id)?.();
    this.#onEnd.delete(id);
  }
}
