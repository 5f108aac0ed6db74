import { expect, test } from "vitest";
import { mapLimited } from "./map-limited.ts";

test("results keep the order of the items, and a failure does not stop the others", async () => {
  const results = await mapLimited([3, 1, 2], 2, async (item) => {
    await Promise.resolve();
    if (item === 1) throw new Error("one");
    return item * 10;
  });
  expect(results.map((result) => (result.status === "fulfilled" ? result.value : "failed"))).toEqual([30, "failed", 20]);
});

test("no more than the limit run at a time", async () => {
  let running = 0;
  let most = 0;
  await mapLimited([1, 2, 3, 4, 5], 2, async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
  });
  expect(most).toBe(2);
});

test("no items are no work", async () => {
  expect(await mapLimited([], 3, async () => 1)).toEqual([]);
});
