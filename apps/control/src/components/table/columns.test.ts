import { expect, test } from "vitest";
import { createComparer, gridTemplates } from "./columns.ts";

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
