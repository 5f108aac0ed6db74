import { expect, test } from "vitest";
import { applyChmod } from "./apply-chmod.ts";

test.each([
  ["755", 0o600, false, 0o755],
  ["4711", 0o600, false, 0o4711],
  ["u+x", 0o644, false, 0o744],
  ["+x", 0o644, false, 0o755],
  ["a-w", 0o666, false, 0o444],
  ["go=rX", 0o700, false, 0o755],
  ["go=rX", 0o600, false, 0o644],
  ["go=rX", 0o600, true, 0o655],
  ["u=rwx,g=u,o=", 0o644, false, 0o770],
  ["u+s,+t", 0o755, true, 0o5755],
])("%s on %i (directory: %s) is %i", (spec, mode, isDirectory, expected) => {
  expect(applyChmod(spec, mode, isDirectory).toString(8)).toBe(expected.toString(8));
});
