import { expect, test } from "vitest";
import { family, formatFamilies } from "./families.ts";

const HEAD = { name: "flotilla_x", help: "X.", type: "gauge" } as const;

test("a family has its help, its type and one line for each sample", () => {
  const made = family(HEAD, [1, null, 3], (value) => ({ labels: { host: `h${value}` }, value }));
  expect(formatFamilies([made])).toBe('# HELP flotilla_x X.\n# TYPE flotilla_x gauge\nflotilla_x{host="h1"} 1\nflotilla_x{host="h3"} 3\n');
});

test("a family without samples is left out, one without labels has no braces", () => {
  expect(formatFamilies([family(HEAD, [], () => ({ labels: {}, value: 1 }))])).toBe("");
  expect(formatFamilies([family(HEAD, [1], () => ({ labels: {}, value: 1 }))])).toContain("flotilla_x 1\n");
});

test("a name cannot end its label or its line, and a long one is cut", () => {
  const text = (name: string): string => formatFamilies([family(HEAD, [name], (value) => ({ labels: { name: value }, value: 1 }))]);
  expect(text('a"} 1\nflotilla_forged{x="\\')).toContain('flotilla_x{name="a\\"} 1\\nflotilla_forged{x=\\"\\\\"} 1\n');
  expect(text('a"\nb').split("\n")).toHaveLength(4);
  expect(text("x".repeat(5_000)).length).toBeLessThan(400);
});
