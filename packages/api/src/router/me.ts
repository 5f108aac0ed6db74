import { getMe, listSessions, personName, revokeSession, switchTeam, updateMe } from "@flotilla/services";
import { z } from "zod";
import { createRouter, oneself, procedure } from "../trpc.ts";

const id = z.string().min(1).max(64);

export const meRouter = createRouter({
  get: procedure(z.void(), { action: "me.read", object: oneself }).query(({ ctx }) => getMe(ctx.services, ctx.actor)),
  update: procedure(z.object({ name: personName }), { action: "me.update", object: oneself }).mutation(async ({ ctx, input }) => {
    await updateMe(ctx.services, ctx.actor, input);
    return {};
  }),
  /** The team that this session's pages act for. */
  switchTeam: procedure(z.object({ id }), { action: "me.switchTeam", object: oneself }).mutation(async ({ ctx, input }) => {
    await switchTeam(ctx.services, ctx.actor, input.id);
    return {};
  }),
});

/** Where somebody is signed in. */
export const sessionsRouter = createRouter({
  list: procedure(z.void(), { action: "session.read", object: oneself }).query(({ ctx }) => listSessions(ctx.services, ctx.actor)),
  revoke: procedure(z.object({ id }), { action: "session.revoke", object: oneself }).mutation(async ({ ctx, input }) => {
    await revokeSession(ctx.services, ctx.actor, input.id);
    return {};
  }),
});
