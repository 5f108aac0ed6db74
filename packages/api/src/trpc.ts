import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { type Action, authorize, type ObjectRef, rightsNeeded, ruleOf } from "@flotilla/services";
import { initTRPC } from "@trpc/server";
import type { z } from "zod";
import type { ApiContext } from "./context.ts";
import { toTrpcError } from "./errors.ts";
import { hasNul } from "./has-nul.ts";

/** What a procedure must say of itself; `test/integration` walks the router and tries each as everybody. */
export type ProcedureMeta = { action: Action };

const t = initTRPC
  .context<ApiContext>()
  .meta<ProcedureMeta>()
  .create({
    errorFormatter: ({ shape, error }) => {
      const mapped = toTrpcError(error);
      const { code, httpStatus, path } = shape.data;
      return {
        ...shape,
        message: mapped.message,
        data: { code: mapped.code === "INTERNAL_SERVER_ERROR" ? code : mapped.code, httpStatus, path },
      };
    },
    sse: { enabled: false },
  });

export const createRouter = t.router;

const INSTANCE: ObjectRef = { kind: "instance", id: "instance", name: "this Flotilla", teamId: null };

/**
 * The only way to make a procedure: with the action, and with how to find the object from the input. Who is not signed
 * in is refused before the input is even parsed; then the authorizer looks at the object.
 */
export function procedure<S extends z.ZodType>(
  input: S,
  access: { action: Action; object: (context: ApiContext, input: z.output<S>) => ObjectRef | Promise<ObjectRef> },
) {
  const { action } = access;
  return t.procedure
    .meta({ action })
    .use(async ({ ctx, next, path }) => {
      const result = await next();
      if (result.ok) return result;
      const mapped = toTrpcError(result.error);
      if (mapped.code === "INTERNAL_SERVER_ERROR") {
        const cause = toFlotillaError(result.error.cause ?? result.error);
        ctx.services.logger.error("procedure ended with an unexpected error", { path, error: cause.message, stack: cause.stack });
      }
      throw mapped;
    })
    .use(async ({ ctx, next }) => {
      if (ctx.actor.kind === "anonymous" && ruleOf(action).needs !== "everyone")
        await authorize(ctx.services, ctx.actor, { action, object: INSTANCE });
      return next();
    })
    .use(async ({ getRawInput, next }) => {
      if (hasNul(await getRawInput())) throw new FlotillaError("invalid", "a text has a NUL character");
      return next();
    })
    .input(input)
    .use(async ({ ctx, input: parsed, next }) => {
      // tRPC has parsed it by this very schema; its own type is too deep to be followed for a generic schema.
      const object = await findObject(ctx, action, async () => access.object(ctx, parsed as z.output<S>));
      await authorize(ctx.services, ctx.actor, { action, object });
      return next();
    })
    .use(async ({ ctx, type, signal, next }) => {
      if (type !== "subscription" || ctx.streams === undefined) return next();
      const admitted = ctx.streams.admit(ctx.actor, signal ?? new AbortController().signal);
      const result = await next();
      if (!result.ok) admitted.end();
      return result.ok && isAsyncIterable(result.data) ? { ...result, data: admitted.pace(result.data) } : result;
    });
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** Who may not do it to anything of their team is not told either which of its objects there are. */
async function findObject(ctx: ApiContext, action: Action, find: () => Promise<ObjectRef>): Promise<ObjectRef> {
  try {
    return await find();
  } catch (error) {
    if (ctx.actor.kind === "user" && rightsNeeded(action).length > 0)
      await authorize(ctx.services, ctx.actor, { action, object: ownTeam(ctx) });
    throw error;
  }
}

/** The caller's team as the object of an action. @throws unauthenticated. */
export function ownTeam({ actor }: ApiContext): ObjectRef {
  if (actor.kind !== "user") throw new FlotillaError("unauthenticated", "sign in to do this");
  return { kind: "team", id: actor.team.id, name: actor.team.name, teamId: actor.team.id };
}

/** The caller as the object of an action. @throws unauthenticated. */
export function oneself({ actor }: ApiContext): ObjectRef {
  if (actor.kind !== "user") throw new FlotillaError("unauthenticated", "sign in to do this");
  return { kind: "user", id: actor.userId, name: actor.email, teamId: actor.team.id, ownerId: actor.userId };
}

export function theInstance(): ObjectRef {
  return INSTANCE;
}
