import { auditFilter, coalesce, getOverview, listActivity, type LiveEvent, readFleetHistory, verifyAudit } from "@flotilla/services";
import { z } from "zod";
import { createRouter, ownTeam, procedure } from "../trpc.ts";

export const overviewRouter = createRouter({
  get: procedure(z.void(), { action: "host.read", object: ownTeam }).query(({ ctx }) => getOverview(ctx.services, ctx.actor)),
  history: procedure(z.void(), { action: "host.read", object: ownTeam }).query(({ ctx }) => readFleetHistory(ctx.services, ctx.actor)),
});

const activityInput = auditFilter.extend({ cursor: z.string().max(64).optional(), limit: z.int().min(1).max(200).default(50) });
const verifyInput = z.object({
  /** A head that was written down earlier: `seq:hash`. */
  head: z
    .string()
    .regex(/^\d{1,18}:[0-9a-f]{64}$/, "must be SEQ:HASH, as an earlier verification gave it")
    .optional(),
});

export const activityRouter = createRouter({
  list: procedure(activityInput, { action: "activity.read", object: ownTeam }).query(({ ctx, input }) =>
    listActivity(ctx.services, ctx.actor, input),
  ),
  /** Walks the hash chain and names the first row that breaks it. */
  verify: procedure(verifyInput, { action: "activity.verify", object: ownTeam }).query(({ ctx, input }) => {
    const [seq = "", hash = ""] = input.head?.split(":") ?? [];
    return verifyAudit(ctx.services, input.head === undefined ? undefined : { seq, hash });
  }),
});

export const liveRouter = createRouter({
  onEvents: procedure(z.void(), { action: "live.read", object: ownTeam }).subscription(async function* ({ ctx, signal }) {
    const team = ownTeam(ctx).id;
    yield* coalesce((listener: (event: LiveEvent) => void) => ctx.live.subscribe(team, listener), signal ?? new AbortController().signal);
  }),
});
