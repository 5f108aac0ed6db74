import { describe, expect, test } from "vitest";
import { parseAnsi, stripAnsi } from "./ansi.ts";

const ESC = "\u001b";

describe("parseAnsi", () => {
  test("a plain line is one span", () => expect(parseAnsi("hello")).toEqual([{ text: "hello", style: {} }]));
  test("an empty line has none", () => expect(parseAnsi("")).toEqual([]));

  test("colours begin and end where the codes say", () => {
    expect(parseAnsi(`a${ESC}[1;31mb${ESC}[0mc`)).toEqual([
      { text: "a", style: {} },
      { text: "b", style: { isBold: true, color: 1 } },
      { text: "c", style: {} },
    ]);
  });

  test("bright, palette and true colours are understood", () => {
    expect(parseAnsi(`${ESC}[92mA${ESC}[38;5;196mB${ESC}[48;2;1;2;300mC`).map((span) => span.style)).toEqual([
      { color: 10 },
      { color: "#ff0000" },
      { color: "#ff0000", background: "#0102ff" },
    ]);
  });

  test("an empty SGR resets", () => expect(parseAnsi(`${ESC}[31ma${ESC}[mb`)[1]).toEqual({ text: "b", style: {} }));

  test.each([
    ["clipboard writes", `x${ESC}]52;c;aGk=\u0007y`],
    ["titles", `x${ESC}]0;evil${ESC}\\y`],
    ["links", `x${ESC}]8;;javascript:alert(1)${ESC}\\y`],
    ["cursor movement", `x${ESC}[2J${ESC}[10;10Hy`],
    ["device control", `x${ESC}P1$r${ESC}\\y`],
    ["carriage returns and bells", "x\r\u0007y"],
    ["C1 controls", "x\u009by"],
  ])("%s leave no trace", (_name, line) => {
    expect(
      parseAnsi(line)
        .map((span) => span.text)
        .join(""),
    ).toBe("xy");
    expect(stripAnsi(line)).toBe("xy");
  });

  test("a sequence cut off at the end of the line is dropped", () => expect(stripAnsi(`x${ESC}[3`)).not.toContain(ESC));
  test("markup stays text", () => expect(parseAnsi("<img onerror=x>")[0]?.text).toBe("<img onerror=x>"));
  test("a tab stays", () => expect(stripAnsi("a\tb")).toBe("a\tb"));
});
