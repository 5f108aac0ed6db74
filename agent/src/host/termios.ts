// Terminal settings through libc: what `stty raw` does, without a process.
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { FlotillaError } from "@flotilla/core";
import koffi from "koffi";

const libc = koffi.load("libc.so.6");

const c = {
  tcgetattr: libc.func("int tcgetattr(int fd, _Out_ uint8_t *termios)"),
  tcsetattr: libc.func("int tcsetattr(int fd, int actions, const uint8_t *termios)"),
  ioctl: libc.func("int ioctl(int fd, unsigned long request, const void *argument)"),
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

/** ioctl_tty(2); the same on every architecture that Node runs on but mips and powerpc. */
const TIOCSWINSZ = 0x5414;
/** Majors of the slaves of Unix 98 pseudo-terminals (devices.txt). */
const PTS_MAJORS = { first: 136, last: 143 } as const;
const STANDARD_FDS = [0, 1, 2] as const;

/**
 * Sets the size of the terminal on which a process has one of its standard streams; its foreground programs get SIGWINCH.
 * Returns false when the process has no terminal there, or has gone. (crun 1.8 does not hand the size of its own terminal
 * on after the start of an exec.)
 */
export function resizeTerminalOf(pid: number, size: { rows: number; columns: number }): boolean {
  for (const standardFd of STANDARD_FDS) {
    const fd = openTerminal(`/proc/${pid}/fd/${standardFd}`);
    if (fd === undefined) continue;
    try {
      check("ioctl TIOCSWINSZ", Number(c.ioctl(fd, TIOCSWINSZ, Uint16Array.of(size.rows, size.columns, 0, 0))));
      return true;
    } finally {
      closeSync(fd);
    }
  }
  return false;
}

function openTerminal(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const { rdev } = fstatSync(fd);
  const major = (rdev >> 8) & 0xfff;
  if (fstatSync(fd).isCharacterDevice() && major >= PTS_MAJORS.first && major <= PTS_MAJORS.last) return fd;
  closeSync(fd);
  return undefined;
}

function check(call: string, result: number): void {
  if (result >= 0) return;
  const errno = getSystemErrorName(-koffi.errno());
  throw new FlotillaError("internal", `${call}: ${errno}`, { details: { errno } });
}
