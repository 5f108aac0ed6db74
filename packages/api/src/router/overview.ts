import { coalesce, getOverview, listActivity, type LiveEvent, readFleetHistory } from "@flotilla/services";
import { z } from "zod";
import { createRouter, ownTeam, procedure } from "../trpc.ts";

export const overviewRouter = createRouter({
  get: procedure(z.void(), { action: "host.read", object: ownTeam }).query(({ ctx }) => getOverview(ctx.services, ctx.actor)),
  history: procedure(z.void(), { action: "host.read", object: ownTeam }).query(({ ctx }) => readFleetHistory(ctx.services, ctx.actor)),
});

const activityInput = z.object({
  cursor: z.string().max(64).optional(),
  limit: z.int().min(1).max(200).default(50),
  search: z.string().max(200).optional(),
});

export const activityRouter = createRouter({
  list: procedure(activityInput, { action: "activity.read", object: ownTeam }).query(({ ctx, input }) =>
    listActivity(ctx.services, ctx.actor, input),
  ),
});

export const liveRouter = createRouter({
  onEvents: procedure(z.void(), { action: "live.read", object: ownTeam }).subscription(async function* ({ ctx, signal }) {
    const team = ownTeam(ctx).id;
    yield* coalesce((listener: (event: LiveEvent) => void) => ctx.live.subscribe(team, listener), signal ?? new AbortController().signal);
  }),
});
