import type { IncomingMessage } from "node:http";
import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { toFlotillaError } from "@flotilla/core";
import {
  HEARTBEAT_INTERVAL_MS,
  LinkSocket,
  MAX_MESSAGE_BYTES,
  PEER_REFUSALS,
  PEER_SUBPROTOCOL,
  SILENCE_LIMIT_MS,
  type SigningKey,
} from "@flotilla/protocol";
import { type Actor, type ObjectRef, recordAudit, type ServiceContext } from "@flotilla/services";
import { WebSocketServer } from "ws";
import { Admission } from "../agent-hub/admission.ts";
import { channelOf } from "../agent-hub/server-handshake.ts";
import { provePeerAsAcceptor } from "./peer-handshake.ts";

/** Peers are few, and dial anew every few seconds at most. */
const ADMISSION = { perSecond: 10, burst: 50 };
const LINGER_MS = 2_000;
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
const MAX_STREAMS = 16_384;
const SESSION_MEMORY_MB = 256;

export type PeerDoorOptions = {
  services: ServiceContext;
  key: SigningKey;
  planeId: string;
  isBehindProxy: boolean;
  /** Serves one call of a peer that has proved to be one. */
  serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
};

/** Takes the connections of other control planes at `/peer/v1`. */
export class PeerDoor {
  readonly #options: PeerDoorOptions;
  readonly #admission = new Admission(ADMISSION);
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: () => PEER_SUBPROTOCOL,
  });

  constructor(options: PeerDoorOptions) {
    this.#options = options;
  }

  handleUpgrade(req: IncomingMessage, socket: Duplex, options: { head: Buffer; address: string }): void {
    const protocols = (req.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    // No browser has business here.
    if (!protocols.includes(PEER_SUBPROTOCOL) || req.headers.origin !== undefined) {
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
      return;
    }
    if (!this.#admission.tryTake()) {
      socket.end("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\n\r\n");
      return;
    }
    const channel = channelOf(req, { address: options.address, isBehindProxy: this.#options.isBehindProxy });
    this.#sockets.handleUpgrade(req, socket, options.head, (webSocket) => void this.#admit(new LinkSocket(webSocket), channel));
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }

  async #admit(socket: LinkSocket, channel: ReturnType<typeof channelOf>): Promise<void> {
    const { services, key, planeId } = this.#options;
    try {
      const { from } = await provePeerAsAcceptor(socket, channel, { key, planeId });
      socket.sendText({ type: "welcome" });
      services.logger.info("another control plane has connected", { planeId: from, address: channel.address });
      this.#serve(socket);
    } catch (error) {
      const known = toFlotillaError(error);
      const code = PEER_REFUSALS.find((refusal) => refusal === known.details["refusal"]);
      if (code === undefined)
        services.logger.warn("handshake of a control plane ended", { address: channel.address, error: known.message });
      else {
        await this.#audit(code, channel.address);
        socket.sendText({ type: "refused", code, message: known.message });
      }
      socket.close(1008, code ?? "handshake");
      setTimeout(() => socket.terminate(), LINGER_MS).unref();
    }
  }

  #serve(socket: LinkSocket): void {
    const connection = socket.toStream();
    const session = serveSession(connection, this.#options.serve);
    const ping = setInterval(() => {
      if (Date.now() - socket.lastHeardMs > SILENCE_LIMIT_MS) socket.terminate();
      else socket.ping();
    }, HEARTBEAT_INTERVAL_MS);
    void socket.closed.then(() => {
      clearInterval(ping);
      session.destroy();
    });
  }

  async #audit(code: string, address: string): Promise<void> {
    const { services } = this.#options;
    const actor: Actor = { kind: "anonymous", address };
    const object: ObjectRef = { kind: "instance", id: "", name: "", teamId: null };
    if (!services.refusals.admit(`peer\0${address}\0${code}`)) return;
    try {
      await recordAudit(services.prisma, { actor, action: "instance.peer", object, outcome: "refused", detail: { reason: code } });
    } catch (error) {
      services.logger.error("refused control plane could not be audited", { code, error: toFlotillaError(error).message });
    }
  }
}

function serveSession(connection: Duplex, serve: PeerDoorOptions["serve"]): ServerHttp2Session {
  const session = performServerHandshake(connection, {
    settings: { initialWindowSize: STREAM_WINDOW_BYTES, maxConcurrentStreams: MAX_STREAMS, enablePush: false },
    maxSessionMemory: SESSION_MEMORY_MB,
  });
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  session.on("error", () => connection.destroy());
  session.on("stream", serve);
  connection.once("close", () => session.destroy());
  connection.on("error", () => undefined);
  return session;
}
