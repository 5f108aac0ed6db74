import {
  type Actor,
  type BasicCredentials,
  findActorByBasic,
  isPersonalPassword,
  issueRegistryToken,
  recordAudit,
  registryError,
} from "@flotilla/services";
import type { SignInGuard } from "../auth/sign-in-guard.ts";
import { answerRegistryJson, type Exchange } from "./exchange.ts";

const MAX_FORM_BYTES = 16 * 1024;

/**
 * `GET /v2/token` with Basic credentials or none (the distribution project's token specification), and `POST /v2/token`
 * with a form (its OAuth 2 variant, grant type `password`).
 */
export async function serveToken(exchange: Exchange, guard: SignInGuard): Promise<void> {
  const { req } = exchange;
  if (req.method === "GET") {
    const credentials = readBasic(req.headers.authorization);
    const actor = await authenticate(exchange, credentials, guard);
    return answerToken(exchange, actor, exchange.query.getAll("scope"));
  }
  if (req.method !== "POST") throw registryError("UNSUPPORTED", "the operation is unsupported");
  const form = await readForm(exchange);
  const username = form.get("username");
  const password = form.get("password");
  if (form.get("grant_type") !== "password" || username === null || password === null) {
    throw registryError("UNSUPPORTED", "only the grant type password is supported");
  }
  const actor = await authenticate(exchange, { username, password }, guard);
  return answerToken(exchange, actor, form.getAll("scope"));
}

/** @throws UNAUTHORIZED for credentials that are not good, TOOMANYREQUESTS after many of them. */
async function authenticate(exchange: Exchange, credentials: BasicCredentials | undefined, guard: SignInGuard): Promise<Actor> {
  const { services, address } = exchange;
  if (credentials === undefined) return { kind: "anonymous", address };
  const isGuarded = isPersonalPassword(credentials);
  const attempt = { email: credentials.username, address };
  if (isGuarded && (await guard.begin(attempt)) > 0)
    throw registryError("TOOMANYREQUESTS", "too many attempts for this account: try again later");
  const actor = await findActorByBasic(services, credentials, address).catch(async (error: unknown) => {
    if (isGuarded) await guard.forgive(attempt).catch(() => undefined);
    throw error;
  });
  if (isGuarded && actor !== undefined) await guard.succeed(attempt);
  if (actor !== undefined) return actor;
  const name = credentials.username;
  if (services.refusals.admit(`registry sign-in\0${address}\0${name}`)) {
    const object = { kind: "user" as const, id: "", name, teamId: null };
    await recordAudit(services.prisma, {
      actor: { kind: "anonymous", address },
      action: "session.signIn",
      object,
      outcome: "refused",
      detail: { registry: true },
    });
  }
  throw registryError("UNAUTHORIZED", "incorrect username or password");
}

async function answerToken(exchange: Exchange, actor: Actor, scopes: readonly string[]): Promise<void> {
  const issued = await issueRegistryToken(exchange.services, actor, scopes);
  exchange.res.setHeader("cache-control", "no-store");
  const { token, expiresInSeconds, issuedAt } = issued;
  const scope = issued.access.map((grant) => `${grant.type}:${grant.name}:${grant.actions.join(",")}`).join(" ");
  answerRegistryJson(exchange, 200, { body: { token, access_token: token, expires_in: expiresInSeconds, issued_at: issuedAt, scope } });
}

/** @throws UNAUTHORIZED for an Authorization header that is not Basic. */
function readBasic(header: string | undefined): BasicCredentials | undefined {
  if (header === undefined) return undefined;
  const encoded = /^Basic ([A-Za-z0-9+/=_-]{1,8192})$/i.exec(header)?.[1];
  const text = encoded === undefined ? "" : Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 1) throw registryError("UNAUTHORIZED", "incorrect username or password");
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

async function readForm({ req }: Exchange): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > MAX_FORM_BYTES) throw registryError("SIZE_INVALID", "the form is too large");
    chunks.push(bytes);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}
