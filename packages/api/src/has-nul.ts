/**
 * Whether a text somewhere in a parsed document has a NUL character: no name, address or command has one, and neither Postgres nor
 * argv can hold one. Bytes travel as base64. Without recursion: a document may be as deep as its sender likes.
 */
export function hasNul(document: unknown): boolean {
  const open: unknown[] = [document];
  for (let value = open.pop(); open.length > 0 || value !== undefined; value = open.pop()) {
    if (typeof value === "string" && value.includes("\0")) return true;
    if (typeof value !== "object" || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (key.includes("\0")) return true;
      open.push(inner);
    }
  }
  return false;
}
