import type { IncomingMessage, ServerResponse } from "node:http";
import { randomBytes } from "node:crypto";

/**
 * Headers of every answer. The page's scripts carry a nonce: Next reads it from the request's own CSP header and puts it
 * on the scripts that it renders. Styles may be inline, since charts and the terminal set positions by them.
 */
export function setSecurityHeaders(req: IncomingMessage, res: ServerResponse, isTls: boolean): void {
  const nonce = randomBytes(16).toString("base64");
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    `connect-src 'self' ${isTls ? "wss" : "ws"}://${safeHost(req)}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "object-src 'none'",
  ].join("; ");
  req.headers["content-security-policy"] = policy;
  res.setHeader("content-security-policy", policy);
  res.setHeader("x-frame-options", "DENY");
  res.setHeader("x-content-type-options", "nosniff");
  res.setHeader("referrer-policy", "no-referrer");
  res.setHeader("cross-origin-opener-policy", "same-origin");
  res.setHeader("cross-origin-resource-policy", "same-origin");
  res.setHeader("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=()");
  if (isTls) res.setHeader("strict-transport-security", "max-age=31536000");
}

/** The Host header, if it is nothing but a host: it becomes part of another header. */
function safeHost(req: IncomingMessage): string {
  const host = req.headers.host ?? "";
  return /^[\w.[\]:-]+$/.test(host) ? host : "localhost";
}
