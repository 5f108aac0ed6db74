import { spawn } from "node:child_process";
import { FlotillaError } from "@flotilla/core";

/** Runs a build with this Node. @throws FlotillaError `internal` with the end of what it wrote. */
export function runBuild(
  what: string,
  argv: readonly string[],
  options: { cwd: string; env?: Readonly<Record<string, string>> },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      shell: false,
    });
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new FlotillaError("internal", `${what}:\n${Buffer.concat(output).toString("utf8").slice(-4000)}`));
    });
  });
}
