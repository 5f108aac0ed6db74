import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { FlotillaError } from "@flotilla/core";

/** What every API token begins with, so that it is known when it is found somewhere. */
export const API_TOKEN_PREFIX = "flt_";

/** 256 random bits, base64url. */
export function makeSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What the database keeps of a token: hex SHA-256 of the whole text. Tokens are random, so a slow hash would add nothing. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts a text for the database (AES-256-GCM): nonce, tag, then the text. The key is kept outside the database.
 * @param context what it belongs to, such as a row's id: it opens nowhere else.
 */
export function sealText(key: Uint8Array, text: string, context: string): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), sealed]));
}

/** @throws FlotillaError `conflict` when it was sealed with another key or for something else: the secrets file was replaced. */
export function openText(key: Uint8Array, sealed: Uint8Array, context: string): string {
  const bytes = Buffer.from(sealed);
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString("utf8");
  } catch (error) {
    throw new FlotillaError("conflict", "a stored secret cannot be opened: it was written with another secrets file", { cause: error });
  }
}
