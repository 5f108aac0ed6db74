import { z } from "zod";

const DAY_MS = 86_400_000;

/** Shell pattern over a whole tag: `*` is any run of characters, `?` one; everything else is itself. */
export const tagPattern = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[a-zA-Z0-9._*?-]+$/, "may hold letters, digits, dot, dash, underscore, * and ?");

const retentionRule = z
  .object({
    pattern: tagPattern,
    /** The newest so many of the matching tags stay. */
    keepLast: z.int().min(0).max(10_000).nullable(),
    /** Only tags that were last pushed longer ago go. */
    olderThanDays: z.int().min(1).max(3_650).nullable(),
  })
  .refine((rule) => rule.keepLast !== null || rule.olderThanDays !== null, "a rule keeps the last N, or removes what is older, or both");

/** What is cleaned up by itself. Without rules nothing is. */
export const retentionPolicy = z.object({
  rules: z.array(retentionRule).max(20),
  /** Manifests that no tag and no index names and nobody pushed for so many days go too. */
  untaggedAfterDays: z.int().min(1).max(3_650).nullable(),
});
export type RetentionPolicy = z.output<typeof retentionPolicy>;

export type RetentionTag = { name: string; pushedAtMs: number };

/**
 * Whether `text` matches the whole of `pattern`. Linear backtracking to the last `*` only, so that no pattern is slow.
 */
export function matchesTagPattern(pattern: string, text: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let retry = 0;
  while (at < text.length) {
    if (next < pattern.length && pattern[next] === "*") {
      star = next++;
      retry = at;
    } else if (next < pattern.length && (pattern[next] === "?" || pattern[next] === text[at])) {
      next += 1;
      at += 1;
    } else if (star !== -1) {
      next = star + 1;
      at = ++retry;
    } else return false;
  }
  while (pattern[next] === "*") next += 1;
  return next === pattern.length;
}

/**
 * Names of the tags that the rules remove, oldest first. A tag goes when any rule matches it, its age and its place, and
 * it is not immutable. Pure: preview and act see the same.
 */
export function planRetention(
  tags: readonly RetentionTag[],
  policy: RetentionPolicy,
  facts: { nowMs: number; immutableTags: string | null },
): string[] {
  const doomed = new Set<string>();
  for (const rule of policy.rules) {
    const matching = tags.filter((tag) => matchesTagPattern(rule.pattern, tag.name)).sort(newestFirst);
    const beyond = rule.keepLast === null ? matching : matching.slice(rule.keepLast);
    const limitMs = rule.olderThanDays === null ? Infinity : facts.nowMs - rule.olderThanDays * DAY_MS;
    for (const tag of beyond) if (tag.pushedAtMs <= limitMs) doomed.add(tag.name);
  }
  const { immutableTags } = facts;
  return tags
    .filter((tag) => doomed.has(tag.name) && (immutableTags === null || !matchesTagPattern(immutableTags, tag.name)))
    .sort((a, b) => newestFirst(b, a))
    .map((tag) => tag.name);
}

/** Same times (one push of several tags) are ordered by name, so that two runs choose the same. */
function newestFirst(a: RetentionTag, b: RetentionTag): number {
  return b.pushedAtMs - a.pushedAtMs || (a.name < b.name ? 1 : -1);
}
