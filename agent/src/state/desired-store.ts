import { hashDocument, isIntact, resource, type Resource, type StateDocument } from "@flotilla/protocol";
import { z } from "zod";
import type { Database, Migration } from "../store/database.ts";

/**
 * The host's desired state, whole: what it was told last, and by which control plane. Bodies may hold credentials; the file is
 * root's alone (0600), see Database.
 */
const STATE_MIGRATION: Migration = {
  module: "state",
  steps: [
    `CREATE TABLE desired_state (
       only INTEGER PRIMARY KEY CHECK (only = 1),
       origin TEXT NOT NULL,
       generation INTEGER NOT NULL,
       hash TEXT NOT NULL
     ) STRICT;
     CREATE TABLE desired_resources (key TEXT PRIMARY KEY, revision TEXT NOT NULL, body TEXT NOT NULL) STRICT;`,
  ],
};

const stateRow = z.object({ origin: z.string(), generation: z.int().min(1), hash: z.string() });
const resourceRow = z.object({ key: z.string(), revision: z.string(), body: z.string() });

/** A document and who it came from. */
export type StoredState = { origin: string; document: StateDocument };

export class DesiredStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
    db.migrate(STATE_MIGRATION);
  }

  /** What was stored last; undefined when there is nothing, or when it is damaged: then the control plane sends it anew. */
  load(): StoredState | undefined {
    const head = stateRow.safeParse(this.#db.get("SELECT origin, generation, hash FROM desired_state WHERE only = 1"));
    if (!head.success) return undefined;
    const rows = z.array(resourceRow).safeParse(this.#db.all("SELECT key, revision, body FROM desired_resources"));
    if (!rows.success) return undefined;
    const resources = new Map<string, Resource>();
    for (const { key, revision, body } of rows.data) {
      const item = resource.safeParse({ key, revision, body: parseJson(body) });
      if (!item.success || !isIntact(item.data)) return undefined;
      resources.set(key, item.data);
    }
    const { origin, generation, hash } = head.data;
    return hashDocument(resources.values()) === hash ? { origin, document: { generation, hash, resources } } : undefined;
  }

  /** Goes from what is stored to a document, in one transaction. `set` and `remove` are all that differs. */
  save(state: StoredState, change: { set: readonly Resource[]; remove: readonly string[] }): void {
    const { origin, document } = state;
    this.#db.transaction(() => {
      for (const key of change.remove) this.#db.run("DELETE FROM desired_resources WHERE key = ?", key);
      for (const { key, revision, body } of change.set) {
        this.#db.run(
          "INSERT INTO desired_resources (key, revision, body) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, body = excluded.body",
          key,
          revision,
          JSON.stringify(body),
        );
      }
      this.#db.run(
        "INSERT INTO desired_state (only, origin, generation, hash) VALUES (1, ?, ?, ?) ON CONFLICT (only) DO UPDATE SET origin = excluded.origin, generation = excluded.generation, hash = excluded.hash",
        origin,
        document.generation,
        document.hash,
      );
    });
  }

  /** Forgets everything, before a document of another control plane, or in place of a damaged one. */
  clear(): void {
    this.#db.transaction(() => {
      this.#db.run("DELETE FROM desired_resources");
      this.#db.run("DELETE FROM desired_state");
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
