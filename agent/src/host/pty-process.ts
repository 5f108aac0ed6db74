import { spawn } from "node-pty";
import { z } from "zod";
import { makeRaw } from "./termios.ts";

export type TerminalSize = { rows: number; columns: number };

export type PtyRequest = {
  argv: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  cwd: string;
  size: TerminalSize;
};

/** A program on a terminal of its own. Output is bytes; `pause` holds the program back when its reader is slow. */
export type PtyProcess = {
  pid: number;
  onData(listener: (chunk: Buffer) => void): void;
  /** After the last output. */
  onExit(listener: (exit: { exitCode: number; signal: number | undefined }) => void): void;
  write(bytes: Buffer): void;
  resize(size: TerminalSize): void;
  pause(): void;
  resume(): void;
  /** Hangs up: the program loses its terminal. */
  hangUp(): void;
};

/** A size of 0 means "unknown" to clients and is refused by the kernel's users. */
const DEFAULT_SIZE: TerminalSize = { rows: 24, columns: 80 };
const MAX_CELLS = 0xffff;

/**
 * Starts a program on a new terminal in raw mode: what goes in and out is what a terminal further in makes of it (that of
 * the container), and must not be echoed or edited twice.
 */
export function spawnPty(request: PtyRequest): PtyProcess {
  const [file, ...args] = request.argv;
  const size = checkedSize(request.size);
  const pty = spawn(file, args, {
    name: "xterm",
    cols: size.columns,
    rows: size.rows,
    cwd: request.cwd,
    env: { ...request.env },
    encoding: null,
  });
  // The descriptor is public in node-pty's Unix terminal, though not in its types.
  const { fd } = z.object({ fd: z.int() }).parse(pty);
  makeRaw(fd);
  return {
    pid: pty.pid,
    // With no encoding it gives buffers, whatever its types say.
    onData: (listener) => void pty.onData((chunk: unknown) => listener(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)))),
    onExit: (listener) => void pty.onExit(({ exitCode, signal }) => listener({ exitCode, signal })),
    write: (bytes) => pty.write(bytes),
    resize: (wanted) => {
      const { rows, columns } = checkedSize(wanted);
      pty.resize(columns, rows);
    },
    pause: () => pty.pause(),
    resume: () => pty.resume(),
    hangUp: () => pty.kill("SIGHUP"),
  };
}

function checkedSize(size: TerminalSize): TerminalSize {
  const isKnown = size.rows > 0 && size.columns > 0 && size.rows <= MAX_CELLS && size.columns <= MAX_CELLS;
  return isKnown ? size : DEFAULT_SIZE;
}
