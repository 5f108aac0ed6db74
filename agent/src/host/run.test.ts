import { expect, test } from "vitest";
import { isFlotillaError } from "@flotilla/core";
import { describeFailure, run } from "./run.ts";

test("gives output, hands input in, and passes arguments untouched by any shell", async () => {
  const echoed = await run({ argv: ["printf", "%s", "$HOME; `id` *"] });
  expect(echoed).toMatchObject({ exitCode: 0, stdout: "$HOME; `id` *", isTimedOut: false });
  expect((await run({ argv: ["cat"], stdin: "in" })).stdout).toBe("in");
});

test("an exit code outside the accepted ones is an error that carries the program's words", async () => {
  const failed = run({ argv: ["ls", "/does/not/exist"] });
  await expect(failed).rejects.toThrow(/^ls exited with 2: ls: cannot access '\/does\/not\/exist'/);
  await expect(run({ argv: ["ls", "/does/not/exist"], okExitCodes: [0, 2] })).resolves.toMatchObject({ exitCode: 2 });
});

test("a program that is not there is an error that names it", async () => {
  await expect(run({ argv: ["no-such-program-anywhere"] })).rejects.toSatisfy((error) => isFlotillaError(error, "internal"));
});

test("the environment is minimal", async () => {
  const { stdout } = await run({ argv: ["env"] });
  expect(
    stdout
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0])
      .sort(),
  ).toEqual(["LC_ALL", "PATH"]);
});

test("output beyond the bound is cut, not kept", async () => {
  const { stdout } = await run({ argv: ["head", "-c", "100000", "/dev/zero"], maxOutputBytes: 10 });
  expect(stdout.length).toBe(10);
});

test("a time-out and an abort end the program", async () => {
  await expect(run({ argv: ["sleep", "60"], timeoutMs: 20 })).rejects.toThrow(/^sleep timed out/);
  await expect(run({ argv: ["sleep", "60"], signal: AbortSignal.abort() })).rejects.toThrow(/^sleep was ended by SIGTERM/);
});

test("the message says the most specific thing", () => {
  const result = { argv: ["x"], exitCode: 1, signal: undefined, stdout: "", stderr: "bad\n", isTimedOut: false, durationMs: 5 };
  expect(describeFailure(result)).toBe("x exited with 1: bad");
  expect(describeFailure({ ...result, isTimedOut: true })).toBe("x timed out after 5 ms: bad");
});
