import { createHash } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { MAX_HANDSHAKE_BYTES } from "./constants.ts";
import { hostFacts } from "./heartbeat.ts";
import { publicKeyText, signatureText } from "./keys.ts";

// The handshake: four text messages, then binary messages carry one HTTP/2 connection whose client is the control plane.
//
//   agent   hello      who I claim to be, my key, my nonce
//   control challenge  my nonce and my signature over everything said so far (the agent compares my key with the pinned one)
//   agent   proof      my signature; when joining also the token's secret, which only the pinned control plane gets to see
//   control welcome    the host's id and the epoch of this connection, or: refused

/** 256 random bits, base64url. */
const nonce = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const subject = z.string().regex(/^[0-9A-Za-z-]{1,64}$/);

/** Names of hosts: DNS labels, since they are part of URLs and of DNS names. */
export const hostName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, "must be lower-case letters, digits and dashes, such as web-1");

export const helloMessage = z.object({
  type: z.literal("hello"),
  protocols: z.array(z.number().int().min(1).max(1000)).min(1).max(16),
  purpose: z.enum(["connect", "join"]),
  subject,
  publicKey: publicKeyText,
  nonce,
  /** Whether the agent's end of the channel is TLS. */
  isTls: z.boolean(),
  /** Random per agent process: the same process that dials again replaces its old connection, another one does not. */
  processId: nonce,
  /** Wanted name, when joining. */
  name: hostName.optional(),
  facts: hostFacts,
});
export type HelloMessage = z.output<typeof helloMessage>;

export const challengeMessage = z.object({
  type: z.literal("challenge"),
  protocol: z.number().int().min(1),
  publicKey: publicKeyText,
  nonce,
  binding: z.enum(["tls-exporter", "none"]),
  signature: signatureText,
});
export type ChallengeMessage = z.output<typeof challengeMessage>;

export const proofMessage = z.object({
  type: z.literal("proof"),
  signature: signatureText,
  /** Secret of the join token, when joining. */
  secret: z.string().max(128).optional(),
});
export type ProofMessage = z.output<typeof proofMessage>;

export const welcomeMessage = z.object({
  type: z.literal("welcome"),
  hostId: subject,
  name: hostName,
  epoch: z.number().int().min(0),
});
export type WelcomeMessage = z.output<typeof welcomeMessage>;

export const REFUSAL_CODES = [
  "bad_request",
  "version",
  "unknown_host",
  "bad_token",
  "bad_proof",
  "name_taken",
  "duplicate",
  "busy",
] as const;

export const refusedMessage = z.object({
  type: z.literal("refused"),
  code: z.enum(REFUSAL_CODES),
  message: z.string().max(500),
  /** Do not dial again before this. */
  retryAfterMs: z.number().int().min(0).max(600_000).optional(),
});
export type RefusedMessage = z.output<typeof refusedMessage>;
export type RefusalCode = RefusedMessage["code"];

export const agentMessage = z.discriminatedUnion("type", [helloMessage, proofMessage]);
export const serverMessage = z.discriminatedUnion("type", [challengeMessage, welcomeMessage, refusedMessage]);
export type AgentMessage = z.output<typeof agentMessage>;
export type ServerMessage = z.output<typeof serverMessage>;

/** Parses one text message of the handshake. @throws invalid when it is too long, no JSON, or not of the schema. */
export function parseMessage<T extends z.ZodType>(schema: T, data: Uint8Array): z.output<T> {
  if (data.byteLength > MAX_HANDSHAKE_BYTES) throw new FlotillaError("invalid", "a handshake message is too long");
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
  } catch (error) {
    throw new FlotillaError("invalid", "a handshake message is not JSON", { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new FlotillaError("invalid", "a handshake message has the wrong shape", { cause: parsed.error });
  return parsed.data;
}

/** hex SHA-256 of what the agent said, as it was sent. */
export function digestHello(text: Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}
