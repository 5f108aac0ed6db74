import { containerInput, engineObject } from "@flotilla/services";
import { z } from "zod";
import { createRouter, oneself, procedure } from "../trpc.ts";

const cells = z.int().min(1).max(1000);
const openInput = containerInput.extend({
  command: z.array(z.string().max(4096)).min(1).max(100).optional(),
  user: z.string().max(255).optional(),
  rows: cells,
  cols: cells,
});

export const terminalRouter = createRouter({
  open: procedure(openInput, {
    action: "container.exec",
    object: ({ services, actor }, input) => engineObject(services, actor, { kind: "container", host: input.host, id: input.id }),
  }).mutation(({ ctx, input }) => ctx.terminals.open(ctx.actor, input)),
  // The session belongs to the person who opened it, and knows the right that it was opened with: that right is asked again.
  reattach: procedure(z.object({ sessionId: z.string().min(1).max(64) }), { action: "me.read", object: oneself }).mutation(
    ({ ctx, input }) => ctx.terminals.reattach(ctx.actor, input.sessionId),
  ),
});
