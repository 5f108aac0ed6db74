import { z } from "zod";
import type { Database } from "../store/database.ts";
import { FRESH, type ReplicaMemory } from "./plan-replica.ts";

const MIGRATION = {
  module: "replicas",
  steps: ["CREATE TABLE replica_memory (id TEXT PRIMARY KEY, memory TEXT NOT NULL) STRICT"],
} as const;

const schema = z.object({
  starts: z.int(),
  failures: z.int(),
  notBeforeMs: z.number(),
  reason: z.string(),
  countedEnd: z.string(),
  // Memories of earlier agents have none.
  startedAfter: z.string().default(""),
});

/** What is remembered of replicas, by id. */
export class ReplicaMemories {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
    db.migrate(MIGRATION);
  }

  get(id: string): ReplicaMemory {
    const row = this.#db.get("SELECT memory FROM replica_memory WHERE id = ?", id);
    const text = row?.["memory"];
    const parsed = typeof text === "string" ? schema.safeParse(JSON.parse(text)) : undefined;
    return parsed?.success === true ? parsed.data : FRESH;
  }

  set(id: string, memory: ReplicaMemory): void {
    this.#db.run(
      "INSERT INTO replica_memory (id, memory) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET memory = excluded.memory",
      id,
      JSON.stringify(memory),
    );
  }

  forget(id: string): void {
    this.#db.run("DELETE FROM replica_memory WHERE id = ?", id);
  }

  ids(): string[] {
    return this.#db.all("SELECT id FROM replica_memory").flatMap(({ id }) => (typeof id === "string" ? [id] : []));
  }
}
