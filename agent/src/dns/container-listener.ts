// The sockets that one container's programs reach as 127.0.0.11: whoever asks there is that container.
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { openInetSocket } from "../host/inet-sockets.ts";
import { closeSocket } from "../host/socket.ts";
import { frame, MessageStream } from "./message-stream.ts";
import { RESOLVER_ADDRESS, RESOLVER_PORT } from "./resolver-state.ts";

/** undefined: no answer at all. Never rejects. */
export type Answerer = (message: Buffer, transport: "udp" | "tcp") => Promise<Buffer | undefined>;

/** Connections of one container at a time, and how long each may say nothing. */
const MAX_CONNECTIONS = 64;
const IDLE_MS = 10_000;
/** Questions of one connection that wait for their answers: the client is not read meanwhile. */
const MAX_PIPELINED = 16;

/** A socket for datagrams and one for connections, in the container's network namespace. */
export class ContainerListener {
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();

  private constructor(answer: Answerer) {
    this.#udp = createSocket("udp4");
    this.#udp.on("error", () => undefined);
    this.#udp.on("message", (message, { address, port }) => {
      void answer(message, "udp").then((reply) => {
        // The client may be gone, the socket closed: neither is ours to mend.
        if (reply !== undefined && !this.#isClosed) this.#udp.send(reply, port, address, () => undefined);
      });
    });
    this.#tcp = createServer((socket) => this.#serve(socket, answer));
    this.#tcp.maxConnections = MAX_CONNECTIONS;
    this.#tcp.on("error", () => undefined);
  }

  #isClosed = false;

  /** @throws FlotillaError when the namespace is gone or the address is taken in it. */
  static async open(netnsPath: string, answer: Answerer): Promise<ContainerListener> {
    const wish = { address: RESOLVER_ADDRESS, port: RESOLVER_PORT, netnsPath, isShared: true };
    const udpFd = openInetSocket({ ...wish, type: "udp" });
    let tcpFd: number;
    try {
      tcpFd = openInetSocket({ ...wish, type: "tcp" });
    } catch (error) {
      closeSocket(udpFd);
      throw error;
    }
    const listener = new ContainerListener(answer);
    await Promise.all([
      new Promise<void>((resolve, reject) => listener.#udp.once("error", reject).bind({ fd: udpFd, exclusive: true }, resolve)),
      new Promise<void>((resolve, reject) => listener.#tcp.once("error", reject).listen({ fd: tcpFd, exclusive: true }, resolve)),
    ]);
    return listener;
  }

  /** Lets go of the namespace. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#udp.close();
    this.#tcp.close();
    for (const socket of this.#connections) socket.destroy();
  }

  #serve(socket: Socket, answer: Answerer): void {
    this.#connections.add(socket);
    let waiting = 0;
    const messages = new MessageStream((message) => {
      waiting += 1;
      if (waiting >= MAX_PIPELINED) socket.pause();
      void answer(message, "tcp").then((reply) => {
        waiting -= 1;
        if (socket.destroyed) return;
        if (reply !== undefined) socket.write(frame(reply));
        if (socket.isPaused()) socket.resume();
      });
    });
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("close", () => this.#connections.delete(socket));
    socket.on("data", (chunk: Buffer) => messages.push(chunk));
  }
}
