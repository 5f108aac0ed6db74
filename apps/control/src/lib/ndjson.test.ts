import { expect, test } from "vitest";
import { createNdjsonReader } from "./ndjson.ts";

test("values cut anywhere arrive whole and once", () => {
  const reader = createNdjsonReader();
  const text = '{"status":"Loading"}\r\n{"stream":"Loaded image: web\\n"}\n{"a":1}';
  const values = text.split("").flatMap((character) => reader.push(character));
  expect([...values, ...reader.end()]).toEqual([{ status: "Loading" }, { stream: "Loaded image: web\n" }, { a: 1 }]);
});

test("what is no JSON is passed over", () => {
  const reader = createNdjsonReader();
  expect(reader.push('<html>\n{"a":1}\n')).toEqual([{ a: 1 }]);
});
