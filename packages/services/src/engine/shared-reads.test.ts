import { describe, expect, test } from "vitest";
import { once, SharedReads } from "./shared-reads.ts";

/** A source whose answers come when the test says so; each is the number of reads that had begun. */
function source() {
  const waiting: { resolve: (value: number) => void; reject: (error: Error) => void }[] = [];
  let begun = 0;
  return {
    load: (): Promise<number> => {
      begun++;
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    answer: (): void => waiting.shift()?.resolve(begun),
    fail: (): void => waiting.shift()?.reject(new Error("away")),
    begun: (): number => begun,
  };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("reads of the same", () => {
  test("whoever asks while one runs shares the next one, which begins after they asked", async () => {
    const { load, answer, begun } = source();
    const reads = new SharedReads(60_000);
    const first = reads.read("a", load);
    const later = [reads.read("a", load), reads.read("a", load), reads.read("a", load)];
    await turn();
    expect(begun()).toBe(1);
    answer();
    expect(await first).toBe(1);
    await turn();
    expect(begun()).toBe(2);
    const last = reads.read("a", load);
    answer();
    expect(await Promise.all(later)).toEqual([2, 2, 2]);
    await turn();
    answer();
    expect(await last).toBe(3);
    const alone = reads.read("a", load);
    expect(begun()).toBe(4);
    answer();
    expect(await alone).toBe(4);
  });

  test("of something else wait for nobody", async () => {
    const { load, answer, begun } = source();
    const reads = new SharedReads(60_000);
    const both = [reads.read("a", load), reads.read("b", load)];
    expect(begun()).toBe(2);
    answer();
    answer();
    await Promise.all(both);
  });

  test("a failed one fails for whom it was made, and the next is made all the same", async () => {
    const { load, answer, fail } = source();
    const reads = new SharedReads(60_000);
    const first = reads.read("a", load);
    const second = reads.read("a", load);
    fail();
    await expect(first).rejects.toThrow("away");
    await turn();
    answer();
    expect(await second).toBe(2);
    const third = reads.read("a", load);
    fail();
    await expect(third).rejects.toThrow("away");
  });

  test("a slow one is not waited for without end, and what was overtaken takes nothing away", async () => {
    const { load, answer, begun } = source();
    const reads = new SharedReads(1);
    const slow = reads.read("a", load);
    const second = reads.read("a", load);
    while (begun() < 2) await turn();
    answer();
    await slow;
    const third = reads.read("a", load);
    expect(begun()).toBe(2);
    answer();
    expect(await second).toBe(2);
    while (begun() < 3) await turn();
    answer();
    expect(await third).toBe(3);
  });
});

test("once computes once for each object", () => {
  let computed = 0;
  const length = once((list: readonly number[]) => ({ count: list.length, computed: ++computed }));
  const list = [1, 2];
  expect(length(list)).toBe(length(list));
  expect(length([1, 2])).toEqual({ count: 2, computed: 2 });
});
