import type { Duplex } from "node:stream";
import { STDCOPY } from "@flotilla/engine-api";
import { pumpInput } from "../attach/pump-input.ts";
import { spawnPiped } from "../host/piped-process.ts";
import { type PtyProcess, spawnPty, type TerminalSize } from "../host/pty-process.ts";
import { MINIMAL_ENV } from "../host/run.ts";
import type { ExecFiles } from "./exec-files.ts";
import { forwardFramed, forwardRaw, inputTarget } from "./exec-streams.ts";
import { StartGate } from "./start-gate.ts";

export type ExecRun = {
  argv: readonly [string, ...string[]];
  cwd: string;
  files: ExecFiles;
  /** The attached client; undefined for a detached exec. */
  client: Duplex | undefined;
  attach: { stdin: boolean; stdout: boolean; stderr: boolean };
  onDetached(): void;
};

/** A child of the program may keep its output open; it is waited for this long after the program's end, as in Docker. */
const OUTPUT_GRACE_MS = 2_000;

/** Runs an exec without a terminal to its end. @returns the runtime's exit code, which is the program's if it was started. */
export async function runPiped(run: ExecRun): Promise<number> {
  const { client, attach, files } = run;
  const child = spawnPiped({
    argv: run.argv,
    cwd: run.cwd,
    stdin: attach.stdin && client !== undefined,
    stdout: attach.stdout && client !== undefined,
    stderr: attach.stderr && client !== undefined,
  });
  let gate: StartGate | undefined;
  if (client !== undefined) {
    const { stdout, stderr, stdin } = child;
    stdout?.on("data", forwardFramed(stdout, client, STDCOPY.stdout));
    if (stderr !== undefined) {
      const held = new StartGate(() => files.hasStarted(), forwardFramed(stderr, client, STDCOPY.stderr));
      stderr.on("data", (chunk: Buffer) => held.push(chunk));
      gate = held;
    }
    feedInput(client, stdin === undefined ? DROPPED_INPUT : inputTarget(stdin));
  }
  const { exitCode } = await child.exited;
  await settled(child.closed, OUTPUT_GRACE_MS);
  gate?.end();
  return exitCode;
}

/** Input that nobody takes is read all the same: the client must not be stopped by it. */
const DROPPED_INPUT = { writeInput: async (): Promise<boolean> => true, endInput: (): void => undefined };

function feedInput(client: Duplex, target: { writeInput(bytes: Buffer): Promise<boolean>; endInput(): void }): void {
  // A client that breaks off ends the input, as one that closes it does.
  pumpInput(client, target, undefined).then(
    () => target.endInput(),
    () => target.endInput(),
  );
}

export type TerminalRun = ExecRun & { size: TerminalSize; detachKeys: Uint8Array; onTerminal(pty: PtyProcess): void };

/** Runs an exec on a terminal to its end. A client that goes hangs up; one that detaches leaves the program running. */
export function runOnTerminal(run: TerminalRun): Promise<number> {
  const { client, attach, files } = run;
  const pty = spawnPty({ argv: run.argv, env: { ...MINIMAL_ENV, TERM: "xterm" }, cwd: run.cwd, size: run.size });
  run.onTerminal(pty);
  const forward = client === undefined || !attach.stdout ? (): void => undefined : forwardRaw(pty, client);
  const gate = new StartGate(() => files.hasStarted(), forward);
  pty.onData((chunk) => gate.push(chunk));
  const exited = new Promise<number>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      gate.end();
      resolve(signal === undefined || signal === 0 ? exitCode : 128 + signal);
    });
  });
  if (client !== undefined) attachTerminalInput(run, client, pty);
  return exited;
}

function attachTerminalInput(run: TerminalRun, client: Duplex, pty: PtyProcess): void {
  let isDetached = false;
  client.once("close", () => {
    if (!isDetached) pty.hangUp();
  });
  const target = {
    writeInput: async (bytes: Buffer): Promise<boolean> => {
      if (run.attach.stdin) pty.write(bytes);
      return true;
    },
    endInput: (): void => undefined,
  };
  pumpInput(client, target, run.attach.stdin ? run.detachKeys : undefined).then(
    (end) => {
      if (end !== "detached") return;
      isDetached = true;
      run.onDetached();
    },
    () => undefined,
  );
}

async function settled(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
