// One attempt to reach a port, from any network namespace: the socket is made there, the rest happens here.
import { createSocket } from "node:dgram";
import { isIPv6, Socket } from "node:net";
import { openInetSocket } from "./inet-sockets.ts";
import { closeSocket } from "./socket.ts";

export type PortTarget = { netnsPath: string | undefined; address: string; port: number; timeoutMs: number };
/** As `attempt` of packages/protocol. */
export type PortAttempt = { outcome: "open" | "refused" | "silent" | "unreachable" | "unsettled"; ms: number; errno: string };

/** Connects and hangs up. Never rejects. */
export async function tryTcp(target: PortTarget): Promise<PortAttempt> {
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<PortAttempt>();
  const settle = (outcome: PortAttempt["outcome"], errno = ""): void => resolve({ outcome, errno, ms: performance.now() - startedAt });
  const timer = setTimeout(() => settle("silent"), target.timeoutMs);
  let socket: Socket | undefined;
  try {
    socket = adopt(openFor(target, "tcp"), (fd) => new Socket({ fd, pauseOnCreate: true } as { fd: number }));
    socket.on("error", (error) => settle(outcomeOf(errnoOf(error)), errnoOf(error)));
    socket.connect(target.port, target.address, () => settle("open"));
    return await promise;
  } catch (error) {
    return { outcome: "unreachable", errno: errnoOf(error), ms: performance.now() - startedAt };
  } finally {
    clearTimeout(timer);
    socket?.resetAndDestroy();
  }
}

/** Sends an empty datagram: who has no such port says so, who has one may say nothing. Never rejects. */
export async function tryUdp(target: PortTarget): Promise<PortAttempt> {
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<PortAttempt>();
  const settle = (outcome: PortAttempt["outcome"], errno = ""): void => resolve({ outcome, errno, ms: performance.now() - startedAt });
  const timer = setTimeout(() => settle("unsettled"), target.timeoutMs);
  const socket = createSocket(isIPv6(target.address) ? "udp6" : "udp4");
  let isBound = false;
  socket.on("error", (error) => settle(outcomeOf(errnoOf(error)), errnoOf(error)));
  socket.on("message", () => settle("open"));
  socket.once("listening", () => socket.connect(target.port, target.address));
  socket.once("connect", () => socket.send(Buffer.alloc(0)));
  try {
    adopt(openFor(target, "udp"), (fd) => socket.bind({ fd, exclusive: true }));
    isBound = true;
    return await promise;
  } catch (error) {
    return { outcome: "unreachable", errno: errnoOf(error), ms: performance.now() - startedAt };
  } finally {
    clearTimeout(timer);
    if (isBound) socket.close();
  }
}

/** The address that a namespace would send from; undefined: it has no way there. Nothing is sent. */
export async function findSource(target: { netnsPath: string | undefined; address: string }): Promise<string | undefined> {
  const socket = createSocket(isIPv6(target.address) ? "udp6" : "udp4");
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  socket.on("error", () => resolve(undefined));
  socket.once("listening", () => socket.connect(9, target.address));
  socket.once("connect", () => resolve(socket.address().address));
  try {
    adopt(openFor({ ...target, port: 0, timeoutMs: 0 }, "udp"), (fd) => socket.bind({ fd, exclusive: true }));
  } catch {
    return undefined;
  }
  const found = await promise;
  socket.close();
  return found;
}

function openFor({ netnsPath, address }: PortTarget, type: "udp" | "tcp"): number {
  return openInetSocket({ type, address: isIPv6(address) ? "::" : "0.0.0.0", port: 0, netnsPath, isShared: false });
}

/** Node closes the descriptor once it has it. */
function adopt<T>(fd: number, take: (fd: number) => T): T {
  try {
    return take(fd);
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

const errnoOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "");

function outcomeOf(errno: string): PortAttempt["outcome"] {
  if (errno === "ECONNREFUSED" || errno === "ECONNRESET") return "refused";
  return errno === "ETIMEDOUT" ? "silent" : "unreachable";
}
