import { formatMessage, MESSAGE_CODES, type MessageCode } from "@flotilla/services";
import compile from "icu-minify/compile";
import format from "icu-minify/format";
import { describe, expect, test } from "vitest";
import en from "./en.json" with { type: "json" };
import zh from "./zh.json" with { type: "json" };

type Code = Exclude<MessageCode, "text">;
const CODES = MESSAGE_CODES.filter((code): code is Code => code !== "text");
const MARK = "<i> {'0'}";
/** Every value that any of them has. What ICU and a page take for their own stands in the texts among them. */
const VALUES: Readonly<Record<string, string | number>> = {
  ...Object.fromEntries(
    `name names key path file files text why detail tag dir found allowed mode service services other network address driver port image
     constraint known operator`
      .split(/\s+/)
      .map((key) => [key, MARK]),
  ),
  max: 1,
  min: 2,
  count: 3,
  expected: "list",
};
const FORMATTERS = {
  getDateTimeFormat: () => new Intl.DateTimeFormat("en"),
  getNumberFormat: () => new Intl.NumberFormat("en"),
  getPluralRules: () => new Intl.PluralRules("en"),
};

/** As a page says it. */
const say = (text: string, values = VALUES): string => String(format(compile(text), "en", values, { formatters: FORMATTERS }));
const marksOf = (text: string): number => text.split(MARK).length;

describe("what is told of compose files", () => {
  test("has words for everything, and nothing else", () => {
    expect(Object.keys(en.stacks.told).toSorted()).toEqual([...CODES, "meant"].toSorted());
  });

  test.each(CODES)("%s is in English what the command line says", (code) => {
    expect(say(en.stacks.told[code])).toBe(formatMessage({ code, values: VALUES }));
  });

  test.each(CODES)("%s is in Chinese, with all that is told", (code) => {
    const text = say(zh.stacks.told[code]);
    expect(text).toMatch(/\p{Script=Han}/u);
    expect(marksOf(text)).toBe(marksOf(formatMessage({ code, values: VALUES })));
  });

  test("kinds of values are named in Chinese", () => {
    expect(say(zh.stacks.told.must_be, { expected: "scalar", found: "list" })).toBe("必须是字符串、数字或布尔值，而不是列表");
  });
});
