import { stringify } from "yaml";

/** A document as YAML. Dollars are doubled, so that reading it again substitutes nothing. */
export const toYaml = (document: unknown): string => writeYaml(escapeDollars(document));

/**
 * A document as YAML, dollars as they are: `${NAME}` is a variable when it is read. What YAML 1.1 takes for something else than a
 * text (`yes`, `0755`, `1:30`) is in quotes, because other readers of compose files still speak that.
 */
export const writeYaml = (document: unknown): string =>
  stringify(document, { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" });

/** The same document with every `$` of its values doubled. */
export function escapeDollars(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("$", "$$$$");
  if (Array.isArray(value)) return value.map(escapeDollars);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escapeDollars(item)]));
}
