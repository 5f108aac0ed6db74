import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Database } from "./database.ts";

let dir = "";
let db: Database;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "flotilla-db-"));
  db = new Database(join(dir, "agent.db"));
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true, force: true });
});

test("migrations run once each, and later ones are added", () => {
  const first = "CREATE TABLE t (a INTEGER) STRICT";
  db.migrate({ module: "m", steps: [first] });
  db.migrate({ module: "m", steps: [first, "ALTER TABLE t ADD COLUMN b TEXT"] });
  db.run("INSERT INTO t (a, b) VALUES (?, ?)", 1, "x");
  expect(db.all("SELECT a, b FROM t")).toEqual([{ a: 1, b: "x" }]);
});

test("a transaction that throws leaves nothing, nested ones join it", () => {
  db.migrate({ module: "m", steps: ["CREATE TABLE t (a INTEGER) STRICT"] });
  const work = (): void =>
    db.transaction(() => {
      db.transaction(() => db.run("INSERT INTO t (a) VALUES (1)"));
      throw new Error("stop");
    });
  expect(work).toThrow("stop");
  expect(db.get("SELECT count(*) AS n FROM t")).toEqual({ n: 0 });
});

test("who keeps rows in memory hears of a rollback, once, when it is done, and of nothing else", () => {
  db.migrate({ module: "m", steps: ["CREATE TABLE t (a INTEGER UNIQUE) STRICT"] });
  const seen: unknown[] = [];
  db.onRollback(() => seen.push(db.get("SELECT count(*) AS n FROM t")));
  const insert = (): unknown => db.run("INSERT INTO t (a) VALUES (1)");
  db.transaction(insert);
  expect(insert).toThrow("UNIQUE");
  expect(seen).toEqual([]);
  expect(() => db.transaction(() => (db.run("INSERT INTO t (a) VALUES (2)"), db.transaction(insert)))).toThrow("UNIQUE");
  expect(seen).toEqual([{ n: 1 }]);
});

test("a failing migration leaves its module where it was", () => {
  db.migrate({ module: "m", steps: ["CREATE TABLE t (a INTEGER) STRICT"] });
  expect(() =>
    db.migrate({ module: "m", steps: ["CREATE TABLE t (a INTEGER) STRICT", "ALTER TABLE t ADD COLUMN b TEXT", "not sql"] }),
  ).toThrow();
  expect(db.all("SELECT name FROM pragma_table_info('t')")).toEqual([{ name: "a" }]);
});

test("what was written is there when the file is opened again", () => {
  db.migrate({ module: "m", steps: ["CREATE TABLE t (a INTEGER) STRICT"] });
  db.run("INSERT INTO t (a) VALUES (7)");
  const other = new Database(join(dir, "agent.db"));
  expect(other.get("SELECT a FROM t")).toEqual({ a: 7 });
  other.close();
});
