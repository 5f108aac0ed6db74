import { expect, test } from "vitest";
import { z } from "zod";
import { renderPage } from "./render-page.ts";
import { REST_ROUTES } from "./routes.ts";

const item = z.object({ id: z.string(), note: z.string().optional() });
const perHost = z.object({ items: z.array(item), errors: z.array(z.object({ message: z.string() })) });

test("items and what stands beside them are what the schema lets out", () => {
  const page = {
    items: [
      { id: "a", secret: "x" },
      { id: "b", note: 'say "so"' },
    ],
    nextCursor: "Yg",
    errors: [{ message: "away", inside: "x" }],
    other: "x",
  };
  expect(JSON.parse(renderPage(perHost, page))).toEqual({
    items: [{ id: "a" }, { id: "b", note: 'say "so"' }],
    errors: [{ message: "away" }],
    nextCursor: "Yg",
  });
});

test("a bare list becomes items, an empty one too", () => {
  expect(JSON.parse(renderPage(z.array(item), { items: [{ id: "a" }], nextCursor: null }))).toEqual({
    items: [{ id: "a" }],
    nextCursor: null,
  });
  expect(renderPage(z.array(item), { items: [], nextCursor: null })).toBe('{"items":[],"nextCursor":null}');
  expect(renderPage(z.array(z.string()), { items: ["a"], nextCursor: null })).toBe('{"items":["a"],"nextCursor":null}');
});

test("an item that is on many pages is parsed once for each schema", () => {
  let parsed = 0;
  const counted = z.array(item.transform((value) => ({ ...value, parsed: ++parsed })));
  const row = { id: "a" };
  const render = (): unknown => JSON.parse(renderPage(counted, { items: [row], nextCursor: null }));
  expect(render()).toEqual(render());
  expect(JSON.parse(renderPage(z.array(item), { items: [row], nextCursor: null }))).toEqual({ items: [{ id: "a" }], nextCursor: null });
});

test.each([
  ["an item", { items: [{ id: 1 }], nextCursor: null, errors: [] }],
  ["what stands beside them", { items: [], nextCursor: null, errors: "none" }],
])("%s that is not what the schema says is an error", (_what, page) => {
  expect(() => renderPage(perHost, page)).toThrow();
});

test("every list of the table of routes can be shown", () => {
  const lists = [...REST_ROUTES.values()].filter(({ list }) => typeof list === "function");
  expect(lists.length).toBeGreaterThan(10);
  expect(() => renderPage(z.object({ id: z.string() }), { items: [], nextCursor: null })).toThrow("a list is an array");
  for (const { output } of lists)
    expect(() => renderPage(output, { items: [{ wrong: true }], nextCursor: null })).not.toThrow("a list is an array");
});
