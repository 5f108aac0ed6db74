import { FlotillaError } from "@flotilla/core";
import { familiarRepository, type Reference } from "@flotilla/image";
import type { HttpResponse } from "./http-client.ts";
import { isCancelled, type Session, type SessionRequest } from "./session.ts";

export type RepositoryRequest = Omit<SessionRequest, "path" | "scopes"> & {
  /** Below `v2/<name>/`. */
  path: string;
  scopes?: readonly string[];
};

/** One repository behind the endpoints of its registry. */
export class Repository {
  readonly reference: Pick<Reference, "domain" | "path">;
  readonly action: "pull" | "push";
  readonly #sessions: readonly Session[];
  /** The endpoint that answered last is asked first. */
  #current = 0;

  constructor(reference: Pick<Reference, "domain" | "path">, action: "pull" | "push", sessions: readonly Session[]) {
    this.reference = reference;
    this.action = action;
    this.#sessions = sessions;
  }

  /** As people write it: `busybox`. */
  get name(): string {
    return familiarRepository(this.reference);
  }

  get scope(): string {
    return `repository:${this.reference.path}:${this.action === "pull" ? "pull" : "pull,push"}`;
  }

  /** Of the endpoint that is asked first. */
  get session(): Session {
    const session = this.#sessions[this.#current];
    if (session === undefined) throw new FlotillaError("internal", `registry ${this.reference.domain} has no endpoint`);
    return session;
  }

  pathOf(session: Session, path: string): URL {
    return new URL(`v2/${this.reference.path}/${path}`, session.endpoint.base);
  }

  async send(request: RepositoryRequest): Promise<HttpResponse> {
    return this.attempt((session) => {
      return session.send({ ...request, path: this.pathOf(session, request.path), scopes: request.scopes ?? [this.scope] });
    });
  }

  /**
   * Runs something with one endpoint after the other until one does it. A mirror may be wrong in any way; what the registry
   * itself says, which comes last, counts.
   */
  async attempt<T>(run: (session: Session) => Promise<T>): Promise<T> {
    for (;;) {
      const tried = this.#current;
      const { session } = this;
      try {
        return await run(session);
      } catch (error) {
        const isLast = tried + 1 >= this.#sessions.length;
        if (isLast || isCancelled(error)) throw error;
        // Another request may have moved on meanwhile.
        if (this.#current === tried) this.#current = tried + 1;
      }
    }
  }
}
