import type { IncomingHttpHeaders } from "node:http";

/** Headers that belong to one connection (RFC 9110, section 7.6.1), and those that are ours to set or to keep. */
const DROPPED = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "host",
  "authorization",
  "cookie",
  "expect",
  "content-security-policy",
]);

/** What of a client's headers goes to the engine: never its credentials, never our own headers under its hand. */
export function forwardHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const named = new Set((headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || DROPPED.has(name) || named.has(name) || name.startsWith("x-flotilla-") || name.startsWith("x-forwarded-"))
      continue;
    kept[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return kept;
}

/** What of an engine's headers goes to the client. */
export function returnHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !DROPPED.has(name) && !name.startsWith("x-flotilla-") && name !== "set-cookie"),
  );
}
