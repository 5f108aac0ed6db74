import { describe, expect, test } from "vitest";
import { ShortCache } from "./short-cache.ts";

describe("ShortCache", () => {
  test("asks once within its time, and again after it or after a clear", async () => {
    let now = 0;
    let asked = 0;
    const cache = new ShortCache({ lifetimeMs: 10, nowMs: () => now });
    const ask = (): Promise<number> => cache.get("k", async () => (asked += 1));
    expect([await ask(), await ask()]).toEqual([1, 1]);
    now = 10;
    expect(await ask()).toBe(2);
    cache.clear();
    expect(await ask()).toBe(3);
  });

  test("what fails is asked again", async () => {
    const cache = new ShortCache();
    await expect(cache.get("k", () => Promise.reject(new Error("down")))).rejects.toThrow("down");
    await expect(cache.get("k", async () => "up")).resolves.toBe("up");
  });
});
