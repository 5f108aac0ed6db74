import { FlotillaError } from "@flotilla/core";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * The `until` filter: a Go duration before now (`10m`, `1h30m`), seconds since the epoch, or a date and time (RFC 3339;
 * without a zone it is UTC). @returns milliseconds since the epoch. @throws FlotillaError `invalid`.
 */
export function parseTimeFilter(text: string, nowMs: number): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length > 0 && parts.map((part) => part[0]).join("") === text) {
    return nowMs - parts.reduce((sum, [, amount, unit = ""]) => sum + Number(amount) * (UNIT_MS[unit] ?? 0), 0);
  }
  const isDate = /^\d{4}-\d\d-\d\d(?:T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)?(?:Z|[+-]\d\d:\d\d)?$/.test(text);
  const ms = isDate ? Date.parse(text.includes("T") && !/(?:Z|[+-]\d\d:\d\d)$/.test(text) ? `${text}Z` : text) : Number.NaN;
  if (Number.isNaN(ms)) throw new FlotillaError("invalid", `invalid filter 'until=${text}'`);
  return ms;
}
