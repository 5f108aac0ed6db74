/**
 * The one error type that Flotilla's own code throws. The code decides the HTTP status, the tRPC code and whether the
 * message may leave the process; the message is what a user reads.
 */
export const ERROR_CODES = [
  "invalid",
  "unauthenticated",
  "forbidden",
  "not_found",
  "conflict",
  "not_modified",
  "gone",
  "too_large",
  "range",
  "rate_limited",
  "not_implemented",
  "unavailable",
  "exhausted",
  "internal",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export type FlotillaErrorOptions = { cause?: unknown; details?: Readonly<Record<string, unknown>> };

/** An error with a closed code. Messages name the object and the cause: `create container web-1: mount overlay: EBUSY`. */
export class FlotillaError extends Error {
  override readonly name = "FlotillaError";
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: FlotillaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** HTTP status of each code, as Docker and REST use them. */
export const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  not_modified: 304,
  gone: 410,
  too_large: 413,
  range: 416,
  rate_limited: 429,
  not_implemented: 501,
  unavailable: 503,
  exhausted: 507,
  internal: 500,
};

export function isFlotillaError(error: unknown, code?: ErrorCode): error is FlotillaError {
  return error instanceof FlotillaError && (code === undefined || error.code === code);
}

/** Turns anything thrown into a FlotillaError; what is unknown becomes `internal` with the original as cause. */
export function toFlotillaError(error: unknown): FlotillaError {
  if (error instanceof FlotillaError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FlotillaError("internal", message, { cause: error });
}

/** `outer: inner`, keeping the code of the inner error: for chains that read as a path. */
export function wrapError(attempt: string, error: unknown): FlotillaError {
  const inner = toFlotillaError(error);
  return new FlotillaError(inner.code, `${attempt}: ${inner.message}`, { cause: error, details: inner.details });
}
