import { expect, test } from "vitest";
import { cn } from "./cn.ts";

test("of two classes for the same property the later one stays, at its place", () => {
  expect(cn("h-5 px-1.5 font-medium whitespace-nowrap", "h-auto font-normal whitespace-normal")).toBe(
    "px-1.5 h-auto font-normal whitespace-normal",
  );
});

test("a class under a condition replaces none without it", () => {
  expect(cn("px-3 text-muted", "max-sm:px-0", false, "hover:text-ink")).toBe("px-3 text-muted max-sm:px-0 hover:text-ink");
});

test("a family of letters is no weight, and a size of text no colour", () => {
  expect(cn("font-medium text-sm", "font-mono text-bad")).toBe("font-medium text-sm font-mono text-bad");
});
