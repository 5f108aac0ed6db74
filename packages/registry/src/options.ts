import { z } from "zod";

/** What an operator says about one registry. Everything is optional; nothing said means TLS with the usual authorities. */
export type RegistrySettings = {
  /** Base URLs that are asked before the registry itself, for pulls only. */
  mirrors?: readonly string[];
  /** Certificates are not checked, and plain HTTP is used when TLS is not spoken. Not said: only loopback without `ca` is. */
  isInsecure?: boolean;
  /** The only protocol that is spoken, with certificates checked. Instead of `isInsecure`. */
  scheme?: "https" | "http";
  /** The registry itself must have a public address, too: for one that a user of ours named and not the operator. */
  isPublicOnly?: boolean;
  /**
   * Origins of token servers that get the credentials, beside the registry's own and the allowed ones. Not said: whichever
   * the registry names, as the docker command does.
   */
  credentialOrigins?: readonly string[];
  /** Authorities to trust instead of the usual ones, PEM. */
  ca?: string;
  /** Other origins (`https://auth.internal:5001`) that the registry may name or redirect to, although they are inside. */
  allowedOrigins?: readonly string[];
};

/** Docker's `X-Registry-Auth`, also the form in which credentials are kept. */
export const credentialsSchema = z.object({
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
  serveraddress: z.string().optional(),
});
export type Credentials = z.output<typeof credentialsSchema>;

/**
 * Reads an `X-Registry-Auth` header: base64url of JSON. What is empty or malformed is no credentials, as in Docker, where a
 * pull must not fail because of them.
 */
export function parseRegistryAuth(header: string | undefined): Credentials | undefined {
  if (header === undefined || header === "") return undefined;
  try {
    const credentials = credentialsSchema.parse(JSON.parse(Buffer.from(header, "base64url").toString("utf8")));
    return hasCredentials(credentials) ? credentials : undefined;
  } catch {
    return undefined;
  }
}

/** Whether there is anything in them to prove who one is. */
export function hasCredentials(credentials: Credentials | undefined): credentials is Credentials {
  if (credentials === undefined) return false;
  return [credentials.username, credentials.identitytoken, credentials.registrytoken].some((part) => part !== undefined && part !== "");
}

export type RegistryClientOptions = {
  /** By domain of a reference: `docker.io`, `localhost:5000`. */
  settingsOf: (domain: string) => RegistrySettings;
  credentialsOf: (domain: string) => Promise<Credentials | undefined>;
  userAgent: string;
  /** A number in [0, 1), for the jitter of retries. */
  random: () => number;
  /** Milliseconds since the epoch, for the expiry of tokens. */
  now: () => number;
  limits?: Partial<Limits>;
};

export type Limits = {
  /** Until the answer's headers are there. */
  headersTimeoutMs: number;
  /** The longest time without a byte while a body is awaited. */
  stallTimeoutMs: number;
  /** Attempts without any progress before an operation fails. */
  maxAttempts: number;
  backoffMinMs: number;
  backoffMaxMs: number;
};

export const DEFAULT_LIMITS: Limits = {
  headersTimeoutMs: 60_000,
  stallTimeoutMs: 30_000,
  maxAttempts: 6,
  backoffMinMs: 200,
  backoffMaxMs: 10_000,
};
