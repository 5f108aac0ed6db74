import { expect, test } from "vitest";
import { layoutServices } from "./service-graph.ts";

const service = (name: string, ...dependsOn: string[]) => ({ name, dependsOn });

test("what is needed stands left of who needs it", () => {
  const { nodes, edges, columns, rows } = layoutServices([
    service("web", "api", "cache"),
    service("api", "db"),
    service("db"),
    service("cache"),
  ]);
  expect(nodes).toEqual([
    { name: "api", column: 1, row: 0 },
    { name: "cache", column: 0, row: 0 },
    { name: "db", column: 0, row: 1 },
    { name: "web", column: 2, row: 0 },
  ]);
  expect(edges).toContainEqual({ from: "db", to: "api" });
  expect([columns, rows]).toEqual([3, 2]);
});

test("a dependency that is not there has no edge", () => {
  expect(layoutServices([service("web", "gone")])).toEqual({ nodes: [{ name: "web", column: 0, row: 0 }], edges: [], columns: 1, rows: 1 });
});

test("a cycle ends", () => {
  expect(layoutServices([service("a", "b"), service("b", "a")]).nodes).toHaveLength(2);
  expect(layoutServices([])).toEqual({ nodes: [], edges: [], columns: 0, rows: 0 });
});
