import { expect, test } from "vitest";
import { ReplayBuffer } from "./replay-buffer.ts";

test("the last bytes are kept, however they were cut", () => {
  const buffer = new ReplayBuffer(5);
  for (const part of ["abc", "d", "efgh", "", "i"]) buffer.push(Buffer.from(part));
  expect(buffer.bytes().toString()).toBe("efghi");
  buffer.push(Buffer.from("0123456789"));
  expect(buffer.bytes().toString()).toBe("56789");
});
