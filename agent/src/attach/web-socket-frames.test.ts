import { describe, expect, test } from "vitest";
import { encodeFrame, FrameDecoder, OPCODE } from "./web-socket-frames.ts";

/** A client's frame: the server's with a mask. */
function masked(opcode: number, payload: Buffer): Buffer {
  const frame = encodeFrame(opcode, payload);
  const mask = Buffer.from([1, 2, 3, 4]);
  const head = Buffer.from(frame.subarray(0, frame.length - payload.length));
  head.writeUInt8(head.readUInt8(1) | 0x80, 1);
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}

describe("WebSocket frames", () => {
  test.each([[0], [1], [125], [126], [65_535], [65_536], [1_000_000]])("a payload of %i bytes comes out as it went in", (size) => {
    const payload = Buffer.alloc(size, "abc");
    expect(new FrameDecoder().push(masked(OPCODE.binary, payload))).toEqual([{ opcode: OPCODE.binary, payload }]);
  });

  test("frames cut anywhere come out whole", () => {
    const bytes = Buffer.concat([masked(OPCODE.text, Buffer.from("one")), masked(OPCODE.ping, Buffer.from("x".repeat(100)))]);
    const decoder = new FrameDecoder();
    const frames = [...bytes].flatMap((byte) => decoder.push(Buffer.from([byte])));
    expect(frames.map(({ opcode }) => opcode)).toEqual([OPCODE.text, OPCODE.ping]);
  });

  test.each([
    ["without a mask", encodeFrame(OPCODE.binary, Buffer.from("x"))],
    ["with a reserved bit", Buffer.from([0xc2, 0x80, 0, 0, 0, 0])],
    ["with an unknown opcode", Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
    ["of control in parts", Buffer.from([0x09, 0x80, 0, 0, 0, 0])],
    ["of control that is long", masked(OPCODE.ping, Buffer.alloc(126))],
    ["of 2 MiB", Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0])],
  ])("a frame %s is refused", (_name, bytes) => {
    expect(() => new FrameDecoder().push(bytes)).toThrow("read WebSocket");
  });
});
