import { FlotillaError, type Logger, toFlotillaError } from "@flotilla/core";
import type { Database, Migration } from "../store/database.ts";
import { ContainerRecord } from "./record.ts";

const MIGRATION: Migration = {
  module: "containers",
  steps: [
    `CREATE TABLE containers (
       id TEXT PRIMARY KEY,
       namespace TEXT NOT NULL,
       name TEXT NOT NULL,
       record TEXT NOT NULL,
       UNIQUE (namespace, name)
     ) STRICT`,
  ],
};

/**
 * The containers of all namespaces: rows in SQLite, and the same records in memory for reading. Every change is written
 * before it is seen. Records are immutable values; a change replaces the record.
 */
export class ContainerStore {
  readonly #db: Database;
  readonly #records = new Map<string, ContainerRecord>();
  /** `namespace\0name` → id. */
  readonly #names = new Map<string, string>();
  readonly #unreadable = new Set<string>();

  /** Rows that do not parse are logged and left as they are: an older agent must not delete what it cannot read. */
  constructor(db: Database, logger: Logger) {
    this.#db = db;
    db.migrate(MIGRATION);
    for (const row of db.all("SELECT id, record FROM containers")) {
      try {
        this.#remember(ContainerRecord.parse(JSON.parse(String(row["record"]))));
      } catch (error) {
        this.#unreadable.add(String(row["id"]));
        logger.error("a container's record cannot be read and is left alone", {
          containerId: row["id"],
          error: toFlotillaError(error).message,
        });
      }
    }
  }

  /** @throws conflict when the name is taken in this namespace. */
  insert(record: ContainerRecord): void {
    this.assertNameFree(record.namespace, record.name);
    this.#db.run(
      "INSERT INTO containers (id, namespace, name, record) VALUES (?, ?, ?, ?)",
      record.id,
      record.namespace,
      record.name,
      JSON.stringify(record),
    );
    this.#remember(record);
  }

  /** Replaces fields of a record. @throws not_found when it was removed meanwhile. */
  update(id: string, change: Partial<ContainerRecord>): ContainerRecord {
    const before = this.#records.get(id);
    if (before === undefined) throw noSuchContainer(id);
    const after = { ...before, ...change };
    if (after.name !== before.name) this.assertNameFree(after.namespace, after.name);
    this.#db.run("UPDATE containers SET name = ?, record = ? WHERE id = ?", after.name, JSON.stringify(after), id);
    this.#names.delete(nameKey(before.namespace, before.name));
    this.#remember(after);
    return after;
  }

  delete(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#db.run("DELETE FROM containers WHERE id = ?", id);
    this.#records.delete(id);
    this.#names.delete(nameKey(record.namespace, record.name));
  }

  /** Whether there is a row of this id, readable or not: what such a row names is no orphan. */
  isKnown(id: string): boolean {
    return this.#records.has(id) || this.#unreadable.has(id);
  }

  byId(id: string): ContainerRecord | undefined {
    return this.#records.get(id);
  }

  /** Every record there is, also of containers that are still being created: for recovery. */
  everything(): ContainerRecord[] {
    return [...this.#records.values()];
  }

  /** Newest first; without a namespace those of all. A container that is still being created is not there yet. */
  all(namespace?: string): ContainerRecord[] {
    const isShown = (record: ContainerRecord): boolean =>
      record.intent !== "create" && (namespace === undefined || record.namespace === namespace);
    // Map order is the order of creation, which settles ties of the clock.
    return this.everything()
      .filter(isShown)
      .reverse()
      .sort((a, b) => b.createdAtMs - a.createdAtMs);
  }

  /** Those of all namespaces that have a label, with this value if one is given; in no order. */
  labelled(label: string, value?: string): ContainerRecord[] {
    const found: ContainerRecord[] = [];
    for (const record of this.#records.values()) {
      const labels = record.config.Labels ?? {};
      const isHeld = Object.hasOwn(labels, label) && (value === undefined || labels[label] === value);
      if (isHeld && record.intent !== "create") found.push(record);
    }
    return found;
  }

  hasName(namespace: string, name: string): boolean {
    return this.#names.has(nameKey(namespace, name));
  }

  /**
   * A container by full id, name (with or without slash) or unambiguous id prefix, in this order.
   * @throws not_found `No such container: x`; invalid when several ids begin so.
   */
  get(namespace: string, ref: string): ContainerRecord {
    const direct = this.#records.get(ref);
    if (direct?.namespace === namespace && direct.intent !== "create") return direct;
    const named = this.#names.get(nameKey(namespace, ref.replace(/^\//, "")));
    const byName = named === undefined ? undefined : this.#records.get(named);
    if (byName !== undefined && byName.intent !== "create") return byName;
    const matches = /^[0-9a-f]{1,64}$/.test(ref) ? this.all(namespace).filter((record) => record.id.startsWith(ref)) : [];
    if (matches.length > 1) throw new FlotillaError("invalid", `multiple IDs found with provided prefix: ${ref}`);
    const [only] = matches;
    if (only === undefined) throw noSuchContainer(ref);
    return only;
  }

  assertNameFree(namespace: string, name: string): void {
    const holder = this.#names.get(nameKey(namespace, name));
    if (holder === undefined) return;
    throw new FlotillaError(
      "conflict",
      `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
  }

  #remember(record: ContainerRecord): void {
    this.#records.set(record.id, record);
    this.#names.set(nameKey(record.namespace, record.name), record.id);
  }
}

const nameKey = (namespace: string, name: string): string => `${namespace}\0${name}`;

export function noSuchContainer(ref: string): FlotillaError {
  return new FlotillaError("not_found", `No such container: ${ref}`);
}
