/**
 * Whether a text somewhere in a parsed document has a NUL character: no name, address or command has one, and neither Postgres nor
 * argv can hold one. Bytes travel as base64.
 */
export function hasNul(document: unknown): boolean {
  if (typeof document === "string") return document.includes("\0");
  if (typeof document !== "object" || document === null) return false;
  return Object.entries(document).some(([key, value]) => key.includes("\0") || hasNul(value));
}
