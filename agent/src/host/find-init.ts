import { closeSync, openSync, readSync } from "node:fs";
import { FlotillaError } from "@flotilla/core";

const CANDIDATES: readonly string[] = [
  "/usr/libexec/docker/docker-init",
  "/usr/bin/docker-init",
  "/usr/bin/tini-static",
  "/usr/bin/catatonit",
  "/usr/libexec/podman/catatonit",
];
const PT_INTERP = 3;

/**
 * An init for `--init`: it runs inside any image, so it must need no library of the image.
 * @throws unavailable when the machine has none.
 */
export function findInit(): string {
  const path = CANDIDATES.find(isStaticProgram);
  if (path === undefined)
    throw new FlotillaError("unavailable", "--init needs an init program on the host: install the Debian package tini");
  return path;
}

/** Whether a file is an ELF program without an interpreter, that is, statically linked. */
export function isStaticProgram(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return false;
  }
  try {
    const head = Buffer.alloc(4096);
    if (readSync(fd, head, 0, head.length, 0) < 64 || head.readUInt32BE(0) !== 0x7f45_4c46 || head[4] !== 2) return false;
    const tableAt = Number(head.readBigUInt64LE(32));
    const entrySize = head.readUInt16LE(54);
    const entries = head.readUInt16LE(56);
    for (let index = 0; index < entries; index += 1) {
      const at = tableAt + index * entrySize;
      if (at + 4 > head.length || head.readUInt32LE(at) === PT_INTERP) return false;
    }
    return true;
  } finally {
    closeSync(fd);
  }
}
