// Terminal settings through libc: what `stty raw` does, without a process.
import { getSystemErrorName } from "node:util";
import { FlotillaError } from "@flotilla/core";
import koffi from "koffi";

const libc = koffi.load("libc.so.6");

const c = {
  tcgetattr: libc.func("int tcgetattr(int fd, _Out_ uint8_t *termios)"),
  tcsetattr: libc.func("int tcsetattr(int fd, int actions, const uint8_t *termios)"),
  cfmakeraw: libc.func("void cfmakeraw(_Inout_ uint8_t *termios)"),
} as const;

/** `struct termios` of glibc has 60 bytes on every architecture; room to spare. */
const TERMIOS_BYTES = 128;
const TCSANOW = 0;

/** No echo, no line editing, no signals: bytes pass as they are. On a master's descriptor it sets the slave's terminal. */
export function makeRaw(fd: number): void {
  const termios = new Uint8Array(TERMIOS_BYTES);
  check("tcgetattr", Number(c.tcgetattr(fd, termios)));
  c.cfmakeraw(termios);
  check("tcsetattr", Number(c.tcsetattr(fd, TCSANOW, termios)));
}

function check(call: string, result: number): void {
  if (result >= 0) return;
  const errno = getSystemErrorName(-koffi.errno());
  throw new FlotillaError("internal", `${call}: ${errno}`, { details: { errno } });
}
