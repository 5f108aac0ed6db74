// Short words for the instructions of bpf-assembler.ts, so that a program reads like one. Pure.
import type { Instruction, Operand } from "./bpf-assembler.ts";

export const load = (width: 1 | 2 | 4, to: number, ...[from, offset]: [number, number]): Instruction => ({
  kind: "load",
  width,
  to,
  from,
  offset,
});
export const store = (width: 1 | 2 | 4, ...[to, offset, value]: [number, number, Operand]): Instruction => ({ kind: "store", width, to, offset, value }); // prettier-ignore
export const set = (register: number, value: Operand): Instruction => ({ kind: "alu", operation: "=", register, value, width: 8 });
/** Of 32 bits. */
export const alu = (operation: "+" | "&" | ">>" | "<<", register: number, value: Operand): Instruction => ({ kind: "alu", operation, register, value, width: 4 }); // prettier-ignore
/** Compares 32 bits, unsigned. */
export const jump = (register: number, comparison: "==" | "!=" | ">" | "&", ...[value, target]: [Operand, string]): Instruction => ({ kind: "jump", comparison, register, value, width: 4, target }); // prettier-ignore
export const label = (name: string): Instruction => ({ kind: "label", name });
export const number = (value: number): Operand => ({ number: value });
export const register = (value: number): Operand => ({ register: value });
/** For addresses of memory. */
export const wide = (instruction: Extract<Instruction, { kind: "jump" | "alu" }>): Instruction => ({ ...instruction, width: 8 });
/** To an address. */
export const add = (to: number, value: number): Instruction =>
  wide({ kind: "alu", operation: "+", register: to, value: number(value), width: 8 });
/** After a look into a table. */
export const ifNull = (target: string): Instruction =>
  wide({ kind: "jump", comparison: "==", register: 0, value: number(0), width: 8, target });
export const unlessNull = (target: string): Instruction =>
  wide({ kind: "jump", comparison: "!=", register: 0, value: number(0), width: 8, target });

/** Numbers as a little-endian machine loads them from a packet. */
export const networkOrder = (value: number): number => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.readInt32LE(0);
};
