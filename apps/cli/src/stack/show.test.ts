import { expect, test } from "vitest";
import { firstLine, formatDiff, formatPlan, formatTable, serviceState } from "./show.ts";

test("a table has columns of equal width", () => {
  expect(formatTable(["NAME", "STATE"], [["shop", "running"], ["a-long-name", "x"]])).toBe("NAME          STATE\nshop          running\na-long-name   x"); // prettier-ignore
});

test("a plan says what would be made, replaced and removed, where and why", () => {
  const replica = (act: string, host: string | null, fromHost: string | null): object => ({
    slot: "1",
    act,
    host,
    fromHost,
    because: "so",
  });
  const service = (name: string, change: string, replicas: object[]): object => ({
    name,
    change,
    reasons: change === "update" ? ["image a → b"] : [],
    replicas,
  });
  const services = [service("new", "create", [replica("make", null, null)]), service("old", "remove", [replica("remove", null, "h1")]), service("web", "update", [replica("replace", "h2", "h1"), replica("keep", "h3", "h3")])]; // prettier-ignore
  const plan = { services, networks: ["shop_default"], notes: ["x"], basis: { generation: 1 } };
  expect(formatPlan(plan as never).split("\n")).toEqual([
    "+ network shop_default",
    "+ service new: create",
    "    + replica 1 on nowhere: so",
    "- service old: remove",
    "    - replica 1 on h1: so",
    "~ service web: update, image a → b",
    "    ~ replica 1 on h1 → h2: so",
    "note: x",
  ]);
  const everywhere = {
    ...plan,
    services: [service("g", "scale", [{ ...replica("make", "h4", null), slot: "01a2-id" }])],
    networks: [],
    notes: [],
  };
  expect(formatPlan(everywhere as never)).toBe("~ service g: scale\n    + replica on h4: so");
  expect(formatPlan({ services: [], networks: [], notes: [], basis: { generation: 0 } })).toBe("nothing would change");
});

test("a diff shows changed lines with two around them", () => {
  expect(formatDiff("a\nb\nc\nd\ne\nf", "a\nb\nc\nX\ne\nf")).toBe("  b\n  c\n- d\n+ X\n  e\n  f");
  expect(formatDiff("a", "a")).toBe("");
});

test.each([
  ["it ended with exit code 3; last lines:\na\nboom", "it ended with exit code 3"],
  ["it ended with exit code 3", "it ended with exit code 3"],
  ["last lines:\na", "last lines:"],
  ["", ""],
])("the first line of %j is %j", (text, line) => {
  expect(firstLine(text)).toBe(line);
});

test.each([
  ["done", 3, "running"],
  ["done", 2, "degraded"],
  ["rolling", 2, "rolling"],
  ["failed", 3, "failed"],
])("a service whose rollout is %s with %i of 3 replicas is %s", (state, running, expected) => {
  expect(serviceState({ state, running, wanted: 3 })).toBe(expected);
});
