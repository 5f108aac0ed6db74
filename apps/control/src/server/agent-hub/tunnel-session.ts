import { type ClientHttp2Session, connect } from "node:http2";
import type { LinkSocket } from "@flotilla/protocol";

/** What the other end may send on one call before a reader has taken it. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
/** Megabytes that calls under way may hold; Node's default refuses calls long before. As agent/src/link/serve-tunnel.ts has it. */
const SESSION_MEMORY_MB = 256;

/** `windowBytes`: as the window of a call, for all calls of the connection together. */
export type TunnelSessionOptions = { authority: string; windowBytes: number };

/**
 * The HTTP/2 client (RFC 9113) inside a WebSocket whose handshake is over. Session and socket end together, at any moment and
 * also before the session is ready; that is never an error that nobody catches.
 */
export function openTunnelSession(socket: LinkSocket, { authority, windowBytes }: TunnelSessionOptions): ClientHttp2Session {
  const stream = socket.toStream();
  const session = connect(`http://${authority}`, {
    createConnection: () => stream,
    settings: { initialWindowSize: STREAM_WINDOW_BYTES, enablePush: false },
    maxSessionMemory: SESSION_MEMORY_MB,
  });
  session.on("error", () => stream.destroy());
  session.once("connect", () => {
    // Node tells of the connection a tick later: by then the other end may have gone.
    if (!session.destroyed) session.setLocalWindowSize(windowBytes);
  });
  session.once("close", () => stream.destroy());
  stream.once("close", () => session.destroy());
  stream.on("error", () => undefined);
  return session;
}
