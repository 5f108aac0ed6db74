import type { IncomingMessage, ServerResponse } from "node:http";
import { FlotillaError } from "@flotilla/core";
import { type Actor, findActorByEmail, type ObjectRef, recordAudit, type ServiceContext } from "@flotilla/services";
import { z } from "zod";
import { answerError, answerJson } from "../http/answer.ts";
import { isSameOrigin } from "../http/origin.ts";
import { type Auth, AUTH_ROUTES } from "./create-auth.ts";
import type { SignInGuard } from "./sign-in-guard.ts";

export type AuthExchange = { req: IncomingMessage; res: ServerResponse; address: string };
export type AuthDoor = { auth: Auth; guard: SignInGuard; services: ServiceContext };

const MAX_BODY_BYTES = 16 * 1024;
const SIGN_IN = "/api/auth/sign-in/email";
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
  return send(await door.auth.answer(req, body), res);
}

async function signIn(door: AuthDoor, body: string, { req, res, address }: AuthExchange): Promise<void> {
  const email = signInBody.safeParse(parseJson(body)).data?.email ?? "";
  const seconds = door.guard.closedForSeconds(email);
  if (seconds > 0) {
    res.setHeader("retry-after", String(seconds));
    return answerError(res, new FlotillaError("rate_limited", "too many attempts for this account: try again later"));
  }
  door.guard.begin(email);
  const response = await door.auth.answer(req, body).catch((error: unknown) => {
    door.guard.forgive(email);
    throw error;
  });
  if (response.ok) door.guard.succeed(email);
  else if (response.status !== 401) door.guard.forgive(email);
  if (response.status >= 500) throw new FlotillaError("unavailable", "nobody can be signed in at the moment: try again");
  // Before the answer: a session that nobody can see in the audit is never handed out.
  await recordSignIn(door.services, { email, address, isSignedIn: response.ok, isGuess: response.status === 401 });
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
