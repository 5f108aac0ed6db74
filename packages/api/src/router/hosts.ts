import {
  createJoinToken,
  findHost,
  getHost,
  grantInput,
  hostName,
  hostObject,
  hostRef,
  listGrants,
  listHosts,
  listJoinTokens,
  type ObjectRef,
  placeHost,
  placeHostInput,
  removeGrant,
  removeHost,
  renameHost,
  revokeJoinToken,
  setGrant,
} from "@flotilla/services";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { createRouter, ownTeam, procedure } from "../trpc.ts";

const hostInput = z.object({ host: hostRef });

/** The named host as the object of an action. @throws not_found, also for hosts of other teams. */
export async function theHost({ services, actor }: ApiContext, input: { host: string }): Promise<ObjectRef> {
  return hostObject(await findHost(services, actor, input.host));
}

const newJoinToken = z.object({
  name: hostName.optional(),
  expiresInMinutes: z
    .int()
    .min(1)
    .max(7 * 24 * 60),
  uses: z.int().min(1).max(1000),
});

const joinTokensRouter = createRouter({
  create: procedure(newJoinToken, { action: "joinToken.create", object: ownTeam }).mutation(({ ctx, input }) =>
    createJoinToken(ctx.services, ctx.actor, input),
  ),
  list: procedure(z.void(), { action: "joinToken.read", object: ownTeam }).query(({ ctx }) => listJoinTokens(ctx.services, ctx.actor)),
  revoke: procedure(z.object({ id: z.string().min(1).max(64) }), { action: "joinToken.revoke", object: ownTeam }).mutation(
    async ({ ctx, input }) => {
      await revokeJoinToken(ctx.services, ctx.actor, input.id);
      return {};
    },
  ),
});

const grantsRouter = createRouter({
  list: procedure(hostInput, { action: "grant.read", object: theHost }).query(({ ctx, input }) =>
    listGrants(ctx.services, ctx.actor, input.host),
  ),
  set: procedure(grantInput.extend({ host: hostRef }), { action: "grant.change", object: theHost }).mutation(({ ctx, input }) =>
    setGrant(ctx.services, ctx.actor, input),
  ),
  remove: procedure(hostInput.extend({ id: z.string().min(1).max(64) }), { action: "grant.remove", object: theHost }).mutation(
    async ({ ctx, input }) => {
      await removeGrant(ctx.services, ctx.actor, input);
      return {};
    },
  ),
});

export const hostsRouter = createRouter({
  list: procedure(z.void(), { action: "host.read", object: ownTeam }).query(({ ctx }) => listHosts(ctx.services, ctx.actor)),
  get: procedure(hostInput, { action: "host.read", object: theHost }).query(({ ctx, input }) =>
    getHost(ctx.services, ctx.actor, input.host),
  ),
  rename: procedure(hostInput.extend({ name: hostName }), { action: "host.rename", object: theHost }).mutation(async ({ ctx, input }) => {
    await renameHost(ctx.services, ctx.actor, input);
    return {};
  }),
  /** Labels and availability: what the scheduler may do with it. */
  place: procedure(placeHostInput, { action: "host.place", object: theHost }).mutation(async ({ ctx, input }) => {
    await placeHost(ctx.services, ctx.actor, input);
    return {};
  }),
  remove: procedure(hostInput, { action: "host.remove", object: theHost }).mutation(async ({ ctx, input }) => {
    await removeHost(ctx.services, ctx.actor, input.host);
    return {};
  }),
  joinTokens: joinTokensRouter,
  /** With which teams a host is shared. */
  grants: grantsRouter,
});
