import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StateReader, StateWriter } from "./state-file.ts";

let dir: string;
let path: string;
let writer: StateWriter;
let reader: StateReader;
/** As the agent has them. */
let records: Map<string, string>;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "flt-state-"));
  path = join(dir, "state.jsonl");
  writer = new StateWriter(path, "/etc/resolv.conf");
  reader = new StateReader(path);
  records = new Map();
});
afterEach(() => {
  reader.close();
  rmSync(dir, { recursive: true });
});

const text = (id: string): string => JSON.stringify({ kind: "network", id, name: id });
function write(version: number, put: string[], remove: string[] = []): void {
  for (const key of remove) records.delete(key);
  for (const id of put) records.set(id, text(id));
  writer.write(version, { remove: new Set(remove), put: new Map(put.map((id) => [id, text(id)])) }, () => records);
}
/** Version, `anew` when what was read before counts no more, then what went and what came. */
function read(): string {
  const { version, isAnew, changes } = reader.read();
  const keys = changes.flatMap(({ remove, put }) => [...remove.map((key) => `-${key}`), ...put.map(([key]) => key)]);
  return [version, ...(isAnew ? ["anew"] : []), ...keys].join(" ");
}

test("what is written is read once, step by step", () => {
  write(1, ["a", "b"]);
  expect(read()).toBe("1 anew a b");
  expect(read()).toBe("1");
  write(2, ["c"], ["a"]);
  write(3, ["d"]);
  expect(read()).toBe("3 -a c d");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("one that comes later reads all", () => {
  write(1, ["a"]);
  write(2, ["b"], ["a"]);
  const late = new StateReader(path);
  expect(late.read()).toMatchObject({ version: 2, isAnew: true, resolvConfPath: "/etc/resolv.conf" });
  late.close();
});

test("a step that was cut off did not happen, and the next agent writes the whole", () => {
  write(1, ["a"]);
  write(2, ["b"]);
  expect(read()).toBe("2 anew a b");
  write(3, ["c"]);
  truncateSync(path, statSync(path).size - 5);
  expect(read()).toBe("2");
  writer = new StateWriter(path, "/etc/resolv.conf");
  write(4, ["d"]);
  expect(read()).toBe("4 anew a b c d");
});

test("a file that is gone is made anew, and what was read before counts until then", () => {
  write(1, ["a"]);
  expect(read()).toBe("1 anew a");
  rmSync(path);
  expect(read).toThrow("ENOENT");
  write(2, ["b"]);
  expect(read()).toBe("2 anew a b");
});

test("a new file of the version that was read is gone on with behind what is known", () => {
  write(1, ["a"]);
  write(2, ["b"]);
  expect(read()).toBe("2 anew a b");
  writer.writeWhole(2, records);
  write(3, ["c"]);
  expect(read()).toBe("3 c");
  // Two more that it has not seen between: the number of the first file may be given again.
  writer.writeWhole(3, records);
  writer.writeWhole(4, records);
  write(5, ["e"]);
  expect(read()).toBe("5 anew a b c e");
});

test("it is long when more was appended than there is, and a quarter of a megabyte", () => {
  write(1, ["a"]);
  for (let version = 2; !writer.isLong(); version += 1) write(version, ["a"]);
  expect(statSync(path).size).toBeGreaterThan(256 * 1024);
  writer.writeWhole(9, records);
  expect(writer.isLong()).toBe(false);
  expect(statSync(path).size).toBeLessThan(1_000);
});

test("many records are several lines, and all are read", () => {
  write(
    1,
    Array.from({ length: 1_234 }, (_, index) => `n${index}`),
  );
  expect(readFileSync(path, "utf8").split("\n").length).toBe(5);
  expect(reader.read().changes.flatMap(({ put }) => put).length).toBe(1_234);
});

test("what is not as it should be is refused as a whole, and leaves what was read", () => {
  write(1, ["a"]);
  expect(read()).toBe("1 anew a");
  appendFileSync(path, '{"version":2,"remove":[],"put":[["x",{"kind":"other"}]]}\n');
  expect(read).toThrow();
  writeFileSync(`${path}.bad`, "no header\n");
  renameSync(`${path}.bad`, path);
  expect(read).toThrow();
  writer.forget();
  write(3, ["b"]);
  expect(read()).toBe("3 anew a b");
});
