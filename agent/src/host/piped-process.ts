import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import { MINIMAL_ENV } from "./run.ts";

export type PipedRequest = {
  argv: readonly [string, ...string[]];
  cwd?: string;
  /** Which streams are pipes; the others are /dev/null. */
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
};

export type PipedExit = { exitCode: number };

/** A program whose streams are ours as long as it runs. */
export type PipedProcess = {
  pid: number;
  stdin: Writable | undefined;
  stdout: Readable | undefined;
  stderr: Readable | undefined;
  /** The program has ended; a child that it left may still hold its output. A signal n gives 128 + n, as in a shell. */
  exited: Promise<PipedExit>;
  /** All of its output has been read. */
  closed: Promise<void>;
};

/** Signals by number, as far as a runtime ends by one. */
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 };

/** Starts a program in a session of its own, never by a shell. @throws FlotillaError `internal` when it cannot be started. */
export function spawnPiped(request: PipedRequest): PipedProcess {
  const [file, ...args] = request.argv;
  const pipe = (isPipe: boolean): "pipe" | "ignore" => (isPipe ? "pipe" : "ignore");
  const child = spawn(file, args, {
    ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
    env: { ...MINIMAL_ENV },
    stdio: [pipe(request.stdin), pipe(request.stdout), pipe(request.stderr)],
    // A Ctrl-C on the agent's own terminal is not for programs in containers.
    detached: true,
    shell: false,
  });
  const exited = new Promise<PipedExit>((resolve, reject) => {
    child.once("error", (error) => reject(new FlotillaError("internal", `run ${file}: ${error.message}`, { cause: error })));
    child.once("exit", (code, signal) => resolve({ exitCode: code ?? 128 + (SIGNAL_NUMBERS[signal ?? ""] ?? 0) }));
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on("error", () => undefined);
  return {
    pid: child.pid ?? 0,
    stdin: child.stdin ?? undefined,
    stdout: child.stdout ?? undefined,
    stderr: child.stderr ?? undefined,
    exited,
    closed,
  };
}
