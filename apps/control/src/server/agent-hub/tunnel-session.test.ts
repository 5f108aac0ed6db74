import { EventEmitter, once } from "node:events";
import { setImmediate, setTimeout } from "node:timers/promises";
import { LinkSocket, type WebSocketLike } from "@flotilla/protocol";
import { expect, test } from "vitest";
import { openTunnelSession } from "./tunnel-session.ts";

/** A WebSocket whose other end takes everything, says nothing and goes when told to. */
class SilentSocket extends EventEmitter implements WebSocketLike {
  isOpen = true;
  send(_data: string | Uint8Array, done?: (error?: Error) => void): void {
    done?.();
  }
  ping(): void {}
  pause(): void {}
  resume(): void {}
  close(): void {
    this.terminate();
  }
  terminate(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.emit("close", 1006, Buffer.alloc(0));
  }
}

const MOMENTS: Readonly<Record<string, () => Promise<unknown> | undefined>> = {
  "before the session is opened": () => undefined,
  "at once": () => undefined,
  "a promise later": () => Promise.resolve(),
  "a tick later": () => new Promise<void>((resolve) => process.nextTick(resolve)),
  "a turn of the loop later": () => setImmediate(),
  "once it is ready": () => setTimeout(10),
};

/** What the process would have ended with. */
async function uncaughtDuring(work: () => Promise<void>): Promise<unknown[]> {
  const before = process.listeners("uncaughtException");
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  process.removeAllListeners("uncaughtException").on("uncaughtException", note);
  try {
    await work();
  } finally {
    process.removeListener("uncaughtException", note);
    for (const listener of before) process.on("uncaughtException", listener);
  }
  return uncaught;
}

test.each(Object.keys(MOMENTS))("a host that goes %s ends its session and nothing else", async (moment) => {
  const socket = new SilentSocket();
  const link = new LinkSocket(socket);
  const uncaught = await uncaughtDuring(async () => {
    if (moment.startsWith("before")) socket.terminate();
    const session = openTunnelSession(link, { authority: "agent", windowBytes: 1024 * 1024 });
    const closed = once(session, "close");
    await MOMENTS[moment]?.();
    socket.terminate();
    await closed;
    expect(session.destroyed).toBe(true);
    await setImmediate();
  });
  expect(uncaught).toEqual([]);
});

test("a session that is ready has the window that was asked for", async () => {
  const socket = new SilentSocket();
  const session = openTunnelSession(new LinkSocket(socket), { authority: "agent", windowBytes: 3 * 1024 * 1024 });
  await once(session, "connect");
  expect(session.state.effectiveLocalWindowSize).toBe(3 * 1024 * 1024);
  const closed = once(session, "close");
  session.destroy();
  await closed;
  expect(socket.isOpen).toBe(false);
});
