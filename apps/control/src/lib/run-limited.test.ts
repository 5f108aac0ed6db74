import { expect, test } from "vitest";
import { runLimited } from "./run-limited.ts";

test("no more than the limit run at once, and outcomes keep their order", async () => {
  let running = 0;
  let most = 0;
  const results = await runLimited([3, 1, 2, 0, 4], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    for (let turn = 0; turn < item; turn += 1) await Promise.resolve();
    running -= 1;
    if (item === 2) throw new Error("two");
    return item * 10;
  });
  expect(most).toBe(2);
  expect(results.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason)))).toEqual([
    30,
    10,
    "Error: two",
    0,
    40,
  ]);
});

test("nothing to do is done at once", async () => expect(await runLimited([], 3, () => Promise.resolve(1))).toEqual([]));
