import { describe, expect, test } from "vitest";
import { parseDotenv } from "./dotenv.ts";
import { formatIssue, Issues } from "./issue.ts";

function parse(
  text: string,
  options: { isRaw?: boolean; shell?: Record<string, string> } = {},
): { values: Record<string, string>; issues: string[] } {
  const issues = new Issues();
  const variables = (name: string): string | undefined => options.shell?.[name];
  const values = parseDotenv({ file: ".env", text, issues, variables, isRaw: options.isRaw === true });
  return { values: Object.fromEntries(values), issues: issues.list.map(formatIssue) };
}

describe("an .env file", () => {
  test.each([
    ["A=1", { A: "1" }],
    ["export A=1", { A: "1" }],
    ["  A = 1  ", { A: "1" }],
    ["A: 1", { A: "1" }],
    ["A=", { A: "" }],
    ["A=a b # comment", { A: "a b" }],
    ["A=a#b", { A: "a#b" }],
    ["A=# all comment", { A: "" }],
    ["# only\n\n   # comments\n", {}],
    ["A='x $Y \\n'", { A: "x $Y \\n" }],
    ["A='it\\'s'", { A: "it's" }],
    ['A="x\\ty"', { A: "x\ty" }],
    ['A="two\nlines"\nB=2', { A: "two\nlines", B: "2" }],
    ['A="q" # comment\nB=2', { A: "q", B: "2" }],
    ["A=1\nB=${A}2", { A: "1", B: "12" }],
    ['A=1\nB="$A-${NO:-d}"', { A: "1", B: "1-d" }],
    ["A=1\nB='$A'", { A: "1", B: "$A" }],
    ['A="\\$x"', { A: "$x" }],
    ["A=1\r\nB=2\r\n", { A: "1", B: "2" }],
    ["\uFEFFA=1", { A: "1" }],
    ["A.B-C=1", { "A.B-C": "1" }],
    ["A=a=b", { A: "a=b" }],
    ["A=1\nA=2", { A: "2" }],
  ])("%j", (text, expected) => {
    expect(parse(text)).toEqual({ values: expected, issues: [] });
  });

  test("a name alone takes the shell's value, if it has one", () => {
    expect(parse("A\nB", { shell: { A: "s" } }).values).toEqual({ A: "s" });
  });

  test("a raw file is taken as it stands", () => {
    expect(parse(`A="$B" # x`, { isRaw: true }).values).toEqual({ A: `"$B" # x` });
  });

  test.each([
    ["A=1\nnot a line", ".env:2:1: unexpected text 'not a line': expected KEY=value"],
    ["1A=x", ".env:1:1: unexpected text '1A=x': expected KEY=value"],
    ["=x", ".env:1:1: unexpected text '=x': expected KEY=value"],
    ["X=1\nA='open", ".env:2:1: the quoted value of A is not closed"],
    ["A=${", ".env:1:1: invalid template '${': a name must follow the dollar"],
    ['A="x\ny"\nB=1\n!', ".env:4:1: unexpected text '!': expected KEY=value"],
  ])("%j is refused with its line", (text, expected) => {
    expect(parse(text).issues).toEqual([expected]);
  });
});
