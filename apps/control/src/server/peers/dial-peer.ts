import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { FlotillaError } from "@flotilla/core";
import {
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  HANDSHAKE_TIMEOUT_MS,
  LinkSocket,
  MAX_MESSAGE_BYTES,
  PEER_PATH,
  PEER_SUBPROTOCOL,
} from "@flotilla/protocol";
import { WebSocket } from "ws";

export type DialledPeer = {
  socket: LinkSocket;
  isTls: boolean;
  /** Value of the channel's exporter, on TLS. */ exporter: string | undefined;
};

/** Opens the WebSocket to another control plane. Its certificate is checked as usual; that it is one of ours is proved afterwards. */
export async function dialPeer(url: string, signal: AbortSignal): Promise<DialledPeer> {
  const webSocket = new WebSocket(`${url.replace(/^http/, "ws")}${PEER_PATH}`, [PEER_SUBPROTOCOL], {
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    followRedirects: false,
  });
  const onAbort = (): void => webSocket.terminate();
  signal.addEventListener("abort", onAbort, { once: true });
  const socket = new LinkSocket(webSocket);
  try {
    const channel = await opened(webSocket);
    if (!(channel instanceof TLSSocket)) return { socket, isTls: false, exporter: undefined };
    const exporter = channel.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)).toString("base64url");
    return { socket, isTls: true, exporter };
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function opened(webSocket: WebSocket): Promise<IncomingMessage["socket"]> {
  return new Promise((resolve, reject) => {
    let channel: IncomingMessage["socket"] | undefined;
    webSocket.once("upgrade", (response) => (channel = response.socket));
    webSocket.once("open", () => {
      if (channel === undefined) reject(new FlotillaError("internal", "opened without a channel"));
      else resolve(channel);
    });
    webSocket.once("unexpected-response", (_request, response) => {
      response.resume();
      reject(new FlotillaError("unavailable", `it answered ${response.statusCode ?? "nothing"}`));
      webSocket.terminate();
    });
    webSocket.once("error", (error) => reject(new FlotillaError("unavailable", `dial: ${error.message}`, { cause: error })));
  });
}
