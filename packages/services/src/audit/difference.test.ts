import { describe, expect, test } from "vitest";
import { difference } from "./difference.ts";

describe("difference", () => {
  test("names what became different, from what to what", () => {
    expect(difference({ name: "a", limit: 1, open: true }, { name: "b", limit: 1, open: false })).toEqual({
      name: { from: "a", to: "b" },
      open: { from: true, to: false },
    });
  });

  test("what was not asked to change is not there, whatever it was before", () => {
    expect(difference({ name: "a", password: "canary" }, { name: undefined })).toEqual({});
  });

  test("a field that was not there came from nothing", () => {
    expect(difference({}, { limit: 5, note: null })).toEqual({ limit: { from: null, to: 5 } });
  });

  test("maps are compared whatever the order of their keys, lists in their order", () => {
    expect(difference({ labels: { a: "1", b: "2" } }, { labels: { b: "2", a: "1" } })).toEqual({});
    expect(difference({ list: [1, 2] }, { list: [2, 1] })).toEqual({ list: { from: "[1,2]", to: "[2,1]" } });
    expect(difference({ labels: {} }, { labels: { zone: "a" } })).toEqual({ labels: { from: "{}", to: '{"zone":"a"}' } });
  });

  test("times and large numbers are written out", () => {
    const at = new Date("2026-01-02T03:04:05Z");
    expect(difference({ at: null, bytes: 1n }, { at, bytes: 2n })).toEqual({
      at: { from: null, to: "2026-01-02T03:04:05.000Z" },
      bytes: { from: "1", to: "2" },
    });
  });
});
