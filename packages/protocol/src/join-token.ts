import { createHash } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import { publicKeyText } from "./keys.ts";

/**
 * A join token, as printed: `flj1.<id>.<secret>.<control plane's public key>`. The key inside pins the control plane:
 * the agent shows the secret only to whoever proves to own that key.
 */
export type JoinTokenText = { id: string; secret: string; serverKey: string };

const FORMAT = /^flj1\.([0-9a-f-]{36})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

export function formatJoinToken(token: JoinTokenText): string {
  return `flj1.${token.id}.${token.secret}.${token.serverKey}`;
}

/** @throws invalid, without repeating the token. */
export function parseJoinToken(text: string): JoinTokenText {
  const match = FORMAT.exec(text.trim());
  const [, id, secret, serverKey] = match ?? [];
  if (id === undefined || secret === undefined || serverKey === undefined || !publicKeyText.safeParse(serverKey).success) {
    throw new FlotillaError("invalid", "this is not a join token: it must look like flj1.….….…");
  }
  return { id, secret, serverKey };
}

/** What the database keeps of a secret: hex SHA-256. The secrets are 256 random bits, so a slow hash would add nothing. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
