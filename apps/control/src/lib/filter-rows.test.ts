import { expect, test } from "vitest";
import { filterRows } from "./filter-rows.ts";

const ROWS = [
  { name: "Web-1", host: "a" },
  { name: "web-2", host: "b" },
  { name: "db", host: "a" },
];
const found = (query: string): string[] => filterRows(ROWS, query, ({ name, host }) => `${name} ${host}`).map(({ name }) => name);

test("an empty query keeps the very same rows, so that nothing is drawn anew", () => {
  expect(filterRows(ROWS, "  ", ({ name }) => name)).toBe(ROWS);
});

test("every word counts, in any order and case", () => {
  expect(found("WEB")).toEqual(["Web-1", "web-2"]);
  expect(found("a web")).toEqual(["Web-1"]);
  expect(found("web nothing")).toEqual([]);
});
