/** A retention rule as it stands in the form: numbers are texts, which may be empty. */
export type RuleFields = { pattern: string; keepLast: string; olderThanDays: string };
export type RetentionFields = { rules: RuleFields[]; untaggedAfterDays: string };

type Policy = {
  rules: { pattern: string; keepLast: number | null; olderThanDays: number | null }[];
  untaggedAfterDays: number | null;
};

export function toRetentionFields(policy: Policy): RetentionFields {
  return {
    rules: policy.rules.map(({ pattern, keepLast, olderThanDays }) => ({
      pattern,
      keepLast: toText(keepLast),
      olderThanDays: toText(olderThanDays),
    })),
    untaggedAfterDays: toText(policy.untaggedAfterDays),
  };
}

/** The policy that the fields say, or undefined while one of them is not finished. */
export function toRetentionPolicy(fields: RetentionFields): Policy | undefined {
  const rules = fields.rules.map(({ pattern, keepLast, olderThanDays }) => {
    return { pattern: pattern.trim(), keepLast: toNumber(keepLast, 0), olderThanDays: toNumber(olderThanDays, 1) };
  });
  const untaggedAfterDays = toNumber(fields.untaggedAfterDays, 1);
  const isGood = rules.every(
    ({ pattern, keepLast, olderThanDays }) =>
      /^[a-zA-Z0-9._*?-]{1,128}$/.test(pattern) &&
      keepLast !== undefined &&
      olderThanDays !== undefined &&
      (keepLast !== null || olderThanDays !== null),
  );
  if (!isGood || untaggedAfterDays === undefined) return undefined;
  return {
    rules: rules.map((rule) => ({ ...rule, keepLast: rule.keepLast ?? null, olderThanDays: rule.olderThanDays ?? null })),
    untaggedAfterDays,
  };
}

function toText(value: number | null): string {
  return value === null ? "" : String(value);
}

/** Null for nothing, undefined for what is no whole number from `min` on. */
function toNumber(text: string, min: number): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  return /^\d{1,4}$/.test(trimmed) && Number(trimmed) >= min ? Number(trimmed) : undefined;
}
