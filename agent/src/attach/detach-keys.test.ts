import { describe, expect, test } from "vitest";
import { DEFAULT_DETACH_KEYS, DetachScanner, parseDetachKeys } from "./detach-keys.ts";

describe("parseDetachKeys", () => {
  test.each([
    ["", [16, 17]],
    [null, [16, 17]],
    ["ctrl-a", [1]],
    ["ctrl-],x", [29, 120]],
    ["ctrl-@,ctrl-[", [0, 27]],
    ["CTRL-C", [3]],
  ])("%j is %j", (text, keys) => {
    expect([...parseDetachKeys(text)]).toEqual(keys);
  });

  test.each([["ctrl-"], ["ctrl-1"], ["shift-a"], ["a,"], ["é"], ["ctrl-ab"]])("%j is refused", (text) => {
    expect(() => parseDetachKeys(text)).toThrow(`Invalid detach keys (${text}) provided`);
  });
});

describe("DetachScanner", () => {
  const scanAll = (...pieces: string[]) => {
    const scanner = new DetachScanner(DEFAULT_DETACH_KEYS);
    let text = "";
    for (const piece of pieces) {
      const { output, isDetached } = scanner.scan(Buffer.from(piece));
      text += output.toString();
      if (isDetached) return { text, isDetached };
    }
    return { text, isDetached: false };
  };

  test("input without the keys passes through", () => {
    expect(scanAll("ls -l\n", "exit\n")).toEqual({ text: "ls -l\nexit\n", isDetached: false });
  });

  test("the sequence detaches, also in pieces, and is not passed on", () => {
    expect(scanAll("ab\x10\x11cd")).toEqual({ text: "ab", isDetached: true });
    expect(scanAll("ab\x10", "\x11")).toEqual({ text: "ab", isDetached: true });
  });

  test("a beginning that goes on differently is passed on whole", () => {
    expect(scanAll("\x10x")).toEqual({ text: "\x10x", isDetached: false });
    expect(scanAll("\x10", "\x10", "y")).toEqual({ text: "\x10\x10y", isDetached: false });
    expect(scanAll("\x10\x10\x11")).toEqual({ text: "\x10", isDetached: true });
  });
});
