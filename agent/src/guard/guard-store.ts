import { type Guard, GUARD_KIND, type GuardState, guardState, type Resource, type ResourceFailure, SAFE_GUARD } from "@flotilla/protocol";
import type { Reconciler } from "../state/reconcilers.ts";
import type { Database, Migration } from "../store/database.ts";

const MIGRATION: Migration = {
  module: "guards",
  steps: ["CREATE TABLE guards (namespace TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT"],
};

/** What binds the containers of a namespace. */
export type Guards = { of(namespace: string): Guard };

/** Makes the kernel hold the limits of namespaces; names those where it would not, with its reason. */
export type LimitsApplier = (namespaces: readonly string[]) => readonly { namespace: string; message: string }[];

/** The guard rails as they were told last, and from now on as they are told. */
export function openGuards(db: Database, desired: { register(kind: string, reconciler: Reconciler): void }): GuardStore {
  const guards = new GuardStore(db);
  desired.register(GUARD_KIND, guards);
  return guards;
}

/**
 * The guard rails of this host's desired state. They are kept in a table of their own, because containers are started again
 * before the desired state is applied.
 */
export class GuardStore implements Guards, Reconciler {
  readonly #db: Database;
  readonly #guards = new Map<string, Guard>();
  #applyLimits: LimitsApplier = () => [];

  constructor(db: Database) {
    this.#db = db;
    db.migrate(MIGRATION);
    for (const row of db.all("SELECT body FROM guards")) {
      // What a newer agent wrote and this one cannot read allows nothing.
      const parsed = guardState.safeParse(JSON.parse(String(row["body"])));
      if (parsed.success) this.#remember(parsed.data);
    }
  }

  /** Who applies limits to what runs: the engine, which exists after this. */
  onChange(applyLimits: LimitsApplier): void {
    this.#applyLimits = applyLimits;
  }

  of(namespace: string): Guard {
    return this.#guards.get(namespace) ?? SAFE_GUARD;
  }

  async apply(resources: readonly Resource[]): Promise<readonly ResourceFailure[]> {
    const failures: ResourceFailure[] = [];
    const wanted = new Map<string, GuardState>();
    for (const { key, body } of resources) {
      const parsed = guardState.safeParse(body);
      if (parsed.success && key === `${GUARD_KIND}/${parsed.data.namespace}`) wanted.set(parsed.data.namespace, parsed.data);
      else failures.push({ key, message: "the guard rail is not of a form that this agent knows: nothing is allowed" });
    }
    const namespaces = new Set([...this.#guards.keys(), ...wanted.keys()]);
    this.#save(wanted);
    for (const { namespace, message } of this.#applyLimits([...namespaces])) failures.push({ key: `${GUARD_KIND}/${namespace}`, message });
    return failures;
  }

  #save(wanted: ReadonlyMap<string, GuardState>): void {
    this.#db.transaction(() => {
      this.#db.run("DELETE FROM guards");
      for (const state of wanted.values())
        this.#db.run("INSERT INTO guards (namespace, body) VALUES (?, ?)", state.namespace, JSON.stringify(state));
    });
    this.#guards.clear();
    for (const state of wanted.values()) this.#remember(state);
  }

  #remember({ namespace, limits, allow }: GuardState): void {
    this.#guards.set(namespace, { limits, allow });
  }
}
