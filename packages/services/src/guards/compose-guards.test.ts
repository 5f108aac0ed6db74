import { guardAllow, SAFE_GUARD } from "@flotilla/protocol";
import { describe, expect, test } from "vitest";
import { composeGuards } from "./compose-guards.ts";
import { type FoundGuard, toGuard } from "./find-guards.ts";

const team = { id: "t1", name: "Shop", namespace: "shop" };
const allow = guardAllow.parse({ hostPid: true });
const found = (more: Partial<FoundGuard>): FoundGuard => ({ team, guard: SAFE_GUARD, source: "safe", grantLimits: {}, ...more });

describe("what a host is told of guard rails", () => {
  test("is nothing of a team that has none: the agent's own default holds", () => {
    expect(composeGuards([found({})])).toEqual([]);
  });

  test("is a row of the team's, or the instance's default", () => {
    const guard = { limits: { containers: 3 }, allow };
    const state = { namespace: "shop", ...guard };
    expect(composeGuards([found({ guard, source: "own" })])).toEqual([state]);
    expect(composeGuards([found({ guard, source: "default" })])).toEqual([state]);
    expect(composeGuards([found({ source: "own" })])).toEqual([{ namespace: "shop", ...SAFE_GUARD }]);
  });

  test("has the limits of a grant also where no guard rail is", () => {
    expect(composeGuards([found({ grantLimits: { cpus: 1 } })])).toEqual([
      { namespace: "shop", limits: { cpus: 1 }, allow: SAFE_GUARD.allow },
    ]);
  });

  test("has the stricter of both limits", () => {
    const guard = { limits: { containers: 3, cpus: 4 }, allow };
    const [state] = composeGuards([found({ guard, source: "own", grantLimits: { containers: 5, cpus: 1, hostPorts: [] } })]);
    expect(state?.limits).toEqual({ containers: 3, cpus: 1, hostPorts: [] });
  });
});

describe("rows", () => {
  test("that nobody can read any more allow nothing", () => {
    expect(toGuard({ limits: { containers: "many" }, allow: { privileged: "yes" } })).toEqual({
      limits: { containers: 0 },
      allow: SAFE_GUARD.allow,
    });
  });
});
