import { z } from "zod";

const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
/** With a registry's own name in front, references stay under Docker's 255 characters. */
const MAX_PATH_LENGTH = 200;

/** `<team>/<name>`, the name of one or more components, as the distribution specification's grammar has it. */
export function isRepositoryPath(text: string): boolean {
  if (text.length > MAX_PATH_LENGTH) return false;
  const parts = text.split("/");
  return parts.length >= 2 && parts.every((part) => PATH_COMPONENT.test(part));
}

export function isTagName(text: string): boolean {
  return TAG.test(text);
}

export const repositoryPath = z
  .string()
  .refine(isRepositoryPath, "must be <team>/<name> of lower-case letters, digits and separators, at most 200 characters");
export const tagName = z.string().regex(TAG, "must be a tag of letters, digits, dot, dash and underscore");

/** The first component: the team that a repository belongs to. */
export function teamSlugOf(path: string): string {
  return path.split("/", 1)[0] ?? "";
}
