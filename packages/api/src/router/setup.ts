import { completeSetup, emailAddress, needsSetup, password, personName } from "@flotilla/services";
import { z } from "zod";
import { createRouter, procedure, theInstance } from "../trpc.ts";

const setupInput = z.object({
  token: z.string().min(1).max(128),
  name: personName,
  email: emailAddress,
  password,
  teamName: z.string().trim().min(1).max(100),
});

export const setupRouter = createRouter({
  status: procedure(z.void(), { action: "setup.read", object: theInstance }).query(async ({ ctx }) => {
    return { needsSetup: await needsSetup(ctx.services) };
  }),
  complete: procedure(setupInput, { action: "setup.complete", object: theInstance }).mutation(async ({ ctx, input }) => {
    await completeSetup(ctx.services, ctx.actor, input);
    return {};
  }),
});
