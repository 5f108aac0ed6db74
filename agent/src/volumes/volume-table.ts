import { z } from "zod";
import type { Database, Migration } from "../store/database.ts";

const MIGRATION: Migration = {
  module: "volumes",
  steps: [
    `CREATE TABLE volumes (
       namespace TEXT NOT NULL,
       name TEXT NOT NULL,
       labels TEXT NOT NULL,
       options TEXT NOT NULL,
       created_at_ms INTEGER NOT NULL,
       is_removing INTEGER NOT NULL DEFAULT 0,
       copy_phase TEXT NOT NULL DEFAULT 'none',
       PRIMARY KEY (namespace, name)
     ) STRICT;
     CREATE TABLE volume_uses (
       namespace TEXT NOT NULL,
       name TEXT NOT NULL,
       container_id TEXT NOT NULL,
       PRIMARY KEY (namespace, name, container_id),
       FOREIGN KEY (namespace, name) REFERENCES volumes (namespace, name) ON DELETE CASCADE
     ) STRICT;
     CREATE INDEX volume_uses_by_container ON volume_uses (container_id);`,
  ],
};

const textMap = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(z.record(z.string(), z.string()));

/** `copying`: an incomplete copy lies beside the data. `moving`: a complete one is being moved in. */
const CopyPhase = z.enum(["none", "copying", "moving"]);
export type CopyPhase = z.output<typeof CopyPhase>;

const VolumeRow = z.object({
  namespace: z.string(),
  name: z.string(),
  labels: textMap,
  options: textMap,
  created_at_ms: z.int(),
  is_removing: z.int().transform((value) => value !== 0),
  copy_phase: CopyPhase,
});
export type VolumeRow = z.output<typeof VolumeRow>;

const UseRow = z.object({ name: z.string(), container_id: z.string() });

export class VolumeTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
    db.migrate(MIGRATION);
  }

  transaction<T>(work: () => T): T {
    return this.#db.transaction(work);
  }

  /** Of all namespaces, those being removed included: what a start has to look at. */
  all(): VolumeRow[] {
    return this.#db.all("SELECT * FROM volumes").map((row) => VolumeRow.parse(row));
  }

  list(namespace: string): VolumeRow[] {
    return this.#db
      .all("SELECT * FROM volumes WHERE namespace = ? AND is_removing = 0 ORDER BY name", namespace)
      .map((row) => VolumeRow.parse(row));
  }

  find(namespace: string, name: string): VolumeRow | undefined {
    const row = this.#db.get("SELECT * FROM volumes WHERE namespace = ? AND name = ?", namespace, name);
    return row === undefined ? undefined : VolumeRow.parse(row);
  }

  add(volume: Omit<VolumeRow, "is_removing" | "copy_phase">): void {
    this.#db.run(
      "INSERT INTO volumes (namespace, name, labels, options, created_at_ms) VALUES (?, ?, ?, ?, ?)",
      volume.namespace,
      volume.name,
      JSON.stringify(volume.labels),
      JSON.stringify(volume.options),
      volume.created_at_ms,
    );
  }

  /** Takes a label away from all volumes that a container uses. */
  takeLabel(namespace: string, containerId: string, label: string): void {
    this.#db.run(
      `UPDATE volumes SET labels = json_remove(labels, ?)
       WHERE namespace = ? AND name IN (SELECT name FROM volume_uses WHERE namespace = ? AND container_id = ?)`,
      `$."${label}"`,
      namespace,
      namespace,
      containerId,
    );
  }

  markRemoving(namespace: string, name: string): void {
    this.#db.run("UPDATE volumes SET is_removing = 1 WHERE namespace = ? AND name = ?", namespace, name);
  }

  setCopyPhase(volume: { namespace: string; name: string }, phase: CopyPhase): void {
    this.#db.run("UPDATE volumes SET copy_phase = ? WHERE namespace = ? AND name = ?", phase, volume.namespace, volume.name);
  }

  remove(namespace: string, name: string): void {
    this.#db.run("DELETE FROM volumes WHERE namespace = ? AND name = ?", namespace, name);
  }

  /** @returns false when the container uses it already. */
  addUse(volume: { namespace: string; name: string }, containerId: string): boolean {
    const { changes } = this.#db.run(
      "INSERT INTO volume_uses (namespace, name, container_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      volume.namespace,
      volume.name,
      containerId,
    );
    return changes > 0;
  }

  /** @returns the volumes that the container used. */
  removeUses(namespace: string, containerId: string): string[] {
    const rows = this.#db.all(
      "DELETE FROM volume_uses WHERE namespace = ? AND container_id = ? RETURNING name, container_id",
      namespace,
      containerId,
    );
    return rows.map((row) => UseRow.parse(row).name);
  }

  users(namespace: string, name: string): string[] {
    const rows = this.#db.all(
      "SELECT name, container_id FROM volume_uses WHERE namespace = ? AND name = ? ORDER BY container_id",
      namespace,
      name,
    );
    return rows.map((row) => UseRow.parse(row).container_id);
  }
}
