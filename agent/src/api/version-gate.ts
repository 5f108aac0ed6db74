import { FlotillaError } from "@flotilla/core";
import { API_VERSION_MAX, API_VERSION_MIN, compareApiVersions, formatApiVersion, parseApiVersion } from "@flotilla/engine-api";
import type { ApiVersion } from "./call.ts";

/**
 * Takes the version off a path: `/v1.41/info` → 1.41 and `/info`. A path without one means the newest.
 * @throws FlotillaError `invalid` in Docker's words for a version that is too new or too old.
 */
export function splitVersion(path: string): { version: ApiVersion; path: string } {
  const match = /^\/v(\d+\.\d+)(\/.*)$/.exec(path);
  const asked = match?.[1];
  if (asked === undefined) return { version: API_VERSION_MAX, path };
  const version = parseApiVersion(asked);
  if (version === undefined || compareApiVersions(version, API_VERSION_MAX) > 0) {
    const max = formatApiVersion(API_VERSION_MAX);
    throw new FlotillaError("invalid", `client version ${asked} is too new. Maximum supported API version is ${max}`);
  }
  if (compareApiVersions(version, API_VERSION_MIN) < 0) {
    const min = formatApiVersion(API_VERSION_MIN);
    throw new FlotillaError(
      "invalid",
      `client version ${asked} is too old. Minimum supported API version is ${min}, please upgrade your client to a newer version`,
    );
  }
  return { version, path: match?.[2] ?? "/" };
}
