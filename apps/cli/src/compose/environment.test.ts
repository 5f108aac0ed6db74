import { describe, expect, test } from "vitest";
import { isOn, withEnvironment } from "./environment.ts";

describe("Docker Compose's variables", () => {
  test.each([
    [
      { COMPOSE_ANSI: "never", COMPOSE_PROGRESS: "plain" },
      { ansi: "never", progress: "plain" },
    ],
    [
      { COMPOSE_ANSI: "colourful", COMPOSE_PROGRESS: "" },
      { ansi: "auto", progress: "auto" },
    ],
    [{ COMPOSE_ENV_FILES: "a.env,b.env" }, { ansi: "auto", progress: "auto", envFile: ["a.env", "b.env"] }],
    [{ COMPOSE_DISABLE_ENV_FILE: "true" }, { ansi: "auto", progress: "auto", envFile: ["/dev/null"] }],
    [{ COMPOSE_DISABLE_ENV_FILE: "0" }, { ansi: "auto", progress: "auto" }],
  ])("%j count where the command line says nothing", (environment, expected) => {
    expect(withEnvironment({ ansi: "auto", progress: "auto" }, environment)).toEqual(expected);
  });

  test("give way to the command line", () => {
    const given = { ansi: "always", progress: "tty", envFile: ["c.env"] };
    const environment = { COMPOSE_ANSI: "never", COMPOSE_PROGRESS: "plain", COMPOSE_ENV_FILES: "a.env" };
    expect(withEnvironment(given, environment)).toEqual(given);
    expect(withEnvironment({}, {})).toEqual({});
  });

  test.each([
    ["1", true],
    ["TRUE", true],
    ["yes", true],
    ["0", false],
    ["", false],
    [undefined, false],
  ])("%s is %s", (value, expected) => {
    expect(isOn({ X: value }, "X")).toBe(expected);
  });
});
