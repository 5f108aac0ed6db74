import { createHmac, randomBytes } from "node:crypto";

const PREFIX = "whsec_";

/** A secret in the form of Standard Webhooks: `whsec_` and 32 random bytes in base64. */
export function makeWebhookSecret(): string {
  return `${PREFIX}${randomBytes(32).toString("base64")}`;
}

/** `v1,<base64>` of HMAC-SHA256 over `id.timestamp.payload` (Standard Webhooks). */
export function signWebhook(secret: string, message: { id: string; timestamp: number; payload: string }): string {
  const key = Buffer.from(secret.slice(PREFIX.length), "base64");
  const { id, timestamp, payload } = message;
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${payload}`).digest("base64")}`;
}

/** Seconds until the next attempt after so many; undefined when it is given up: after eight, about a day. */
export function retryAfterSeconds(attempts: number): number | undefined {
  return [5, 30, 120, 600, 3_600, 10_800, 21_600, 43_200][attempts - 1];
}
