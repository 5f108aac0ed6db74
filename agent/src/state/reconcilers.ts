import { FlotillaError, fullJitterMs, type Logger, toFlotillaError } from "@flotilla/core";
import { kindOf, type Resource, type ResourceFailure } from "@flotilla/protocol";
import type { Timer } from "./timer.ts";

/** Makes one kind of resource true on this host, or several kinds that hang together. */
export type Reconciler = {
  /**
   * Gets all resources of its kinds, also none, and makes the host agree with them; what is not among them goes. Called again
   * with the same after a failure, a restart or on request, so doing it twice must be harmless. What it throws counts as the
   * failure of every resource. Never called twice at once.
   */
  apply(resources: readonly Resource[]): Promise<readonly ResourceFailure[]>;
};

export type ReconcilerOptions = {
  /** The resources of some kinds that shall be now. */
  wanted: (kinds: readonly string[]) => readonly Resource[];
  /** Called whenever nothing is left to be done but retries. */
  onSettled: () => void;
  logger: Logger;
  timer: Timer;
  random: () => number;
};

const RETRY = { minMs: 500, maxMs: 60_000 };
/** A call that takes longer is told as a failure while it goes on: whoever looks at the host learns that it hangs, and where. */
const OVERDUE_MS = 120_000;

type Kind = {
  names: readonly string[];
  reconciler: Reconciler;
  isDirty: boolean;
  running: Promise<void> | undefined;
  isOverdue: boolean;
  failures: readonly ResourceFailure[];
  attempt: number;
  cancelRetry: () => void;
};

/**
 * Who applies which kind. INVARIANTS: a kind is applied by one call at a time; a change during it is seen by the next call;
 * kinds do not wait for each other; a kind that fails is tried again by itself, with back-off, until it does not; one that
 * hangs holds back neither the others nor what is said of them.
 */
export class Reconcilers {
  readonly #options: ReconcilerOptions;
  readonly #kinds = new Map<string, Kind>();
  #isClosed = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** @param names kinds that one reconciler applies together. */
  register(names: readonly string[], reconciler: Reconciler): void {
    const idle = { isDirty: false, running: undefined, isOverdue: false, failures: [], attempt: 0, cancelRetry: () => undefined };
    const kind = { names, reconciler, ...idle };
    for (const name of names) {
      if (this.#kinds.has(name)) throw new FlotillaError("internal", `two parts of the agent want to apply ${name}`);
      this.#kinds.set(name, kind);
    }
  }

  get kinds(): readonly string[] {
    return [...this.#kinds.keys()];
  }

  /** Whether somebody applies this kind. */
  has(kind: string): boolean {
    return this.#kinds.has(kind);
  }

  /** Applies a kind anew, now or after the call that runs. */
  request(name: string): void {
    const kind = this.#kinds.get(name);
    if (kind === undefined || this.#isClosed) return;
    kind.attempt = 0;
    kind.isDirty = true;
    this.#start(kind);
  }

  get isSettled(): boolean {
    return this.#groups().every((kind) => kind.isOverdue || (kind.running === undefined && !kind.isDirty));
  }

  get failures(): readonly ResourceFailure[] {
    return this.#groups().flatMap((kind) => (kind.isOverdue ? this.#overdue(kind) : kind.failures));
  }

  #groups(): Kind[] {
    return [...new Set(this.#kinds.values())];
  }

  /** Calls retries off and waits for what runs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const kind of this.#kinds.values()) kind.cancelRetry();
    await Promise.all([...this.#kinds.values()].map(async (kind) => kind.running));
  }

  #start(kind: Kind): void {
    kind.cancelRetry();
    if (kind.running !== undefined) return;
    kind.running = this.#run(kind).finally(() => {
      kind.running = undefined;
      if (this.#isClosed) return;
      this.#planRetry(kind);
      if (this.isSettled) this.#options.onSettled();
    });
  }

  async #run(kind: Kind): Promise<void> {
    while (kind.isDirty && !this.#isClosed) {
      kind.isDirty = false;
      kind.failures = await this.#apply(kind, this.#options.wanted(kind.names));
    }
  }

  #overdue(kind: Kind): ResourceFailure[] {
    return failAll(kind, this.#options.wanted(kind.names), `is still being applied after ${OVERDUE_MS / 1000} s`);
  }

  async #apply(kind: Kind, wanted: readonly Resource[]): Promise<readonly ResourceFailure[]> {
    const cancel = this.#options.timer.after(OVERDUE_MS, () => {
      kind.isOverdue = true;
      this.#options.logger.warn("desired state takes long to apply", { kind: kind.names[0] });
      if (this.isSettled) this.#options.onSettled();
    });
    try {
      return await kind.reconciler.apply(wanted);
    } catch (error) {
      const { message } = toFlotillaError(error);
      this.#options.logger.warn("desired state could not be applied", { kind: kind.names[0], error: message });
      return failAll(kind, wanted, message);
    } finally {
      cancel();
      kind.isOverdue = false;
    }
  }

  #planRetry(kind: Kind): void {
    if (kind.failures.length === 0) {
      kind.attempt = 0;
      return;
    }
    const delayMs = RETRY.minMs + fullJitterMs(kind.attempt, RETRY, this.#options.random);
    kind.attempt += 1;
    kind.cancelRetry = this.#options.timer.after(delayMs, () => {
      kind.isDirty = true;
      this.#start(kind);
    });
  }
}

/** One failure of every resource, or of the kind itself when none is wanted. */
function failAll({ names: [name = ""] }: Kind, wanted: readonly Resource[], message: string): ResourceFailure[] {
  return wanted.length === 0 ? [{ key: name, message }] : wanted.map(({ key }) => ({ key, message }));
}

/** Failures of the resources that nobody here applies: this agent is older than its control plane. */
export function unknownKinds(resources: Iterable<Resource>, reconcilers: Pick<Reconcilers, "has">): ResourceFailure[] {
  return [...resources]
    .filter(({ key }) => !reconcilers.has(kindOf(key)))
    .map(({ key }) => ({ key, message: `this agent does not know ${kindOf(key)}: upgrade it` }));
}
