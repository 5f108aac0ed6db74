import { FlotillaError, toFlotillaError } from "@flotilla/core";

/** Turns a full disk into `exhausted` with words for people; everything else as toFlotillaError does. */
export function toStorageError(attempt: string, error: unknown): FlotillaError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const errno = error instanceof FlotillaError ? error.details["errno"] : undefined;
  if ([code, errno].some((name) => name === "ENOSPC" || name === "EDQUOT")) {
    return new FlotillaError("exhausted", `${attempt}: no space left on device`, { cause: error });
  }
  return toFlotillaError(error);
}
