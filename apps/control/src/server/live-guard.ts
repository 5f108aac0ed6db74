import { type Logger, toFlotillaError } from "@flotilla/core";
import { type Action, can, type ObjectRef, refreshActor, type ServiceContext, type UserActor } from "@flotilla/services";

/** A revocation reaches every open stream within this time and one look at the database: less than five seconds. */
const INTERVAL_MS = 2_000;

export type Watched = { actor: UserActor; rights: readonly { action: Action; object: ObjectRef }[]; end: (reason: string) => void };

/**
 * Asks again, every two seconds, whether those who hold a stream open may still do so: the session or token is there, the
 * person, role and team too, and the authorizer still says yes. Else the stream is ended.
 */
export class LiveGuard {
  readonly #services: ServiceContext;
  readonly #logger: Logger;
  readonly #watched = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;
  #isChecking = false;

  constructor(services: ServiceContext) {
    this.#services = services;
    this.#logger = services.logger;
    this.#timer = setInterval(() => void this.check(), INTERVAL_MS);
    this.#timer.unref();
  }

  get size(): number {
    return this.#watched.size;
  }

  /** Watches a stream until the returned function is called. */
  watch(watched: Watched): () => void {
    this.#watched.add(watched);
    return () => this.#watched.delete(watched);
  }

  /** Looks at all streams once: one look-up for each credential, however many streams it holds. */
  async check(): Promise<void> {
    if (this.#isChecking || this.#watched.size === 0) return;
    this.#isChecking = true;
    try {
      const byCredential = new Map<string, Watched[]>();
      for (const watched of this.#watched) {
        const { kind, id } = watched.actor.credential;
        byCredential.set(`${kind} ${id}`, [...(byCredential.get(`${kind} ${id}`) ?? []), watched]);
      }
      await Promise.all([...byCredential.values()].map((group) => this.#checkGroup(group)));
    } catch (error) {
      // Without the database nobody can be asked: the streams stay, and so does every new call fail.
      this.#logger.warn("open streams could not be re-authorised", { error: toFlotillaError(error).message });
    } finally {
      this.#isChecking = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const watched of this.#watched) watched.end("the control plane stops");
    this.#watched.clear();
  }

  async #checkGroup(group: readonly Watched[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    const actor = await refreshActor(this.#services, first.actor);
    for (const watched of group) {
      const mayStay =
        actor !== undefined &&
        // A socket goes on asking as whom it was opened by: with another role or team it must be opened again.
        actor.role === watched.actor.role &&
        actor.team.id === watched.actor.team.id &&
        watched.rights.every(({ action, object }) => can(actor, action, object).allowed);
      if (mayStay || !this.#watched.delete(watched)) continue;
      watched.end("the right to this was withdrawn");
    }
  }
}
