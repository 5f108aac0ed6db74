// Programs for the kernel's BPF machine, from lists of instructions with named places to jump to. Pure. The instruction set is that
// of RFC 9669; registers are 0 to 10, 10 is the end of a stack of 512 bytes.

/** Bytes that a load or a store moves. */
export type Width = 1 | 2 | 4 | 8;
/** What an instruction takes beside its destination register. */
export type Operand = { register: number } | { number: number };
export type Comparison = "==" | "!=" | ">" | "&";
export type Arithmetic = "+" | "&" | ">>" | "<<" | "=";

export type Instruction =
  | { kind: "load"; width: Width; to: number; from: number; offset: number }
  | { kind: "store"; width: Width; to: number; offset: number; value: Operand }
  /** Of 64 bits; `width` 4 takes and leaves the lower half. */
  | { kind: "alu"; operation: Arithmetic; register: number; value: Operand; width: 4 | 8 }
  /** The bytes of a number in network order, or back. */
  | { kind: "swap"; register: number; bits: 16 | 32 }
  /** Forwards only: the kernel refuses what might never end. Unsigned. */
  | { kind: "jump"; comparison: Comparison; register: number; value: Operand; width: 4 | 8; target: string }
  | { kind: "goto"; target: string }
  | { kind: "label"; name: string }
  /** The address of a map, by its descriptor. */
  | { kind: "map"; register: number; descriptor: number }
  | { kind: "call"; helper: number }
  | { kind: "exit" };

const INSTRUCTION_BYTES = 8;
const CLASS = { LD: 0x00, LDX: 0x01, ST: 0x02, STX: 0x03, ALU: 0x04, JMP: 0x05, JMP32: 0x06, ALU64: 0x07 } as const;
const SIZE: Readonly<Record<Width, number>> = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 };
const MODE_MEM = 0x60;
const FROM_REGISTER = 0x08;
const ALU: Readonly<Record<Arithmetic, number>> = { "+": 0x00, "&": 0x50, "<<": 0x60, ">>": 0x70, "=": 0xb0 };
const ALU_SWAP = 0xd0;
const JUMP: Readonly<Record<Comparison, number>> = { "==": 0x10, ">": 0x20, "&": 0x40, "!=": 0x50 };
const LOAD_WIDE = 0x18;
const PSEUDO_MAP_DESCRIPTOR = 1;
const CALL = 0x85;
const EXIT = 0x95;

/** @throws RangeError for a jump to a place that is not there, or backwards. */
export function assemble(program: readonly Instruction[]): Buffer {
  const places = new Map<string, number>();
  let at = 0;
  for (const instruction of program) {
    if (instruction.kind === "label") places.set(instruction.name, at);
    at += slotsOf(instruction);
  }
  const buffer = Buffer.alloc(at * INSTRUCTION_BYTES);
  at = 0;
  for (const instruction of program) {
    const slots = slotsOf(instruction);
    if (slots > 0) encode(buffer, at, { instruction, distance: (target) => distanceTo(places, target, at) });
    at += slots;
  }
  return buffer;
}

const slotsOf = ({ kind }: Instruction): number => (kind === "label" ? 0 : kind === "map" ? 2 : 1);

function distanceTo(places: ReadonlyMap<string, number>, target: string, at: number): number {
  const place = places.get(target);
  if (place === undefined || place <= at) throw new RangeError(`no place ${target} after instruction ${at}`);
  return place - at - 1;
}

type Work = { instruction: Exclude<Instruction, { kind: "label" }> | Instruction; distance: (target: string) => number };

function encode(buffer: Buffer, slot: number, { instruction, distance }: Work): void {
  const at = slot * INSTRUCTION_BYTES;
  const put = (opcode: number, fields: { to?: number; from?: number; offset?: number; number?: number } = {}): void => {
    buffer.writeUInt8(opcode, at);
    buffer.writeUInt8((fields.to ?? 0) | ((fields.from ?? 0) << 4), at + 1);
    buffer.writeInt16LE(fields.offset ?? 0, at + 2);
    buffer.writeInt32LE((fields.number ?? 0) | 0, at + 4);
  };
  switch (instruction.kind) {
    case "load":
      return put(CLASS.LDX | MODE_MEM | SIZE[instruction.width], {
        to: instruction.to,
        from: instruction.from,
        offset: instruction.offset,
      });
    case "store": {
      const { width, to, offset, value } = instruction;
      if ("register" in value) return put(CLASS.STX | MODE_MEM | SIZE[width], { to, from: value.register, offset });
      return put(CLASS.ST | MODE_MEM | SIZE[width], { to, offset, number: value.number });
    }
    case "alu": {
      const { operation, register, value, width } = instruction;
      return put((width === 8 ? CLASS.ALU64 : CLASS.ALU) | ALU[operation] | sourceOf(value), { to: register, ...operandOf(value) });
    }
    case "swap":
      return put(CLASS.ALU | ALU_SWAP | FROM_REGISTER, { to: instruction.register, number: instruction.bits });
    case "jump": {
      const { comparison, register, value, width, target } = instruction;
      const opcode = (width === 8 ? CLASS.JMP : CLASS.JMP32) | JUMP[comparison] | sourceOf(value);
      return put(opcode, { to: register, offset: distance(target), ...operandOf(value) });
    }
    case "goto":
      return put(CLASS.JMP, { offset: distance(instruction.target) });
    case "map":
      return put(LOAD_WIDE, { to: instruction.register, from: PSEUDO_MAP_DESCRIPTOR, number: instruction.descriptor });
    case "call":
      return put(CALL, { number: instruction.helper });
    case "exit":
      return put(EXIT);
    case "label":
  }
}

const sourceOf = (value: Operand): number => ("register" in value ? FROM_REGISTER : 0);
const operandOf = (value: Operand): { from: number } | { number: number } =>
  "register" in value ? { from: value.register } : { number: value.number };
