import { expect, test } from "vitest";
import { toSlug } from "./slug.ts";

test.each([
  ["Data & Search", "data-search"],
  ["  Équipe  Nord ", "equipe-nord"],
  ["团队", ""],
  ["a--b", "a-b"],
  [`${"a".repeat(39)} b`, "a".repeat(39)],
])("%s is %j", (name, slug) => expect(toSlug(name)).toBe(slug));
