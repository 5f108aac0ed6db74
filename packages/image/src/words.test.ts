import { describe, expect, test } from "vitest";
import { expandWord, expandWords, splitWords } from "./index.ts";

const variables = new Map([
  ["A", "value"],
  ["E", ""],
  ["P", "/usr/local/lib.tar.gz"],
  ["S", "a b"],
]);

describe("expandWord", () => {
  test.each([
    ["$A-${A}", "value-value"],
    ["$A_x ${A}_x", " value_x"],
    ["$U|${U}|$|$$|$1", "||$||"],
    ["\\$A \\\\ \\x", "$A \\ x"],
    ["'$A' \"$A\" \"'$A'\"", "$A value 'value'"],
    ['"\\$A \\" \\x \\\\"', '$A " \\x \\'],
    ["${U:-d} ${E:-d} ${E-d} ${A:-d}", "d d  value"],
    ["${U:+d} ${E:+d} ${E+d} ${A:+d}", "  d d"],
    ["${U:-${A}} ${U:-'}'} ${U:-\"x y\"}", "value } x y"],
    ["${U:-${U:-${A:+deep}}}", "deep"],
    ["${A:?no} ${E?no}", "value "],
    ["${P#*/} ${P##*/}", "usr/local/lib.tar.gz lib.tar.gz"],
    ["${P%.*} ${P%%.*} ${P%x}", "/usr/local/lib.tar /usr/local/lib /usr/local/lib.tar.gz"],
    ["${P/l/L} ${P//l/L} ${P//l?/_}", "/usr/Local/lib.tar.gz /usr/LocaL/Lib.tar.gz /usr/_ca__b.tar.gz"],
    ["${A//*/x} ${A/[v]/x} ${P/\\/usr/}", "x value /local/lib.tar.gz"],
    ["ünï${A}", "ünïvalue"],
    ["a\\", "a"],
  ])("%s gives %s", (word, expected) => expect(expandWord(word, variables)).toBe(expected));

  test.each([
    ["${A", "syntax error: missing '}'"],
    ["${", "syntax error: missing '}'"],
    ["${}", "syntax error: bad substitution"],
    ["${A:-x", "syntax error: missing '}'"],
    ["${A/x", "syntax error: missing '/' in ${"],
    ["${A:#x}", "unsupported modifier (:#) in substitution"],
    ["${A!x}", "unsupported modifier (!) in substitution"],
    ["${A:}", "unsupported modifier (:}) in substitution"],
    ["${U?}", "U: is not allowed to be unset"],
    ["${E:?}", "E: is not allowed to be empty"],
    ["'x", "looking for matching single-quote"],
    ['"x', "looking for matching double-quote"],
    ["${U:-".repeat(50_000), "nested too deeply"],
  ])("%s is refused", (word, message) => expect(() => expandWord(word, variables)).toThrow(message));

  test("an escape of its own, literal quotes, and unset variables that stay", () => {
    expect(expandWord("C:\\dir `$A", variables, { escape: "`" })).toBe("C:\\dir $A");
    expect(expandWord("'$A' \"", variables, { quotes: "literal" })).toBe("'value' \"");
    expect(expandWord("$U ${U} $A", variables, { keepUnset: true })).toBe("$U ${U} value");
  });

  test("a pattern made to be slow is not", () => {
    const slow = new Map([["X", "a".repeat(3000)]]);
    expect(expandWord(`\${X##${"*a".repeat(200)}b}`, slow)).toHaveLength(3000);
    expect(() => expandWord("${X//a*b/c}", new Map([["X", "a".repeat(100_000)]]))).toThrow("too long");
  });
});

test("words divide at white space outside quotes, also at that of a variable", () => {
  expect(expandWords("$S \"$S\" 'x y' z\\ z $U", variables)).toEqual(["a", "b", "a b", "x y", "z z"]);
  expect(splitWords("a='x y' b\\ c \"d e\"")).toEqual(["a='x y'", "b\\ c", '"d e"']);
});
