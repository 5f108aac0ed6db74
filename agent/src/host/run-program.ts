// One packet through a program in the kernel, without a network: BPF_PROG_TEST_RUN of bpf(2). For tests.
import koffi from "koffi";

const libc = koffi.load("libc.so.6");
const syscall = libc.func("long syscall(long number, int command, void *attributes, unsigned int size)");
const SYSCALL_NUMBER = process.arch === "arm64" ? 280 : 321;
const TEST_RUN = 10;
const CONTEXT_BYTES = 192;
const CONTEXT = { link: 40, segmentBytes: 176 } as const;

/** @param link index of the link of this namespace that the packet arrives at. @returns the program's verdict and the packet as it left it. */
export function runProgram(
  program: number,
  packet: Buffer,
  given: { link: number; segmentBytes?: number },
): { verdict: number; packet: Buffer } {
  const context = Buffer.alloc(CONTEXT_BYTES);
  context.writeUInt32LE(given.link, CONTEXT.link);
  context.writeUInt32LE(given.segmentBytes ?? 0, CONTEXT.segmentBytes);
  const out = Buffer.alloc(packet.length + 256);
  const attributes = Buffer.alloc(80);
  attributes.writeUInt32LE(program, 0);
  attributes.writeUInt32LE(packet.length, 8);
  attributes.writeUInt32LE(out.length, 12);
  attributes.writeBigUInt64LE(koffi.address(packet), 16);
  attributes.writeBigUInt64LE(koffi.address(out), 24);
  attributes.writeUInt32LE(1, 32);
  attributes.writeUInt32LE(context.length, 40);
  attributes.writeBigUInt64LE(koffi.address(context), 48);
  if (Number(syscall(SYSCALL_NUMBER, TEST_RUN, attributes, attributes.length)) < 0)
    throw new Error(`BPF_PROG_TEST_RUN: errno ${koffi.errno()}`);
  return { verdict: attributes.readUInt32LE(4), packet: out.subarray(0, attributes.readUInt32LE(12)) };
}
