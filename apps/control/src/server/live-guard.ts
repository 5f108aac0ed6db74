import { type Logger, toFlotillaError } from "@flotilla/core";
import { type Action, can, type ObjectRef, refreshActor, type ServiceContext, type UserActor } from "@flotilla/services";

/** A revocation reaches every open stream within this time and one look at the database: less than five seconds. */
const INTERVAL_MS = 2_000;

export type Watched = {
  actor: UserActor;
  rights: readonly { action: Action; object: ObjectRef }[];
  /** It goes on asking as whom it was opened by (a tab's socket): with other rights it must be opened again. */
  keepsActor?: boolean;
  end: (reason: string) => void;
};

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
        actor.team.id === watched.actor.team.id &&
        (watched.keepsActor !== true || mayDoTheSame(actor, watched.actor)) &&
        watched.rights.every(({ action, object }) => can(actor, action, object).allowed);
      if (mayStay || !this.#watched.delete(watched)) continue;
      watched.end("the right to this was withdrawn");
    }
  }
}

/** Whether somebody may do exactly what they might before; another name or role of equal rights is no matter. */
function mayDoTheSame(now: UserActor, before: UserActor): boolean {
  if (now.isInstanceAdmin !== before.isInstanceAdmin || now.grants.size !== before.grants.size) return false;
  if (!hasSame(now.rights, before.rights)) return false;
  return [...before.grants].every(([hostId, rights]) => hasSame(now.grants.get(hostId) ?? new Set(), rights));
}

function hasSame<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a === b || (a.size === b.size && [...a].every((entry) => b.has(entry)));
}
