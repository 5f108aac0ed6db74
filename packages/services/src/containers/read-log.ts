import { StdcopyDecoder } from "@flotilla/engine-api";
import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import { openHost } from "../engine/ask-hosts.ts";
import { ENGINE_API, toEngineError } from "../engine/engine-call.ts";
import { segment } from "./read-containers.ts";

/**
 * All that a container wrote, both streams in the order in which they came, each line with its time: the bytes of
 * `docker logs --timestamps`. Resolves when the engine has answered; aborting `signal` ends it.
 * @throws the engine's own error, before any byte
 */
export async function readWholeLog(
  services: ServiceContext,
  actor: Actor,
  request: { host: string; id: string; signal: AbortSignal },
): Promise<AsyncGenerator<Uint8Array>> {
  const { link, namespace } = await openHost(services, actor, request.host);
  const path = `${ENGINE_API}/containers/${segment(request.id)}/logs?stdout=1&stderr=1&timestamps=1&tail=all`;
  const response = await link.request({ namespace, method: "GET", path, signal: request.signal });
  if (response.status >= 400) throw await toEngineError(response.status, response.body);
  const isMultiplexed = (response.headers["content-type"] ?? "").includes("multiplexed");
  return readBytes(response.body, isMultiplexed);
}

async function* readBytes(body: AsyncIterable<unknown> & { destroy(): unknown }, isMultiplexed: boolean): AsyncGenerator<Uint8Array> {
  const decoder = new StdcopyDecoder();
  try {
    for await (const chunk of body) {
      const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      if (!isMultiplexed) yield bytes;
      else for (const frame of decoder.push(bytes)) yield frame.payload;
    }
  } finally {
    body.destroy();
  }
}
