import { expect, test } from "vitest";
import { isReady } from "./start-postgres.ts";

const file = (pid: number, startedAt: number, status: string): string =>
  [pid, "/proc/self/cwd", startedAt, 5432, ".", "", "  1234567     5", `${status}   `, ""].join("\n");

test("Postgres is ready when its own pid file says so", () => {
  expect(isReady(file(30, 1000, "ready"), { pid: 30, stale: "" })).toBe(true);
  expect(isReady(file(30, 1000, "starting"), { pid: 30, stale: "" })).toBe(false);
  expect(isReady(file(31, 1000, "ready"), { pid: 30, stale: "" })).toBe(false);
  expect(isReady("", { pid: 30, stale: "" })).toBe(false);
});

test("a file that a power failure left says nothing of a process with the same id", () => {
  const stale = file(30, 1000, "ready");
  expect(isReady(stale, { pid: 30, stale })).toBe(false);
  expect(isReady(file(30, 1009, "ready"), { pid: 30, stale })).toBe(true);
});
