import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { Action } from "../access/actions.ts";
import { audited, type AuditDetail } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { openHost } from "../engine/ask-hosts.ts";
import { engineDo, engineJson } from "../engine/engine-call.ts";
import { namedContainer } from "../engine/object-ref.ts";
import { segment } from "./read-containers.ts";
import type { CONTAINER_ACTIONS, RunSpec } from "./schemas.ts";
import { toCreateBody } from "./to-create-body.ts";

type Ref = { host: string; id: string };
export type ContainerAction = (typeof CONTAINER_ACTIONS)[number];

/** `docker stop` may wait for a container's own grace time; twice the usual one, and then some. */
const ACTION_TIMEOUT_MS = 120_000;

export async function actOnContainer(services: ServiceContext, actor: Actor, input: Ref & { action: ContainerAction }): Promise<void> {
  await change(services, actor, {
    ref: input,
    action: "container.change",
    detail: { act: input.action },
    method: "POST",
    path: `/containers/${segment(input.id)}/${input.action}`,
  });
}

export async function removeContainer(
  services: ServiceContext,
  actor: Actor,
  input: Ref & { force: boolean; volumes: boolean },
): Promise<void> {
  await change(services, actor, {
    ref: input,
    action: "container.remove",
    detail: { force: input.force, volumes: input.volumes },
    method: "DELETE",
    path: `/containers/${segment(input.id)}?force=${input.force ? 1 : 0}&v=${input.volumes ? 1 : 0}`,
  });
}

export async function renameContainer(services: ServiceContext, actor: Actor, input: Ref & { name: string }): Promise<void> {
  await change(services, actor, {
    ref: input,
    action: "container.update",
    detail: { act: "rename", name: input.name },
    method: "POST",
    path: `/containers/${segment(input.id)}/rename?name=${encodeURIComponent(input.name)}`,
  });
}

type Change = { ref: Ref; action: Action; detail: AuditDetail; method: string; path: string };

async function change(services: ServiceContext, actor: Actor, request: Change): Promise<void> {
  const { link, namespace } = await openHost(services, actor, request.ref.host);
  // Looked up before the act: afterwards a removed container has no name any more.
  const object = await namedContainer(services, actor, request.ref);
  await audited(services, { actor, action: request.action, object, detail: request.detail }, () =>
    engineDo(link, { namespace, method: request.method, path: request.path, timeoutMs: ACTION_TIMEOUT_MS }),
  );
}

const created = z.object({ Id: z.string(), Warnings: z.array(z.string()).nullish() });

/**
 * Creates and starts a container. When the start fails the container stays, as with `docker run`, unless it was to be
 * removed at its end; the error says why, and `details.containerId` which one.
 */
export async function runContainer(
  services: ServiceContext,
  actor: Actor,
  input: { host: string; spec: RunSpec },
): Promise<{ id: string; warnings: string[] }> {
  const { host, link, namespace } = await openHost(services, actor, input.host);
  const { spec } = input;
  const object = { kind: "container" as const, id: spec.name ?? "", name: `${host.name}/${spec.name ?? spec.image}`, teamId: host.seenBy };
  return audited(
    services,
    { actor, action: "container.create", object, detail: { image: spec.image, privileged: spec.privileged } },
    async () => {
      const name = spec.name === undefined ? "" : `?name=${encodeURIComponent(spec.name)}`;
      const answer = await engineJson(
        link,
        { namespace, method: "POST", path: `/containers/create${name}`, body: toCreateBody(spec) },
        created,
      );
      try {
        await engineDo(link, { namespace, method: "POST", path: `/containers/${answer.Id}/start`, timeoutMs: ACTION_TIMEOUT_MS });
      } catch (error) {
        if (spec.autoRemove) await engineDo(link, { namespace, method: "DELETE", path: `/containers/${answer.Id}?force=1&v=1` });
        if (error instanceof FlotillaError) {
          throw new FlotillaError(error.code, error.message, { cause: error, details: { ...error.details, containerId: answer.Id } });
        }
        throw error;
      }
      return { id: answer.Id, warnings: answer.Warnings ?? [] };
    },
  );
}
