import { expect, test } from "vitest";
import { type PaletteItem, rankItems } from "./palette.ts";

const item = (label: string, hint = "", keywords = ""): PaletteItem => ({ id: label, label, hint, keywords });
const ITEMS = [item("payments-web"), item("web"), item("web-2"), item("cobweb"), item("api", "web-1"), item("Images")];

test("the nearest label comes first, hints last", () => {
  expect(rankItems(ITEMS, "web", 10).map(({ label }) => label)).toEqual(["web", "web-2", "payments-web", "cobweb", "api"]);
});

test("every word must occur somewhere", () => {
  expect(rankItems(ITEMS, "api web-1", 10).map(({ label }) => label)).toEqual(["api"]);
  expect(rankItems(ITEMS, "zzz", 10)).toEqual([]);
});

test("nothing typed keeps the order", () => expect(rankItems(ITEMS, " ", 2).map(({ label }) => label)).toEqual(["payments-web", "web"]));
