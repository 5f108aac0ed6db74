import {
  adoptInput,
  adoptProject,
  checkStack,
  controlInput,
  controlStack,
  deployInput,
  deploymentObject,
  deploymentRef,
  deploymentsInput,
  deployStack,
  fileContent,
  type FileKind,
  fileObject,
  fileRef,
  followDeployment,
  followServiceStats,
  followStackLogs,
  getDeployment,
  getRevision,
  getStack,
  listComposeKeys,
  listDeployments,
  listFiles,
  listOutside,
  listReplicaEvents,
  listStacks,
  listVariables,
  type ObjectRef,
  outsideInput,
  planAdoption,
  planDeployment,
  planRebalance,
  projectObject,
  type ProjectRef,
  projectRef,
  rebalanceStack,
  removeFile,
  removeStack,
  replicaRef,
  revisionRef,
  rollbackInput,
  rollbackStack,
  serviceStatsInput,
  setFile,
  setVariables,
  stackInput,
  stackInputRef,
  stackLogsInput,
  stackObject,
  variablesInput,
} from "@flotilla/services";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { createRouter, ownTeam, procedure } from "../trpc.ts";

const never = (): AbortSignal => new AbortController().signal;

function theStack({ services, actor }: ApiContext, input: { stack: string }): Promise<ObjectRef> {
  return stackObject(services, actor, input);
}

function theProject({ services, actor }: ApiContext, input: ProjectRef): Promise<ObjectRef> {
  return projectObject(services, actor, input);
}

function theDeployment({ services, actor }: ApiContext, { id }: { id: string }): Promise<ObjectRef> {
  return deploymentObject(services, actor, id);
}

export const stacksRouter = createRouter({
  list: procedure(z.void(), { action: "stack.read", object: ownTeam }).query(({ ctx }) => listStacks(ctx.services, ctx.actor)),
  get: procedure(stackInputRef, { action: "stack.read", object: theStack }).query(({ ctx, input }) =>
    getStack(ctx.services, ctx.actor, input.stack),
  ),
  revision: procedure(revisionRef, { action: "stack.inspect", object: theStack }).query(({ ctx, input }) =>
    getRevision(ctx.services, ctx.actor, input),
  ),
  plan: procedure(stackInput, { action: "stack.inspect", object: ownTeam }).mutation(({ ctx, input }) =>
    planDeployment(ctx.services, ctx.actor, input),
  ),
  /** Mistakes of files that are still being written, each with its line and column. */
  check: procedure(stackInput, { action: "stack.inspect", object: ownTeam }).mutation(({ ctx, input }) =>
    checkStack(ctx.services, ctx.actor, input),
  ),
  /** The keys that a compose file may have, for an editor. */
  composeKeys: procedure(z.void(), { action: "stack.read", object: ownTeam }).query(() => listComposeKeys()),
  deploy: procedure(deployInput, { action: "stack.deploy", object: ownTeam }).mutation(({ ctx, input }) =>
    deployStack(ctx.services, ctx.actor, input),
  ),
  /** Compose projects on hosts that belong to no stack. */
  outside: procedure(outsideInput, { action: "container.read", object: ownTeam }).query(({ ctx, input }) =>
    listOutside(ctx.services, ctx.actor, input),
  ),
  /** What making a stack of one would do. */
  adoptionPlan: procedure(projectRef, { action: "stack.planAdoption", object: theProject }).query(({ ctx, input }) =>
    planAdoption(ctx.services, ctx.actor, input),
  ),
  adopt: procedure(adoptInput, { action: "stack.adopt", object: theProject }).mutation(({ ctx, input }) =>
    adoptProject(ctx.services, ctx.actor, input),
  ),
  variables: procedure(stackInputRef, { action: "stack.read", object: theStack }).query(({ ctx, input }) =>
    listVariables(ctx.services, ctx.actor, input.stack),
  ),
  setVariables: procedure(variablesInput, { action: "stack.deploy", object: theStack }).mutation(async ({ ctx, input }) => {
    await setVariables(ctx.services, ctx.actor, input);
    return {};
  }),
  rollback: procedure(rollbackInput, { action: "stack.deploy", object: theStack }).mutation(({ ctx, input }) =>
    rollbackStack(ctx.services, ctx.actor, input),
  ),
  remove: procedure(stackInputRef, { action: "stack.remove", object: theStack }).mutation(async ({ ctx, input }) => {
    await removeStack(ctx.services, ctx.actor, input.stack);
    return {};
  }),
  rebalancePlan: procedure(stackInputRef, { action: "stack.read", object: theStack }).query(({ ctx, input }) =>
    planRebalance(ctx.services, ctx.actor, input.stack),
  ),
  rebalance: procedure(stackInputRef, { action: "stack.control", object: theStack }).mutation(({ ctx, input }) =>
    rebalanceStack(ctx.services, ctx.actor, input.stack),
  ),
  /** The phases that a replica was in, the newest first. */
  replicaHistory: procedure(replicaRef, { action: "stack.read", object: theStack }).query(({ ctx, input }) =>
    listReplicaEvents(ctx.services, ctx.actor, input),
  ),
  onLogs: procedure(stackLogsInput, { action: "stack.logs", object: theStack }).subscription(async function* ({ ctx, input, signal }) {
    yield* followStackLogs(ctx.services, ctx.actor, { ...input, signal: signal ?? never() });
  }),
});

