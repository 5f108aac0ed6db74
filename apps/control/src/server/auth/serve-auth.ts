import type { IncomingMessage, ServerResponse } from "node:http";
import { FlotillaError } from "@flotilla/core";
import { type Actor, findActorByEmail, findActorBySession, type ObjectRef, recordAudit, type ServiceContext } from "@flotilla/services";
import { z } from "zod";
import { answerError, answerJson } from "../http/answer.ts";
import { isSameOrigin } from "../http/origin.ts";
import { type Auth, AUTH_ROUTES } from "./create-auth.ts";
import type { SignInGuard } from "./sign-in-guard.ts";

export type AuthExchange = { req: IncomingMessage; res: ServerResponse; address: string };
export type AuthDoor = { auth: Auth; guard: SignInGuard; services: ServiceContext };

const MAX_BODY_BYTES = 16 * 1024;
const SIGN_IN = "/api/auth/sign-in/email";
const TOTP = "/api/auth/two-factor/verify-totp";
const VERIFICATIONS: ReadonlySet<string> = new Set([TOTP, "/api/auth/two-factor/verify-backup-code"]);
/** What is recorded of them. Enrolment is recorded when its first code was right. */
const TWO_FACTOR_CHANGES: Readonly<Record<string, string>> = {
  "/api/auth/two-factor/disable": "disabled",
  "/api/auth/two-factor/generate-backup-codes": "new backup codes",
};
const codeBody = z.object({ code: z.string().trim().min(1).max(64) });
const halfSignedIn = z.looseObject({ twoFactorRedirect: z.literal(true) });
const verifiedUser = z.looseObject({ token: z.string(), user: z.looseObject({ id: z.string(), email: z.string() }) });
const signInBody = z.looseObject({ email: z.string().max(254) });

/** Serves the few routes of better-auth that are open, with their origin checked and sign-ins audited. */
export async function serveAuth(door: AuthDoor, { req, res, address }: AuthExchange): Promise<void> {
  const path = (req.url ?? "").split("?")[0] ?? "";
  if (!AUTH_ROUTES.has(`${req.method ?? ""} ${path}`)) return answerJson(res, 404, { message: "page not found" });
  // Also for sign-in: a foreign page must not sign a visitor in as somebody else.
  if (req.method !== "GET" && !isSameOrigin(req))
    return answerError(res, new FlotillaError("forbidden", "this request does not come from this control plane's own pages"));
  const body = req.method === "GET" ? "" : await readText(req);
  if (path === SIGN_IN) return signIn(door, body, { req, res, address });
  if (VERIFICATIONS.has(path)) return verifyCode(door, body, { req, res, address });
  const change = TWO_FACTOR_CHANGES[path];
  if (change !== undefined) return changeTwoFactor(door, body, { exchange: { req, res, address }, change });
  return send(await door.auth.answer(req, body), res);
}

async function signIn(door: AuthDoor, body: string, { req, res, address }: AuthExchange): Promise<void> {
  const email = signInBody.safeParse(parseJson(body)).data?.email ?? "";
  const attempt = { email, address };
  const seconds = await door.guard.begin(attempt);
  if (seconds > 0) {
    res.setHeader("retry-after", String(seconds));
    return answerError(res, new FlotillaError("rate_limited", "too many attempts for this account: try again later"));
  }
  const response = await door.auth.answer(req, body).catch(async (error: unknown) => {
    await door.guard.forgive(attempt).catch(() => undefined);
    throw error;
  });
  if (response.ok) await door.guard.succeed(attempt);
  else if (response.status !== 401) await door.guard.forgive(attempt);
  if (response.status >= 500) throw new FlotillaError("unavailable", "nobody can be signed in at the moment: try again");
  // With a second factor there is no session yet: it is recorded when the code was right.
  const isHalf = response.ok && halfSignedIn.safeParse(await response.clone().json()).success;
  // Before the answer: a session that nobody can see in the audit is never handed out.
  if (!isHalf) await recordSignIn(door.services, { email, address, isSignedIn: response.ok, isGuess: response.status === 401 });
  await send(response, res);
}

