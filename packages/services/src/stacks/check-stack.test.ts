import { describe, expect, test } from "vitest";
import { listComposeKeys, toStackIssue } from "./check-stack.ts";

describe("toStackIssue", () => {
  test("names the file as it was sent, and what was probably meant", () => {
    const position = { file: "/stack/conf/compose.yaml", line: 3, column: 5 };
    expect(toStackIssue({ severity: "error", path: "services.web", message: "no 'imgae' here", suggestion: "image", position })).toEqual({
      severity: "error",
      text: "services.web: no 'imgae' here; did you mean 'image'?",
      file: "conf/compose.yaml",
      line: 3,
      column: 5,
    });
  });
  test("what has no place stands at the beginning of no file", () => {
    expect(toStackIssue({ severity: "warning", path: "", message: "x is not set" })).toEqual({
      severity: "warning",
      text: "x is not set",
      file: null,
      line: 1,
      column: 1,
    });
  });
});

test("listComposeKeys says of each key what a stack makes of it", () => {
  const keys = new Map(listComposeKeys().map(({ path, note }) => [path, note]));
  expect(keys.get("services.image")).toBe("");
  expect(keys.get("services.deploy.update_config.order")).toBe("");
  expect(keys.get("secrets.driver")).toContain("not supported");
});
