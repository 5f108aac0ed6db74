import { z } from "zod";
import type { Action } from "../access/actions.ts";
import type { Actor } from "../access/actor.ts";
import { auditedStream } from "../audit/audited-stream.ts";
import type { ServiceContext } from "../context.ts";
import { openHost } from "../engine/ask-hosts.ts";
import { ENGINE_API, toEngineError } from "../engine/engine-call.ts";
import { readJsonLines } from "../engine/json-lines.ts";
import { encodeReference, splitReference } from "./image-names.ts";
import { batchSteps, toTransferStep, type TransferStep } from "./progress.ts";

/** A registry's account, used for one transfer: it is in no row, no log and no cache. */
export const registryLogin = z.object({ username: z.string().min(1).max(256), password: z.string().min(1).max(4_096) });
export type RegistryLogin = z.output<typeof registryLogin>;

/** `linux/amd64`, `linux/arm64/v8` */
export const platformText = z.string().regex(/^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9.]+)?$/, "must be such as linux/amd64");

type Transfer = { host: string; reference: string; login?: RegistryLogin | undefined; signal: AbortSignal };
type Batches = AsyncGenerator<{ steps: TransferStep[] }>;

/** `docker pull` on one host: what the engine tells of each layer. Ends when the image is there; aborting ends the pull. */
export async function* pullImage(services: ServiceContext, actor: Actor, request: Transfer & { platform?: string | undefined }): Batches {
  const { repository, tag } = splitReference(request.reference);
  const query = new URLSearchParams({ fromImage: repository, tag: tag ?? "latest" });
  if (request.platform !== undefined) query.set("platform", request.platform);
  yield* transfer(services, actor, { ...request, action: "image.pull", path: `/images/create?${query.toString()}` });
}

/** `docker push` of one name from one host. */
export async function* pushImage(services: ServiceContext, actor: Actor, request: Transfer): Batches {
  const { repository, tag } = splitReference(request.reference);
  const path = `/images/${encodeReference(repository)}/push?tag=${encodeURIComponent(tag ?? "latest")}`;
  yield* transfer(services, actor, { ...request, action: "image.push", path });
}

async function* transfer(services: ServiceContext, actor: Actor, request: Transfer & { action: Action; path: string }): Batches {
  const { host, link, namespace } = await openHost(services, actor, request.host);
  const { action, reference, signal } = request;
  const object = { kind: "image" as const, id: reference, name: `${host.name}/${reference}`, teamId: host.seenBy };
  const headers = { "x-registry-auth": encodeLogin(request.login) };
  const work = async function* (): Batches {
    const response = await link.request({ namespace, method: "POST", path: `${ENGINE_API}${request.path}`, headers, signal });
    if (response.status >= 400) throw await toEngineError(response.status, response.body);
    try {
      yield* batchSteps(readSteps(response.body));
    } finally {
      response.body.destroy();
    }
  };
  const detail = { withLogin: request.login !== undefined };
  yield* auditedStream(services, { actor, action, object, detail }, { signal, work });
}

async function* readSteps(body: Parameters<typeof readJsonLines>[0]): AsyncGenerator<TransferStep> {
  for await (const document of readJsonLines(body)) {
    const step = toTransferStep(document);
    if (step !== undefined) yield step;
  }
}

/** `X-Registry-Auth` as Docker's clients send it: JSON in base64url. */
function encodeLogin(login: RegistryLogin | undefined): string {
  return Buffer.from(JSON.stringify(login ?? {})).toString("base64url");
}
