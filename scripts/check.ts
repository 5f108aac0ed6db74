// `npm run check`: format, lint, types, dead code, unit and architecture tests. No root, no database.
// `--fix` formats and applies the linter's safe repairs first; `--static` leaves the tests out.
import { spawn } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const bin = (name: string): string => join("node_modules", ".bin", name);
const isStatic = process.argv.includes("--static");
const isFix = process.argv.includes("--fix");

type Step = { name: string; argv: readonly [string, ...string[]] };

// The first has everything that may use Node. Of the others those are checked alone that must do without it, or are pages.
const projects = ["tsconfig.json", "apps/control/tsconfig.json", ...globSync("packages/*/tsconfig.json").filter((path) => !usesNode(path))];

const steps: Step[] = [
  { name: "format", argv: [bin("oxfmt"), ...(isFix ? [] : ["--check"]), "."] },
  { name: "lint", argv: [bin("oxlint"), "--type-aware", ...(isFix ? ["--fix"] : [])] },
  ...projects.map((project): Step => ({ name: `types ${project}`, argv: [bin("tsc"), "-p", project] })),
  { name: "dead code", argv: [bin("knip")] },
  ...(isStatic ? [] : [{ name: "tests", argv: [bin("vitest"), "run", "--project", "unit", "--project", "architecture"] } satisfies Step]),
];

/** Whether a package's sources may use Node's own types. */
function usesNode(path: string): boolean {
  return readFileSync(path, "utf8").includes('"types": ["node"]');
}

const failed: string[] = [];
for (const step of steps) {
  const startedAt = performance.now();
  const result = await runStep(step);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${result.isOk ? "ok  " : "FAIL"} ${step.name} (${seconds} s)`);
  if (result.isOk) continue;
  failed.push(step.name);
  console.log(result.output);
}
if (failed.length > 0) {
  console.log(`check: ${failed.join(", ")} did not pass. \`npm run fix\` formats and repairs what it can.`);
  process.exitCode = 1;
}

function runStep(step: Step): Promise<{ isOk: boolean; output: string }> {
  const [file, ...args] = step.argv;
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", (error) => resolve({ isOk: false, output: error.message }));
    child.on("close", (code) => resolve({ isOk: code === 0, output: Buffer.concat(chunks).toString("utf8") }));
  });
}
