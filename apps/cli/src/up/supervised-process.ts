import { type ChildProcess, spawn } from "node:child_process";
import { fullJitterMs } from "@flotilla/core";

const BACKOFF = { minMs: 200, maxMs: 10_000 };
/** A process that ran this long was well: its next end is restarted without delay. */
const WELL_AFTER_MS = 30_000;
const KILL_AFTER_MS = 40_000;

export type ProcessOptions = {
  name: string;
  argv: readonly string[];
  env?: Readonly<Record<string, string>>;
  note: (text: string) => void;
  /** Called for each start. */
  onStart?: (child: ChildProcess) => void;
  /** Called when it ends by itself; false: it is not started again. */
  onEnd: (exit: { code: number | null; ranMs: number }) => boolean;
};

/**
 * Runs one of our programs beside us, again after it crashed. It is in a process group of its own: Ctrl-C on the
 * terminal reaches us alone, and we end the programs in order.
 */
export class SupervisedProcess {
  readonly #options: ProcessOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #attempt = 0;
  #isStopping = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  start(): void {
    const { argv, env, onStart } = this.#options;
    const startedAt = performance.now();
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...argv], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      detached: true,
      shell: false,
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code) => {
        resolve();
        this.#ended(code, performance.now() - startedAt);
      });
      child.once("error", () => resolve());
    });
    onStart?.(child);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#retry);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #ended(code: number | null, ranMs: number): void {
    if (this.#isStopping || !this.#options.onEnd({ code, ranMs })) return;
    this.#attempt = ranMs > WELL_AFTER_MS ? 0 : this.#attempt + 1;
    this.#options.note(`${this.#options.name} ended with ${code ?? "a signal"}: starting it again`);
    this.#retry = setTimeout(() => this.start(), fullJitterMs(this.#attempt, BACKOFF, Math.random));
  }
}
