import { spawn } from "node:child_process";
import { FlotillaError } from "@flotilla/core";

export type RunOptions = {
  argv: readonly [string, ...string[]];
  /** Written to the child's standard input, which is then closed. */
  stdin?: string | Uint8Array;
  /** Replaces the whole environment; default is PATH, LC_ALL=C and nothing else. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** SIGTERM at this time, SIGKILL two seconds later. Default 60 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Each of stdout and stderr is cut here. Default 8 MiB. */
  maxOutputBytes?: number;
  /** Exit codes that are not an error. Default [0]. */
  okExitCodes?: readonly number[];
};

/** The same keys for success and failure. */
export type RunResult = {
  argv: readonly string[];
  exitCode: number | undefined;
  signal: NodeJS.Signals | undefined;
  stdout: string;
  stderr: string;
  isTimedOut: boolean;
  durationMs: number;
};

const DEFAULT_TIMEOUT_MS = 60_000;
const KILL_AFTER_MS = 2_000;
const DEFAULT_MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

export const MINIMAL_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C",
};

/**
 * Runs one program to its end: the only way to run one. Never a shell: `argv` is handed to execve as it is.
 * @throws FlotillaError `internal` when it cannot be started, times out, or ends with a code outside `okExitCodes`;
 * `details.result` holds the RunResult.
 */
export async function run(options: RunOptions): Promise<RunResult> {
  const result = await collect(options);
  const isOk = result.exitCode !== undefined && (options.okExitCodes ?? [0]).includes(result.exitCode);
  if (isOk && !result.isTimedOut) return result;
  throw new FlotillaError("internal", describeFailure(result), { details: { result } });
}

/** What went wrong, from most to least specific. */
export function describeFailure(result: RunResult): string {
  const program = result.argv[0] ?? "";
  const detail = result.stderr.trim() === "" ? "" : `: ${result.stderr.trim().slice(0, 2000)}`;
  if (result.isTimedOut) return `${program} timed out after ${result.durationMs} ms${detail}`;
  if (result.signal !== undefined) return `${program} was ended by ${result.signal}${detail}`;
  return `${program} exited with ${result.exitCode ?? "no code"}${detail}`;
}

function collect(options: RunOptions): Promise<RunResult> {
  const [file, ...args] = options.argv;
  const maxBytes = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES;
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: { ...(options.env ?? MINIMAL_ENV) },
      stdio: ["pipe", "pipe", "pipe"],
      shell: false,
    });
    const stdout = new BoundedText(maxBytes);
    const stderr = new BoundedText(maxBytes);
    let isTimedOut = false;
    let killTimer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      child.kill("SIGTERM");
      killTimer ??= setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
    };
    const timer = setTimeout(() => {
      isTimedOut = true;
      stop();
    }, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    if (options.signal?.aborted === true) stop();
    options.signal?.addEventListener("abort", stop, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      clearTimeout(killTimer);
      options.signal?.removeEventListener("abort", stop);
    };
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A child that does not read its input ends with EPIPE here: its exit code says more.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.stdin ?? "");
    child.on("error", (error) => {
      settle();
      reject(new FlotillaError("internal", `run ${file}: ${error.message}`, { cause: error }));
    });
    child.on("close", (code, signal) => {
      settle();
      resolve({
        argv: options.argv,
        exitCode: code ?? undefined,
        signal: signal ?? undefined,
        stdout: stdout.text(),
        stderr: stderr.text(),
        isTimedOut,
        durationMs: Math.round(performance.now() - startedAt),
      });
    });
  });
}

class BoundedText {
  readonly #chunks: Buffer[] = [];
  readonly #maxBytes: number;
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    const room = this.#maxBytes - this.#size;
    if (room <= 0) return;
    this.#chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    this.#size += Math.min(room, chunk.length);
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}
