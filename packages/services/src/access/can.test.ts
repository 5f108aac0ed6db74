import { describe, expect, test } from "vitest";
import { ACTIONS, type Action, rightsNeeded, ruleOf } from "./actions.ts";
import { type Actor, builtInRole, type UserActor } from "./actor.ts";
import { can, type ObjectRef } from "./can.ts";
import { BUILT_IN_ROLES, type BuiltInRole, GRANTABLE_RIGHTS, type Right, RIGHTS, rightsOfRole, toRights } from "./rights.ts";

const actions = Object.keys(ACTIONS) as Action[];
const byRight = actions.filter((action) => rightsNeeded(action).length > 0);

function user(role: BuiltInRole, more: Partial<UserActor> = {}): UserActor {
  return {
    kind: "user",
    userId: `${role}-${more.team?.id ?? "team-a"}`,
    name: role,
    email: `${role}@example.test`,
    credential: { kind: "session", id: "s" },
    team: { id: "team-a", name: "team-a", slug: "team-a", namespace: "team-a" },
    role: builtInRole(role),
    rights: rightsOfRole(role),
    grants: new Map(),
    isInstanceAdmin: false,
    lacksTwoFactor: false,
    address: null,
    ...more,
  };
}

const teamB = { id: "team-b", name: "team-b", slug: "team-b", namespace: "team-b" };
const object = (ownerId?: string): ObjectRef => ({
  kind: "container",
  id: "c",
  name: "h/c",
  teamId: "team-a",
  ...(ownerId === undefined ? {} : { ownerId }),
});
const anonymous: Actor = { kind: "anonymous", address: null };
const host: Actor = { kind: "host", hostId: "h", name: "h", teamId: "team-a", address: null };
const forbidden = { allowed: false, because: "forbidden" };
const invisible = { allowed: false, because: "invisible" };

describe("can", () => {
  test.each(actions)("%s: somebody who is not signed in is refused unless the action is for everyone", (action) => {
    const decision = can(anonymous, action, object());
    if (ruleOf(action).needs === "everyone") expect(decision).toEqual({ allowed: true });
    else expect(decision).toEqual({ allowed: false, because: "unauthenticated" });
  });

  test.each(actions)("%s: an owner of another team does not even see the object", (action) => {
    const decision = can(user("owner", { team: teamB }), action, object("somebody"));
    const { needs } = ruleOf(action);
    if (needs === "everyone") expect(decision).toEqual({ allowed: true });
    // These are about the instance, which everybody knows to be there.
    else expect(decision).toEqual(needs === "instanceAdmin" ? forbidden : invisible);
  });

  test.each(actions)("%s: a host's key gives no right of a person", (action) => {
    if (ruleOf(action).needs === "everyone" || ruleOf(action).hosts === true) return;
    expect(can(host, action, object())).toEqual(forbidden);
  });

  test("hosts pull the images of their own team, make and remove its networks, and do nothing else", () => {
    expect(actions.filter((action) => can(host, action, object()).allowed && ruleOf(action).needs !== "everyone")).toEqual([
      "network.change",
      "network.remove",
      "registry.pull",
    ]);
    expect(can(host, "network.remove", { ...object(), teamId: "team-b" })).toEqual(forbidden);
    expect(can(host, "registry.pull", { ...object(), teamId: "team-b" })).toEqual(forbidden);
  });

  test("what is public is open to everybody for pulling and for nothing else", () => {
    const open = actions.filter(
      (action) => can(anonymous, action, { ...object(), isPublic: true }).allowed && ruleOf(action).needs !== "everyone",
    );
    expect(open).toEqual(["registry.pull"]);
    expect(can(user("deployer", { team: teamB }), "registry.push", { ...object(), isPublic: true })).toEqual(invisible);
  });

  test("what belongs to a person is for that person only, not for an owner of the team", () => {
    const deployer = user("deployer");
    expect(can(deployer, "token.revoke", object(deployer.userId))).toEqual({ allowed: true });
    expect(can(user("owner"), "token.revoke", object(deployer.userId))).toEqual(invisible);
    expect(can(deployer, "token.revoke", object())).toEqual(invisible);
  });

  test("the instance is for those who look after it, whatever their role in a team", () => {
    expect(can(user("owner"), "registry.cleanup", object())).toEqual(forbidden);
    expect(can(user("viewer", { isInstanceAdmin: true }), "registry.cleanup", object())).toEqual({ allowed: true });
  });

  test.each(byRight)("%s: exactly the rights that it names are needed, all of them", (action) => {
    const needs = rightsNeeded(action);
    expect(can(user("viewer", { rights: new Set(needs) }), action, object())).toEqual({ allowed: true });
    for (const missing of needs) {
      const rights = new Set(RIGHTS.filter((right) => right !== missing));
      expect(can(user("owner", { rights }), action, object())).toEqual(forbidden);
    }
  });
});

