import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { composeCommand } from "../../apps/cli/src/compose/compose-command.ts";
import type { CommandResult } from "./docker.ts";

const MAIN = join(import.meta.dirname, "..", "..", "apps", "cli", "src", "main.ts");

export type ComposeOptions = { dir: string; host: string; env?: Readonly<Record<string, string>> };

/** `flotilla compose` in this process: as quick as a function, with the streams and the directory of its own. */
export async function compose({ dir, host, env = {} }: ComposeOptions, ...args: string[]): Promise<CommandResult> {
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr"): { write(text: string): void } => ({ write: (text) => void (written[name] += text) });
  let exitCode = -1;
  const io = {
    environment: { DOCKER_HOST: host, HOME: "/nonexistent", ...env },
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    version: "0.1.0",
    workingDir: dir,
  };
  await composeCommand(
    (code) => (exitCode = code),
    () => io,
  ).parseAsync(args, { from: "user" });
  return { exitCode, ...written };
}

/** The same as a process of its own, for what concerns standard input and signals. */
export function composeProcess({ dir, host, env = {} }: ComposeOptions, ...args: string[]) {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, "compose", ...args], {
    cwd: dir,
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", DOCKER_HOST: host, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const written = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk: Buffer) => {
      written[name] += chunk.toString("utf8");
      for (const listener of listeners) listener();
    });
  }
  const done = new Promise<CommandResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ exitCode: code ?? -1, ...written });
      for (const listener of listeners) listener();
    });
  });
  /** Until the output has a text. @throws when the process ends without it. */
  const untilWritten = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (`${written.stdout}${written.stderr}`.includes(text)) resolve();
        else if (child.exitCode !== null) reject(new Error(`ended without "${text}": ${written.stdout}${written.stderr}`));
        else return;
        listeners.delete(look);
      };
      listeners.add(look);
      look();
    });
  return { child, done, untilWritten };
}

/** A directory with files, by their paths in it. */
export function writeFiles(dir: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}
