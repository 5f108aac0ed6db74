import { FlotillaError, toFlotillaError } from "@flotilla/core";
import type { Containers, WaitCondition } from "../engine/containers-port.ts";
import type { Call, Reply } from "./call.ts";
import { writeTo } from "./write-to.ts";

const CONDITIONS: readonly WaitCondition[] = ["not-running", "next-exit", "removed"];

/**
 * `POST /containers/{id}/wait`. The waiter is registered before the head is sent, and the head is sent at once: the
 * docker command starts the container only when it has seen it.
 */
export function waitForContainer(containers: Containers, call: Call): Reply {
  const asked = call.query.get("condition") || "not-running";
  const condition = CONDITIONS.find((known) => known === asked);
  if (condition === undefined) throw new FlotillaError("invalid", `invalid condition: "${asked}"`);
  const { done } = containers.wait(call.namespace, call.params["id"] ?? "", condition, call.signal);
  const result = done.then(
    ({ StatusCode, Error }) => (Error === null ? { StatusCode } : { StatusCode, Error }),
    (error: unknown) => ({ StatusCode: -1, Error: { Message: toFlotillaError(error).message } }),
  );
  return {
    kind: "stream",
    status: 200,
    contentType: "application/json",
    write: async (sink) => {
      const answer = await result;
      if (!call.signal.aborted) await writeTo(sink, `${JSON.stringify(answer)}\n`);
    },
  };
}
