import { createTranslator } from "use-intl/core";
import { expect, test } from "vitest";
import { compileMessages } from "./compile-messages.ts";

test("a text without arguments stays what it is, one with plurals becomes data", () => {
  const compiled = compileMessages({ plain: "Hosts", inner: { many: "{count, plural, =1 {1 host} other {{count} hosts}}" } });
  expect(compiled.plain).toBe("Hosts");
  expect(Array.isArray(compiled.inner.many)).toBe(true);
  expect(createTranslator({ locale: "en", messages: { plain: compiled.plain } })("plain")).toBe("Hosts");
});

test("everything in it can be handed from the server to the page: plain objects only", () => {
  const [, , choices] = (
    compileMessages({ many: "{count, plural, =1 {one} other {more}}" }).many as unknown as [[string, number, object]]
  )[0];
  expect(Object.getPrototypeOf(choices)).toBe(Object.prototype);
});
