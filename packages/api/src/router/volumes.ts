import {
  createVolume,
  engineObject,
  hostRef,
  inspectVolume,
  listVolumes,
  type ObjectRef,
  removeVolume,
  volumeName,
} from "@flotilla/services";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { createRouter, procedure } from "../trpc.ts";
import { hostOrTeam, perHostInput } from "./containers.ts";
import { theHost } from "./hosts.ts";

const volumeInput = z.object({ host: hostRef, name: volumeName });
const newVolume = z.object({
  host: hostRef,
  name: volumeName.optional(),
  labels: z.record(z.string().max(255), z.string().max(4096)).default({}),
});

function theVolume({ services, actor }: ApiContext, input: { host: string; name: string }): Promise<ObjectRef> {
  return engineObject(services, actor, { kind: "volume", host: input.host, id: input.name });
}

export const volumesRouter = createRouter({
  list: procedure(perHostInput, { action: "volume.read", object: hostOrTeam }).query(({ ctx, input }) =>
    listVolumes(ctx.services, ctx.actor, input),
  ),
  inspect: procedure(volumeInput, { action: "volume.read", object: theVolume }).query(({ ctx, input }) =>
    inspectVolume(ctx.services, ctx.actor, input),
  ),
  create: procedure(newVolume, { action: "volume.change", object: theHost }).mutation(({ ctx, input }) =>
    createVolume(ctx.services, ctx.actor, input),
  ),
  remove: procedure(volumeInput.extend({ force: z.boolean().default(false) }), { action: "volume.remove", object: theVolume }).mutation(
    async ({ ctx, input }) => {
      await removeVolume(ctx.services, ctx.actor, input);
      return {};
    },
  ),
});
