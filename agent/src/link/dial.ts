import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { TLSSocket } from "node:tls";
import { FlotillaError } from "@flotilla/core";
import {
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  HANDSHAKE_TIMEOUT_MS,
  LINK_PATH,
  LINK_SUBPROTOCOL,
  LinkSocket,
  MAX_MESSAGE_BYTES,
} from "@flotilla/protocol";
import { WebSocket } from "ws";

export type Dialled = { socket: LinkSocket; isTls: boolean; /** Value of the channel's exporter, on TLS. */ exporter: string | undefined };

/** `wss://…/agent/v1` of a control plane's URL; `ws://` on loopback only. @throws invalid. */
export function linkUrl(controlUrl: string): string {
  const url = new URL(controlUrl);
  const isTls = url.protocol === "https:" || url.protocol === "wss:";
  if (!isTls && url.protocol !== "http:" && url.protocol !== "ws:")
    throw new FlotillaError("invalid", `"${controlUrl}" is not an http or https URL`);
  if (!isTls && !isLoopback(url.hostname)) {
    throw new FlotillaError("invalid", `"${controlUrl}" must be https: without TLS the control plane may only be on this machine`);
  }
  return `${isTls ? "wss" : "ws"}://${url.host}${url.pathname.replace(/\/$/, "")}${LINK_PATH}`;
}

function isLoopback(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, "");
  if (isIP(bare) === 4) return bare.startsWith("127.");
  return bare === "::1" || bare === "localhost";
}

/** Opens the WebSocket. The server's certificate is checked as usual; whether it is *our* server is proved afterwards. */
export async function dial(controlUrl: string, signal?: AbortSignal): Promise<Dialled> {
  const webSocket = new WebSocket(linkUrl(controlUrl), [LINK_SUBPROTOCOL], {
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    followRedirects: false,
  });
  const onAbort = (): void => webSocket.terminate();
  signal?.addEventListener("abort", onAbort, { once: true });
  const socket = new LinkSocket(webSocket);
  try {
    const channel = await opened(webSocket);
    if (channel instanceof TLSSocket) {
      return {
        socket,
        isTls: true,
        exporter: channel.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)).toString("base64url"),
      };
    }
    return { socket, isTls: false, exporter: undefined };
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

function opened(webSocket: WebSocket): Promise<IncomingMessage["socket"]> {
  return new Promise((resolve, reject) => {
    let channel: IncomingMessage["socket"] | undefined;
    webSocket.once("upgrade", (response) => (channel = response.socket));
    webSocket.once("open", () =>
      channel === undefined ? reject(new FlotillaError("internal", "opened without a channel")) : resolve(channel),
    );
    webSocket.once("unexpected-response", (_request, response) => {
      response.resume();
      const retry = Number(response.headers["retry-after"]);
      const details = Number.isFinite(retry) ? { retryAfterMs: retry * 1000 } : {};
      reject(new FlotillaError("unavailable", `the control plane answered ${response.statusCode ?? "nothing"}`, { details }));
      webSocket.terminate();
    });
    webSocket.once("error", (error) => reject(new FlotillaError("unavailable", `dial: ${error.message}`, { cause: error })));
  });
}
