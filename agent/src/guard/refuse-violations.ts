import { FlotillaError } from "@flotilla/core";
import type { Violation } from "./guard-facts.ts";

const MAX_NAMED = 5;

/** @throws forbidden with every rule by name, and who can change it; nothing when there are none. */
export function refuseViolations(namespace: string, violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  const named = violations.slice(0, MAX_NAMED).map(({ rule, message }) => `${message} (${rule})`);
  const more = violations.length > MAX_NAMED ? ` and ${violations.length - MAX_NAMED} more` : "";
  throw new FlotillaError(
    "forbidden",
    `the guard rails of this host do not allow ${namespace}: ${named.join(", ")}${more}; an instance administrator can change that (the host's guard rails)`,
    { details: { rules: [...new Set(violations.map(({ rule }) => rule))] } },
  );
}
