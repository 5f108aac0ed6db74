import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ApiContext, attachTrpcSockets } from "@flotilla/api";
import type { Actor, StreamBounds } from "@flotilla/services";
import { WebSocketServer } from "ws";
import type { LiveGuard } from "./live-guard.ts";

const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_PER_PERSON = 50;

export type TrpcSocketsOptions = { guard: LiveGuard; bounds: StreamBounds; makeContext: (actor: Actor) => ApiContext };

/** Subscriptions of the dashboard: one socket for each tab, closed when its session, token or membership ends. */
export class TrpcSockets {
  readonly #server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES });
  readonly #actors = new WeakMap<IncomingMessage, Actor>();
  readonly #perPerson = new Map<string, number>();
  readonly #guard: LiveGuard;

  constructor({ guard, bounds, makeContext }: TrpcSocketsOptions) {
    this.#guard = guard;
    attachTrpcSockets(this.#server, {
      bounds,
      createContext: async (req) => makeContext(this.#actors.get(req) ?? { kind: "anonymous", address: null }),
    });
  }

  /** Takes an upgrade; the caller has compared Origin and found out who asks. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, options: { head: Buffer; actor: Actor }): void {
    const { actor } = options;
    if (actor.kind !== "user") return void socket.destroy();
    const open = this.#perPerson.get(actor.userId) ?? 0;
    if (open >= MAX_PER_PERSON) {
      socket.end("HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\n\r\n");
      return;
    }
    this.#perPerson.set(actor.userId, open + 1);
    socket.once("close", () => this.#release(actor.userId));
    this.#actors.set(req, actor);
    this.#server.handleUpgrade(req, socket, options.head, (webSocket) => {
      const object = { kind: "team" as const, id: actor.team.id, name: actor.team.name, teamId: actor.team.id };
      const unwatch = this.#guard.watch({
        actor,
        rights: [{ action: "live.read", object }],
        keepsActor: true,
        end: (reason) => webSocket.close(1008, reason),
      });
      webSocket.once("close", unwatch);
      this.#server.emit("connection", webSocket, req);
    });
  }

  close(): void {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }

  #release(userId: string): void {
    const open = (this.#perPerson.get(userId) ?? 1) - 1;
    if (open <= 0) this.#perPerson.delete(userId);
    else this.#perPerson.set(userId, open);
  }
}
