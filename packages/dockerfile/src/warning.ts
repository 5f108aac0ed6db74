import { dockerfileError, type Location } from "./location.ts";

/** Names of BuildKit's build checks, where it has the same one. */
export const WARNING_RULES = [
  "ConsistentInstructionCasing",
  "DuplicateStageName",
  "FromAsCasing",
  "JSONArgsRecommended",
  "LegacyKeyValueFormat",
  "MaintainerDeprecated",
  "MultipleInstructionsDisallowed",
  "NoEmptyContinuation",
  "ReservedStageName",
  "SecretsUsedInArgOrEnv",
  "StageNameCasing",
  "UndefinedArgInFrom",
  "UndefinedVar",
  "WorkdirRelativePath",
] as const;
export type WarningRule = (typeof WARNING_RULES)[number];

export type Warning = { rule: WarningRule; message: string; location: Location; suggestion?: string };

/** The directive `# check=skip=A,B;error=true`. */
export type CheckDirective = { skip: ReadonlySet<string>; isError: boolean };

/** Warnings that the author has not switched off. @throws FlotillaError `invalid` for the first one under `error=true`. */
export function filterWarnings(warnings: readonly Warning[], check: CheckDirective): Warning[] {
  const kept = warnings.filter(({ rule }) => !check.skip.has("all") && !check.skip.has(rule.toLowerCase()));
  const [first] = kept;
  if (check.isError && first !== undefined) throw dockerfileError(first.location, `${first.rule}: ${first.message}`, first.suggestion);
  return kept;
}
