import { type ErrorCode, FlotillaError } from "@flotilla/core";

/** Error codes of the OCI distribution specification 1.1 (and RANGE_INVALID of its reference implementation), with ours. */
export const REGISTRY_ERRORS = {
  BLOB_UNKNOWN: "not_found",
  BLOB_UPLOAD_INVALID: "invalid",
  BLOB_UPLOAD_UNKNOWN: "not_found",
  DIGEST_INVALID: "invalid",
  MANIFEST_BLOB_UNKNOWN: "invalid",
  MANIFEST_INVALID: "invalid",
  MANIFEST_UNKNOWN: "not_found",
  NAME_INVALID: "invalid",
  NAME_UNKNOWN: "not_found",
  SIZE_INVALID: "invalid",
  RANGE_INVALID: "range",
  UNAUTHORIZED: "unauthenticated",
  DENIED: "forbidden",
  UNSUPPORTED: "not_implemented",
  TOOMANYREQUESTS: "rate_limited",
} as const satisfies Record<string, ErrorCode>;

export type RegistryErrorCode = keyof typeof REGISTRY_ERRORS;

/** An error with a code of the specification; its `detail` is shown to the client as it is. */
export function registryError(code: RegistryErrorCode, message: string, detail: Readonly<Record<string, unknown>> = {}): FlotillaError {
  return new FlotillaError(REGISTRY_ERRORS[code], message, { details: { registryCode: code, detail } });
}

/** The specification's code of an error, if it was made by {@link registryError}. */
export function registryCodeOf(error: FlotillaError): RegistryErrorCode | undefined {
  const code = error.details["registryCode"];
  return typeof code === "string" && code in REGISTRY_ERRORS ? (code as RegistryErrorCode) : undefined;
}
