import type { IncomingMessage } from "node:http";
import { FlotillaError } from "@flotilla/core";
import type { PrismaClient } from "@flotilla/db";
import { betterAuth } from "better-auth";
import { prismaAdapter } from "better-auth/adapters/prisma";
import { hashPassword, verifyPassword } from "better-auth/crypto";
import { fromNodeHeaders } from "better-auth/node";
import { twoFactor } from "better-auth/plugins";
import { ADDRESS_HEADER } from "../http/client-address.ts";
import { UsedCodes } from "./used-codes.ts";

export type AuthOptions = { prisma: PrismaClient; secret: string; publicUrl: string; isTls: boolean; onError: (message: string) => void };

/** Password sign-in and sessions of the dashboard; everything else about people is in `@flotilla/services`. */
export type Auth = {
  /** Answers a request whose body was read ("" for none); the caller sends the answer. */
  answer(req: IncomingMessage, body: string): Promise<Response>;
  /** Id of the session that the request's cookie proves. */
  findSessionId(req: IncomingMessage): Promise<string | undefined>;
  /** Whether the one-time code of a half signed in person was taken before. */
  wasCodeTaken(req: IncomingMessage, code: string): Promise<boolean>;
  /** Takes a one-time code that was right, once. @returns false when it was taken before. */
  takeCode(userId: string, code: string): Promise<boolean>;
  /** Ends a session that nobody was told of. */
  endSession(token: string): Promise<void>;
  hashPassword(password: string): Promise<string>;
  verifyPassword(password: string, hash: string): Promise<boolean>;
};

/**
 * The only routes of better-auth that are served: accounts are made by set-up and by administrators, never by signing up.
 * Its lists of sessions are not among them: they name a session by its secret.
 */
export const AUTH_ROUTES: ReadonlySet<string> = new Set([
  "POST /api/auth/sign-in/email",
  "POST /api/auth/sign-out",
  "GET /api/auth/get-session",
  "POST /api/auth/change-password",
  "POST /api/auth/revoke-other-sessions",
  "POST /api/auth/two-factor/enable",
  "POST /api/auth/two-factor/disable",
  "POST /api/auth/two-factor/generate-backup-codes",
  "POST /api/auth/two-factor/verify-totp",
  "POST /api/auth/two-factor/verify-backup-code",
]);

const DAY_SECONDS = 86_400;
const MIN_PASSWORD = 10;
const MAX_PASSWORD = 128;

export function createAuth(options: AuthOptions): Auth {
  const auth = betterAuth({
    appName: "Flotilla",
    baseURL: options.publicUrl,
    basePath: "/api/auth",
    secret: options.secret,
    database: prismaAdapter(options.prisma, { provider: "postgresql", transaction: true }),
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength: MIN_PASSWORD, maxPasswordLength: MAX_PASSWORD },
    session: { expiresIn: 14 * DAY_SECONDS, updateAge: DAY_SECONDS, cookieCache: { enabled: false } },
    // Each address has thirty attempts a minute, counted in the database so that several control planes count together.
    rateLimit: {
      enabled: true,
      storage: "database",
      window: 60,
      max: 300,
      customRules: {
        "/sign-in/email": { window: 60, max: 30 },
        "/change-password": { window: 60, max: 10 },
        "/two-factor/*": { window: 60, max: 20 },
      },
    },
    // One-time codes of an app (RFC 6238). Ten wrong ones in a row close the second step for a quarter of an hour: only who
    // knows the password gets as far, so that no stranger can close it.
    plugins: [twoFactor({ issuer: "Flotilla", accountLockout: { enabled: true, maxFailedAttempts: 10, durationSeconds: 900 } })],
    // The page may be reached under several names (address, tunnel): its own origin is the one that the request names, and it was compared before.
    trustedOrigins: (request) => originOf(request),
    advanced: {
      cookiePrefix: "flotilla",
      useSecureCookies: options.isTls,
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax", path: "/" },
      ipAddress: { ipAddressHeaders: [ADDRESS_HEADER] },
    },
    telemetry: { enabled: false },
    logger: { level: "error", log: (_level, message) => options.onError(message) },
  });
  const usedCodes = new UsedCodes(options);
  return {
    answer: (req, body) => {
      const headers = fromNodeHeaders(req.headers);
      for (const name of ["content-length", "transfer-encoding", "connection"]) headers.delete(name);
      const path = (req.url ?? "").split("?")[0] ?? "";
      const method = req.method ?? "GET";
      return auth.handler(new Request(`${options.publicUrl}${path}`, { method, headers, ...(body === "" ? {} : { body }) }));
    },
    findSessionId: async (req) => {
      if (req.headers.cookie === undefined) return undefined;
      const found = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) }).catch((error: unknown) => {
        // It hides what its database said; a session that cannot be looked up has no other cause.
        throw new FlotillaError("unavailable", "the session cannot be looked up: try again in a moment", { cause: error });
      });
      return found?.session.id;
    },
    wasCodeTaken: (req, code) => usedCodes.wasTaken(req.headers.cookie, code, Date.now()),
    takeCode: (userId, code) => usedCodes.take(userId, code, Date.now()),
    endSession: async (token) => void (await options.prisma.session.deleteMany({ where: { token } })),
    hashPassword,
    verifyPassword: (password, hash) => verifyPassword({ password, hash }),
  };
}

function originOf(request: Request | undefined): string[] {
  const host = request?.headers.get("host");
  return host === null || host === undefined ? [] : [`http://${host}`, `https://${host}`];
}
