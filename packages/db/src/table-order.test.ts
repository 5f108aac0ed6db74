import { describe, expect, test } from "vitest";
import { orderTables } from "./table-order.ts";

describe("the order in which tables can be filled", () => {
  test("each comes after all that it refers to, otherwise by name", () => {
    const references = [
      { from: "hosts", to: "teams" },
      { from: "leases", to: "hosts" },
      { from: "leases", to: "networks" },
      { from: "networks", to: "teams" },
    ];
    const ordered = orderTables(["leases", "hosts", "users", "networks", "teams"], references);
    for (const { from, to } of references) expect(ordered.indexOf(from)).toBeGreaterThan(ordered.indexOf(to));
    expect(ordered.toSorted()).toEqual(["hosts", "leases", "networks", "teams", "users"]);
    expect(orderTables(["users", "networks", "leases", "teams", "hosts"], references.toReversed())).toEqual(ordered);
  });

  test("a table may refer to itself, twice to the same, and to one that is not copied", () => {
    const references = [
      { from: "a", to: "a" },
      { from: "a", to: "b" },
      { from: "a", to: "b" },
      { from: "b", to: "elsewhere" },
    ];
    expect(orderTables(["a", "b"], references)).toEqual(["b", "a"]);
  });

  test("a circle is refused by name", () => {
    const references = [
      { from: "a", to: "b" },
      { from: "b", to: "a" },
    ];
    expect(() => orderTables(["a", "b", "c"], references)).toThrow("in a circle: a, b");
    expect(orderTables([], references)).toEqual([]);
  });
});
