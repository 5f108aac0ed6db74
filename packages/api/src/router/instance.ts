import {
  createTeam,
  endSessionsOf,
  listPeople,
  listTeams,
  removePerson,
  removeTeam,
  resetTwoFactor,
  setInstanceAdmin,
  teamName,
  teamSlug,
  updateTeam,
} from "@flotilla/services";
import { z } from "zod";
import { createRouter, procedure, theInstance } from "../trpc.ts";

const id = z.string().min(1).max(64);
const teamChange = z.object({ id, name: teamName.optional(), requiresTwoFactor: z.boolean().optional() });
const peopleInput = z.object({ search: z.string().max(200).optional(), cursor: z.string().max(254).optional() });

export const teamsRouter = createRouter({
  list: procedure(z.void(), { action: "team.read", object: theInstance }).query(({ ctx }) => listTeams(ctx.services)),
  create: procedure(z.object({ name: teamName, slug: teamSlug }), { action: "team.create", object: theInstance }).mutation(
    ({ ctx, input }) => createTeam(ctx.services, ctx.actor, input),
  ),
  update: procedure(teamChange, { action: "team.update", object: theInstance }).mutation(async ({ ctx, input }) => {
    await updateTeam(ctx.services, ctx.actor, input);
    return {};
  }),
  remove: procedure(z.object({ id }), { action: "team.remove", object: theInstance }).mutation(async ({ ctx, input }) => {
    await removeTeam(ctx.services, ctx.actor, input.id);
    return {};
  }),
});

export const peopleRouter = createRouter({
  list: procedure(peopleInput, { action: "person.read", object: theInstance }).query(({ ctx, input }) => listPeople(ctx.services, input)),
  setInstanceAdmin: procedure(z.object({ id, isInstanceAdmin: z.boolean() }), { action: "person.change", object: theInstance }).mutation(
    async ({ ctx, input }) => {
      await setInstanceAdmin(ctx.services, ctx.actor, input);
      return {};
    },
  ),
  endSessions: procedure(z.object({ id }), { action: "person.change", object: theInstance }).mutation(({ ctx, input }) =>
    endSessionsOf(ctx.services, ctx.actor, input.id),
  ),
  resetTwoFactor: procedure(z.object({ id }), { action: "person.change", object: theInstance }).mutation(async ({ ctx, input }) => {
    await resetTwoFactor(ctx.services, ctx.actor, input.id);
    return {};
  }),
  remove: procedure(z.object({ id }), { action: "person.remove", object: theInstance }).mutation(async ({ ctx, input }) => {
    await removePerson(ctx.services, ctx.actor, input.id);
    return {};
  }),
});
