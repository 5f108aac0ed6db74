import { createToken, listTokens, revokeToken } from "@flotilla/services";
import { z } from "zod";
import { createRouter, oneself, procedure } from "../trpc.ts";

const newToken = z.object({ name: z.string().trim().min(1).max(100), expiresInDays: z.int().min(1).max(3650).nullable() });

export const tokensRouter = createRouter({
  list: procedure(z.void(), { action: "token.read", object: oneself }).query(({ ctx }) => listTokens(ctx.services, ctx.actor)),
  create: procedure(newToken, { action: "token.create", object: oneself }).mutation(({ ctx, input }) =>
    createToken(ctx.services, ctx.actor, input),
  ),
  revoke: procedure(z.object({ id: z.string().min(1).max(64) }), { action: "token.revoke", object: oneself }).mutation(
    async ({ ctx, input }) => {
      await revokeToken(ctx.services, ctx.actor, input.id);
      return {};
    },
  ),
});
