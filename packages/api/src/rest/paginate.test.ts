import { describe, expect, test } from "vitest";
import { linkToNext, paginate, readPaging } from "./paginate.ts";

const key = (item: never): string => item;
const paging = (query: string): ReturnType<typeof readPaging> => readPaging(new URLSearchParams(query));

/** Follows the cursors to the end. */
function walk(items: string[], limit: number, between: (items: string[]) => string[] = (same) => same): string[][] {
  const pages: string[][] = [];
  let after: string | undefined;
  let now = items;
  for (;;) {
    const page = paginate(now, key, { limit, after });
    pages.push(page.items as string[]);
    if (page.nextCursor === null) return pages;
    ({ after } = paging(`cursor=${page.nextCursor}`));
    now = between(now);
  }
}

describe("paginate", () => {
  test("pages follow each other in the order of the keys, and the last has no cursor", () => {
    expect(walk(["d", "a", "c", "b", "e"], 2)).toEqual([["a", "b"], ["c", "d"], ["e"]]);
    expect(walk(["a", "b"], 2)).toEqual([["a", "b"]]);
    expect(walk([], 2)).toEqual([[]]);
  });

  test("what is removed or made meanwhile hides and repeats nothing else", () => {
    expect(walk(["a", "b", "c", "d"], 2, (items) => items.filter((item) => item !== "b"))).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
    expect(walk(["b", "c", "d"], 2, (items) => ["a", ...items])).toEqual([["b", "c"], ["d"]]);
  });

  test("a list of several hosts keeps what is beside its items", () => {
    const answer = { items: [{ id: "b" }, { id: "a" }], errors: ["x"] };
    const page = paginate(answer, (item: { id: string }) => item.id, { limit: 1, after: undefined });
    expect(page).toEqual({ items: [{ id: "a" }], nextCursor: expect.any(String), errors: ["x"] });
  });
});

describe("readPaging", () => {
  test("a hundred from the beginning, unless something else is asked for", () => {
    expect(paging("")).toEqual({ limit: 100, after: undefined });
    expect(paging("limit=1000")).toMatchObject({ limit: 1000 });
  });

  test.each(["limit=0", "limit=1001", "limit=-1", "limit=", "limit=1e3", "cursor=", "cursor=%2F", "cursor=a.b"])(
    "%s is refused",
    (query) => {
      expect(() => paging(query)).toThrow(/must be/);
    },
  );
});

test("the link to the next page keeps the other parameters", () => {
  expect(linkToNext("/api/v1/hosts", new URLSearchParams("limit=1&cursor=old"), "bmV3")).toBe(
    '</api/v1/hosts?limit=1&cursor=bmV3>; rel="next"',
  );
  expect(linkToNext("/api/v1/hosts", new URLSearchParams(), null)).toBeUndefined();
});
