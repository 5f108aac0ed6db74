import {
  engineObject,
  historyOfImage,
  hostRef,
  imageRef,
  inspectImage,
  layersOfImage,
  listImages,
  type ObjectRef,
  platformText,
  pullImage,
  pushImage,
  registryLogin,
  removeImage,
  tagImage,
} from "@flotilla/services";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { createRouter, procedure } from "../trpc.ts";
import { hostOrTeam, perHostInput } from "./containers.ts";
import { theHost } from "./hosts.ts";

/** A login goes over the WebSocket only: subscriptions have no address that a proxy could write down. */
const transferInput = z.object({ host: hostRef, reference: imageRef, login: registryLogin.optional() });
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
  layers: procedure(imageInput, { action: "image.read", object: theImage }).query(({ ctx, input }) =>
    layersOfImage(ctx.services, ctx.actor, input),
  ),
  remove: procedure(imageInput.extend({ force: z.boolean().default(false) }), { action: "image.remove", object: theImage }).mutation(
    ({ ctx, input }) => removeImage(ctx.services, ctx.actor, input),
  ),
  tag: procedure(imageInput.extend({ name: imageRef }), { action: "image.tag", object: theImage }).mutation(async ({ ctx, input }) => {
    await tagImage(ctx.services, ctx.actor, input);
    return {};
  }),
  onPull: procedure(transferInput.extend({ platform: platformText.optional() }), { action: "image.pull", object: theHost }).subscription(
    async function* ({ ctx, input, signal }) {
      yield* pullImage(ctx.services, ctx.actor, { ...input, signal: signal ?? new AbortController().signal });
    },
  ),
  onPush: procedure(transferInput, { action: "image.push", object: theHost }).subscription(async function* ({ ctx, input, signal }) {
    yield* pushImage(ctx.services, ctx.actor, { ...input, signal: signal ?? new AbortController().signal });
  }),
});
