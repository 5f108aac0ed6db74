import { FlotillaError } from "@flotilla/core";
import { isDatabaseAway } from "@flotilla/db";

/** What a door tells of an error: one of the database's absence is 503, for it will come back; others are as they are. */
export function asServiceError(error: unknown): unknown {
  if (error instanceof FlotillaError || !isDatabaseAway(error)) return error;
  return new FlotillaError("unavailable", "the database does not answer: try again in a moment", { cause: error });
}
