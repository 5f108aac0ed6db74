import { FlotillaError } from "@flotilla/core";
import { ContainerCreateBody, type ContainerInspect, ContainerUpdateBody, parseFilters } from "@flotilla/engine-api";
import { z } from "zod";
import type { Containers } from "../engine/containers-port.ts";
import { parseSignal } from "../engine/signals.ts";
import { empty, json, type Call, type Reply, type Route } from "./call.ts";
import { queryBoolean, queryInteger } from "./query.ts";
import { waitForContainer } from "./wait-route.ts";

const LIST_FILTERS = [
  "ancestor",
  "before",
  "exited",
  "expose",
  "health",
  "id",
  "is-task",
  "isolation",
  "label",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "volume",
] as const;

const PRUNE_FILTERS = ["label", "label!", "until"] as const;

/** Docker's start takes no body; old clients send `{}` or `null`. */
const MAX_START_BODY_BYTES = 7;

/** The life of containers: create to remove, list, inspect, update, wait. */
export function createContainerRoutes(containers: Containers, execs: { activeIds(containerId: string): string[] }): Route[] {
  const act = (verb: string, action: (call: Call, ref: string) => Promise<void>): Route => ({
    method: "POST",
    path: `/containers/:id/${verb}`,
    handler: async (call) => {
      await action(call, refOf(call));
      return empty(204);
    },
  });
  return [
    { method: "POST", path: "/containers/create", handler: (call) => create(containers, call) },
    { method: "GET", path: "/containers/json", handler: (call) => list(containers, call) },
    { method: "POST", path: "/containers/prune", handler: (call) => prune(containers, call) },
    { method: "GET", path: "/containers/:id/json", handler: async (call) => json(withExecs(await inspect(containers, call), execs)) },
    { method: "DELETE", path: "/containers/:id", handler: (call) => remove(containers, call) },
    { method: "POST", path: "/containers/:id/update", handler: (call) => update(containers, call) },
    { method: "POST", path: "/containers/:id/wait", handler: (call) => waitForContainer(containers, call) },
    act("start", async (call, ref) => {
      await refuseStartBody(call);
      await containers.start(call.namespace, ref);
    }),
    act("stop", (call, ref) => containers.stop(call.namespace, ref, stopOptions(call))),
    act("restart", (call, ref) => containers.restart(call.namespace, ref, stopOptions(call))),
    act("kill", (call, ref) => containers.kill(call.namespace, ref, parseSignal(call.query.get("signal") || "SIGKILL"))),
    act("pause", (call, ref) => containers.pause(call.namespace, ref)),
    act("unpause", (call, ref) => containers.unpause(call.namespace, ref)),
    act("rename", (call, ref) => containers.rename(call.namespace, ref, call.query.get("name") ?? "")),
  ];
}

/** Refuses those whom guard rails bind to act inside a container that they could not have made. @throws forbidden, not_found. */
export function assertMayEnter(containers: Pick<Containers, "assertEnterable">, call: Call, how = { isPrivileged: false }): void {
  if (!call.isExempt) containers.assertEnterable(call.namespace, refOf(call), how);
}

/** The container a call is about. */
export function refOf(call: Call): string {
  return call.params["id"] ?? "";
}

async function create(containers: Containers, call: Call): Promise<Reply> {
  const body = await call.json(ContainerCreateBody);
  const name = call.query.get("name");
  const created = await containers.create({
    namespace: call.namespace,
    name: name === null || name === "" ? undefined : name,
    body,
    isExempt: call.isExempt,
  });
  return json(created, 201);
}

async function list(containers: Containers, call: Call): Promise<Reply> {
  const limit = queryInteger(call.query, "limit") ?? 0;
  const filters = parseFilters(call.query.get("filters"), LIST_FILTERS);
  const size = queryBoolean(call.query, "size");
  // A limit means "the last n made", running or not, and so does a filter by state.
  const all = queryBoolean(call.query, "all") || limit > 0;
  return json(await containers.list(call.namespace, { all, limit: Math.max(0, limit), size, filters }));
}

function inspect(containers: Containers, call: Call): Promise<ContainerInspect> {
  return containers.inspect(call.namespace, refOf(call), { size: queryBoolean(call.query, "size") });
}

/** The engine knows nothing of execs: they are added here. */
function withExecs(inspected: ContainerInspect, execs: { activeIds(containerId: string): string[] }): ContainerInspect {
  const ids = execs.activeIds(inspected.Id);
  return { ...inspected, ExecIDs: ids.length === 0 ? null : ids };
}

async function remove(containers: Containers, call: Call): Promise<Reply> {
  await containers.remove(call.namespace, refOf(call), {
    force: queryBoolean(call.query, "force"),
    volumes: queryBoolean(call.query, "v"),
    link: queryBoolean(call.query, "link"),
  });
  return empty(204);
}

async function update(containers: Containers, call: Call): Promise<Reply> {
  return json(
    await containers.update(call.namespace, refOf(call), { body: await call.json(ContainerUpdateBody), isExempt: call.isExempt }),
  );
}

async function prune(containers: Containers, call: Call): Promise<Reply> {
  return json(await containers.prune(call.namespace, parseFilters(call.query.get("filters"), PRUNE_FILTERS)));
}

function stopOptions(call: Call): Parameters<Containers["stop"]>[2] {
  const timeoutSeconds = queryInteger(call.query, "t");
  const signal = call.query.get("signal");
  return {
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(signal === null || signal === "" ? {} : { signal: parseSignal(signal) }),
  };
}

async function refuseStartBody(call: Call): Promise<void> {
  const length = Number(call.header("content-length") ?? "0");
  if (length > MAX_START_BODY_BYTES) {
    throw new FlotillaError(
      "invalid",
      "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
    );
  }
  if (length > 0) await call.json(z.unknown());
}
