import { ACTIONS, ruleOf } from "@flotilla/services";
import { describe, expect, expectTypeOf, test } from "vitest";
import { listProcedures, type RouterInputs, type RouterOutputs } from "./index.ts";

describe("the router", () => {
  test("the walk sees the procedures", () => {
    expect(listProcedures().length).toBeGreaterThan(35);
    expect(listProcedures().map((found) => found.path)).toContain("hosts.joinTokens.create");
  });

  test.each(listProcedures())("$path declares a known action", ({ action }) => {
    expect(Object.keys(ACTIONS)).toContain(action);
  });

  test("only set-up and the links of invitations are open to everybody", () => {
    const open = listProcedures().filter(({ action }) => action !== undefined && ruleOf(action).needs === "everyone");
    expect(open.map(({ path }) => path)).toEqual(["setup.status", "setup.complete", "invitations.look", "invitations.accept"]);
  });

  test("a mutation declares an action that changes something, and a query one that does not", () => {
    const odd = listProcedures().filter(({ kind, action }) => action !== undefined && (kind === "mutation") !== ruleOf(action).changes);
    // A pull and a push change something and tell of it while they do. A look at an invitation keeps its link out of addresses. reattach only gives a new ticket for a session that open()
    // was authorised for. A plan and a check change nothing; their files are too large for the address of a query.
    expect(odd.map(({ path }) => path)).toEqual([
      "invitations.look",
      "images.onPull",
      "images.onPush",
      "stacks.plan",
      "stacks.check",
      "terminal.reattach",
    ]);
  });

  test("inputs and outputs keep their types through the guard", () => {
    expectTypeOf<RouterInputs["hosts"]["rename"]>().toEqualTypeOf<{ host: string; name: string }>();
    expectTypeOf<RouterOutputs["setup"]["status"]>().toEqualTypeOf<{ needsSetup: boolean }>();
    expectTypeOf<RouterOutputs["hosts"]["list"][number]["state"]>().toEqualTypeOf<"online" | "offline" | "never">();
  });
});
