import { expect, test } from "vitest";
import { setupToken } from "./setup-token.ts";

test("the token is read from the fragment", () => {
  expect(setupToken("#token=abc-DEF_1")).toBe("abc-DEF_1");
  expect(setupToken("")).toBeNull();
  expect(setupToken("#token=")).toBeNull();
});
