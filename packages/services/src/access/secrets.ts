import { createHash, randomBytes } from "node:crypto";

/** 256 random bits, base64url. */
export function makeSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What the database keeps of a token: hex SHA-256 of the whole text. Tokens are random, so a slow hash would add nothing. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
