import type { IncomingMessage } from "node:http";

/** Header by which our own parts (better-auth) learn the address; what a client sends under this name is replaced. */
export const ADDRESS_HEADER = "x-flotilla-client-address";

/** The caller's address. X-Forwarded-For counts only when the operator said that a proxy is in front: its last entry is the proxy's own. */
export function clientAddress(req: IncomingMessage, isBehindProxy: boolean): string {
  const direct = (req.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  if (!isBehindProxy) return direct;
  const header = req.headers["x-forwarded-for"];
  const last = (Array.isArray(header) ? header.join(",") : (header ?? "")).split(",").at(-1)?.trim();
  return last === undefined || last === "" || last.length > 64 ? direct : last;
}
