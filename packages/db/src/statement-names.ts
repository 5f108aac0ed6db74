/** So many statements of a connection stay prepared: each costs Postgres some memory, once for each connection. */
const MAX_NAMES = 400;
/** A text that was seen so often is not one of a kind, as lists of another length each time are. */
const MIN_SEEN = 3;
/** Texts that are counted; when it is full the counting begins anew. */
const MAX_COUNTED = 2_000;

/**
 * Names for statements that come again and again, so that Postgres parses and plans each once for each connection. What is rare has no name (""), and
 * is parsed each time. A name is a text's for good.
 */
export function statementNames({ maxNames = MAX_NAMES } = {}): (query: { sql: string }) => string {
  const names = new Map<string, string>();
  const seen = new Map<string, number>();
  return ({ sql }) => {
    const known = names.get(sql);
    if (known !== undefined || names.size >= maxNames) return known ?? "";
    const count = (seen.get(sql) ?? 0) + 1;
    if (count < MIN_SEEN) {
      if (seen.size >= MAX_COUNTED) seen.clear();
      seen.set(sql, count);
      return "";
    }
    seen.delete(sql);
    const name = `f${names.size}`;
    names.set(sql, name);
    return name;
  };
}
