import { FlotillaError } from "@flotilla/core";
import { ContainerConfig } from "@flotilla/engine-api";
import { json, type Route } from "../api/call.ts";
import { queryBoolean } from "../api/query.ts";
import type { CommitService } from "./commit-service.ts";

/** `docker commit`. */
export function commitRoute(commits: Pick<CommitService, "commit">): Route {
  return {
    method: "POST",
    path: "/commit",
    async handler(call) {
      const container = call.query.get("container") ?? "";
      if (container === "") throw new FlotillaError("invalid", "container name or id is required");
      const record = await commits.commit({
        namespace: call.namespace,
        container,
        repository: call.query.get("repo") ?? "",
        tag: call.query.get("tag") ?? "",
        author: call.query.get("author") ?? "",
        comment: call.query.get("comment") ?? "",
        pauses: queryBoolean(call.query, "pause", true),
        changes: call.query.getAll("changes"),
        config: await call.json(ContainerConfig),
        signal: call.signal,
      });
      return json({ Id: record.id }, 201);
    },
  };
}
