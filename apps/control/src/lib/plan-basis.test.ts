import { expect, test } from "vitest";
import { basisChanges } from "./plan-basis.ts";

const basis = { generation: 1, hosts: { a: "active", b: "active" }, files: { "secret/key": "1", "config/nginx.conf": "3" } };

test("nothing changed", () => expect(basisChanges(basis, structuredClone(basis))).toEqual([]));

test("the stack, hosts that changed, came or went, and files are told in order", () => {
  const after = {
    generation: 2,
    hosts: { c: "down", a: "drain" },
    files: { "secret/key": "2", "config/nginx.conf": "3", "config/a/b": "1" },
  };
  expect(basisChanges(basis, after)).toEqual([
    { what: "stack" },
    { what: "host", host: "a", before: "active", after: "drain" },
    { what: "host", host: "b", before: "active", after: "gone" },
    { what: "host", host: "c", before: "gone", after: "down" },
    { what: "config", name: "a/b" },
    { what: "secret", name: "key" },
  ]);
});
