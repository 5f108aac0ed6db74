import { describe, expect, test } from "vitest";
import { ACTIONS, type Action, ruleOf } from "./actions.ts";
import type { Actor, Role, UserActor } from "./actor.ts";
import { can, type ObjectRef } from "./can.ts";

const actions = Object.keys(ACTIONS) as Action[];

function user(role: Role, teamId = "team-a"): UserActor {
  return {
    kind: "user",
    userId: `${role}-${teamId}`,
    name: role,
    email: `${role}@example.test`,
    credential: { kind: "session", id: "s" },
    team: { id: teamId, name: teamId, slug: teamId, namespace: teamId },
    role,
    address: null,
  };
}

const object = (ownerId?: string): ObjectRef => ({
  kind: "host",
  id: "h",
  name: "h",
  teamId: "team-a",
  ...(ownerId === undefined ? {} : { ownerId }),
});
const anonymous: Actor = { kind: "anonymous", address: null };
const host: Actor = { kind: "host", hostId: "h", name: "h", teamId: "team-a", address: null };

describe("can", () => {
  test.each(actions)("%s: somebody who is not signed in is refused unless the action is for everyone", (action) => {
    const decision = can(anonymous, action, object());
    if (ruleOf(action).who === "everyone") expect(decision).toEqual({ allowed: true });
    else expect(decision).toEqual({ allowed: false, because: "unauthenticated" });
  });

  test.each(actions)("%s: an administrator of another team does not even see the object", (action) => {
    if (ruleOf(action).who === "everyone") return;
    expect(can(user("admin", "team-b"), action, object("somebody"))).toEqual({ allowed: false, because: "invisible" });
  });

  test.each(actions)("%s: a host's key gives no right of a person", (action) => {
    if (ruleOf(action).who === "everyone" || ruleOf(action).hosts === true) return;
    expect(can(host, action, object())).toEqual({ allowed: false, because: "forbidden" });
  });

  test("hosts pull the images of their own team, make and remove its networks, and do nothing else", () => {
    expect(actions.filter((action) => can(host, action, object()).allowed && ruleOf(action).who !== "everyone")).toEqual([
      "network.change",
      "network.remove",
      "registry.pull",
    ]);
    expect(can(host, "network.remove", { ...object(), teamId: "team-b" })).toEqual({ allowed: false, because: "forbidden" });
    expect(can(host, "registry.pull", { ...object(), teamId: "team-b" })).toEqual({ allowed: false, because: "forbidden" });
  });

  test("what is public is open to everybody for pulling and for nothing else", () => {
    const open = actions.filter(
      (action) => can(anonymous, action, { ...object(), isPublic: true }).allowed && ruleOf(action).who !== "everyone",
    );
    expect(open).toEqual(["registry.pull"]);
    expect(can(user("member", "team-b"), "registry.push", { ...object(), isPublic: true })).toEqual({
      allowed: false,
      because: "invisible",
    });
  });

  test("what belongs to a person is for that person only, not for an administrator of the team", () => {
    const member = user("member");
    expect(can(member, "token.revoke", object(member.userId))).toEqual({ allowed: true });
    expect(can(user("admin"), "token.revoke", object(member.userId))).toEqual({ allowed: false, because: "invisible" });
    expect(can(member, "token.revoke", object())).toEqual({ allowed: false, because: "invisible" });
  });

  test("members run containers; members, hosts and join tokens are managed by administrators", () => {
    const refused = actions.filter((action) => {
      const decision = can(user("member"), action, object("member-team-a"));
      return !decision.allowed;
    });
    expect(refused).toEqual([
      "member.create",
      "member.remove",
      "host.rename",
      "host.remove",
      "joinToken.read",
      "joinToken.create",
      "joinToken.revoke",
      "host.place",
      "activity.export",
      "activity.verify",
      "registry.review",
      "registry.manage",
    ]);
    for (const action of refused) expect(can(user("admin"), action, object())).toEqual({ allowed: true });
  });
});
