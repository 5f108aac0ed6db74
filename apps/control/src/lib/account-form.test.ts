import { describe, expect, test } from "vitest";
import { checkAccount, MIN_PASSWORD } from "./account-form.ts";

const GOOD = { name: "Ada", email: "ada@example.test", password: "correct horse", teamName: "Harbour" };

describe("what is wrong with a new account", () => {
  test("nothing, when everything is there", () => expect(checkAccount(GOOD)).toEqual({}));

  test("only fields that the form has are looked at", () => {
    expect(checkAccount({})).toEqual({});
    expect(checkAccount({ name: " ", password: "short" })).toEqual({ name: true, password: true });
  });

  test.each(["", "ada", "ada@", "@example.test", "ada@host", "a da@example.test", "ada@example..test", "ada@@example.test"])(
    "%j is no e-mail address",
    (email) => expect(checkAccount({ ...GOOD, email })).toEqual({ email: true }),
  );

  test.each([" ada@example.test ", "ada+tag@mail.example.test"])("%j is one", (email) =>
    expect(checkAccount({ ...GOOD, email })).toEqual({}),
  );

  test("a password is long enough from its last needed character on", () => {
    expect(checkAccount({ password: "x".repeat(MIN_PASSWORD - 1) })).toEqual({ password: true });
    expect(checkAccount({ password: "x".repeat(MIN_PASSWORD) })).toEqual({});
  });
});
