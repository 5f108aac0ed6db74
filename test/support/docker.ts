import { spawn } from "node:child_process";

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
