import { FlotillaError } from "@flotilla/core";
import type { Reference } from "@flotilla/image";
import { discardBody } from "./body.ts";
import { endpointsOf, type Endpoint } from "./endpoint.ts";
import { HttpClient } from "./http-client.ts";
import { DEFAULT_LIMITS, type Credentials, type Limits, type RegistryClientOptions } from "./options.ts";
import { Repository } from "./repository.ts";
import { Session } from "./session.ts";

export type RepositoryQuery = {
  reference: Pick<Reference, "domain" | "path">;
  action: "pull" | "push";
  /** Instead of those that are kept for the registry; a mirror never gets them. */
  credentials?: Credentials | undefined;
  signal: AbortSignal;
};

/** A mirror that does not answer is left soon: the registry itself is there. */
const MIRROR_ATTEMPTS = 2;
/** How long a registry that may speak plain HTTP has to show that it speaks TLS. */
const PROBE_TIMEOUT_MS = 5000;

/**
 * Client of registries that speak the OCI distribution specification 1.1 or Docker's Registry HTTP API V2. Connections and
 * tokens belong to the repositories that it opens; disposing of it closes them all.
 */
export class RegistryClient implements Disposable {
  readonly #options: RegistryClientOptions;
  readonly #limits: Limits;
  readonly #sessions = new Set<Session>();

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  /** Opens a repository for one pull or push. Dispose of it when that is done. */
  async open(query: RepositoryQuery): Promise<OpenRepository> {
    const { reference, action } = query;
    const { mirrors, own } = endpointsOf(reference.domain, this.#options.settingsOf(reference.domain), action === "pull");
    const sessions: Session[] = [];
    for (const endpoint of mirrors) sessions.push(this.#session(endpoint, await this.#options.credentialsOf(endpoint.domain)));
    const credentials = query.credentials ?? (await this.#options.credentialsOf(reference.domain));
    sessions.push(this.#session(await this.#choose(own, query.signal), credentials));
    return new OpenRepository(query, sessions, () => {
      for (const session of sessions) this.#close(session);
    });
  }

  /**
   * Whether a registry is there and takes the credentials: `docker login`.
   * @throws FlotillaError `unauthenticated` when it does not, `unavailable` when it is not one.
   */
  async checkLogin(domain: string, credentials: Credentials | undefined, signal: AbortSignal): Promise<void> {
    using repository = await this.open({ reference: { domain, path: "" }, action: "push", credentials, signal });
    await repository.attempt(async (session) => {
      const path = new URL("v2/", session.endpoint.base);
      const response = await session.send({ method: "GET", path, accept: [200, 404], scopes: [], signal });
      await discardBody(response);
      if (response.status === 404)
        throw new FlotillaError("unavailable", `${domain} does not speak the registry's protocol: no answer at /v2/`);
    });
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions) this.#close(session);
  }

  #session(endpoint: Endpoint, credentials: Credentials | undefined): Session {
    const limits = endpoint.isMirror ? { ...this.#limits, maxAttempts: Math.min(MIRROR_ATTEMPTS, this.#limits.maxAttempts) } : this.#limits;
    const session = new Session(endpoint, { ...this.#options, limits, credentials });
    this.#sessions.add(session);
    return session;
  }

  /** TLS where it is spoken, else plain HTTP if that is among the ways. Asked without credentials. */
  async #choose(own: readonly Endpoint[], signal: AbortSignal): Promise<Endpoint> {
    const [secure, plain] = own;
    if (secure === undefined) throw new FlotillaError("internal", "registry has no endpoint");
    if (plain === undefined) return secure;
    using http = new HttpClient(secure, this.#limits);
    try {
      const probe = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
      const headers = { "user-agent": this.#options.userAgent };
      const response = await http.send({ method: "GET", url: new URL("v2/", secure.base), headers, signal: probe });
      response.body.destroy();
      return secure;
    } catch (error) {
      if (signal.aborted) throw error;
      return plain;
    }
  }

  #close(session: Session): void {
    this.#sessions.delete(session);
    session[Symbol.dispose]();
  }
}

/** A repository that closes its connections when it is disposed of. */
export class OpenRepository extends Repository implements Disposable {
  readonly #close: () => void;

  constructor(query: RepositoryQuery, sessions: readonly Session[], close: () => void) {
    super(query.reference, query.action, sessions);
    this.#close = close;
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}