describe("on a host of another team", () => {
  const there: ObjectRef = { ...object(), host: { id: "h-b", teamId: "team-b" } };
  const granted = (...rights: Right[]): UserActor => user("owner", { grants: new Map([["h-b", new Set(rights)]]) });

  test("without a grant there is no such object", () => {
    for (const action of byRight) expect(can(user("owner"), action, there)).toEqual(invisible);
    const elsewhere = user("owner", { grants: new Map([["h-other", new Set(GRANTABLE_RIGHTS)]]) });
    expect(can(elsewhere, "container.read", there)).toEqual(invisible);
  });

  test("the grant must allow it, and so must the role", () => {
    expect(can(granted("container.read"), "container.read", there)).toEqual({ allowed: true });
    expect(can(granted("container.read"), "container.exec", there)).toEqual(forbidden);
    const viewer = user("viewer", { grants: new Map([["h-b", new Set(GRANTABLE_RIGHTS)]]) });
    expect(can(viewer, "container.logs", there)).toEqual({ allowed: true });
    expect(can(viewer, "container.exec", there)).toEqual(forbidden);
  });

  test("no grant lends what is about the host itself or about its team", () => {
    const all = granted(...GRANTABLE_RIGHTS);
    const lent = byRight.filter((action) => can(all, action, there).allowed);
    expect(lent.filter((action) => !/^(container|image|volume|network|guard\.read|host\.read|system|event|metrics)/.test(action))).toEqual(
      [],
    );
  });

  test("on a host of one's own no grant is asked for", () => {
    const here: ObjectRef = { ...object(), host: { id: "h-a", teamId: "team-a" } };
    expect(can(user("owner"), "container.exec", here)).toEqual({ allowed: true });
  });
});

describe("a token of some rights and hosts", () => {
  const here: ObjectRef = { ...object(), kind: "container", host: { id: "h-a", teamId: "team-a" } };
  const there: ObjectRef = { ...here, host: { id: "h-other", teamId: "team-a" } };
  const scoped = (more: Partial<UserActor> = {}): UserActor => ({ ...user("owner"), isScoped: true, hostIds: new Set(["h-a"]), ...more });

  test("other hosts do not exist for it, whatever is done", () => {
    expect(can(scoped(), "container.exec", here)).toEqual({ allowed: true });
    for (const action of byRight) expect(can(scoped(), action, there)).toEqual(invisible);
    expect(can(scoped(), "host.read", { kind: "host", id: "h-other", name: "h", teamId: "team-a" })).toEqual(invisible);
  });

  test("what is of no host it reads and does not change", () => {
    const team: ObjectRef = { kind: "team", id: "team-a", name: "a", teamId: "team-a" };
    expect(can(scoped(), "stack.read", team)).toEqual({ allowed: true });
    for (const action of byRight.filter((name) => ruleOf(name).changes)) expect(can(scoped(), action, team)).toEqual(forbidden);
  });

  test("it makes and ends no tokens of its person, and changes nothing about them", () => {
    const own: ObjectRef = { kind: "user", id: "u", name: "u", teamId: "team-a", ownerId: scoped().userId };
    const { hostIds: _, ...ofRights } = scoped();
    for (const action of ["token.create", "token.revoke", "me.update"] as const) {
      expect(can(scoped(), action, own)).toEqual(forbidden);
      expect(can(ofRights, action, own)).toEqual(forbidden);
    }
    expect(can(scoped(), "me.read", own)).toEqual({ allowed: true });
  });
});

describe("roles", () => {
  const refusedTo = (role: BuiltInRole): Action[] => byRight.filter((action) => !can(user(role), action, object()).allowed);

  test("an owner may everything, and each further role a part of what the one before may", () => {
    expect(refusedTo("owner")).toEqual([]);
    for (const [index, role] of BUILT_IN_ROLES.entries()) {
      const above = BUILT_IN_ROLES[index - 1];
      if (above !== undefined) expect([...rightsOfRole(role)].filter((right) => !rightsOfRole(above).has(right))).toEqual([]);
    }
  });

  test("a maintainer may all but decide about people and share hosts", () => {
    expect(RIGHTS.filter((right) => !rightsOfRole("maintainer").has(right))).toEqual(["host.share", "team.manage"]);
  });

  test("a deployer runs everything, and manages neither hosts nor the team", () => {
    expect(refusedTo("deployer")).toEqual(
      byRight.filter((action) =>
        /^(member\.(create|setRole|remove)|role\.(create|update|remove)|invitation|host\.(rename|remove|place)|grant|joinToken|serviceAccount|webhook|registry\.manage)/.test(
          action,
        ),
      ),
    );
  });

  test("a viewer changes nothing, opens no terminal and sees no environment", () => {
    const allowed = byRight.filter((action) => can(user("viewer"), action, object()).allowed);
    expect(allowed.filter((action) => ruleOf(action).changes)).toEqual([]);
    expect(allowed).toContain("container.logs");
    for (const action of ["container.inspect", "container.processes", "container.files", "event.read", "stack.inspect"] as const)
      expect(allowed).not.toContain(action);
  });

  test("a right that is not known allows nothing", () => {
    expect(toRights(["container.read", "container.everything", "__proto__"])).toEqual(new Set(["container.read"]));
  });
});
