import { expect, test } from "vitest";
import { safeNextPath } from "./next-path.ts";

test.each([
  ["/containers?q=a", "/containers?q=a"],
  ["/containers/a?b=%2F%2Fc#d", "/containers/a?b=%2F%2Fc#d"],
  ["/sign-in-help", "/sign-in-help"],
  [null, "/"],
  ["//evil.example", "/"],
  ["/\\evil.example", "/"],
  ["/\t/evil.example", "/"],
  ["/\n/evil.example", "/"],
  ["/./\t/evil.example", "/"],
  ["/.//evil.example", "/"],
  ["https://evil.example", "/"],
  ["javascript:alert(1)", "/"],
  ["/sign-in?next=/", "/"],
])("after sign-in %j goes to %s", (next, path) => expect(safeNextPath(next)).toBe(path));
