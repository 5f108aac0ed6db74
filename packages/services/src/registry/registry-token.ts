import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { z } from "zod";

/** Audience of the tokens: a token for something else is not one for the registry. */
export const REGISTRY_SERVICE = "flotilla-registry";
export const REGISTRY_OPERATIONS = ["pull", "push", "delete"] as const;
export type RegistryOperation = (typeof REGISTRY_OPERATIONS)[number];

/** What a token may be used for; never more than its holder may do, which is asked again at each call. */
export type Grant =
  | { type: "repository"; name: string; actions: RegistryOperation[] }
  | { type: "registry"; name: "catalog"; actions: "*"[] };

const subject = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("anonymous") }),
  z.object({
    kind: z.literal("user"),
    userId: z.string(),
    credential: z.object({ kind: z.enum(["token", "password", "session"]), id: z.string() }),
  }),
  z.object({ kind: z.literal("host"), hostId: z.string() }),
]);
export type TokenSubject = z.output<typeof subject>;

const grant = z.discriminatedUnion("type", [
  z.object({ type: z.literal("repository"), name: z.string(), actions: z.array(z.enum(REGISTRY_OPERATIONS)) }),
  z.object({ type: z.literal("registry"), name: z.literal("catalog"), actions: z.array(z.literal("*")) }),
]);

const claims = z.object({
  iss: z.literal("flotilla"),
  aud: z.string(),
  iat: z.int(),
  nbf: z.int(),
  exp: z.int(),
  jti: z.string(),
  subject,
  access: z.array(grant),
});

export type TokenPayload = {
  audience: string;
  subject: TokenSubject;
  access: Grant[];
  lifetimeSeconds: number;
  /** `jti`; random when it is not given. */ id?: string;
};

const HEADER = Buffer.from(JSON.stringify({ alg: "HS256", typ: "JWT" })).toString("base64url");
const MAX_TOKEN_LENGTH = 16_384;

/** A JWT (RFC 7519) signed with HS256. The header is a constant: what a token says of its own algorithm is never read. */
export function signRegistryToken(key: Uint8Array, payload: TokenPayload, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  const body: z.input<typeof claims> = {
    iss: "flotilla",
    aud: payload.audience,
    iat: seconds,
    nbf: seconds,
    exp: seconds + payload.lifetimeSeconds,
    jti: payload.id ?? randomUUID(),
    subject: payload.subject,
    access: payload.access,
  };
  const text = `${HEADER}.${Buffer.from(JSON.stringify(body)).toString("base64url")}`;
  return `${text}.${signatureOf(key, text).toString("base64url")}`;
}

/** What a token says, or undefined when it is forged, for another audience, not yet good or no longer. */
export function verifyRegistryToken(
  key: Uint8Array,
  token: string,
  expected: { audience: string; nowMs: number },
): { subject: TokenSubject; access: Grant[] } | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  const [header, body, signature, ...rest] = token.split(".");
  if (header !== HEADER || body === undefined || signature === undefined || rest.length > 0) return undefined;
  const given = Buffer.from(signature, "base64url");
  const right = signatureOf(key, `${header}.${body}`);
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
  const parsed = claims.safeParse(parseJson(Buffer.from(body, "base64url").toString("utf8")));
  if (!parsed.success) return undefined;
  const seconds = Math.floor(expected.nowMs / 1000);
  const { aud, nbf, exp } = parsed.data;
  if (aud !== expected.audience || exp <= seconds || nbf > seconds + 60) return undefined;
  return { subject: parsed.data.subject, access: parsed.data.access };
}

function signatureOf(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
