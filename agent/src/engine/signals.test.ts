import { expect, test } from "vitest";
import { parseSignal } from "./signals.ts";

test.each([
  ["9", 9, "SIGKILL"],
  ["kill", 9, "SIGKILL"],
  ["SigTerm", 15, "SIGTERM"],
  ["USR1", 10, "SIGUSR1"],
  ["rtmin", 34, "SIGRTMIN+0"],
  ["SIGRTMIN+3", 37, "SIGRTMIN+3"],
  ["RTMAX-1", 63, "SIGRTMIN+29"],
  ["64", 64, "SIGRTMIN+30"],
  ["CLD", 17, "SIGCHLD"],
])("%s is signal %i", (text, number, name) => {
  expect(parseSignal(text)).toEqual({ name, number });
});

test.each(["0", "", "65", "-1", "NOPE", "RTMIN-1", "RTMIN+31", "RTMAX+1", "9x", " 9"])("%j is no signal", (text) => {
  expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`);
});
