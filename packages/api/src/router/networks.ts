import {
  checkReach,
  connectNetwork,
  createNetwork,
  disconnectNetwork,
  getOverlay,
  inspectNetwork,
  listNetworks,
  listPorts,
  membership,
  networkInput,
  networkObject,
  newNetwork,
  type ObjectRef,
  reachInput,
  readMesh,
  removeNetwork,
} from "@flotilla/services";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { createRouter, ownTeam, procedure } from "../trpc.ts";
import { hostOrTeam, perHostInput, theContainer } from "./containers.ts";

const ref = z.string().min(1).max(255);

function theNetwork({ services, actor }: ApiContext, input: { network: string; host?: string | undefined }): Promise<ObjectRef> {
  return networkObject(services, actor, input);
}

export const networksRouter = createRouter({
  list: procedure(perHostInput, { action: "network.read", object: hostOrTeam }).query(({ ctx, input }) =>
    listNetworks(ctx.services, ctx.actor, input),
  ),
  mesh: procedure(z.void(), { action: "network.read", object: ownTeam }).query(({ ctx }) => readMesh(ctx.services, ctx.actor)),
  ports: procedure(perHostInput, { action: "container.read", object: hostOrTeam }).query(({ ctx, input }) =>
    listPorts(ctx.services, ctx.actor, input),
  ),
  // A question and no act, though packets are sent: asked anew it answers anew.
  reach: procedure(reachInput, { action: "container.probe", object: theContainer }).query(({ ctx, input }) =>
    checkReach(ctx.services, ctx.actor, input),
  ),
  get: procedure(z.object({ network: ref }), { action: "network.read", object: theNetwork }).query(({ ctx, input }) =>
    getOverlay(ctx.services, ctx.actor, input.network),
  ),
  inspect: procedure(networkInput.required(), { action: "network.read", object: theNetwork }).query(({ ctx, input }) =>
    inspectNetwork(ctx.services, ctx.actor, { host: input.host, id: input.network }),
  ),
  create: procedure(newNetwork, { action: "network.change", object: hostOrTeam }).mutation(({ ctx, input }) =>
    createNetwork(ctx.services, ctx.actor, input),
  ),
  remove: procedure(networkInput, { action: "network.remove", object: theNetwork }).mutation(async ({ ctx, input }) => {
    await removeNetwork(ctx.services, ctx.actor, input);
    return {};
  }),
  connect: procedure(membership, { action: "network.change", object: theNetwork }).mutation(async ({ ctx, input }) => {
    await connectNetwork(ctx.services, ctx.actor, input);
    return {};
  }),
  disconnect: procedure(membership, { action: "network.change", object: theNetwork }).mutation(async ({ ctx, input }) => {
    await disconnectNetwork(ctx.services, ctx.actor, input);
    return {};
  }),
});
