import { expect, test } from "vitest";
import { ageOfStatus } from "./status-age.ts";

const MINUTE = 60_000;

test.each([
  ["Exited (1) 5 minutes ago", 5 * MINUTE],
  ["Exited (137) About an hour ago", 60 * MINUTE],
  ["Exited (0) About a minute ago", MINUTE],
  ["Restarting (3) 12 seconds ago", 12_000],
  ["Restarting (3) Less than a second ago", 0],
  ["Up 1 second", 1_000],
  ["Exited (2) 3 weeks ago", 21 * 24 * 60 * MINUTE],
  ["Exited (2) 2 months ago", 60 * 24 * 60 * MINUTE],
  ["Exited (2) 4 years ago", 4 * 365 * 24 * 60 * MINUTE],
])("%s", (status, ms) => expect(ageOfStatus(status)).toBe(ms));

test.each(["Created", "Dead", "", "Exited (5)"])("says nothing of when: %s", (status) => expect(ageOfStatus(status)).toBeNull());
