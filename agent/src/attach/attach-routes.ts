import type { Duplex } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import type { Call, Route } from "../api/call.ts";
import { assertMayEnter, refOf } from "../api/container-routes.ts";
import { queryBoolean } from "../api/query.ts";
import type { Containers, ContainerView } from "../engine/containers-port.ts";
import type { EventBus } from "../events/bus.ts";
import { followContainer, outputContentType } from "../logs/log-routes.ts";
import { streamLog } from "../logs/log-stream.ts";
import type { AttachService } from "./attach-service.ts";
import { parseDetachKeys } from "./detach-keys.ts";
import { acceptWebSocket, webSocketDuplex } from "./web-socket.ts";

export type AttachRouteSources = { containers: Containers; events: EventBus; attach: AttachService };

export function createAttachRoutes(sources: AttachRouteSources): Route[] {
  return [
    {
      method: "POST",
      path: "/containers/:id/attach",
      handler: (call) => {
        const { view, run } = prepareAttach(sources, call);
        return { kind: "hijack", contentType: outputContentType(call, view.tty), run };
      },
    },
    {
      method: "GET",
      path: "/containers/:id/attach/ws",
      handler: (call) => {
        const headers = acceptWebSocket(call);
        const { run } = prepareAttach(sources, call);
        return { kind: "hijack", protocol: "websocket", headers, run: (connection) => run(webSocketDuplex(connection)) };
      },
    },
  ];
}

function prepareAttach(sources: AttachRouteSources, call: Call): { view: ContainerView; run: (client: Duplex) => Promise<void> } {
  const view = sources.containers.get(call.namespace, refOf(call));
  refuseUnattachable(view);
  assertMayEnter(sources.containers, call);
  const detachKeys = parseDetachKeys(call.query.get("detachKeys"));
  const output = { stdout: queryBoolean(call.query, "stdout"), stderr: queryBoolean(call.query, "stderr") };
  const stdin = queryBoolean(call.query, "stdin");
  const replays = queryBoolean(call.query, "logs") && view.hostConfig.LogConfig.Type !== "none";
  if (!queryBoolean(call.query, "stream")) {
    return {
      view,
      run: async (client) => (replays ? replayLog(sources, { view, output, client, follows: false, signal: call.signal }) : undefined),
    };
  }
  // With the log replayed, output comes from the log throughout: joining two sources would lose or repeat bytes.
  const session = sources.attach.prepare({ view, stdin, detachKeys, output: replays ? { stdout: false, stderr: false } : output });
  call.signal.addEventListener("abort", () => session.cancel(), { once: true });
  if (!replays) return { view, run: (client) => session.run(client) };
  return {
    view,
    run: async (client) => {
      const replay = replayLog(sources, { view, output, client, follows: true, signal: call.signal });
      await session.run(client);
      await replay;
    },
  };
}

function refuseUnattachable(view: ContainerView): void {
  if (view.status === "paused") {
    throw new FlotillaError("conflict", `container ${view.id} is paused, unpause the container before attach`);
  }
  if (view.status === "restarting") {
    throw new FlotillaError("conflict", `container ${view.id} is restarting, wait until the container is running`);
  }
}

type Replay = { view: ContainerView; output: { stdout: boolean; stderr: boolean }; client: Duplex; follows: boolean; signal: AbortSignal };

async function replayLog(sources: AttachRouteSources, replay: Replay): Promise<void> {
  const { view, output, client, follows, signal } = replay;
  const format = { ...output, isRaw: view.tty, joinsFrames: false, timestamps: false, details: "", since: undefined, until: undefined };
  const follow = follows ? { follow: followContainer(sources, view) } : {};
  await streamLog({ logPath: view.logPath, tailLines: undefined, format, ...follow }, { sink: client, signal });
}
