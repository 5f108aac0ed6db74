import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import { openHost } from "../engine/ask-hosts.ts";
import { ENGINE_API, toEngineError } from "../engine/engine-call.ts";
import { readJsonLines } from "../engine/json-lines.ts";
import { segment } from "./read-containers.ts";
import { type StatsSample, dockerStats, toStatsSample } from "./stats-sample.ts";

/** One sample a second while the container runs; ends when `signal` aborts. */
export async function* followStats(
  services: ServiceContext,
  actor: Actor,
  request: { host: string; id: string; signal: AbortSignal },
): AsyncGenerator<StatsSample> {
  const { link, namespace } = await openHost(services, actor, request.host);
  const path = `${ENGINE_API}/containers/${segment(request.id)}/stats?stream=1`;
  const response = await link.request({ namespace, method: "GET", path, signal: request.signal });
  if (response.status >= 400) throw await toEngineError(response.status, response.body);
  try {
    for await (const document of readJsonLines(response.body)) {
      const parsed = dockerStats.safeParse(document);
      if (parsed.success) yield toStatsSample(parsed.data);
    }
  } catch (error) {
    if (!request.signal.aborted) throw error;
  } finally {
    response.body.destroy();
  }
}
