import { describe, expect, test } from "vitest";
import {
  decodeAttributes,
  decodeMessages,
  decodeText,
  encodeAttribute,
  encodeMessage,
  encodeNested,
  encodeNumber,
  encodeText,
} from "./netlink-message.ts";

describe("requests", () => {
  test("a message carries its length, type, flags and sequence, and is padded to four bytes", () => {
    const message = encodeMessage({ type: 16, flags: 0x405, payload: Buffer.from([1, 2, 3]) }, 7);
    expect(message.toString("hex")).toBe("1300000010000504070000000000000001020300");
  });

  test("a text attribute ends in NUL and its length does not count the padding", () => {
    expect(encodeText(3, "lo").toString("hex")).toBe("070003006c6f0000");
  });

  test("nested attributes come back as they went in", () => {
    const nested = encodeNested(18, [encodeText(1, "veth"), encodeNumber(4, 1400)]);
    const inner = decodeAttributes(decodeAttributes(nested, 0).get(18) ?? Buffer.alloc(0), 0);
    expect(decodeText(inner.get(1))).toBe("veth");
    expect(inner.get(4)?.readUInt32LE(0)).toBe(1400);
  });
});

describe("answers", () => {
  const ack = (errno: number, flags: number, rest: Buffer): Buffer => {
    const payload = Buffer.alloc(20);
    payload.writeInt32LE(-errno, 0);
    payload.writeUInt32LE(36, 4);
    return encodeMessage({ type: 2, flags, payload: Buffer.concat([payload, rest]) }, 9);
  };

  test("an acknowledgement has errno 0", () => {
    expect(decodeMessages(ack(0, 0x100, Buffer.alloc(0)))).toEqual([{ kind: "ack", sequence: 9, errno: 0, reason: "" }]);
  });

  test("a refusal brings the kernel's own words when the request was left out", () => {
    expect(decodeMessages(ack(22, 0x300, encodeText(1, "no such bridge")))).toEqual([
      { kind: "ack", sequence: 9, errno: 22, reason: "no such bridge" },
    ]);
  });

  test("the words are found behind the echoed request too", () => {
    const request = Buffer.alloc(20); // 36 bytes of request, of which the header of 16 is in nlmsgerr
    expect(decodeMessages(ack(22, 0x200, Buffer.concat([request, encodeText(1, "bad")])))[0]).toMatchObject({ reason: "bad" });
  });

  test("several messages of one datagram are told apart", () => {
    const one = encodeMessage({ type: 16, flags: 2, payload: Buffer.from([1, 2, 3, 4]) }, 1);
    const done = encodeMessage({ type: 3, flags: 2, payload: Buffer.alloc(4) }, 1);
    expect(decodeMessages(Buffer.concat([one, done])).map(({ kind }) => kind)).toEqual(["data", "done"]);
  });

  test.each([
    ["a length beyond the datagram", Buffer.from("ff000000100000000100000000000000", "hex")],
    ["a length below the header", Buffer.from("08000000100000000100000000000000", "hex")],
    ["half a header", Buffer.from("1000", "hex")],
  ])("%s ends the reading", (_, datagram) => {
    expect(decodeMessages(datagram)).toEqual([]);
  });

  test("an attribute longer than its message ends the list", () => {
    const whole = encodeAttribute(1, Buffer.from([1, 2, 3, 4]));
    const cut = Buffer.from("ff000200", "hex");
    expect([...decodeAttributes(Buffer.concat([whole, cut]), 0).keys()]).toEqual([1]);
  });
});
