import {
  actOnContainer,
  CONTAINER_ACTIONS,
  containerInput,
  containerRef,
  engineObject,
  followLogs,
  followStats,
  hostRef,
  inspectContainer,
  listContainers,
  type ObjectRef,
  parseRun,
  removeContainer,
  renameContainer,
  runContainer,
  runSpec,
  statsOfContainer,
  topContainer,
} from "@flotilla/services";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { createRouter, ownTeam, procedure } from "../trpc.ts";
import { theHost } from "./hosts.ts";

export function theContainer({ services, actor }: ApiContext, input: { host: string; id: string }): Promise<ObjectRef> {
  return engineObject(services, actor, { kind: "container", host: input.host, id: input.id });
}

/** A list over one host is about that host, a list over all about the team. */
export function hostOrTeam(context: ApiContext, input: { host?: string | undefined }): ObjectRef | Promise<ObjectRef> {
  return input.host === undefined ? ownTeam(context) : theHost(context, { host: input.host });
}

export const perHostInput = z.object({ host: hostRef.optional() });

const logsInput = containerInput.extend({
  tail: z.int().min(0).max(100_000).default(500),
  since: z
    .string()
    .max(64)
    .regex(/^[0-9TZ:.+-]+$/)
    .optional(),
  follow: z.boolean().default(true),
  timestamps: z.boolean().default(false),
});

const reads = {
  list: procedure(perHostInput, { action: "container.read", object: hostOrTeam }).query(({ ctx, input }) =>
    listContainers(ctx.services, ctx.actor, input),
  ),
  inspect: procedure(containerInput, { action: "container.read", object: theContainer }).query(({ ctx, input }) =>
    inspectContainer(ctx.services, ctx.actor, input),
  ),
  top: procedure(containerInput, { action: "container.processes", object: theContainer }).query(({ ctx, input }) =>
    topContainer(ctx.services, ctx.actor, input),
  ),
  stats: procedure(containerInput, { action: "container.read", object: theContainer }).query(({ ctx, input }) =>
    statsOfContainer(ctx.services, ctx.actor, input),
  ),
  parseRun: procedure(z.object({ line: z.string().max(65_536) }), { action: "container.read", object: ownTeam }).query(({ input }) =>
    parseRun(input.line),
  ),
};

const changes = {
  action: procedure(containerInput.extend({ action: z.enum(CONTAINER_ACTIONS) }), {
    action: "container.change",
    object: theContainer,
  }).mutation(async ({ ctx, input }) => {
    await actOnContainer(ctx.services, ctx.actor, input);
    return {};
  }),
  remove: procedure(containerInput.extend({ force: z.boolean(), volumes: z.boolean() }), {
    action: "container.remove",
    object: theContainer,
  }).mutation(async ({ ctx, input }) => {
    await removeContainer(ctx.services, ctx.actor, input);
    return {};
  }),
  rename: procedure(containerInput.extend({ name: containerRef }), { action: "container.update", object: theContainer }).mutation(
    async ({ ctx, input }) => {
      await renameContainer(ctx.services, ctx.actor, input);
      return {};
    },
  ),
  run: procedure(z.object({ host: hostRef, spec: runSpec }), { action: "container.create", object: theHost }).mutation(({ ctx, input }) =>
    runContainer(ctx.services, ctx.actor, input),
  ),
};

const streams = {
  onLogs: procedure(logsInput, { action: "container.logs", object: theContainer }).subscription(async function* ({ ctx, input, signal }) {
    yield* followLogs(ctx.services, ctx.actor, { ...input, signal: signal ?? new AbortController().signal });
  }),
  onStats: procedure(containerInput, { action: "container.read", object: theContainer }).subscription(async function* ({
    ctx,
    input,
    signal,
  }) {
    yield* followStats(ctx.services, ctx.actor, { ...input, signal: signal ?? new AbortController().signal });
  }),
};

export const containersRouter = createRouter({ ...reads, ...changes, ...streams });
