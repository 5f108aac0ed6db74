/** The query string with some values set; empty values are taken out, so that a page without filters has a short address. */
export function withParams(search: string, changes: Readonly<Record<string, string | null>>): string {
  const params = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") params.delete(name);
    else params.set(name, value);
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

/** `value` when it is one of `allowed`, else the first of them. */
export function oneOf<Value extends string>(value: string | null, allowed: readonly [Value, ...Value[]]): Value {
  return allowed.find((candidate) => candidate === value) ?? allowed[0];
}
