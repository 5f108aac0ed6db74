import { expect, test } from "vitest";
import { createComparer, gridTemplates, nextSorting, sortRows } from "./columns.ts";

test("each width has a track for each column it shows", () => {
  expect(gridTemplates([{ width: "2fr" }, { width: "1fr", hideBelow: "md" }, { width: "5rem" }], "1rem")).toEqual({
    "--cols-xs": "1rem 2fr 5rem",
    "--cols-sm": "1rem 2fr 5rem",
    "--cols-md": "1rem 2fr 1fr 5rem",
    "--cols-lg": "1rem 2fr 1fr 5rem",
    "--cols-xl": "1rem 2fr 1fr 5rem",
  });
});

test("names with numbers sort as people read them", () => {
  expect(["web-10", "Web-2", "api"].sort(createComparer("en"))).toEqual(["api", "Web-2", "web-10"]);
  expect([10, 9].sort(createComparer("en"))).toEqual([9, 10]);
});

test("equal rows keep their order, upwards and downwards, and the rows given stay as they were", () => {
  const rows = [
    { name: "b", at: 2 },
    { name: "a", at: 1 },
    { name: "c", at: 2 },
  ];
  const names = (isDescending: boolean): string =>
    sortRows(rows, { sortBy: (row) => row.at, isDescending }, createComparer("en"))
      .map(({ name }) => name)
      .join("");
  expect(names(false)).toBe("abc");
  expect(names(true)).toBe("bca");
  expect(rows.map(({ name }) => name).join("")).toBe("bac");
});

test("a header sorts upwards first, and each further click turns it round", () => {
  const first = nextSorting({ id: "name", isDescending: true }, "size");
  expect(first).toEqual({ id: "size", isDescending: false });
  expect(nextSorting(first, "size")).toEqual({ id: "size", isDescending: true });
  expect(nextSorting(nextSorting(first, "size"), "size")).toEqual({ id: "size", isDescending: false });
  expect(nextSorting(undefined, "size")).toEqual({ id: "size", isDescending: false });
});
