import { FlotillaError, type Logger } from "@flotilla/core";
import {
  acceptDesired,
  type Acceptance,
  type DeltaMessage,
  diffResources,
  kindOf,
  type Resource,
  type ResourceDiff,
  type ResourceFailure,
  type SnapshotMessage,
  type StateDocument,
  type StateVersion,
} from "@flotilla/protocol";
import type { DesiredStore, StoredState } from "./desired-store.ts";
import { type Reconciler, Reconcilers, unknownKinds } from "./reconcilers.ts";
import type { Timer } from "./timer.ts";

export type DesiredStateOptions = { store: DesiredStore; logger: Logger; timer: Timer; random: () => number };

/** What has become of a document: nothing is being done but retries. */
export type Outcome = { version: StateVersion; failures: readonly ResourceFailure[] };

/**
 * What this host shall be, as its control plane said last. It is stored before anything is done, applied also at the start
 * with the control plane away, and tried again by itself until it is so.
 *
 * INVARIANT: the store and `#state` are the same; what is applied is read from `#state` when it is applied.
 */
export class DesiredState {
  readonly #options: DesiredStateOptions;
  readonly #reconcilers: Reconcilers;
  readonly #listeners = new Set<(outcome: Outcome) => void>();
  #state: StoredState | undefined;
  #isStarted = false;

  constructor(options: DesiredStateOptions) {
    this.#options = options;
    const { logger, timer, random } = options;
    this.#reconcilers = new Reconcilers({
      wanted: (kinds) => this.resources(...kinds),
      onSettled: () => this.#tell(),
      logger,
      timer,
      random,
    });
    this.#state = options.store.load();
    if (this.#state === undefined) options.store.clear();
  }

  /** Says who applies a kind of resource, or several that hang together, in one call. Before {@link start}. */
  register(kind: string | readonly string[], reconciler: Reconciler): void {
    const kinds = typeof kind === "string" ? [kind] : kind;
    if (this.#isStarted) throw new FlotillaError("internal", `${kinds.join(", ")} came after the start`);
    this.#reconcilers.register(kinds, reconciler);
  }

  /** Applies what is stored: the control plane need not be there. */
  start(): void {
    this.#isStarted = true;
    for (const kind of this.#reconcilers.kinds) this.#reconcilers.request(kind);
  }

  /** Applies a kind anew: something on the host was changed by others. */
  reapply(kind: string): void {
    this.#reconcilers.request(kind);
  }

  /** The resources of some kinds. */
  resources(...kinds: readonly string[]): readonly Resource[] {
    return [...(this.#state?.document.resources.values() ?? [])].filter(({ key }) => kinds.includes(kindOf(key)));
  }

  /** What this host has of a control plane; null is nothing, also when it has another's. @param origin which control plane and host. */
  version(origin: string): StateVersion | null {
    if (this.#state?.origin !== origin) return null;
    const { generation, hash } = this.#state.document;
    return { generation, hash };
  }

  /** Takes a message: when this returns it is stored, and being applied. */
  receive(origin: string, message: SnapshotMessage | DeltaMessage): Acceptance["kind"] | { refused: string } {
    const before = this.#state?.origin === origin ? this.#state.document : null;
    const accepted = acceptDesired(before, message);
    if (accepted.kind === "refuse") return { refused: accepted.message };
    if (accepted.kind !== "accept") return accepted.kind;
    const { document } = accepted;
    const change = this.#changeTo(document, before === null ? undefined : accepted);
    this.#options.store.save({ origin, document }, change);
    this.#state = { origin, document };
    const kinds = new Set([...change.set.map(({ key }) => kindOf(key)), ...change.remove.map(kindOf)]);
    for (const kind of kinds) this.#reconcilers.request(kind);
    if (this.#reconcilers.isSettled) this.#tell();
    return "accept";
  }

  /** What differs from what is stored, which may be another control plane's: only then all of it is compared. */
  #changeTo(document: StateDocument, known: ResourceDiff | undefined): ResourceDiff {
    const stored = this.#state?.document.resources ?? new Map<string, Resource>();
    if (known !== undefined)
      return { set: known.set.filter(({ key, revision }) => stored.get(key)?.revision !== revision), remove: known.remove };
    return diffResources(new Map([...stored].map(([key, { revision }]) => [key, revision])), document.resources.values());
  }

  /** How it stands; undefined while something is being applied for the first time, or there is nothing. */
  get outcome(): Outcome | undefined {
    if (this.#state === undefined || !this.#reconcilers.isSettled) return undefined;
    const { generation, hash, resources } = this.#state.document;
    const failures = [...this.#reconcilers.failures, ...unknownKinds(resources.values(), this.#reconcilers)];
    return { version: { generation, hash }, failures };
  }

  /** Calls a listener with each outcome. Returns the function that ends it. */
  onOutcome(listener: (outcome: Outcome) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#reconcilers.close();
  }

  #tell(): void {
    const { outcome } = this;
    if (outcome !== undefined) for (const listener of this.#listeners) listener(outcome);
  }
}
