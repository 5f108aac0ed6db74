import { defineConfig } from "vitest/config";

// Rings of tests. `unit` and `architecture` need no root, no database and no network; the others use the real kernel,
// the real docker command, a real Postgres and a real browser, and run one file after the other.
// Unit tests share their processes: to load the product anew for each of 150 files takes three times as long as the tests.
const shared = { isolate: false } as const;
const serial = { fileParallelism: false, maxWorkers: 1, testTimeout: 60_000, hookTimeout: 120_000 } as const;

export default defineConfig({
  test: {
    pool: "forks",
    projects: [
      { test: { name: "unit", include: ["packages/*/src/**/*.test.ts", "agent/src/**/*.test.ts", "apps/*/src/**/*.test.ts"], ...shared } },
      { test: { name: "architecture", include: ["test/architecture/**/*.test.ts"], ...shared } },
      { test: { name: "host", include: ["test/host/**/*.test.ts"], ...serial } },
      { test: { name: "conformance", include: ["test/conformance/**/*.test.ts"], ...serial } },
      { test: { name: "integration", include: ["test/integration/**/*.test.ts"], ...serial } },
      { test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], ...serial } },
    ],
  },
});
