import { describe, expect, test } from "vitest";
import { type Action, ACTIONS, rightsNeeded } from "./actions.ts";
import { builtInRole, type UserActor } from "./actor.ts";
import { can } from "./can.ts";
import { explainRights, type Standing } from "./explain.ts";
import { BUILT_IN_ROLES, GRANTABLE_RIGHTS, type Right, RIGHTS, rightsOfRole } from "./rights.ts";

const viewer: Standing = { role: builtInRole("viewer"), roleRights: rightsOfRole("viewer"), isInstanceAdmin: false, lacksTwoFactor: false };
const of = (standing: Standing, right: Right) => explainRights(standing).find((row) => row.right === right);

describe("explainRights", () => {
  test("a role allows, or is what is missing", () => {
    expect(of(viewer, "container.logs")).toEqual({
      right: "container.logs",
      isAllowed: true,
      reasons: [{ kind: "role", role: viewer.role }],
    });
    expect(of(viewer, "container.terminal")).toMatchObject({ isAllowed: false, reasons: [{ kind: "notInRole" }] });
  });

  test("an instance administrator may all, and where the role would do it is said too", () => {
    const rows = explainRights({ ...viewer, isInstanceAdmin: true });
    expect(rows.filter(({ isAllowed }) => !isAllowed)).toEqual([]);
    expect(rows.find(({ right }) => right === "container.logs")?.reasons).toMatchObject([{ kind: "instanceAdmin" }, { kind: "role" }]);
    expect(rows.find(({ right }) => right === "team.manage")?.reasons).toEqual([{ kind: "instanceAdmin" }]);
  });

  test("on a shared host role and grant are both asked, and both are named", () => {
    const grant = { team: "Owners", rights: new Set<Right>(["container.read", "container.terminal"]) };
    const there = { ...viewer, grant };
    expect(explainRights(there).map(({ right }) => right)).toEqual(GRANTABLE_RIGHTS);
    expect(of(there, "container.read")).toMatchObject({ isAllowed: true, reasons: [{ kind: "role" }, { kind: "grant", team: "Owners" }] });
    expect(of(there, "container.logs")).toMatchObject({ isAllowed: false, reasons: [{ kind: "notInGrant" }] });
    expect(of(there, "container.run")).toMatchObject({ isAllowed: false, reasons: [{ kind: "notInRole" }, { kind: "notInGrant" }] });
  });

  test("without the second factor that the team demands there is nothing", () => {
    expect(explainRights({ ...viewer, lacksTwoFactor: true }).filter(({ isAllowed }) => isAllowed)).toEqual([]);
  });

  test("it says what the authorizer does", () => {
    for (const role of BUILT_IN_ROLES) {
      for (const granted of [undefined, new Set<Right>(["container.read", "container.logs", "container.run", "host.read"])]) {
        const standing: Standing = { ...viewer, role: builtInRole(role), roleRights: rightsOfRole(role) };
        const explained = explainRights(granted === undefined ? standing : { ...standing, grant: { team: "b", rights: granted } });
        const allowed = new Set(explained.filter(({ isAllowed }) => isAllowed).map(({ right }) => right));
        const host = { id: "h", teamId: granted === undefined ? "a" : "b" };
        const object = { kind: "host", id: "h", name: "h", teamId: "a", host } as const;
        for (const action of Object.keys(ACTIONS) as Action[]) {
          const needs = rightsNeeded(action);
          if (needs.length === 0) continue;
          const expected = needs.every((right) => allowed.has(right));
          expect(can(actorOf(standing, granted), action, object).allowed, `${role} ${action}`).toBe(expected);
        }
      }
    }
    expect(RIGHTS.length).toBeGreaterThan(GRANTABLE_RIGHTS.length);
  });
});

function actorOf({ role, roleRights: rights }: Standing, granted: ReadonlySet<Right> | undefined): UserActor {
  return {
    kind: "user",
    userId: "u",
    name: "u",
    email: "u@example.test",
    credential: { kind: "session", id: "s" },
    team: { id: "a", name: "a", slug: "a", namespace: "a" },
    role,
    rights,
    grants: granted === undefined ? new Map() : new Map([["h", granted]]),
    isInstanceAdmin: false,
    lacksTwoFactor: false,
    address: null,
  };
}
