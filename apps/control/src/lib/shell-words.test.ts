import { describe, expect, test } from "vitest";
import { joinWords, splitWords } from "./shell-words.ts";

describe("splitWords", () => {
  test.each([
    ["", []],
    ["  a  b ", ["a", "b"]],
    [`sh -c "echo 'hi' \\"x\\""`, ["sh", "-c", `echo 'hi' "x"`]],
    ["a\\ b 'c d'e", ["a b", "c de"]],
    [`"" x`, ["", "x"]],
    [`'\\n'`, ["\\n"]],
  ])("%j", (line, words) => expect(splitWords(line)).toEqual(words));

  test("a quote that is not closed is no command", () => expect(splitWords("echo 'hi")).toBeNull());
});

test("what is joined splits into the same words", () => {
  const words = ["sh", "-c", 'it\'s $HOME; echo "x"', "", "a b"];
  expect(splitWords(joinWords(words))).toEqual(words);
});
