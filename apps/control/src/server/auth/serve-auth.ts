import type { IncomingMessage, ServerResponse } from "node:http";
import { FlotillaError } from "@flotilla/core";
import { type Actor, type ObjectRef, recordAudit, type ServiceContext } from "@flotilla/services";
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
  if (path !== SIGN_IN) return door.auth.handle(req, res);
  return signIn(door, { req, res, address });
}

async function signIn(door: AuthDoor, { req, res, address }: AuthExchange): Promise<void> {
  const body = await readJson(req);
  const email = signInBody.safeParse(body).data?.email ?? "";
  const seconds = door.guard.closedForSeconds(email);
  if (seconds > 0) {
    res.setHeader("retry-after", String(seconds));
    return answerError(res, new FlotillaError("rate_limited", "too many attempts for this account: try again later"));
  }
  const response = await door.auth.signIn(req, body);
  if (response.ok) door.guard.succeed(email);
  else if (response.status === 401) door.guard.fail(email);
  // Before the answer: a session that nobody can see in the audit is never handed out.
  await recordSignIn(door.services, { email, address, isSignedIn: response.ok });
  await send(response, res);
}

async function send(response: Response, res: ServerResponse): Promise<void> {
  for (const [name, value] of response.headers) if (name !== "set-cookie") res.setHeader(name, value);
  res.setHeader("set-cookie", response.headers.getSetCookie());
  res.writeHead(response.status);
  res.end(Buffer.from(await response.arrayBuffer()));
}

async function recordSignIn(services: ServiceContext, attempt: { email: string; address: string; isSignedIn: boolean }): Promise<void> {
  const membership = await services.prisma.membership.findFirst({
    where: { user: { email: attempt.email.toLowerCase() } },
    include: { user: true },
  });
  const object: ObjectRef = { kind: "user", id: membership?.userId ?? "", name: attempt.email, teamId: membership?.teamId ?? null };
  const actor: Actor = { kind: "anonymous", address: attempt.address };
  if (!attempt.isSignedIn && !services.refusals.admit(`sign-in\0${attempt.address}\0${attempt.email}`)) return;
  await recordAudit(services.prisma, { actor, action: "session.signIn", object, outcome: attempt.isSignedIn ? "ok" : "refused" });
}

async function readJson(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > MAX_BODY_BYTES) throw new FlotillaError("too_large", "the request is too large");
    chunks.push(bytes);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new FlotillaError("invalid", "the request is not JSON");
  }
}
