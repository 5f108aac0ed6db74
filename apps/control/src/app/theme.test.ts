import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

// The colours of globals.css, measured by WCAG 2.2 (contrast 1.4.3 AA: 4.5:1 for text).
const css = readFileSync(join(import.meta.dirname, "globals.css"), "utf8");

function tokensAfter(start: string): Map<string, string> {
  const from = css.indexOf(start);
  const block = css.slice(from, css.indexOf("}", from));
  return new Map([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/gi)].map((match) => [match[1] ?? "", match[2] ?? ""]));
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(first: string, second: string): number {
  const [light = 0, dark = 0] = [luminance(first), luminance(second)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const TEXTS = ["ink", "muted", "faint", "ok", "warn", "bad", "info"];
const GROUNDS = ["canvas", "panel", "raised", "hover"];
const ANSI = Array.from({ length: 16 }, (_, index) => `ansi-${index}`);
const PAIRS: [string, string][] = [
  ...TEXTS.flatMap((text) => GROUNDS.map((ground): [string, string] => [text, ground])),
  ...["ink", "muted", "ok", "warn", "bad", "info"].map((text): [string, string] => [text, "active"]),
  ...["ok", "warn", "bad", "info"].map((tone): [string, string] => [tone, `${tone}-soft`]),
  ["muted", "bad-soft"],
  ["muted", "warn-soft"],
  ["ink", "mark"],
  ["on-inverse", "inverse"],
  ...ANSI.map((color): [string, string] => [color, "panel"]),
];

describe.each([
  ["light", ":root {"],
  ["dark", '[data-theme="dark"] {'],
  ["dark by the device", '[data-theme="system"] {\n    color-scheme'],
])("the %s theme", (_name, start) => {
  const tokens = tokensAfter(start);

  test("has every colour", () => expect(tokens.size).toBeGreaterThan(35));

  test.each(PAIRS)("%s on %s can be read", (text, ground) => {
    expect(contrast(tokens.get(text) ?? "#000000", tokens.get(ground) ?? "#000000")).toBeGreaterThanOrEqual(4.5);
  });
});

test("a dark page is the same by choice and by the device", () => {
  expect(tokensAfter('[data-theme="system"] {\n    color-scheme')).toEqual(tokensAfter('[data-theme="dark"] {'));
});