/** The second step of a sign-in, whose code is good once; with a session it ends the enrolment instead. Nothing but the code is passed on: no device is ever trusted. */
async function verifyCode(door: AuthDoor, body: string, { req, res, address }: AuthExchange): Promise<void> {
  const parsed = codeBody.safeParse(parseJson(body));
  if (!parsed.success) return answerError(res, new FlotillaError("invalid", "a code is required"));
  const isEnrolment = (await door.auth.findSessionId(req)) !== undefined;
  const isTotp = (req.url ?? "").startsWith(TOTP);
  if (isTotp && !isEnrolment && (await door.auth.wasCodeTaken(req, parsed.data.code))) return refuseCode(door, { req, res, address });
  const response = await door.auth.answer(req, JSON.stringify(parsed.data));
  if (response.status >= 500) throw new FlotillaError("unavailable", "nobody can be signed in at the moment: try again");
  const verified = response.ok ? verifiedUser.parse(await response.clone().json()) : undefined;
  const email = verified?.user.email ?? "";
  // Of two at the same moment one finds the code taken: its session, whose secret nobody was told, ends.
  if (verified !== undefined && isTotp && !(await door.auth.takeCode(verified.user.id, parsed.data.code)) && !isEnrolment) {
    await door.auth.endSession(verified.token);
    return refuseCode(door, { req, res, address });
  }
  if (isEnrolment && response.ok) await recordTwoFactor(door.services, { email, address, change: "enabled" });
  if (!isEnrolment) await recordSignIn(door.services, { email, address, isSignedIn: response.ok, isGuess: response.status === 401 });
  await send(response, res);
}

/** The answer to a code that was taken before is that to a wrong one. */
async function refuseCode({ services }: AuthDoor, { res, address }: AuthExchange): Promise<void> {
  await recordSignIn(services, { email: "", address, isSignedIn: false, isGuess: true });
  answerJson(res, 401, { code: "INVALID_CODE", message: "Invalid code" });
}

/** Turning the second factor off, or making new backup codes: the password was asked for. */
async function changeTwoFactor(
  door: AuthDoor,
  body: string,
  { exchange, change }: { exchange: AuthExchange; change: string },
): Promise<void> {
  const { req, res, address } = exchange;
  const sessionId = await door.auth.findSessionId(req);
  const actor = sessionId === undefined ? undefined : await findActorBySession(door.services, sessionId, address);
  const response = await door.auth.answer(req, body);
  if (response.ok && actor !== undefined) await recordTwoFactor(door.services, { email: actor.email, address, change });
  await send(response, res);
}

async function send(response: Response, res: ServerResponse): Promise<void> {
  const text = await response.text();
  for (const [name, value] of response.headers) if (name !== "set-cookie" && name !== "content-length") res.setHeader(name, value);
  res.setHeader("set-cookie", response.headers.getSetCookie());
  res.setHeader("cache-control", "no-store");
  res.writeHead(response.status);
  res.end(text === "" ? "" : JSON.stringify(withoutTokens(JSON.parse(text))));
}

/** better-auth puts the session's secret into its answers too. It belongs into the cookie, where no script can read it. */
function withoutTokens(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTokens);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, child]) => (key === "token" ? [] : [[key, withoutTokens(child)]])));
}

type SignInAttempt = { email: string; address: string; isSignedIn: boolean; /** A password was compared. */ isGuess: boolean };

async function recordSignIn(services: ServiceContext, attempt: SignInAttempt): Promise<void> {
  // Whoever is turned away before anything is compared writes one row in a while, whatever addresses they make up.
  const key = `sign-in\0${attempt.address}\0${attempt.isGuess ? attempt.email : ""}`;
  if (!attempt.isSignedIn && !services.refusals.admit(key)) return;
  const membership = await services.prisma.membership.findFirst({
    where: { user: { email: attempt.email.toLowerCase() } },
    include: { user: true },
  });
  const object: ObjectRef = { kind: "user", id: membership?.userId ?? "", name: attempt.email, teamId: membership?.teamId ?? null };
  // Only who proved the account is named as the one who acted.
  const proven = attempt.isSignedIn ? await findActorByEmail(services, attempt.email, attempt.address) : undefined;
  const actor: Actor = proven ?? { kind: "anonymous", address: attempt.address };
  await recordAudit(services.prisma, { actor, action: "session.signIn", object, outcome: attempt.isSignedIn ? "ok" : "refused" });
}

async function recordTwoFactor(
  services: ServiceContext,
  { email, address, change }: { email: string; address: string; change: string },
): Promise<void> {
  const actor = (await findActorByEmail(services, email, address)) ?? ({ kind: "anonymous", address } as const);
  const teamId = actor.kind === "user" ? actor.team.id : null;
  const object: ObjectRef = { kind: "user", id: actor.kind === "user" ? actor.userId : "", name: email, teamId };
  await recordAudit(services.prisma, { actor, action: "session.twoFactor", object, outcome: "ok", detail: { change } });
}

async function readText(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > MAX_BODY_BYTES) throw new FlotillaError("too_large", "the request is too large");
    chunks.push(bytes);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  if (text !== "") parseJson(text);
  return text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FlotillaError("invalid", "the request is not JSON");
  }
}
