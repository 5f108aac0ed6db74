import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sealProgram } from "./sealed-program.ts";

test("a sealed program runs as the one it was made of", () => {
  const path = sealProgram("/bin/echo");
  expect(path).toMatch(/^\/proc\/\d+\/fd\/\d+$/);
  expect(execFileSync(path, ["a", "b"], { encoding: "utf8" })).toBe("a b\n");
});

test("nobody can write to it, nor does a change of the file change it", () => {
  const dir = mkdtempSync(join(tmpdir(), "flt-sealed-"));
  try {
    const original = join(dir, "program");
    writeFileSync(original, "#!/bin/sh\necho before\n");
    chmodSync(original, 0o755);
    const path = sealProgram(original);
    writeFileSync(original, "#!/bin/sh\necho after\n");
    expect(execFileSync(path, { encoding: "utf8" })).toBe("before\n");
    const fd = openSync(path, "r+");
    expect(() => writeFileSync(fd, "#!/bin/sh\necho other\n")).toThrow(/EPERM/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("a program that is not there is an error", () => {
  expect(() => sealProgram("/nonexistent/program")).toThrow(/ENOENT/);
});
