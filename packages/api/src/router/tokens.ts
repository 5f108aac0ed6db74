import {
  createServiceAccount,
  createServiceToken,
  createToken,
  listServiceAccounts,
  listTokens,
  newServiceAccount,
  newServiceToken,
  newToken,
  type ObjectRef,
  removeServiceAccount,
  revokeServiceToken,
  revokeToken,
  serviceAccountObject,
  serviceAccountRef,
  serviceTokenRef,
} from "@flotilla/services";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { createRouter, oneself, ownTeam, procedure } from "../trpc.ts";

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

function theAccount({ services, actor }: ApiContext, { id }: { id: string }): Promise<ObjectRef> {
  return serviceAccountObject(services, actor, id);
}

/** Accounts that programs act as; they belong to the team. */
export const serviceAccountsRouter = createRouter({
  list: procedure(z.void(), { action: "serviceAccount.read", object: ownTeam }).query(({ ctx }) =>
    listServiceAccounts(ctx.services, ctx.actor),
  ),
  create: procedure(newServiceAccount, { action: "serviceAccount.create", object: ownTeam }).mutation(({ ctx, input }) =>
    createServiceAccount(ctx.services, ctx.actor, input),
  ),
  remove: procedure(serviceAccountRef, { action: "serviceAccount.remove", object: theAccount }).mutation(async ({ ctx, input }) => {
    await removeServiceAccount(ctx.services, ctx.actor, input.id);
    return {};
  }),
  createToken: procedure(newServiceToken, { action: "serviceAccount.create", object: theAccount }).mutation(({ ctx, input }) =>
    createServiceToken(ctx.services, ctx.actor, input),
  ),
  revokeToken: procedure(serviceTokenRef, { action: "serviceAccount.remove", object: theAccount }).mutation(async ({ ctx, input }) => {
    await revokeServiceToken(ctx.services, ctx.actor, input);
    return {};
  }),
});
