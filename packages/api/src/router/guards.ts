import { guardObject, guardTarget, hostRef, readDefaultGuard, readGuards, resetGuard, setGuard, setGuardInput } from "@flotilla/services";
import { z } from "zod";
import { createRouter, procedure, theInstance } from "../trpc.ts";
import { theHost } from "./hosts.ts";

/** What teams may do on hosts. */
export const guardsRouter = createRouter({
  get: procedure(z.object({ host: hostRef }), { action: "guard.read", object: theHost }).query(({ ctx, input }) =>
    readGuards(ctx.services, ctx.actor, input.host),
  ),
  getDefault: procedure(z.void(), { action: "guard.readDefault", object: theInstance }).query(({ ctx }) => readDefaultGuard(ctx.services)),
  set: procedure(setGuardInput, {
    action: "guard.change",
    object: ({ services, actor }, input) => guardObject(services, actor, input),
  }).mutation(async ({ ctx, input }) => {
    await setGuard(ctx.services, ctx.actor, input);
    return {};
  }),
  reset: procedure(guardTarget, {
    action: "guard.change",
    object: ({ services, actor }, input) => guardObject(services, actor, input),
  }).mutation(async ({ ctx, input }) => {
    await resetGuard(ctx.services, ctx.actor, input);
    return {};
  }),
});
