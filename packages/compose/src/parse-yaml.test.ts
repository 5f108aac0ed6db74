import { describe, expect, test } from "vitest";
import { formatIssue, Issues } from "./issue.ts";
import { failureOf, load } from "./load-for-tests.ts";
import { parseYaml } from "./parse-yaml.ts";
import { toPlain } from "./tree.ts";

function parse(text: string): { trees: unknown[]; issues: string[] } {
  const issues = new Issues();
  const trees = parseYaml("f", text, issues).map(toPlain);
  return { trees, issues: issues.list.map(formatIssue) };
}

describe("YAML", () => {
  test.each([
    ["a: 1\nb: [x, 'y', true, null, 1.5]", { a: 1, b: ["x", "y", true, null, 1.5] }],
    ["a: &x {b: 1}\nc: *x", { a: { b: 1 }, c: { b: 1 } }],
    ["x: &x {b: 1, c: 2}\na: {<<: *x, c: 3}", { x: { b: 1, c: 2 }, a: { c: 3, b: 1 } }],
    ["x: &x {b: 1}\ny: &y {b: 2, d: 4}\na: {<<: [*x, *y]}", { x: { b: 1 }, y: { b: 2, d: 4 }, a: { b: 1, d: 4 } }],
    ["x: &k key\n*k : 1", { x: "key", key: 1 }],
    ["a: |\n  two\n  lines\n", { a: "two\nlines\n" }],
    ["a: yes\nb: on", { a: "yes", b: "on" }],
    ["a: 22:22", { a: "22:22" }],
    ["__proto__: {polluted: true}", JSON.parse('{"__proto__": {"polluted": true}}')],
  ])("%j", (text, expected) => {
    expect(parse(text)).toEqual({ trees: [expected], issues: [] });
  });

  test("several documents are several trees, empty ones none", () => {
    expect(parse("a: 1\n---\nb: 2\n---\n").trees).toEqual([{ a: 1 }, { b: 2 }]);
    expect(parse("").trees).toEqual([]);
  });

  test.each([
    ["a: [1", /^f:1:\d+: yaml: /],
    ["a: 1\na: 2", /^f:2:1: a: this key is given twice in one mapping$/],
    ["a: *no", /^f:1:\d+: yaml: (unresolved|unknown)/i],
    ["a: !!python/object x", /^f:1:\d+: unknown tag/],
    ["? [1, 2]\n: x", /^f:1:\d+: yaml: a key must be/],
    ["a: {<<: 1}", /^f:1:\d+: yaml: << needs a mapping/],
    ["\tx: 1", /^f:1:\d+: yaml: /],
  ])("%j is told with its place", (text, expected) => {
    expect(parse(text).issues[0]).toMatch(expected);
  });
});

describe("attacks", () => {
  test("a billion laughs is refused before it is expanded", () => {
    const lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"];
    for (let level = 1; level < 12; level++)
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(", ")}]`);
    expect(parse(lines.join("\n")).issues).toEqual([
      expect.stringContaining("with its aliases expanded the file has more than 400000 values"),
    ]);
  });

  test.each([
    ["flow lists", "a: " + "[".repeat(5000)],
    ["flow maps", "{a: ".repeat(5000)],
    ["block lists", `a:\n ${"- ".repeat(5000)}x`],
  ])("%s nested thousands deep end in a sentence", (_name, text) => {
    expect(parse(text).issues.length).toBeGreaterThan(0);
    expect(parse(text).trees).toEqual([]);
  });

  test("whoever ends first, the parser or this file: it is said to be nested too deeply", () => {
    for (const depth of [100, 5_000]) {
      const { issues } = parse(`a: ${"{b: ".repeat(depth)}1${"}".repeat(depth)}`);
      expect(issues.length).toBeGreaterThan(0);
      expect(issues.filter((issue) => !issue.includes("nested"))).toEqual([]);
    }
  });

  test("a moderately deep file is refused for its depth", () => {
    expect(parse(`a: ${"[".repeat(100)}${"]".repeat(100)}`).issues).toEqual([expect.stringContaining("nested more than 64 deep")]);
  });

  test("a file of more than a mebibyte is not parsed", () => {
    expect(parse(`a: ${"x".repeat(1024 * 1024)}`).issues).toEqual(["f:1:1: the file is larger than 1048576 bytes"]);
  });

  test("10,000 services are refused", async () => {
    const text = `services:\n${Array.from({ length: 10_000 }, (_, at) => `  s${at}: {image: i}`).join("\n")}`;
    expect(await failureOf(text)).toBe("2:3: services: 10000 services are more than the 1000 of one project");
  });

  test("10,000 mistakes are not all told", async () => {
    const text = `services:\n  web:\n    image: i\n${Array.from({ length: 10_000 }, (_, at) => `    wrong${at}: 1`).join("\n")}`;
    expect((await failureOf(text)).split("\n")).toHaveLength(100);
  });

  test("a chain of 1,000 dependencies is followed without recursion", async () => {
    const lines = Array.from({ length: 1000 }, (_, at) => `  s${at}: {image: i${at === 0 ? "" : `, depends_on: [s${at - 1}]`}}`);
    const { project } = await load(`services:\n${lines.join("\n")}`);
    expect(Object.keys(project.services)).toHaveLength(1000);
  });

  test("names from the prototype are names like any other, or refused", async () => {
    const { project } = await load("services:\n  constructor: {image: i, environment: {toString: a, __proto__: b}}");
    expect(project.services["constructor"]?.environment["toString"]).toBe("a");
    expect(await failureOf("services:\n  __proto__: {image: i}")).toContain("'__proto__' is no name");
    expect(await failureOf("services:\n  web: {image: i, constructor: 1}")).toContain("additional properties 'constructor' not allowed");
    expect(await failureOf("services:\n  web: {image: i, networks: [toString]}")).toContain("undefined network toString");
  });
});
