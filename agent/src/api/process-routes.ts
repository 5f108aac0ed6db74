import { FlotillaError, toFlotillaError } from "@flotilla/core";
import type { Containers, ContainerView } from "../engine/containers-port.ts";
import type { ImageStore } from "../engine/ports.ts";
import { cgroupPids, type CgroupLayout } from "../host/cgroup.ts";
import { resizeConsole } from "../host/conmon-control.ts";
import { run } from "../host/run.ts";
import { empty, json, type Call, type Reply, type Route } from "./call.ts";
import { refOf } from "./container-routes.ts";
import { queryInteger } from "./query.ts";
import { parsePsArguments, parsePsOutput } from "./top.ts";

export type ProcessRouteSources = { containers: Containers; images: Pick<ImageStore, "rootfsChanges">; cgroups: CgroupLayout };

/** What a running container is doing: top, resize, changes. */
export function createProcessRoutes(sources: ProcessRouteSources): Route[] {
  return [
    { method: "GET", path: "/containers/:id/top", handler: (call) => top(sources, call) },
    { method: "POST", path: "/containers/:id/resize", handler: (call) => resize(sources.containers, call) },
    { method: "GET", path: "/containers/:id/changes", handler: (call) => changes(sources, call) },
  ];
}

/** @throws FlotillaError `conflict` in Docker's words. */
export function requireRunning(view: ContainerView): void {
  if (view.status === "restarting") {
    throw new FlotillaError("conflict", `Container ${view.id} is restarting, wait until the container is running`);
  }
  if (view.status !== "running" && view.status !== "paused") throw new FlotillaError("conflict", `container ${view.id} is not running`);
}

async function top(sources: ProcessRouteSources, call: Call): Promise<Reply> {
  const args = parsePsArguments(call.query.get("ps_args") || "-ef");
  const view = sources.containers.get(call.namespace, refOf(call));
  requireRunning(view);
  const pids = new Set(cgroupPids(sources.cgroups, view.cgroupPath));
  const result = await run({ argv: ["ps", ...args], okExitCodes: [0, 1], signal: call.signal });
  if (result.exitCode !== 0) throw new FlotillaError("invalid", `ps: ${result.stderr.trim()}`);
  return json(parsePsOutput(result.stdout, pids));
}

/** Height and width of a terminal: both needed, both at most 65535. */
export function terminalSize(call: Call): { rows: number; columns: number } {
  const rows = queryInteger(call.query, "h");
  const columns = queryInteger(call.query, "w");
  if (rows === undefined || columns === undefined || rows < 0 || columns < 0 || rows > 0xffff || columns > 0xffff) {
    throw new FlotillaError("invalid", "invalid resize height or width");
  }
  return { rows, columns };
}

async function resize(containers: Containers, call: Call): Promise<Reply> {
  const { rows, columns } = terminalSize(call);
  const view = containers.get(call.namespace, refOf(call));
  requireRunning(view);
  await resizeContainer(view, { rows, columns });
  return empty(200);
}

async function resizeContainer(view: ContainerView, size: { rows: number; columns: number }): Promise<void> {
  try {
    await resizeConsole(view.controlFifoPath, size);
  } catch (error) {
    throw new FlotillaError("conflict", `resize container ${view.id}: ${toFlotillaError(error).message}`);
  }
}

async function changes(sources: ProcessRouteSources, call: Call): Promise<Reply> {
  const view = sources.containers.get(call.namespace, refOf(call));
  const found = await sources.images.rootfsChanges(view.id);
  return json(found.length === 0 ? null : found.map(({ path, kind }) => ({ Path: path, Kind: kind })));
}
