import { describe, expect, test } from "vitest";
import { substitute } from "./interpolate.ts";
import { failureOf, load, warningsOf, webOf } from "./load-for-tests.ts";

const SET: Readonly<Record<string, string>> = { V: "v", EMPTY: "", OTHER: "o", _u1: "under" };

function sub(template: string): { value: string; unset: string[] } {
  const unset: string[] = [];
  const value = substitute(template, { variables: (name) => SET[name], onUnset: (name) => unset.push(name) });
  return { value, unset };
}

describe("substitution", () => {
  test.each([
    ["plain", "plain"],
    ["$V", "v"],
    ["a$V.b", "av.b"],
    ["$V$OTHER", "vo"],
    ["${V}x", "vx"],
    ["$_u1", "under"],
    ["${V:-d}", "v"],
    ["${V-d}", "v"],
    ["${EMPTY:-d}", "d"],
    ["${EMPTY-d}", ""],
    ["${NONE:-d}", "d"],
    ["${NONE-d}", "d"],
    ["${NONE:-}", ""],
    ["${V:+r}", "r"],
    ["${V+r}", "r"],
    ["${EMPTY:+r}", ""],
    ["${EMPTY+r}", "r"],
    ["${NONE+r}", ""],
    ["${V:?e}", "v"],
    ["${EMPTY?e}", ""],
    ["${NONE:-${V}}", "v"],
    ["${NONE:-a${EMPTY:-$OTHER}b}", "aob"],
    ["${V:+${OTHER}${V}}", "ov"],
    ["$$V", "$V"],
    ["$$${V}", "$v"],
    ["${NONE:-$$}", "$"],
    ["{${V}}", "{v}"],
    ["${NONE:-http://a:1/b?c=d}", "http://a:1/b?c=d"],
  ])("%s is %j", (template, expected) => {
    expect(sub(template).value).toBe(expected);
  });

  test.each([
    ["${NONE:?tell me}", "required variable NONE is missing a value: tell me"],
    ["${EMPTY:?}", "required variable EMPTY is missing a value"],
    ["${NONE?$OTHER}", "required variable NONE is missing a value: o"],
    ["${V", "unexpected '' behind the name"],
    ["${V:-x", "the brace is not closed"],
    ["${1}", "a name must follow the dollar"],
    ["$", "a name must follow the dollar"],
    ["a$ b", "a name must follow the dollar"],
    ["${V:=d}", "unexpected '=' behind the name"],
    ["${}", "a name must follow the dollar"],
  ])("%s is refused: %s", (template, message) => {
    expect(() => sub(template)).toThrow(message);
  });

  test("a name that is not set is empty, and told; one that is not used is not", () => {
    expect(sub("a${NONE}b$ALSO")).toEqual({ value: "ab", unset: ["NONE", "ALSO"] });
    expect(sub("${V:-$NONE}${EMPTY+${NONE2:+x}}${V-${NONE3:?must}}").unset).toEqual([]);
  });

  test("nesting is bounded", () => {
    expect(() => sub("${N:-".repeat(40) + "x" + "}".repeat(40))).toThrow("nested too deeply");
    expect(() => sub("${N:-".repeat(50_000))).toThrow("nested too deeply");
  });
});

describe("in a project", () => {
  test("numbers and booleans may come from variables", async () => {
    const web = await webOf("tty: ${T}\nscale: ${N}\nports: ['${P:-80}:8080']", { environment: { T: "true", N: "3" } });
    expect(web).toMatchObject({ tty: true, deploy: { replicas: 3 }, ports: [{ published: 80, target: 8080 }] });
  });

  test("a missing variable is told with Docker's words, once", async () => {
    const text = "services:\n  web: {image: i, command: ['$NO', '${NO}']}";
    expect(await warningsOf(text)).toEqual(['The "NO" variable is not set. Defaulting to a blank string.']);
  });

  test("a demanded one stops, with its place", async () => {
    expect(await failureOf("services:\n  web:\n    image: a:${TAG:?set it}")).toBe(
      "3:12: services.web.image: required variable TAG is missing a value: set it",
    );
  });

  test("a stray dollar is explained", async () => {
    expect(await failureOf("services:\n  web:\n    image: i\n    command: echo $(date)")).toBe(
      "4:14: services.web.command: invalid interpolation format 'echo $(date)': a name must follow the dollar. You may need to escape any $ with another $",
    );
  });

  test("keys are not substituted, and nothing is without being asked to", async () => {
    const web = await webOf("environment:\n  $K: $V", { environment: { K: "k", V: "v" } });
    expect(web.environment).toEqual({ $K: "v" });
    expect((await webOf("environment: {A: $V}", { interpolate: false })).environment).toEqual({ A: "$V" });
  });

  test("the shell wins over .env; both over nothing", async () => {
    const others = { ".env": "A=file\nB=file\nC=${A}-${B}\n" };
    const { project } = await load("services: {web: {image: '$A-$B-$C'}}", { others, environment: { A: "shell" } });
    expect(project.services["web"]?.image).toBe("shell-file-shell-file");
  });

  test("values that repeat a large variable are bounded", async () => {
    const text = `services:\n  web:\n    image: i\n    command: [${Array.from({ length: 200 }, () => "$BIG").join(", ")}]`;
    expect(await failureOf(text, { environment: { BIG: "x".repeat(100_000) } })).toContain("make the file too large");
  });
});
