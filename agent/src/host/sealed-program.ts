// A program in memory that nothing can change any more: memfd_create(2) with all seals of fcntl(2).
//
// crun and runc protect themselves from the containers that they enter (which see the runtime as /proc/PID/exe,
// CVE-2019-5736): each start makes a copy or a read-only mount of its own file and executes itself anew from there. One that
// runs from a sealed file already has nothing to do: no mounts, and the dynamic linker works once instead of twice.
import { closeSync, readFileSync, writeSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { FlotillaError } from "@flotilla/core";
import koffi from "koffi";

const libc = koffi.load("libc.so.6");

const c = {
  memfdCreate: libc.func("int memfd_create(const char *name, unsigned int flags)"),
  addSeals: libc.func("fcntl", "int", ["int", "int", "int"]),
} as const;

/** MFD_CLOEXEC | MFD_ALLOW_SEALING. */
const FLAGS = 0x1 | 0x2;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL | SHRINK | GROW | WRITE: what crun and runc ask for. */
const SEALS = 0x1 | 0x2 | 0x4 | 0x8;

/**
 * Copies a program into memory for as long as this process lives. @returns a path that any process of this machine can
 * execute it by. @throws FlotillaError `internal` with `details.errno`; whether it may be executed there is not checked.
 */
export function sealProgram(path: string): string {
  const program = readFileSync(path);
  const fd = check("memfd_create", c.memfdCreate(path.slice(path.lastIndexOf("/") + 1), FLAGS) as number);
  try {
    for (let done = 0; done < program.length;) done += writeSync(fd, program, done);
    check("seal", c.addSeals(fd, F_ADD_SEALS, SEALS) as number);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return `/proc/${process.pid}/fd/${fd}`;
}

function check(call: string, result: number): number {
  if (result >= 0) return result;
  const name = getSystemErrorName(-koffi.errno());
  throw new FlotillaError("internal", `${call}: ${name}`, { details: { errno: name } });
}
