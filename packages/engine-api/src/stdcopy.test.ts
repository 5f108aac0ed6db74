import { describe, expect, test } from "vitest";
import { encodeStdcopy, STDCOPY, StdcopyDecoder } from "./stdcopy.ts";

const bytes = (text: string): Buffer => Buffer.from(text);

describe("stdcopy", () => {
  test("a frame is the stream, three zeros, the length big-endian and the payload", () => {
    expect(encodeStdcopy(STDCOPY.stderr, bytes("err\n"))).toEqual(Buffer.from([2, 0, 0, 0, 0, 0, 0, 4, 101, 114, 114, 10]));
  });

  test("frames cut at every place come out whole and in order", () => {
    const stream = Buffer.concat([
      encodeStdcopy(STDCOPY.stdout, bytes("one")),
      encodeStdcopy(STDCOPY.stderr, bytes("")),
      encodeStdcopy(STDCOPY.stdout, bytes("three")),
    ]);
    for (let cut = 0; cut <= stream.length; cut++) {
      const decoder = new StdcopyDecoder();
      const frames = [...decoder.push(stream.subarray(0, cut)), ...decoder.push(stream.subarray(cut))];
      expect(frames.map((frame) => [frame.stream, frame.payload.toString()])).toEqual([
        [1, "one"],
        [2, ""],
        [1, "three"],
      ]);
      expect(decoder.pendingBytes).toBe(0);
    }
  });

  test("single bytes are as good as one chunk", () => {
    const decoder = new StdcopyDecoder();
    const frames = [...encodeStdcopy(1, bytes("slow"))].flatMap((byte) => decoder.push(Buffer.from([byte])));
    expect(frames.map((frame) => frame.payload.toString())).toEqual(["slow"]);
  });

  test("a frame that was cut is seen at the end", () => {
    const decoder = new StdcopyDecoder();
    decoder.push(encodeStdcopy(1, bytes("whole")).subarray(0, 10));
    expect(decoder.pendingBytes).toBe(10);
  });

  test.each([
    ["an unknown stream", [4, 0, 0, 0, 0, 0, 0, 1]],
    ["padding that is not zero", [1, 0, 1, 0, 0, 0, 0, 1]],
    ["a frame of 4 GiB", [1, 0, 0, 0, 255, 255, 255, 255]],
  ])("%s is refused", (_name, header) => {
    expect(() => new StdcopyDecoder().push(Buffer.from(header))).toThrow("not a multiplexed stream");
  });
});
