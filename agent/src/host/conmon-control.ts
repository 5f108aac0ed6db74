import { constants } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { TerminalSize } from "./pty-process.ts";

// conmon's control fifo: lines of three numbers, the first being what to do (conmon's ctrl.c).

const RESIZE = 1;
const REOPEN_LOG = 2;

/** Tells conmon the size of the container's terminal. @throws ENXIO or ENOENT when the container has ended. */
export async function resizeConsole(controlFifoPath: string, size: TerminalSize): Promise<void> {
  await send(controlFifoPath, `${RESIZE} ${size.rows} ${size.columns}\n`);
}

/** Tells conmon to open its log by its path again: after a rename it goes on in a new file. @throws as resizeConsole. */
export async function reopenLog(controlFifoPath: string): Promise<void> {
  await send(controlFifoPath, `${REOPEN_LOG} 0 0\n`);
}

/** Not blocking: without a reader (conmon has gone) the open fails instead of waiting for one. */
async function send(path: string, line: string): Promise<void> {
  await writeFile(path, line, { flag: constants.O_WRONLY | constants.O_NONBLOCK });
}
