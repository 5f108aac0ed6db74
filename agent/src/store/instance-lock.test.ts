import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockInstance } from "./instance-lock.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "flt-lock-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("a second holder is refused until the first lets go", () => {
  const path = join(dir, "lock.db");
  const first = lockInstance(path);
  expect(() => lockInstance(path)).toThrow(expect.objectContaining({ code: "conflict" }));
  first.release();
  lockInstance(path).release();
});
