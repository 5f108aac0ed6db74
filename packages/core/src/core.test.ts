import { describe, expect, test } from "vitest";
import { backoffCeilingMs, FlotillaError, fullJitterMs, KeyedLock, toFlotillaError, wrapError } from "./index.ts";

describe("errors", () => {
  test("an unknown thrown value becomes an internal error that keeps its cause", () => {
    const cause = new TypeError("boom");
    expect(toFlotillaError(cause)).toMatchObject({ code: "internal", message: "boom", cause });
  });

  test("wrapping keeps the code and reads as a path", () => {
    const inner = new FlotillaError("conflict", "name in use", { details: { name: "web" } });
    expect(wrapError("create container web", inner)).toMatchObject({
      code: "conflict",
      message: "create container web: name in use",
      details: { name: "web" },
    });
  });
});

describe("backoff", () => {
  const options = { minMs: 100, maxMs: 30_000 };

  test.each([
    [0, 100],
    [1, 200],
    [5, 3200],
    [9, 30_000],
    [5000, 30_000],
  ])("the ceiling of attempt %i is %i ms", (attempt, expected) => {
    expect(backoffCeilingMs(attempt, options)).toBe(expected);
  });

  test("jitter stays between zero and the ceiling", () => {
    expect(fullJitterMs(3, options, () => 0)).toBe(0);
    expect(fullJitterMs(3, options, () => 0.999)).toBe(799);
  });
});

describe("KeyedLock", () => {
  test("tasks of one key run in order, also after one throws", async () => {
    const lock = new KeyedLock();
    const seen: string[] = [];
    const first = lock.run("a", async () => {
      await Promise.resolve();
      seen.push("first");
      throw new Error("first fails");
    });
    const second = lock.run("a", async () => seen.push("second"));
    await expect(first).rejects.toThrow("first fails");
    await second;
    expect(seen).toEqual(["first", "second"]);
    expect(lock.isBusy("a")).toBe(false);
  });

  test("different keys do not wait for each other", async () => {
    const lock = new KeyedLock();
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const blocked = lock.run("a", () => gate);
    await expect(lock.run("b", async () => "done")).resolves.toBe("done");
    expect(lock.isBusy("a")).toBe(true);
    open();
    await blocked;
  });
});
