import {
  applyRetention,
  createRepository,
  createUpstream,
  deleteManifest,
  deleteRepository,
  getCleanupStatus,
  getRegistryUsage,
  getRepository,
  inspectManifest,
  listRepositories,
  listTags,
  listUpstreams,
  manifestInput,
  newRepository,
  newUpstream,
  type ObjectRef,
  ownRepositoryObject,
  previewCleanup,
  previewRetention,
  removeUpstream,
  repositoryChange,
  repositoryInput,
  requireRepository,
  retentionPolicy,
  setRegistryQuota,
  startCleanup,
  tagName,
  testUpstream,
  updateRepository,
  upstreamInput,
} from "@flotilla/services";
import { digestSchema } from "@flotilla/image";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { createRouter, ownTeam, procedure } from "../trpc.ts";

/** The path says whose it is: no query, so that what belongs to others and what is nowhere are alike. */
function theRepository({ actor }: ApiContext, input: { repository: string }): ObjectRef {
  return ownRepositoryObject(actor, input.repository);
}

const repositories = createRouter({
  list: procedure(z.void(), { action: "registry.read", object: ownTeam }).query(({ ctx }) => listRepositories(ctx.services, ctx.actor)),
  get: procedure(repositoryInput, { action: "registry.read", object: theRepository }).query(({ ctx, input }) =>
    getRepository(ctx.services, input.repository),
  ),
  create: procedure(newRepository, { action: "registry.push", object: theRepository }).mutation(async ({ ctx, input }) => {
    await createRepository(ctx.services, ctx.actor, input);
    return {};
  }),
  update: procedure(repositoryChange, { action: "registry.manage", object: theRepository }).mutation(async ({ ctx, input }) => {
    await updateRepository(ctx.services, ctx.actor, input);
    return {};
  }),
  delete: procedure(repositoryInput, { action: "registry.manage", object: theRepository }).mutation(async ({ ctx, input }) => {
    await deleteRepository(ctx.services, ctx.actor, input.repository);
    return {};
  }),
});

const tags = createRouter({
  list: procedure(repositoryInput, { action: "registry.read", object: theRepository }).query(({ ctx, input }) =>
    listTags(ctx.services, input.repository),
  ),
  delete: procedure(repositoryInput.extend({ tag: tagName }), { action: "registry.delete", object: theRepository }).mutation(
    async ({ ctx, input }) => {
      const { id } = await requireRepository(ctx.services, input.repository);
      await deleteManifest(ctx.services, ctx.actor, { repositoryId: id, reference: { tag: input.tag } });
      return {};
    },
  ),
});

const manifests = createRouter({
  get: procedure(manifestInput, { action: "registry.read", object: theRepository }).query(({ ctx, input }) =>
    inspectManifest(ctx.services, input),
  ),
  delete: procedure(repositoryInput.extend({ digest: digestSchema }), { action: "registry.delete", object: theRepository }).mutation(
    async ({ ctx, input }) => {
      const { id } = await requireRepository(ctx.services, input.repository);
      await deleteManifest(ctx.services, ctx.actor, { repositoryId: id, reference: { digest: input.digest } });
      return {};
    },
  ),
});

const retention = createRouter({
  preview: procedure(repositoryInput.extend({ policy: retentionPolicy.optional() }), {
    action: "registry.read",
    object: theRepository,
  }).query(({ ctx, input }) => previewRetention(ctx.services, input)),
  run: procedure(repositoryInput, { action: "registry.manage", object: theRepository }).mutation(({ ctx, input }) =>
    applyRetention(ctx.services, ctx.actor, input.repository),
  ),
});

const cleanup = createRouter({
  preview: procedure(z.void(), { action: "registry.review", object: ownTeam }).query(({ ctx }) => previewCleanup(ctx.services, ctx.actor)),
  status: procedure(z.void(), { action: "registry.review", object: ownTeam }).query(({ ctx }) => getCleanupStatus(ctx.services)),
  start: procedure(z.void(), { action: "registry.cleanup", object: ownTeam }).mutation(async ({ ctx }) => {
    const { id } = await startCleanup(ctx.services, ctx.actor);
    return { id };
  }),
});

const usage = createRouter({
  get: procedure(z.void(), { action: "registry.read", object: ownTeam }).query(({ ctx }) => getRegistryUsage(ctx.services, ctx.actor)),
  setQuota: procedure(
    z.object({
      limitBytes: z
        .int()
        .min(0)
        .max(2 ** 50)
        .nullable(),
    }),
    { action: "registry.setQuota", object: ownTeam },
  ).mutation(async ({ ctx, input }) => {
    await setRegistryQuota(ctx.services, ctx.actor, input.limitBytes);
    return {};
  }),
});

const upstreams = createRouter({
  list: procedure(z.void(), { action: "registry.read", object: ownTeam }).query(({ ctx }) => listUpstreams(ctx.services, ctx.actor)),
  create: procedure(newUpstream, { action: "registry.manage", object: ownTeam }).mutation(async ({ ctx, input }) => {
    await createUpstream(ctx.services, ctx.actor, input);
    return {};
  }),
  test: procedure(upstreamInput, { action: "registry.manage", object: ownTeam }).mutation(({ ctx, input }) =>
    testUpstream(ctx.services, ctx.actor, input.name),
  ),
  remove: procedure(upstreamInput, { action: "registry.manage", object: ownTeam }).mutation(async ({ ctx, input }) => {
    await removeUpstream(ctx.services, ctx.actor, input.name);
    return {};
  }),
});

export const registryRouter = createRouter({ repositories, tags, manifests, retention, cleanup, usage, upstreams });
