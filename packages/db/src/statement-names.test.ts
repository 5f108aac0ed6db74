import { expect, test } from "vitest";
import { statementNames } from "./statement-names.ts";

test("a text that comes again has a name from the third time on, always the same", () => {
  const nameOf = statementNames();
  const names = ["a", "a", "a", "b", "a", "b", "b"].map((sql) => nameOf({ sql }));
  expect(names).toEqual(["", "", "f0", "", "f0", "", "f1"]);
});

test("there are so many names and no more; those that there are stay", () => {
  const nameOf = statementNames({ maxNames: 1 });
  for (let time = 0; time < 3; time += 1) nameOf({ sql: "a" });
  for (let time = 0; time < 5; time += 1) expect(nameOf({ sql: "b" })).toBe("");
  expect(nameOf({ sql: "a" })).toBe("f0");
});

test("texts of which there is one each have none, however many", () => {
  const nameOf = statementNames();
  for (let at = 0; at < 5_000; at += 1) expect(nameOf({ sql: `once ${at}` })).toBe("");
});
