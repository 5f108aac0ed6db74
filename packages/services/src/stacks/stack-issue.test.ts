import { composeError, message } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { describe, expect, test } from "vitest";
import { inReadingOrder, issueAt, issuesOf, noteOf, type StackIssue, textIssue, toStackIssue } from "./stack-issue.ts";

const position = { file: "conf/compose.yaml", line: 3, column: 5 };
const mistake = { ...issueAt("error", "services.web", message("unknown_key", { key: "imgae" })), position, suggestion: "image" };

describe("toStackIssue", () => {
  test("says it as a sentence and as data", () => {
    expect(toStackIssue(mistake)).toEqual({
      severity: "error",
      text: "services.web: additional properties 'imgae' not allowed; did you mean 'image'?",
      ...position,
      path: "services.web",
      said: { code: "unknown_key", values: { key: "imgae" } },
      suggestion: "image",
    });
  });
  test("what has no place stands at the beginning of no file", () => {
    expect(toStackIssue(issueAt("warning", "", message("variable_not_set", { name: "X" })))).toMatchObject({
      text: 'The "X" variable is not set. Defaulting to a blank string.',
      file: null,
      line: 1,
      column: 1,
      suggestion: null,
    });
  });
});

test("noteOf names the place, where there is one", () => {
  expect(noteOf(toStackIssue(mistake))).toMatch(/^conf\/compose\.yaml:3:5: services\.web: additional/);
  expect(noteOf(toStackIssue(textIssue("a", "b")))).toBe("a: b");
});

describe("issuesOf", () => {
  test("gives back what an error was made of", () => {
    const why = message("template_brace_open");
    const nested = { ...issueAt("error", "services.web.tty", { ...message("invalid_template", { text: "${" }), why }), position };
    expect(nested.message).toBe("invalid template '${': the brace is not closed");
    expect(issuesOf(composeError([mistake, nested]))).toEqual([mistake, nested]);
  });
  test.each([
    ["no issues", {}],
    ["issues of another form", { issues: [{ severity: "error", message: "m", path: "" }] }],
    ["a code that is not known", { issues: [{ severity: "error", message: "m", path: "", said: { code: "constructor", values: {} } }] }],
  ])("an error with %s is one by itself", (_name, details) => {
    expect(issuesOf(new FlotillaError("invalid", "too many", { details }))).toEqual([textIssue("", "too many")]);
  });
});

test("issues are told as the files are read", () => {
  const at = (file: string, line: number, column: number): StackIssue =>
    toStackIssue({ ...textIssue("", `${file} ${line} ${column}`), position: { file, line, column } });
  const issues = [at("b.yaml", 1, 1), at("a.yaml", 10, 1), at("a.yaml", 9, 7), at("a.yaml", 9, 2), toStackIssue(textIssue("", "nowhere"))];
  expect(inReadingOrder(issues).map(({ text }) => text)).toEqual(["nowhere", "a.yaml 9 2", "a.yaml 9 7", "a.yaml 10 1", "b.yaml 1 1"]);
});
