// Exchanges with resolvers outside, over sockets of the namespace that the question is to leave from.
import { createSocket } from "node:dgram";
import { isIPv6, Socket } from "node:net";
import { FlotillaError } from "@flotilla/core";
import { openInetSocket } from "../host/inet-sockets.ts";
import { closeSocket } from "../host/socket.ts";
import type { ExchangeOptions, Transport, Upstream } from "./forwarder.ts";
import { MessageStream, frame } from "./message-stream.ts";

export const socketTransport: Transport = { datagram: exchangeDatagrams, stream: exchangeStream };

async function exchangeDatagrams(upstream: Upstream, message: Buffer, { timeoutMs, accept }: ExchangeOptions): Promise<Buffer> {
  const socket = createSocket(isIPv6(upstream.address) ? "udp6" : "udp4");
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  // Connected: the kernel drops what others send here, and says so when nobody listens there.
  socket.on("error", reject);
  socket.on("message", (answer) => {
    if (accept(answer)) resolve(answer);
  });
  const timer = setTimeout(() => reject(timedOut(upstream)), timeoutMs);
  try {
    // Without callbacks what goes wrong (no way there) is an event, and so a rejection here.
    socket.once("listening", () => socket.connect(upstream.port, upstream.address));
    socket.once("connect", () => socket.send(message));
    adopt(openFor(upstream, "udp"), (fd) => socket.bind({ fd, exclusive: true }));
    return await promise;
  } finally {
    clearTimeout(timer);
    closeQuietly(() => socket.close());
  }
}

async function exchangeStream(upstream: Upstream, message: Buffer, { timeoutMs, accept }: ExchangeOptions): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const timer = setTimeout(() => reject(timedOut(upstream)), timeoutMs);
  let socket: Socket | undefined;
  try {
    adopt(openFor(upstream, "tcp"), (fd) => {
      // Not read before it is connected.
      socket = new Socket({ fd, pauseOnCreate: true } as { fd: number });
    });
    const messages = new MessageStream((answer) => {
      if (accept(answer)) resolve(answer);
      else reject(new FlotillaError("invalid", `${upstream.address} answered another question`));
    });
    socket?.on("error", reject);
    socket?.on("close", () => reject(new FlotillaError("unavailable", `${upstream.address} closed the connection`)));
    socket?.on("data", (chunk: Buffer) => messages.push(chunk));
    socket?.connect(upstream.port, upstream.address, () => {
      socket?.resume();
      socket?.write(frame(message));
    });
    return await promise;
  } finally {
    clearTimeout(timer);
    socket?.destroy();
  }
}

function openFor(upstream: Upstream, type: "udp" | "tcp"): number {
  const address = isIPv6(upstream.address) ? "::" : "0.0.0.0";
  return openInetSocket({ type, address, port: 0, netnsPath: upstream.netnsPath, isShared: false });
}

/** Node closes the descriptor once it has it. */
function adopt(fd: number, take: (fd: number) => unknown): void {
  try {
    take(fd);
  } catch (error) {
    closeQuietly(() => closeSocket(fd));
    throw error;
  }
}

const timedOut = (upstream: Upstream): FlotillaError => new FlotillaError("unavailable", `${upstream.address} does not answer`);

function closeQuietly(close: () => void): void {
  try {
    close();
  } catch {
    // It never was open.
  }
}
