import { defineConfig } from "vitest/config";
import { IS_LONG } from "./test/support/is-long.ts";

// Rings of tests. `unit` and `architecture` need no root, no database and no network; the others use the real kernel,
// the real docker command, a real Postgres and a real browser. Files run three at a time, as much of the time of two cores is
// spent waiting, each on directories, instances and ports of its own, as several Flotillas on one machine do; the tests of one
// file run one after the other.
// What is waited for comes in its own time: the second that vitest gives it by itself is one of a fast machine.
const ENDED_RUN = "test/support/ended-run.ts";
const patient = { expect: { poll: { timeout: 30_000 } }, setupFiles: [ENDED_RUN] };
const real = { ...patient, testTimeout: 120_000, hookTimeout: 240_000, setupFiles: [ENDED_RUN, "test/support/bundled-programs.ts"] };
const longOnly = ["test/e2e/two-control-planes.test.ts"];
// Unit tests share their processes: to load the product anew for each of 150 files takes three times as long as the tests.
const shared = { ...patient, isolate: false, testTimeout: 60_000 };

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "agent/src/**/*.test.ts", "apps/*/src/**/*.test.ts", "test/fuzz/*.test.ts"],
          ...shared,
        },
      },
      { test: { name: "architecture", include: ["test/architecture/**/*.test.ts"], ...shared } },
      { test: { name: "host", include: ["test/host/**/*.test.ts"], ...real } },
      { test: { name: "conformance", include: ["test/conformance/**/*.test.ts"], ...real } },
      { test: { name: "integration", include: ["test/integration/**/*.test.ts"], ...real } },
      { test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], exclude: IS_LONG ? [] : longOnly, ...real } },
    ],
  },
});
