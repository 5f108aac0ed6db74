import {
  acceptInvitation,
  createInvitation,
  createMember,
  createRole,
  emailAddress,
  explainAccess,
  hostRef,
  listInvitations,
  listMembers,
  listRoles,
  lookAtInvitation,
  password,
  personName,
  removeMember,
  removeRole,
  revokeInvitation,
  rightList,
  roleName,
  setMemberRole,
  updateRole,
} from "@flotilla/services";
import { z } from "zod";
import { createRouter, ownTeam, procedure, theInstance } from "../trpc.ts";

const id = z.string().min(1).max(64);
/** Name of a built-in role, or id of one of the team's own. */
const roleRef = id;
const newMember = z.object({ name: personName, email: emailAddress, password, role: roleRef });
const invitationToken = z.string().min(1).max(128);

export const membersRouter = createRouter({
  list: procedure(z.void(), { action: "member.read", object: ownTeam }).query(({ ctx }) => listMembers(ctx.services, ctx.actor)),
  create: procedure(newMember, { action: "member.create", object: ownTeam }).mutation(({ ctx, input }) =>
    createMember(ctx.services, ctx.actor, input),
  ),
  setRole: procedure(z.object({ id, role: roleRef }), { action: "member.setRole", object: ownTeam }).mutation(async ({ ctx, input }) => {
    await setMemberRole(ctx.services, ctx.actor, input);
    return {};
  }),
  remove: procedure(z.object({ id }), { action: "member.remove", object: ownTeam }).mutation(async ({ ctx, input }) => {
    await removeMember(ctx.services, ctx.actor, input.id);
    return {};
  }),
  /** What somebody can do, and why. */
  access: procedure(z.object({ person: id, host: hostRef.optional() }), { action: "access.explain", object: ownTeam }).query(
    ({ ctx, input }) => explainAccess(ctx.services, ctx.actor, input),
  ),
});

export const rolesRouter = createRouter({
  list: procedure(z.void(), { action: "role.read", object: ownTeam }).query(({ ctx }) => listRoles(ctx.services, ctx.actor)),
  create: procedure(z.object({ name: roleName, rights: rightList }), { action: "role.create", object: ownTeam }).mutation(
    ({ ctx, input }) => createRole(ctx.services, ctx.actor, input),
  ),
  update: procedure(z.object({ id, name: roleName, rights: rightList }), { action: "role.update", object: ownTeam }).mutation(
    async ({ ctx, input }) => {
      await updateRole(ctx.services, ctx.actor, input);
      return {};
    },
  ),
  remove: procedure(z.object({ id }), { action: "role.remove", object: ownTeam }).mutation(async ({ ctx, input }) => {
    await removeRole(ctx.services, ctx.actor, input.id);
    return {};
  }),
});

const newInvitation = z.object({ email: emailAddress, role: roleRef, expiresInDays: z.int().min(1).max(30).default(7) });
const acceptance = z.object({ token: invitationToken, name: personName.optional(), password: password.optional() });

export const invitationsRouter = createRouter({
  list: procedure(z.void(), { action: "invitation.read", object: ownTeam }).query(({ ctx }) => listInvitations(ctx.services, ctx.actor)),
  create: procedure(newInvitation, { action: "invitation.create", object: ownTeam }).mutation(({ ctx, input }) =>
    createInvitation(ctx.services, ctx.actor, input),
  ),
  revoke: procedure(z.object({ id }), { action: "invitation.revoke", object: ownTeam }).mutation(async ({ ctx, input }) => {
    await revokeInvitation(ctx.services, ctx.actor, input.id);
    return {};
  }),
  /** A mutation, since a query would put the link's secret into an address. */
  look: procedure(z.object({ token: invitationToken }), { action: "invitation.look", object: theInstance }).mutation(({ ctx, input }) =>
    lookAtInvitation(ctx.services, ctx.actor, input.token),
  ),
  accept: procedure(acceptance, { action: "invitation.accept", object: theInstance }).mutation(({ ctx, input }) =>
    acceptInvitation(ctx.services, ctx.actor, input),
  ),
});
