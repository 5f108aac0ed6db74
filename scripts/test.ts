// `npm test`: the whole test. The static checks, then every ring of tests, then a look at what was left on the machine.
//
//   npm test                         everything
//   npm test -- --project host       one ring (unit, architecture, host, conformance, integration, e2e)
//   npm test -- test/host/x.test.ts  files that match
//   npm run test:long                only what takes minutes, too: three tiers of real programs rolled and healed, two control
//                                    planes killed in each phase of a rollout, a Node application and our own control plane as images
import { type ChildProcess, spawn } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leftBetween, readMachineState } from "../test/support/leftovers.ts";

const OUTPUT = join(".test-output", "results.json");
const SETTLE_MS = 15_000;

const LONG = ["test/e2e/stacks.test.ts", "test/e2e/two-control-planes.test.ts", "test/e2e/examples.test.ts"];
const isLong = process.argv.includes("--long");
const args = isLong ? LONG : process.argv.slice(2);
/** Its being there ends the run: test/support/ended-run.ts. */
const endFile = join(tmpdir(), `flotilla-test-end-${process.pid}`);
const env = { ...process.env, FLOTILLA_TEST_END_FILE: endFile, ...(isLong ? { FLOTILLA_LONG_TESTS: "1" } : {}) };
const isWhole = args.length === 0;
if (process.getuid?.() !== 0) {
  console.error("npm test needs root: it makes real containers, mounts and network namespaces. `npm run check` does not.");
  process.exit(1);
}

let testing: ChildProcess | undefined;
let isCancelled = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, cancel);

const before = await readMachineState();
const startedAt = performance.now();
let problems = 0;

if (isWhole) problems += await step("static checks", ["scripts/check.ts", "--static"]);
if (isWhole || args.join(" ").includes("e2e")) problems += await step("dashboard build", ["scripts/build-dashboard.ts"]);

mkdirSync(".test-output", { recursive: true });
rmSync(OUTPUT, { force: true });
const today = new Date().toISOString().slice(0, 10);
for (const old of globSync(".test-output/debian-*.tar")) if (!old.includes(today)) rmSync(old);
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${OUTPUT}`, ...args];
problems += isCancelled ? 1 : await step("tests", vitest, true);

const left = await leftovers();
if (left.length > 0) {
  problems += 1;
  console.log(`left on the machine by the tests:\n  ${left.join("\n  ")}`);
}

rmSync(endFile, { force: true });
const counts = readCounts();
console.log(`the whole run took ${Math.round((performance.now() - startedAt) / 1000)} s`);
console.log(
  `${counts.passed} passed, ${counts.failed + (problems > 0 && counts.failed === 0 ? problems : 0)} failed, ${counts.skipped} skipped`,
);
process.exitCode = problems > 0 || counts.failed > 0 || counts.passed === 0 ? 1 : 0;

/** The tests under way end and clean up; what has not begun does not. A second time ends everything where it is. */
function cancel(): void {
  if (isCancelled) {
    testing?.kill("SIGKILL");
    rmSync(endFile, { force: true });
    process.exit(130);
  }
  isCancelled = true;
  console.log("ending: tests under way clean up first. Once more leaves everything where it is.");
  writeFileSync(endFile, "");
}

/** @param isApart out of reach of the terminal's Ctrl-C, which would kill what cleans up */
async function step(name: string, argv: string[], isApart = false): Promise<number> {
  console.log(`── ${name}`);
  const code = await new Promise<number>((resolve) => {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...argv], {
      env,
      stdio: ["ignore", "inherit", "inherit"],
      detached: isApart,
    });
    if (isApart) testing = child;
    child.on("error", () => resolve(1));
    child.on("close", (exitCode) => resolve(exitCode ?? 1));
  });
  if (code !== 0) console.log(`── ${name}: did not pass`);
  return code === 0 ? 0 : 1;
}

/** Processes may need a moment to go: what is still there after that was left. */
async function leftovers(): Promise<string[]> {
  const until = performance.now() + SETTLE_MS;
  for (;;) {
    const left = leftBetween(before, await readMachineState());
    if (left.length === 0 || performance.now() > until) return left;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function readCounts(): { passed: number; failed: number; skipped: number } {
  try {
    const results = JSON.parse(readFileSync(OUTPUT, "utf8")) as Record<string, unknown>;
    const count = (key: string): number => (typeof results[key] === "number" ? results[key] : 0);
    return { passed: count("numPassedTests"), failed: count("numFailedTests"), skipped: count("numPendingTests") + count("numTodoTests") };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
