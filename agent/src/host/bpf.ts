// bpf(2): programs and maps in the kernel, through libc. Synchronous. A program that is attached keeps its maps, and both go with
// what it is attached to: nothing of them is left behind by an agent that dies.
import { closeSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { FlotillaError } from "@flotilla/core";
import koffi from "koffi";

const libc = koffi.load("libc.so.6");
const c = { syscall: libc.func("long syscall(long number, int command, void *attributes, unsigned int size)") } as const;

/** Of the two machines that Node 24 has binaries for (asm/unistd.h). */
const SYSCALL_NUMBER: Readonly<Record<string, number>> = { x64: 321, arm64: 280 };
const COMMAND = { MAP_CREATE: 0, MAP_DELETE: 3, PROG_LOAD: 5, PROG_BY_ID: 13, MAP_BY_ID: 14, INFO: 15, MAP_UPDATE_BATCH: 26 } as const;
const MAP_TYPE = { hash: 1, array: 2 } as const;
/** Flags of a map: memory for each entry of a hash table when it comes. An array has all of its own. */
const MAP_FLAGS = { hash: 1, array: 0 } as const;
const PROGRAM_TYPE_SCHED_CLS = 3;
const ID_OFFSET = 4;
const INFO_BYTES = 64;
const ATTRIBUTE_BYTES = 128;
/** Not GPL: no helper that is for such programs only is called. */
const LICENSE = Buffer.from("Apache-2.0\0");

/** Keys of an array are numbers of four bytes, as the machine has them, below its capacity; each is there, with zeros at first. */
export type MapShape = { kind: "hash" | "array"; keyBytes: number; valueBytes: number; capacity: number };
/** Keys and values as long as the map's, one behind the other. */
export type MapEntries = { count: number; keys: Uint8Array; values: Uint8Array };

/** @returns its descriptor, the caller's to close. @throws FlotillaError `internal` with `details.errno`, as all here. */
export function createMap({ kind, keyBytes, valueBytes, capacity }: MapShape): number {
  const attributes = Buffer.alloc(ATTRIBUTE_BYTES);
  for (const [index, value] of [MAP_TYPE[kind], keyBytes, valueBytes, capacity, MAP_FLAGS[kind]].entries()) attributes.writeUInt32LE(value, index * 4); // prettier-ignore
  return bpf(COMMAND.MAP_CREATE, attributes);
}

/** Adds or replaces. */
export function updateMap(descriptor: number, { count, keys, values }: MapEntries): void {
  if (count === 0) return;
  const attributes = Buffer.alloc(ATTRIBUTE_BYTES);
  attributes.writeBigUInt64LE(koffi.address(keys), 16);
  attributes.writeBigUInt64LE(koffi.address(values), 24);
  attributes.writeUInt32LE(count, 32);
  attributes.writeUInt32LE(descriptor, 36);
  bpf(COMMAND.MAP_UPDATE_BATCH, attributes);
}

/** What is not there counts as deleted. */
export function deleteFromMap(descriptor: number, key: Uint8Array): void {
  const attributes = Buffer.alloc(ATTRIBUTE_BYTES);
  attributes.writeUInt32LE(descriptor, 0);
  attributes.writeBigUInt64LE(koffi.address(key), 8);
  try {
    bpf(COMMAND.MAP_DELETE, attributes);
  } catch (error) {
    if (!(error instanceof FlotillaError) || error.details["errno"] !== "ENOENT") throw error;
  }
}

/** A program for packets of a link, from what `assemble` made. @returns its descriptor, the caller's to close. */
export function loadProgram(instructions: Uint8Array): number {
  const attributes = Buffer.alloc(ATTRIBUTE_BYTES);
  attributes.writeUInt32LE(PROGRAM_TYPE_SCHED_CLS, 0);
  attributes.writeUInt32LE(instructions.length / 8, 4);
  attributes.writeBigUInt64LE(koffi.address(instructions), 8);
  attributes.writeBigUInt64LE(koffi.address(LICENSE), 16);
  return bpf(COMMAND.PROG_LOAD, attributes);
}

/** Ids are for finding again what something keeps in the kernel. */
export function idOf(descriptor: number): number {
  const info = Buffer.alloc(INFO_BYTES);
  const attributes = Buffer.alloc(ATTRIBUTE_BYTES);
  attributes.writeUInt32LE(descriptor, 0);
  attributes.writeUInt32LE(info.length, 4);
  attributes.writeBigUInt64LE(koffi.address(info), 8);
  bpf(COMMAND.INFO, attributes);
  return info.readUInt32LE(ID_OFFSET);
}

export const openProgram = (id: number): number => openById(COMMAND.PROG_BY_ID, id);
export const openMap = (id: number): number => openById(COMMAND.MAP_BY_ID, id);
export const closeDescriptor = (descriptor: number): void => closeSync(descriptor);

function openById(command: number, id: number): number {
  const attributes = Buffer.alloc(ATTRIBUTE_BYTES);
  attributes.writeUInt32LE(id, 0);
  return bpf(command, attributes);
}

function bpf(command: number, attributes: Buffer): number {
  const number = SYSCALL_NUMBER[process.arch];
  const result = number === undefined ? -1 : Number(c.syscall(number, command, attributes, attributes.length));
  if (result >= 0) return result;
  const errno = number === undefined ? "ENOSYS" : getSystemErrorName(-koffi.errno());
  throw new FlotillaError("internal", `bpf ${command}: ${errno}`, { details: { errno } });
}
