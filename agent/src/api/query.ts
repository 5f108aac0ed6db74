import { FlotillaError } from "@flotilla/core";

/** Docker's boolean query parameters: everything but "", 0, no, false and none is true. */
export function queryBoolean(query: URLSearchParams, name: string, fallback = false): boolean {
  const value = query.get(name);
  if (value === null) return fallback;
  return !["", "0", "no", "false", "none"].includes(value.trim().toLowerCase());
}

/** A whole number, or undefined when the parameter is missing or empty. @throws FlotillaError `invalid`. */
export function queryInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new FlotillaError("invalid", `invalid value for ${name}: "${text}" is not a whole number`);
  }
  return value;
}

const NANOS_PER_SECOND = 1_000_000_000n;

/**
 * A point in time of `since` and `until` as nanoseconds since the epoch: seconds with up to nine decimals (what the
 * docker command sends), or RFC 3339. Missing, empty and 0 are undefined.
 * @throws FlotillaError `invalid`.
 */
export function queryTimestampNano(query: URLSearchParams, name: string): bigint | undefined {
  const text = query.get(name);
  if (text === null || text === "" || text === "0") return undefined;
  const decimal = /^(-?\d{1,12})(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (decimal !== null) {
    const fraction = BigInt((decimal[2] ?? "").padEnd(9, "0"));
    const seconds = BigInt(decimal[1] ?? "0") * NANOS_PER_SECOND;
    return seconds < 0n ? seconds - fraction : seconds + fraction;
  }
  const rfc3339 = parseRfc3339Nano(text);
  if (rfc3339 === undefined) throw new FlotillaError("invalid", `invalid value for ${name}: "${text}" is not a time`);
  return rfc3339;
}

/** RFC 3339 with up to nanoseconds, as nanoseconds since the epoch; undefined when it is not that. */
function parseRfc3339Nano(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return undefined;
  const ms = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}
