import { describe, expect, test } from "vitest";
import { assemble, type Instruction } from "./bpf-assembler.ts";

const hexOf = (...program: Instruction[]): string[] => (assemble(program).toString("hex").match(/.{16}/g) ?? []) as string[];

describe("an instruction", () => {
  // As bpf_asm and llvm-mc encode them: opcode, source and destination, offset, number.
  test.each<[string, Instruction, string]>([
    ["loads a word", { kind: "load", width: 4, to: 2, from: 6, offset: 40 }, "6162280000000000"],
    ["loads a byte", { kind: "load", width: 1, to: 4, from: 10, offset: -12 }, "71a4f4ff00000000"],
    ["stores a register", { kind: "store", width: 2, to: 7, offset: 24, value: { register: 2 } }, "6b27180000000000"],
    ["stores a number", { kind: "store", width: 4, to: 10, offset: -4, value: { number: 0x0300_0000 } }, "620afcff00000003"],
    ["adds to an address", { kind: "alu", operation: "+", register: 2, value: { number: -8 }, width: 8 }, "07020000f8ffffff"],
    ["copies a register", { kind: "alu", operation: "=", register: 6, value: { register: 1 }, width: 8 }, "bf16000000000000"],
    ["cuts bits off", { kind: "alu", operation: "&", register: 2, value: { number: 0x00ff_ffff }, width: 4 }, "54020000ffffff00"],
    ["turns two bytes round", { kind: "swap", register: 2, bits: 16 }, "dc02000010000000"],
    ["calls", { kind: "call", helper: 155 }, "850000009b000000"],
    ["ends", { kind: "exit" }, "9500000000000000"],
  ])("%s", (_, instruction, hex) => {
    expect(hexOf(instruction)).toEqual([hex]);
  });

  test("with a map takes two places", () => {
    expect(hexOf({ kind: "map", register: 1, descriptor: 7 })).toEqual(["1811000007000000", "0000000000000000"]);
  });
});

describe("a jump", () => {
  test("counts the places between, a map for two and a label for none", () => {
    const program: Instruction[] = [
      { kind: "jump", comparison: "==", register: 0, value: { number: 0 }, width: 8, target: "end" },
      { kind: "map", register: 1, descriptor: 3 },
      { kind: "label", name: "middle" },
      { kind: "goto", target: "end" },
      { kind: "label", name: "end" },
      { kind: "exit" },
    ];
    expect(hexOf(...program)).toEqual(["1500030000000000", "1811000003000000", "0000000000000000", "0500000000000000", "9500000000000000"]);
  });

  test("compares 32 bits with a register", () => {
    const program: Instruction[] = [
      { kind: "jump", comparison: "!=", register: 2, value: { register: 9 }, width: 4, target: "end" },
      { kind: "label", name: "end" },
      { kind: "exit" },
    ];
    expect(hexOf(...program)[0]).toBe("5e92000000000000");
  });

  test.each<[string, Instruction[]]>([
    ["nowhere", [{ kind: "goto", target: "end" }]],
    ["backwards", [{ kind: "label", name: "end" }, { kind: "exit" }, { kind: "goto", target: "end" }]],
  ])("%s is refused", (_, program) => {
    expect(() => assemble(program)).toThrow(RangeError);
  });
});
