import type { IncomingMessage } from "node:http";
import { FlotillaError } from "@flotilla/core";

/**
 * Whether a request comes from a page of this very origin. Browsers set Origin and Sec-Fetch-Site themselves; scripts
 * cannot forge them. A sibling sub-domain is another origin, and `null` is none.
 */
export function isSameOrigin(req: IncomingMessage): boolean {
  const { origin, host } = req.headers;
  const site = req.headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin") return false;
  if (origin === undefined) return site === "same-origin";
  if (host === undefined || !URL.canParse(origin)) return false;
  return new URL(origin).host === host;
}

/**
 * Refuses requests that a page elsewhere could have made with the visitor's cookies. Without a cookie there is nothing to
 * misuse; a browser names the origin all the same, and then it must be ours.
 * @throws forbidden
 */
export function requireSameOrigin(req: IncomingMessage): void {
  const { cookie, origin } = req.headers;
  if (cookie === undefined && origin === undefined && req.headers["sec-fetch-site"] === undefined) return;
  if (!isSameOrigin(req)) throw new FlotillaError("forbidden", "this request does not come from this control plane's own pages");
}
