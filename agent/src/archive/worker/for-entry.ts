import { FlotillaError } from "@flotilla/core";
import { toDisplay } from "../tar/block.ts";

/** System errors that an archive causes by what it says, rather than this host by its state. */
const ARCHIVE_FAULTS: ReadonlySet<string> = new Set([
  "EBUSY",
  "EEXIST",
  "EINVAL",
  "EISDIR",
  "ELOOP",
  "EMLINK",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOTDIR",
  "ENOTEMPTY",
  "EPERM",
  "EXDEV",
]);

/** Does one entry's work; what goes wrong names the entry and says whose fault it is. */
export function forEntry(name: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw entryError(toDisplay(name), error);
  }
}

function entryError(name: string, error: unknown): FlotillaError {
  const code = errorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new FlotillaError("exhausted", `write /${name}: no space left on device`, { cause: error });
  if (error instanceof FlotillaError && error.code === "invalid") return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FlotillaError(ARCHIVE_FAULTS.has(code) ? "invalid" : "internal", `extract /${name}: ${message}`, { cause: error });
}

function errorCode(error: unknown): string {
  const code = error instanceof FlotillaError ? error.details["errno"] : error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}
