import { z } from "zod";
import { nothing, route, time } from "../route.ts";

const made = z.object({ id: z.string() });
const rights = z.array(z.string());
const team = z.object({ id: z.string(), name: z.string(), slug: z.string() });
export const role = z.object({ id: z.string(), name: z.string(), isBuiltIn: z.boolean() });
const roleRow = role.extend({ rights, members: z.number() });
const reason = z.looseObject({ kind: z.string() });
const limits = z.looseObject({});

/** What a team is made of beside its members, and what an instance is made of. */
export const TEAM_ROUTES = [
  route("members.setRole", { method: "PUT", path: "/members/{id}/role", summary: "Give a member another role", output: nothing }),
  route("members.access", {
    method: "GET",
    path: "/members/{person}/access",
    summary: "What a member can do, and why",
    output: z.object({
      person: z.object({ id: z.string(), name: z.string(), email: z.string(), isInstanceAdmin: z.boolean() }),
      team: z.object({ name: z.string() }),
      role: role.nullable(),
      host: z.object({ id: z.string(), name: z.string(), isShared: z.boolean() }).nullable(),
      rights: z.array(z.object({ right: z.string(), isAllowed: z.boolean(), reasons: z.array(reason) })),
    }),
  }),
  route("roles.list", { method: "GET", path: "/roles", summary: "Roles of the team", output: z.array(roleRow), list: (item) => item.id }),
  route("roles.create", { method: "POST", path: "/roles", summary: "Make a role of rights", output: made, isCreation: true }),
  route("roles.update", { method: "PUT", path: "/roles/{id}", summary: "Change what a role allows", output: nothing }),
  route("roles.remove", { method: "DELETE", path: "/roles/{id}", summary: "Remove a role that nobody has", output: nothing }),
  route("invitations.list", {
    method: "GET",
    path: "/invitations",
    summary: "Invitations that nobody accepted yet, without their links",
    output: z.array(
      z.object({
        id: z.string(),
        email: z.string(),
        role,
        invitedBy: z.string(),
        createdAt: time,
        expiresAt: time,
        isExpired: z.boolean(),
      }),
    ),
    list: (item) => item.id,
  }),
  route("invitations.create", {
    method: "POST",
    path: "/invitations",
    summary: "Invite an e-mail address; the link is answered once",
    output: made.extend({ url: z.string(), expiresAt: time }),
    isCreation: true,
  }),
  route("invitations.revoke", { method: "DELETE", path: "/invitations/{id}", summary: "Revoke an invitation", output: nothing }),
  route("teams.list", {
    method: "GET",
    path: "/teams",
    summary: "Teams of the instance (instance administrators)",
    output: z.array(
      team.extend({
        namespace: z.string(),
        createdAt: time,
        requiresTwoFactor: z.boolean(),
        members: z.number(),
        hosts: z.number(),
        sharedHosts: z.number(),
        stacks: z.number(),
        repositories: z.number(),
      }),
    ),
    list: (item) => item.id,
  }),
  route("teams.create", { method: "POST", path: "/teams", summary: "Make a team", output: made, isCreation: true }),
  route("teams.update", { method: "PATCH", path: "/teams/{id}", summary: "Change a team", output: nothing }),
  route("teams.remove", { method: "DELETE", path: "/teams/{id}", summary: "Remove a team that has nothing left", output: nothing }),
  route("people.list", {
    method: "GET",
    path: "/people",
    summary: "People of the instance (instance administrators)",
    output: z.object({
      items: z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          email: z.string(),
          isInstanceAdmin: z.boolean(),
          hasTwoFactor: z.boolean(),
          createdAt: time,
          sessions: z.number(),
          memberships: z.array(z.object({ team, role })),
        }),
      ),
      nextCursor: z.string().nullable(),
    }),
    list: "own",
  }),
  route("people.setInstanceAdmin", {
    method: "PUT",
    path: "/people/{id}/instance-admin",
    summary: "Make somebody an instance administrator, or end that",
    output: nothing,
  }),
  route("people.endSessions", {
    method: "DELETE",
    path: "/people/{id}/sessions",
    summary: "Sign a person out everywhere",
    output: z.object({ ended: z.number() }),
  }),
  route("people.resetTwoFactor", {
    method: "DELETE",
    path: "/people/{id}/second-factor",
    summary: "Take the second factor away from who lost it",
    output: nothing,
  }),
  route("people.remove", { method: "DELETE", path: "/people/{id}", summary: "Remove an account", output: nothing }),
  route("hosts.grants.list", {
    method: "GET",
    path: "/hosts/{host}/grants",
    summary: "With which teams a host is shared",
    output: z.array(
      z.object({
        id: z.string(),
        team: z.object({ name: z.string(), slug: z.string() }),
        rights,
        limits,
        createdBy: z.string(),
        createdAt: time,
      }),
    ),
    list: (item) => item.id,
  }),
  route("hosts.grants.set", {
    method: "PUT",
    path: "/hosts/{host}/grants",
    summary: "Share a host with a team, or change what it may do there",
    output: made,
  }),
  route("hosts.grants.remove", { method: "DELETE", path: "/hosts/{host}/grants/{id}", summary: "Stop sharing a host", output: nothing }),
  route("guards.get", {
    method: "GET",
    path: "/hosts/{host}/guards",
    summary: "What teams' containers may do on a host, and how much of it they may use",
    output: z.object({
      teams: z.array(
        z.object({
          team: z.object({ id: z.string(), name: z.string() }),
          limits,
          allow: z.looseObject({}),
          source: z.enum(["own", "default", "safe"]),
          grantLimits: limits,
        }),
      ),
      instanceDefault: z.object({ limits, allow: z.looseObject({}) }).nullable(),
    }),
  }),
  route("guards.getDefault", {
    method: "GET",
    path: "/guards",
    summary: "What containers may do where a team has no guard rail of its own",
    output: z.object({ guard: z.object({ limits, allow: z.looseObject({}) }), isSet: z.boolean() }),
  }),
  route("guards.set", { method: "PUT", path: "/guards", summary: "Say what a team's containers may do on a host", output: nothing }),
  route("guards.reset", { method: "DELETE", path: "/guards", summary: "Go back to the default guard rails", output: nothing }),
] as const;
