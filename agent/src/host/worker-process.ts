import { fork } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { MINIMAL_ENV } from "./run.ts";

/** A Node process of our own code: messages over IPC, bytes over its standard input and output. */
export type WorkerProcess = {
  pid: number | undefined;
  stdin: Writable;
  stdout: Readable;
  /** What the worker wrote to standard error, cut at 8 KiB: the reason when it dies. */
  stderr(): string;
  send(message: unknown): void;
  /** @returns what takes the listener away again. */
  onMessage(listener: (message: unknown) => void): () => void;
  /** Settles when the process is gone, its pipes are closed and its last message was handed out. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** SIGKILL: a worker keeps nothing that an end could lose. */
  kill(): void;
};

const MAX_STDERR_CHARS = 8192;

/**
 * Starts a worker from a module of this program. It ends by itself when this process goes away.
 * @param cacheDir where Node keeps compiled code between starts (halves the time of one); only root may write there.
 */
export function startWorkerProcess(module: URL, cacheDir: string): WorkerProcess {
  const child = fork(module, [], {
    env: { ...MINIMAL_ENV, NODE_COMPILE_CACHE: cacheDir },
    // The module's own imports need no flags of this process (an inspector port would clash).
    execArgv: ["--no-warnings"],
    serialization: "json",
    stdio: ["pipe", "pipe", "pipe", "ipc"],
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new TypeError("a worker process without pipes");
  let errorText = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    errorText = (errorText + text).slice(0, MAX_STDERR_CHARS);
  });
  // A worker that fails stops reading: its answer says why, EPIPE here does not.
  stdin.on("error", () => undefined);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on("error", () => resolve({ code: null, signal: null }));
    // Messages may still be on their way when the process is gone: the channel's end comes after the last of them.
    child.on("close", (code, signal) => {
      if (!child.connected) resolve({ code, signal });
      else child.once("disconnect", () => resolve({ code, signal }));
    });
  });
  return {
    pid: child.pid,
    stdin,
    stdout,
    stderr: () => errorText.trim(),
    send: (message) => void child.send(message as object, () => undefined),
    onMessage(listener) {
      child.on("message", listener);
      return () => void child.off("message", listener);
    },
    exited,
    kill: () => void child.kill("SIGKILL"),
  };
}
