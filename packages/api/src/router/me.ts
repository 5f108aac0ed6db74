import { getMe, personName, updateMe } from "@flotilla/services";
import { z } from "zod";
import { createRouter, oneself, procedure } from "../trpc.ts";

export const meRouter = createRouter({
  get: procedure(z.void(), { action: "me.read", object: oneself }).query(({ ctx }) => getMe(ctx.services, ctx.actor)),
  update: procedure(z.object({ name: personName }), { action: "me.update", object: oneself }).mutation(async ({ ctx, input }) => {
    await updateMe(ctx.services, ctx.actor, input);
    return {};
  }),
});
