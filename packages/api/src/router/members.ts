import { BUILT_IN_ROLES, createMember, emailAddress, listMembers, password, personName, removeMember } from "@flotilla/services";
import { z } from "zod";
import { createRouter, ownTeam, procedure } from "../trpc.ts";

const newMember = z.object({ name: personName, email: emailAddress, password, role: z.enum(BUILT_IN_ROLES) });

export const membersRouter = createRouter({
  list: procedure(z.void(), { action: "member.read", object: ownTeam }).query(({ ctx }) => listMembers(ctx.services, ctx.actor)),
  create: procedure(newMember, { action: "member.create", object: ownTeam }).mutation(({ ctx, input }) =>
    createMember(ctx.services, ctx.actor, input),
  ),
  remove: procedure(z.object({ id: z.string().min(1).max(64) }), { action: "member.remove", object: ownTeam }).mutation(
    async ({ ctx, input }) => {
      await removeMember(ctx.services, ctx.actor, input.id);
      return {};
    },
  ),
});
