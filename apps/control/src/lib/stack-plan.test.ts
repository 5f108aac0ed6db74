import { describe, expect, test } from "vitest";
import { countPlan, formatSlots, planAct, planLines, readStoredPlan } from "./stack-plan.ts";

const replica = { slot: "1", host: "h1", fromHost: null, act: "make" as const, because: "there is none", reasons: [] };

describe("planAct", () => {
  test("another host makes a move of it", () => {
    expect(planAct({ ...replica, act: "replace", fromHost: "h2" })).toBe("move");
    expect(planAct({ ...replica, act: "replace", fromHost: "h1" })).toBe("replace");
  });
  test("no host is said, but not of what goes", () => {
    expect(planAct({ ...replica, host: null })).toBe("unplaced");
    expect(planAct({ ...replica, host: null, act: "remove" })).toBe("remove");
  });
});

test("countPlan counts over services", () => {
  const service = {
    name: "web",
    change: "create" as const,
    reasons: [],
    differs: [],
    replicas: [replica, { ...replica, slot: "2", host: null }],
  };
  expect(countPlan([service, service])).toEqual({ make: 2, replace: 0, move: 0, remove: 0, keep: 0, unplaced: 2 });
});

describe("planLines", () => {
  test("puts equal fates into one line", () => {
    const lines = planLines([replica, { ...replica, slot: "2" }, { ...replica, slot: "3", host: "h2" }]);
    expect(lines.map(({ host, slots }) => `${host} ${slots}`)).toEqual(["h1 1–2", "h2 3"]);
  });
});

describe("formatSlots", () => {
  test.each([
    [["3", "1", "2", "5"], "1–3, 5"],
    [["7"], "7"],
    [["10", "9"], "9–10"],
    [["0192c-uuid"], ""],
  ])("%j", (slots, text) => expect(formatSlots(slots)).toBe(text));
});

describe("readStoredPlan", () => {
  test("knows what deployments keep", () => {
    expect(readStoredPlan({ reason: "back from revision 3" })).toEqual({ kind: "reason", reasons: [], reason: "back from revision 3" });
    expect(readStoredPlan({ moves: [{ from: "a", to: "b", because: "c", replicaId: "d" }] }).kind).toBe("moves");
    expect(readStoredPlan({ services: [], networks: ["n"], notes: [], basis: {} })).toMatchObject({
      kind: "plan",
      plan: { networks: ["n"] },
    });
  });
  test("keeps what was told of the files, as data where it is", () => {
    const issue = {
      text: "name: x",
      file: "compose.yaml",
      line: 1,
      column: 1,
      path: "name",
      said: { code: "version", values: {} },
      suggestion: null,
    };
    const plan = { services: [], notes: ["compose.yaml:1:1: name: x"] };
    expect(readStoredPlan(plan)).toMatchObject({ plan: { notes: plan.notes, issues: [] } });
    expect(readStoredPlan({ ...plan, issues: [{ ...issue, severity: "warning" }] })).toMatchObject({ plan: { issues: [issue] } });
  });
  test("what it does not know is none", () => {
    expect(readStoredPlan({})).toEqual({ kind: "none" });
    expect(readStoredPlan({ services: [{ name: 3 }] })).toEqual({ kind: "none" });
  });
});
