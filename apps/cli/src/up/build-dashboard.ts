import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { ROOT } from "../paths.ts";

const CONTROL = join(ROOT, "apps", "control");
const STAMP = join(CONTROL, ".next", "flotilla-sources");
const SOURCES = [
  "apps/control/src/**/*.{ts,tsx,css,json,svg}",
  "apps/control/*.{ts,mjs,json}",
  "packages/{core,engine-api}/src/**/*.ts",
  "pnpm-lock.yaml",
];
const LOCK_POLL_MS = 200;

/** Builds the dashboard when its sources are not those of the last build; two that start together build it once. */
export async function ensureDashboard(note: (text: string) => void): Promise<void> {
  if (isBuilt()) return;
  const lock = await takeLock();
  try {
    if (isBuilt()) return;
    note("building the dashboard (once after each change of it)");
    const digest = digestSources();
    await runBuild();
    writeFileSync(STAMP, digest);
  } finally {
    lock.release();
  }
}

function isBuilt(): boolean {
  return existsSync(join(CONTROL, ".next", "BUILD_ID")) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === digestSources();
}

function digestSources(): string {
  const hash = createHash("sha256");
  const files = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).filter(
    (file) => !/src\/server\/|\.test\.tsx?$|next-env\.d\.ts$/.test(file),
  );
  for (const file of files.sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update("\0");
  return hash.digest("hex");
}

function runBuild(): Promise<void> {
  const next = join(CONTROL, "node_modules", "next", "dist", "bin", "next");
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [next, "build"], {
      cwd: CONTROL,
      env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production", NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      shell: false,
    });
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new FlotillaError("internal", `build the dashboard:\n${Buffer.concat(output).toString("utf8").slice(-4000)}`));
    });
  });
}

/** An abstract unix socket (unix(7)): the kernel frees it when the builder ends in whatever way. */
async function takeLock(): Promise<{ release(): void }> {
  const path = `\0flotilla-build-${createHash("sha256").update(CONTROL).digest("hex").slice(0, 32)}`;
  for (;;) {
    const server = createServer();
    const isTaken = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen({ path }, () => resolve(true));
    });
    if (isTaken) return { release: () => void server.close() };
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}
