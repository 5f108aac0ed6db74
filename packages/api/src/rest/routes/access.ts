import { z } from "zod";
import { nothing, route, time } from "../route.ts";

const role = z.object({ id: z.string(), name: z.string(), isBuiltIn: z.boolean() });
const rights = z.array(z.string());
const limits = z.looseObject({
  containers: z.number().optional(),
  cpus: z.number().optional(),
  memoryBytes: z.number().optional(),
  hostPorts: z.array(z.tuple([z.number(), z.number()])).optional(),
});
const guard = z.object({ limits, allow: z.looseObject({ privileged: z.boolean() }) });
const team = z.object({ id: z.string(), name: z.string(), slug: z.string() });

/** Who may do what: roles, invitations, teams, people, sessions, shared hosts, guard rails. */
export const ACCESS_ROUTES = [
  route("me.switchTeam", { method: "PUT", path: "/me/team", summary: "Let this session act for another team", output: nothing }),
  route("sessions.list", {
    method: "GET",
    path: "/sessions",
    summary: "Where one is signed in",
    output: z.array(
      z.object({
        id: z.string(),
        createdAt: time,
        lastSeenAt: time,
        expiresAt: time,
        address: z.string().nullable(),
        userAgent: z.string().nullable(),
        isCurrent: z.boolean(),
      }),
    ),
    list: (item) => item.id,
  }),
  route("sessions.revoke", { method: "DELETE", path: "/sessions/{id}", summary: "End a session", output: nothing }),
  route("members.setRole", { method: "PATCH", path: "/members/{id}", summary: "Give a member another role", output: nothing }),
  route("members.access", {
    method: "GET",
    path: "/members/{person}/access",
    summary: "What somebody can do, and why",
    output: z.object({
      person: z.object({ id: z.string(), name: z.string(), email: z.string(), isInstanceAdmin: z.boolean() }),
      team: z.object({ name: z.string() }),
      role: role.nullable(),
      host: z.object({ id: z.string(), name: z.string(), isShared: z.boolean() }).nullable(),
      rights: z.array(z.object({ right: z.string(), isAllowed: z.boolean(), reasons: z.array(z.looseObject({ kind: z.string() })) })),
    }),
  }),
  route("roles.list", {
    method: "GET",
    path: "/roles",
    summary: "Roles of the team and their rights",
    output: z.array(role.extend({ rights, members: z.number() })),
    list: (item) => item.id,
  }),
  route("roles.create", {
    method: "POST",
    path: "/roles",
    summary: "Make a role of some rights",
    output: z.object({ id: z.string() }),
    isCreation: true,
  }),
  route("roles.update", { method: "PUT", path: "/roles/{id}", summary: "Change a role", output: nothing }),
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
    output: z.object({ id: z.string(), url: z.string(), expiresAt: time }),
    isCreation: true,
  }),
  route("invitations.revoke", { method: "DELETE", path: "/invitations/{id}", summary: "Revoke an invitation", output: nothing }),
  route("invitations.look", {
    method: "POST",
    path: "/invitations/look",
    summary: "What an invitation is for, to who has its link",
    output: z.object({ email: z.string(), team: z.string(), hasAccount: z.boolean() }),
  }),
  route("invitations.accept", {
    method: "POST",
    path: "/invitations/accept",
    summary: "Accept an invitation",
    output: z.object({ teamId: z.string() }),
  }),
  route("teams.list", {
    method: "GET",
    path: "/teams",
    summary: "Teams of the instance",
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
  route("teams.create", {
    method: "POST",
    path: "/teams",
    summary: "Make a team",
    output: z.object({ id: z.string() }),
    isCreation: true,
  }),
  route("teams.update", { method: "PATCH", path: "/teams/{id}", summary: "Change a team", output: nothing }),
  route("teams.remove", { method: "DELETE", path: "/teams/{id}", summary: "Remove a team that has nothing any more", output: nothing }),
  route("people.list", {
    method: "GET",
    path: "/people",
    summary: "People of the instance",
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
    summary: "Make somebody an instance administrator, or not any more",
    output: nothing,
  }),
  route("people.endSessions", {
    method: "DELETE",
    path: "/people/{id}/sessions",
    summary: "End all sessions of somebody",
    output: z.object({ ended: z.number() }),
  }),
  route("people.resetTwoFactor", {
    method: "DELETE",
    path: "/people/{id}/two-factor",
    summary: "Take somebody's second factor away",
    output: nothing,
  }),
  route("people.remove", { method: "DELETE", path: "/people/{id}", summary: "Remove a person from the instance", output: nothing }),
  route("hosts.grants.list", {
    method: "GET",
    path: "/hosts/{host}/grants",
    summary: "With which teams a host is shared",
    output: z.array(z.object({ id: z.string(), team: team.omit({ id: true }), rights, limits, createdBy: z.string(), createdAt: time })),
    list: (item) => item.id,
  }),
  route("hosts.grants.set", {
    method: "PUT",
    path: "/hosts/{host}/grants",
    summary: "Share a host with a team, or change how",
    output: z.object({ id: z.string() }),
  }),
  route("hosts.grants.remove", { method: "DELETE", path: "/hosts/{host}/grants/{id}", summary: "Stop sharing a host", output: nothing }),
  route("guards.get", {
    method: "GET",
    path: "/hosts/{host}/guards",
    summary: "What teams' containers may do on a host",
    output: z.object({
      teams: z.array(guard.extend({ team: team.omit({ slug: true }), source: z.enum(["own", "default", "safe"]), grantLimits: limits })),
      instanceDefault: guard.nullable(),
    }),
  }),
  route("guards.set", { method: "PUT", path: "/guards", summary: "Set a guard rail", output: nothing }),
  route("guards.reset", { method: "POST", path: "/guards/reset", summary: "Take a guard rail back to the default", output: nothing }),
] as const;
