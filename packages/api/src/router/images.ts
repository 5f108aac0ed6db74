import { engineObject, historyOfImage, hostRef, imageRef, inspectImage, listImages, type ObjectRef, removeImage } from "@flotilla/services";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { createRouter, procedure } from "../trpc.ts";
import { hostOrTeam, perHostInput } from "./containers.ts";

const imageInput = z.object({ host: hostRef, id: imageRef });

function theImage({ services, actor }: ApiContext, input: { host: string; id: string }): Promise<ObjectRef> {
  return engineObject(services, actor, { kind: "image", host: input.host, id: input.id });
}

export const imagesRouter = createRouter({
  list: procedure(perHostInput, { action: "image.read", object: hostOrTeam }).query(({ ctx, input }) =>
    listImages(ctx.services, ctx.actor, input),
  ),
  inspect: procedure(imageInput, { action: "image.read", object: theImage }).query(({ ctx, input }) =>
    inspectImage(ctx.services, ctx.actor, input),
  ),
  history: procedure(imageInput, { action: "image.read", object: theImage }).query(({ ctx, input }) =>
    historyOfImage(ctx.services, ctx.actor, input),
  ),
  remove: procedure(imageInput.extend({ force: z.boolean().default(false) }), { action: "image.remove", object: theImage }).mutation(
    ({ ctx, input }) => removeImage(ctx.services, ctx.actor, input),
  ),
});
