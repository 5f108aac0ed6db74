import { describe, expect, test } from "vitest";
import { parseTheme, pickLocale } from "./preferences.ts";

describe("pickLocale", () => {
  test("a choice goes before the browser's languages", () => expect(pickLocale("en", "zh-CN,zh;q=0.9")).toBe("en"));
  test("the first language that we speak is taken", () => expect(pickLocale(undefined, "de-DE,de;q=0.9,zh-CN;q=0.8,en;q=0.7")).toBe("zh"));
  test.each([
    [undefined, null],
    ["xx", "fr"],
  ])("%s and %s fall back to English", (cookie, header) => expect(pickLocale(cookie, header)).toBe("en"));
});

test("an unknown theme is the device's", () => {
  expect(parseTheme("dark")).toBe("dark");
  expect(parseTheme("<script>")).toBe("system");
});
