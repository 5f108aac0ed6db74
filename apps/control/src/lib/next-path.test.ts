import { expect, test } from "vitest";
import { safeNextPath } from "./next-path.ts";

test.each([
  ["/containers?q=a", "/containers?q=a"],
  [null, "/"],
  ["//evil.example", "/"],
  ["/\\evil.example", "/"],
  ["https://evil.example", "/"],
  ["javascript:alert(1)", "/"],
  ["/sign-in?next=/", "/"],
])("after sign-in %j goes to %s", (next, path) => expect(safeNextPath(next)).toBe(path));
