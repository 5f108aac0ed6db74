// Docker's token authentication (distribution specification, "token" and "oauth2" flows) and Basic. What a registry demands
// is learnt from its first 401. Tokens are kept until shortly before they expire, by what they allow.
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { discardBody, readBody } from "./body.ts";
import { parseChallenges, type Challenge } from "./challenge.ts";
import type { HttpClient, HttpRequest } from "./http-client.ts";
import { hasCredentials, type Credentials, type Limits } from "./options.ts";
import { errorOfResponse } from "./registry-error.ts";

const tokenSchema = z
  .object({ token: z.string().optional(), access_token: z.string().optional(), expires_in: z.number().optional() })
  .transform(({ token, access_token, expires_in }, context) => {
    const value = token ?? access_token ?? "";
    if (value === "" || /[^\x21-\x7e]/.test(value)) context.addIssue({ code: "custom", message: "no usable token" });
    return { value, expiresInMs: (expires_in ?? DEFAULT_EXPIRY_S) * 1000 };
  });

/** The specification's minimum, also assumed where nothing is said. */
const DEFAULT_EXPIRY_S = 60;
/** A token is not used in its last moments: the clocks differ and the request takes its time. */
const SKEW_MS = 10_000;
const MAX_TOKEN_BYTES = 256 * 1024;

type Token = { value: string; expiresAtMs: number };

export type AuthorizerOptions = {
  http: HttpClient;
  credentials: Credentials | undefined;
  userAgent: string;
  limits: Limits;
  now: () => number;
};

export class Authorizer {
  readonly #options: AuthorizerOptions;
  /** By scopes; the promise, so that requests beside each other fetch one token. */
  readonly #tokens = new Map<string, Promise<Token>>();
  #challenge: Challenge | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  get isAnonymous(): boolean {
    return !hasCredentials(this.#options.credentials);
  }

  /** The header for a request, or undefined while the registry has not asked for any. */
  async header(scopes: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    const { credentials } = this.#options;
    if (credentials?.registrytoken !== undefined && credentials.registrytoken !== "") return `Bearer ${credentials.registrytoken}`;
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === "basic") return basic(credentials);
    const key = [...scopes].sort().join(" ");
    // One that could not be fetched is forgotten by whoever asked for it.
    const known = await this.#tokens.get(key)?.catch(() => undefined);
    if (known !== undefined && known.expiresAtMs > this.#options.now()) return `Bearer ${known.value}`;
    const fetching = this.#fetchToken(challenge, scopes, signal);
    this.#tokens.set(key, fetching);
    try {
      return `Bearer ${(await fetching).value}`;
    } catch (error) {
      if (this.#tokens.get(key) === fetching) this.#tokens.delete(key);
      throw error;
    }
  }

  /**
   * Learns from a 401. Returns whether another try makes sense: not when the same proof was just refused.
   * @param sent the header that was refused.
   */
  learn(wwwAuthenticate: string | undefined, sent: string | undefined): boolean {
    const challenges = parseChallenges(wwwAuthenticate ?? "");
    const chosen = challenges.find(({ scheme }) => scheme === "bearer") ?? challenges.find(({ scheme }) => scheme === "basic");
    if (chosen === undefined) return false;
    const isFirst = sent === undefined;
    const isBearer = chosen.scheme === "bearer";
    this.#challenge = chosen;
    // A token may have expired on the way or lack a scope: a fresh one is worth one more try. A password is not.
    if (!isFirst) this.#tokens.clear();
    return isFirst ? isBearer || basic(this.#options.credentials) !== undefined : isBearer && !sent.startsWith("Basic ");
  }

  async #fetchToken(challenge: Challenge, scopes: readonly string[], signal: AbortSignal): Promise<Token> {
    const { http, limits, now } = this.#options;
    const request = this.#tokenRequest(challenge, scopes, signal);
    const response = await http.send(request);
    if (response.status >= 300 && response.status < 400) {
      await discardBody(response);
      throw new FlotillaError("forbidden", `token server ${request.url.host} redirects, which is refused`);
    }
    if (response.status !== 200) throw await errorOfResponse(response, limits.stallTimeoutMs);
    const body = await readBody(response, { maxBytes: MAX_TOKEN_BYTES, stallTimeoutMs: limits.stallTimeoutMs });
    const parsed = tokenSchema.safeParse(parseJson(body));
    if (!parsed.success)
      throw new FlotillaError("unavailable", `authorization server ${request.url.host} did not include a token in the response`);
    const lifetimeMs = Math.max(DEFAULT_EXPIRY_S * 1000, parsed.data.expiresInMs) - SKEW_MS;
    return { value: parsed.data.value, expiresAtMs: now() + lifetimeMs };
  }

  #tokenRequest(challenge: Challenge, scopes: readonly string[], signal: AbortSignal): HttpRequest {
    const { credentials, userAgent } = this.#options;
    const url = realmOf(challenge);
    if (!this.isAnonymous && !this.#options.http.mayProve(url)) {
      throw new FlotillaError(
        "forbidden",
        `the registry names the token server ${url.origin}, which is not said to be its own: credentials are not sent there`,
      );
    }
    const service = challenge.parameters.get("service");
    const headers = { "user-agent": userAgent, accept: "application/json" };
    if (credentials?.identitytoken !== undefined && credentials.identitytoken !== "") {
      const form = new URLSearchParams({ grant_type: "refresh_token", client_id: "flotilla", refresh_token: credentials.identitytoken });
      if (service !== undefined) form.set("service", service);
      form.set("scope", scopes.join(" "));
      const body = Buffer.from(form.toString());
      const extra = { "content-type": "application/x-www-form-urlencoded", "content-length": String(body.length) };
      return { method: "POST", url, headers: { ...headers, ...extra }, body, signal };
    }
    if (service !== undefined) url.searchParams.set("service", service);
    for (const scope of scopes) url.searchParams.append("scope", scope);
    const proof = basic(credentials);
    if (proof === undefined) return { method: "GET", url, headers, signal };
    url.searchParams.set("account", credentials?.username ?? "");
    return { method: "GET", url, headers: { ...headers, authorization: proof }, signal };
  }
}

function realmOf(challenge: Challenge): URL {
  const realm = challenge.parameters.get("realm") ?? "";
  if (!URL.canParse(realm)) throw new FlotillaError("forbidden", `registry names no usable realm for tokens: ${realm.slice(0, 200)}`);
  return new URL(realm);
}

function basic(credentials: Credentials | undefined): string | undefined {
  if (credentials?.username === undefined || credentials.username === "") return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password ?? ""}`).toString("base64")}`;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
