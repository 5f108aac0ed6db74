import { listenQuestion, reachQuestion } from "@flotilla/protocol";
import { type Call, json, type Route } from "../api/call.ts";
import type { Reach } from "./reach.ts";

/** What Docker's API has no words for: how a container's network looks from inside. */
export function reachRoutes(reach: Reach): Route[] {
  const ref = (call: Call): string => call.params["id"] ?? "";
  return [
    {
      method: "POST",
      path: "/flotilla/v1/containers/:id/reach",
      handler: async (call) => json(await reach.from(call.namespace, ref(call), await call.json(reachQuestion))),
    },
    {
      method: "POST",
      path: "/flotilla/v1/containers/:id/listens",
      handler: async (call) => json(await reach.at(call.namespace, ref(call), await call.json(listenQuestion))),
    },
  ];
}
