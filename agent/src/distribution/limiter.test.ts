import { expect, test } from "vitest";
import { Limiter } from "./limiter.ts";

test("runs so many at a time, in order, also when some fail", async () => {
  const limiter = new Limiter(2);
  const begun: number[] = [];
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const tasks = gates.map(async (gate, index) =>
    limiter.run(async () => {
      begun.push(index);
      await gate.promise;
    }),
  );
  const settled = Promise.allSettled(tasks);
  expect(begun).toEqual([0, 1]);
  expect(limiter.isFull).toBe(true);
  gates[1]?.reject(new Error("failed"));
  await tasks[1]?.catch(() => undefined);
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve();
  await settled;
  expect(begun).toEqual([0, 1, 2, 3]);
  expect(limiter.isFull).toBe(false);
});