export const servicesRouter = createRouter({
  /** Pause, continue, abort or approve the rollout of a service, or of all of the stack. */
  control: procedure(controlInput, { action: "stack.control", object: theStack }).mutation(async ({ ctx, input }) => {
    await controlStack(ctx.services, ctx.actor, input);
    return {};
  }),
  /** What the replicas use together, once a second. */
  onStats: procedure(serviceStatsInput, { action: "stack.read", object: theStack }).subscription(async function* ({ ctx, input, signal }) {
    yield* followServiceStats(ctx.services, ctx.actor, { ...input, signal: signal ?? never() });
  }),
});

export const deploymentsRouter = createRouter({
  list: procedure(deploymentsInput, { action: "stack.read", object: ownTeam }).query(({ ctx, input }) =>
    listDeployments(ctx.services, ctx.actor, input),
  ),
  get: procedure(deploymentRef, { action: "stack.read", object: theDeployment }).query(({ ctx, input }) =>
    getDeployment(ctx.services, ctx.actor, input.id),
  ),
  onSteps: procedure(deploymentRef, { action: "stack.read", object: theDeployment }).subscription(async function* ({ ctx, input, signal }) {
    const onNews = (listener: () => void): (() => void) =>
      ctx.live.subscribe(ownTeam(ctx).id, ({ kind }) => void (kind === "stack" && listener()));
    yield* followDeployment(ctx.services, ctx.actor, { id: input.id, signal: signal ?? never(), onNews });
  }),
});

const theFile =
  (kind: FileKind) =>
  ({ services, actor }: ApiContext, { name }: { name: string }): Promise<ObjectRef> =>
    fileObject(services, actor, { kind, name });

export const secretsRouter = createRouter({
  list: procedure(z.void(), { action: "secret.read", object: ownTeam }).query(({ ctx }) => listFiles(ctx.services, ctx.actor, "secret")),
  set: procedure(fileContent, { action: "secret.change", object: ownTeam }).mutation(({ ctx, input }) =>
    setFile(ctx.services, ctx.actor, { kind: "secret", ...input }),
  ),
  remove: procedure(fileRef, { action: "secret.remove", object: theFile("secret") }).mutation(async ({ ctx, input }) => {
    await removeFile(ctx.services, ctx.actor, { kind: "secret", name: input.name });
    return {};
  }),
});

export const configsRouter = createRouter({
  list: procedure(z.void(), { action: "config.read", object: ownTeam }).query(({ ctx }) => listFiles(ctx.services, ctx.actor, "config")),
  set: procedure(fileContent, { action: "config.change", object: ownTeam }).mutation(({ ctx, input }) =>
    setFile(ctx.services, ctx.actor, { kind: "config", ...input }),
  ),
  remove: procedure(fileRef, { action: "config.remove", object: theFile("config") }).mutation(async ({ ctx, input }) => {
    await removeFile(ctx.services, ctx.actor, { kind: "config", name: input.name });
    return {};
  }),
});
