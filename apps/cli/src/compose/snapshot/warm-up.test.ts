import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { warmUp } from "./warm-up.ts";

let dir = "";
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "flt-warm-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("finds everything running, asks nobody and leaves nothing behind but its file", async () => {
  const text = await warmUp(dir, (name, content) => writeFileSync(join(dir, name), content));
  for (const service of ["api", "cache", "db", "web"]) expect(text).toContain(` Container warm-${service}-1  Running\n`);
  expect(text).toMatch(/^NAME +IMAGE/m);
  expect(text).not.toContain("WARN");
  expect(readdirSync(dir)).toEqual(["compose.yaml"]);
});

test("fails loudly where a command fails", async () => {
  await expect(warmUp(dir, () => undefined)).rejects.toThrow(/ended with .*no configuration file provided/s);
});
