import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type CommandResult = { exitCode: number; stdout: string; stderr: string };
export type CommandOptions = { input?: string | Uint8Array; env?: Readonly<Record<string, string>>; timeoutMs?: number };

/** Runs a command to its end; a time-out kills it and shows as exit code -1. */
export function runCommand(argv: readonly [string, ...string[]], options: CommandOptions = {}): Promise<CommandResult> {
  const [file, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", LC_ALL: "C", ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const timer = setTimeout(() => {
      stderr.push(Buffer.from(`\n(the test ended it after ${options.timeoutMs ?? 45_000} ms)`));
      child.kill("SIGKILL");
    }, options.timeoutMs ?? 45_000);
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ exitCode: code ?? -1, stdout: Buffer.concat(stdout).toString("utf8"), stderr: Buffer.concat(stderr).toString("utf8") });
    });
  });
}

/** The unmodified docker command against an engine. */
export function docker(host: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return runCommand(["docker", ...args], { ...options, env: { DOCKER_HOST: host, DOCKER_CLI_HINTS: "false", ...options.env } });
}

/** Major version of the docker command of this machine: Debian's own is 20.10, and tells some things otherwise than those of today. */
export async function dockerMajor(): Promise<number> {
  const { stdout } = await runCommand(["docker", "--version"]);
  const [, major] = /version (\d+)\./.exec(stdout) ?? [];
  if (major === undefined) throw new Error(`docker --version says ${stdout}`);
  return Number(major);
}

/** The first version that surely takes headers from its environment. */
const KNOWS_CUSTOM_HEADERS = 28;

/**
 * Environment by which the docker command sends an API token to the control plane, as README.md has it for its version.
 * @param directory gets docker's configuration where that is the way.
 */
export async function tokenEnvironment(token: string, directory: string): Promise<Record<string, string>> {
  if ((await dockerMajor()) >= KNOWS_CUSTOM_HEADERS) return { DOCKER_CUSTOM_HEADERS: `Authorization=Bearer ${token}` };
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "config.json"), JSON.stringify({ HttpHeaders: { Authorization: `Bearer ${token}` } }));
  return { DOCKER_CONFIG: directory };
}
