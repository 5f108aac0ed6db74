import { spawn } from "node:child_process";
import { spawnPty } from "../../agent/src/host/pty-process.ts";

/** A command that runs while the test talks to it. */
export type LiveCommand = {
  /** Standard output so far (on a terminal: all of it). */
  text(): string;
  errors(): string;
  /** Waits until the output matches. @throws when the command ends before, or after half a minute. */
  until(pattern: RegExp): Promise<string>;
  write(text: string): void;
  endInput(): void;
  resize(rows: number, columns: number): void;
  kill(signal: NodeJS.Signals): void;
  exited: Promise<number>;
};

const TIMEOUT_MS = 30_000;
const ENV = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", LC_ALL: "C", TERM: "xterm", DOCKER_CLI_HINTS: "false" };

/** The docker command with pipes. */
export function liveDocker(host: string, args: readonly string[]): LiveCommand {
  const child = spawn("docker", args, { env: { ...ENV, DOCKER_HOST: host }, stdio: ["pipe", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  child.stdin.on("error", () => undefined);
  const exited = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? -1)));
  return {
    text: () => output.stdout,
    errors: () => output.stderr,
    until: (pattern) => waitFor(() => output.stdout, pattern, { exited, describe: () => output.stderr }),
    write: (text) => void child.stdin.write(text),
    endInput: () => void child.stdin.end(),
    resize: () => undefined,
    kill: (signal) => void child.kill(signal),
    exited,
  };
}

/** The docker command on a terminal of its own, as a person uses it. */
export function terminalDocker(host: string, args: readonly string[], size = { rows: 24, columns: 80 }): LiveCommand {
  const pty = spawnPty({ argv: ["docker", ...args], env: { ...ENV, DOCKER_HOST: host }, cwd: "/", size });
  let text = "";
  pty.onData((chunk) => (text += chunk.toString()));
  const exited = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  return {
    text: () => text,
    errors: () => "",
    until: (pattern) => waitFor(() => text, pattern, { exited, describe: () => text }),
    write: (input) => pty.write(Buffer.from(input)),
    endInput: () => pty.write(Buffer.from([4])),
    resize: (rows, columns) => pty.resize({ rows, columns }),
    kill: () => pty.hangUp(),
    exited,
  };
}

async function waitFor(read: () => string, pattern: RegExp, command: { exited: Promise<number>; describe(): string }): Promise<string> {
  let hasEnded = false;
  void command.exited.then(() => (hasEnded = true));
  const deadline = Date.now() + TIMEOUT_MS;
  while (!pattern.test(read())) {
    if (hasEnded || Date.now() > deadline) {
      throw new Error(
        `output never matched ${String(pattern)}${hasEnded ? " (the command has ended)" : ""}: ${JSON.stringify(read())} ${command.describe()}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return read();
}
