type Value = string | number | boolean | null;

/** By name of the field: what it was and what it became. */
export type AuditChanges = Readonly<Record<string, { from: Value; to: Value }>>;

/**
 * What becomes different, for an audit row. The caller names the fields by passing them: whatever may be a secret is never
 * among them. Fields of `after` that are undefined were not asked to change. Lists and maps are compared and shown as JSON.
 */
export function difference(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): AuditChanges {
  const changes: Record<string, { from: Value; to: Value }> = {};
  for (const [field, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const from = toValue(before[field]);
    const to = toValue(value);
    if (from !== to) changes[field] = { from, to };
  }
  return changes;
}

function toValue(value: unknown): Value {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Date) return value.toISOString();
  return JSON.stringify(value, sortKeys);
}

/** Equal maps are equal texts, in whichever order they were written. */
function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
