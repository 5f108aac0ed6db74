import { FlotillaError } from "@flotilla/core";
import { isApiAtLeast } from "@flotilla/engine-api";
import type { Call, Reply, Route } from "../api/call.ts";
import { refOf } from "../api/container-routes.ts";
import { queryBoolean, queryTimestampNano } from "../api/query.ts";
import type { Containers, ContainerView } from "../engine/containers-port.ts";
import type { EventBus } from "../events/bus.ts";
import { formatLogDetails } from "./log-details.ts";
import { formatRecordTime } from "./log-record.ts";
import { streamLog, type LogRequest } from "./log-stream.ts";

export type LogRouteSources = { containers: Containers; events: EventBus };

export const RAW_STREAM = "application/vnd.docker.raw-stream";
export const MULTIPLEXED_STREAM = "application/vnd.docker.multiplexed-stream";

/** Content type of output: multiplexed from API 1.42 on, unless it comes from a terminal. */
export function outputContentType(call: Call, isTerminal: boolean): string {
  return !isTerminal && isApiAtLeast(call.version, 42) ? MULTIPLEXED_STREAM : RAW_STREAM;
}

export function createLogRoutes(sources: LogRouteSources): Route[] {
  return [{ method: "GET", path: "/containers/:id/logs", handler: (call) => logs(sources, call) }];
}

function logs(sources: LogRouteSources, call: Call): Reply {
  const view = sources.containers.get(call.namespace, refOf(call));
  const stdout = queryBoolean(call.query, "stdout");
  const stderr = queryBoolean(call.query, "stderr");
  if (!stdout && !stderr) throw new FlotillaError("invalid", "Bad parameters: you must choose at least one stream");
  if (view.hostConfig.LogConfig.Type === "none") {
    throw new FlotillaError("not_implemented", "configured logging driver does not support reading");
  }
  const since = queryTimestampNano(call.query, "since");
  const until = queryTimestampNano(call.query, "until");
  const isFollowing = queryBoolean(call.query, "follow") && isLive(view.status);
  const request: LogRequest = {
    logPath: view.logPath,
    tailLines: parseTail(call.query.get("tail")),
    format: {
      stdout,
      stderr,
      isRaw: view.tty,
      joinsFrames: !isFollowing,
      timestamps: queryBoolean(call.query, "timestamps"),
      details: queryBoolean(call.query, "details") ? formatLogDetails(view) : "",
      since: since === undefined ? undefined : formatRecordTime(since),
      until: until === undefined ? undefined : formatRecordTime(until),
    },
    ...(isFollowing ? { follow: followContainer(sources, view) } : {}),
  };
  return {
    kind: "stream",
    status: 200,
    contentType: outputContentType(call, view.tty),
    write: (sink) => streamLog(request, { sink, signal: call.signal }),
  };
}

/** Docker reads anything that is no number as "all". */
function parseTail(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function isLive(status: ContainerView["status"]): boolean {
  return status === "running" || status === "paused" || status === "restarting";
}

/** Follows over restarts by policy, until the container stops or is removed. */
export function followContainer(sources: LogRouteSources, view: ContainerView): NonNullable<LogRequest["follow"]> {
  return {
    isLive: () => sources.containers.views(view.namespace).some(({ id, status }) => id === view.id && isLive(status)),
    onChange: (listener) =>
      sources.events.subscribe((event) => {
        if (event.type === "container" && event.id === view.id) listener();
      }),
  };
}
