import { expect, test } from "vitest";
import { frame, MessageStream } from "./message-stream.ts";

test("messages come whole, however the bytes were cut", () => {
  const sent = [Buffer.from("one"), Buffer.alloc(0), Buffer.alloc(60_000, 7)];
  const bytes = Buffer.concat(sent.map(frame));
  for (const size of [1, 7, 1_000, bytes.length]) {
    const got: Buffer[] = [];
    const stream = new MessageStream((message) => got.push(Buffer.from(message)));
    for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size));
    expect(got.map((message) => message.length)).toEqual([3, 0, 60_000]);
    expect(got[0]?.toString()).toBe("one");
  }
});
