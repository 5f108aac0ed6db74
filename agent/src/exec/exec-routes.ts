import { ExecCreateBody, ExecStartBody } from "@flotilla/engine-api";
import { empty, json, type Call, type Reply, type Route } from "../api/call.ts";
import { assertMayEnter, refOf } from "../api/container-routes.ts";
import { terminalSize } from "../api/process-routes.ts";
import type { Containers } from "../engine/containers-port.ts";
import { outputContentType } from "../logs/log-routes.ts";
import type { ExecService } from "./exec-service.ts";

export type ExecRouteSources = { containers: Containers; execs: ExecService };

export function createExecRoutes(sources: ExecRouteSources): Route[] {
  const { containers, execs } = sources;
  return [
    {
      method: "POST",
      path: "/containers/:id/exec",
      handler: async (call) => {
        const view = containers.get(call.namespace, refOf(call));
        const body = await call.json(ExecCreateBody);
        assertMayEnter(containers, call, { isPrivileged: body.Privileged });
        return json({ Id: execs.create(view, body) }, 201);
      },
    },
    { method: "POST", path: "/exec/:id/start", handler: (call) => start(sources, call) },
    { method: "GET", path: "/exec/:id/json", handler: (call) => json(execs.inspect(call.namespace, refOf(call))) },
    {
      method: "POST",
      path: "/exec/:id/resize",
      handler: (call) => {
        execs.resize(call.namespace, refOf(call), terminalSize(call));
        return empty(200);
      },
    },
  ];
}

async function start({ containers, execs }: ExecRouteSources, call: Call): Promise<Reply> {
  const body = await call.json(ExecStartBody);
  // Who starts it need not be who made it.
  const { ContainerID: containerId, ProcessConfig } = execs.inspect(call.namespace, refOf(call));
  if (!call.isExempt) containers.assertEnterable(call.namespace, containerId, { isPrivileged: ProcessConfig.privileged === true });
  const { isTerminal, run } = execs.claim(call.namespace, refOf(call), body);
  if (!body.Detach) return { kind: "hijack", contentType: outputContentType(call, isTerminal), run };
  await run(undefined);
  return empty(200);
}
