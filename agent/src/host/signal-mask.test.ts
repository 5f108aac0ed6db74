import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { withSignalsBlocked } from "./signal-mask.ts";

const blocked = (): string => /^SigBlk:\t([0-9a-f]+)$/m.exec(readFileSync("/proc/thread-self/status", "utf8"))?.[1] ?? "";

test("all signals wait while the work is done, also when it throws, and none afterwards", () => {
  const before = blocked();
  expect(withSignalsBlocked(blocked)).toMatch(/^ffff/);
  expect(() =>
    withSignalsBlocked(() => {
      throw new Error("broken off");
    }),
  ).toThrow("broken off");
  expect(blocked()).toBe(before);
});
