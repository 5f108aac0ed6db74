import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { HEARTBEAT_INTERVAL_HEADER, HEARTBEAT_INTERVAL_MS, HEARTBEAT_PATH, type HostStats, STATE_PATH } from "@flotilla/protocol";

export type TunnelOptions = {
  /** Serves one call of the Docker Engine API. */
  handleStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
  sampleStats: () => HostStats;
  /** Serves the stream of desired and observed state. */
  serveState: (stream: ServerHttp2Stream) => void;
};

/** Receive window of one stream: what an upload may have on the way before the engine has read it. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 8 * 1024 * 1024;
const MAX_STREAMS = 4_096;
/** Answers that wait for their turn on the connection; beyond it Node refuses new calls. A list of a thousand containers is a megabyte. */
const SESSION_MEMORY_MB = 256;

/**
 * Serves HTTP/2 inside an authenticated connection; the control plane is its client. The heartbeat is a stream of its
 * own: HTTP/2's flow control is per stream, so calls that flood or stall cannot hold it back.
 */
export function serveTunnel(connection: Duplex, options: TunnelOptions): ServerHttp2Session {
  const session = performServerHandshake(connection, {
    settings: { initialWindowSize: STREAM_WINDOW_BYTES, maxConcurrentStreams: MAX_STREAMS, enablePush: false },
    maxSessionMemory: SESSION_MEMORY_MB,
  });
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  session.on("error", () => connection.destroy());
  session.on("stream", (stream, headers) => {
    if (headers[":path"] === HEARTBEAT_PATH) serveHeartbeats(stream, { ...options, intervalMs: readInterval(headers) });
    else if (headers[":path"] === STATE_PATH) options.serveState(stream);
    else options.handleStream(stream, headers);
  });
  connection.once("close", () => session.destroy());
  return session;
}

const SLOWEST_MS = 3_600_000;

/** How often the control plane wants stats; never more often than usual. */
export function readInterval(headers: IncomingHttpHeaders): number {
  const asked = Number(headers[HEARTBEAT_INTERVAL_HEADER]);
  return Number.isFinite(asked) ? Math.min(SLOWEST_MS, Math.max(HEARTBEAT_INTERVAL_MS, asked)) : HEARTBEAT_INTERVAL_MS;
}

/** An endless answer, one JSON document a line. A reader that does not keep up gets fewer, never older ones. */
function serveHeartbeats(stream: ServerHttp2Stream, given: { sampleStats: () => HostStats; intervalMs: number }): void {
  const { sampleStats, intervalMs } = given;
  let sequence = 0;
  let isReady = true;
  const send = (): void => {
    if (!isReady || stream.destroyed) return;
    sequence += 1;
    isReady = stream.write(`${JSON.stringify({ sequence, stats: sampleStats() })}\n`);
  };
  stream.on("error", () => undefined);
  stream.on("drain", () => (isReady = true));
  stream.respond({ ":status": 200, "content-type": "application/x-ndjson" });
  send();
  const timer = setInterval(send, intervalMs);
  stream.once("close", () => clearInterval(timer));
}
