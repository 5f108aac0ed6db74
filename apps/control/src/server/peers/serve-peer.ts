import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { FlotillaError, type Logger, toFlotillaError } from "@flotilla/core";
import { shieldBody } from "@flotilla/engine-api";
import {
  DROP_PATH,
  dropRequest,
  formatLine,
  HEARTBEAT_INTERVAL_MS,
  readLines,
  RELAY_HOST_HEADER,
  ROSTER_PATH,
  type RosterHost,
  YIELD_PATH,
  yieldRequest,
} from "@flotilla/protocol";
import type { z } from "zod";
import type { AgentHub } from "../agent-hub/agent-hub.ts";
import type { HostConnection } from "../agent-hub/host-connection.ts";
import { type RelayHosts, relayStream } from "./relay-stream.ts";
import { RosterFeed, type RosterSource } from "./roster-feed.ts";

const MAX_REQUEST_BYTES = 4_096;

export type PeerServing = { hub: AgentHub; issueTicket: RelayHosts["issueTicket"]; logger: Logger };

/** Serves one stream of a control plane that has proved to be one of ours. */
export function servePeer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, { hub, issueTicket, logger }: PeerServing): void {
  stream.on("error", () => undefined);
  if (headers[RELAY_HOST_HEADER] !== undefined) {
    void relayStream(stream, headers, { find: (hostId) => hub.find(hostId), issueTicket });
    return;
  }
  const path = `${headers[":method"] ?? ""} ${headers[":path"] ?? ""}`;
  if (path === `GET ${ROSTER_PATH}`) serveRoster(stream, hub);
  else if (path === `POST ${YIELD_PATH}`)
    answer(stream, logger, {
      schema: yieldRequest,
      work: async ({ hostId, processId }) => ({ isFree: await hub.makeRoom(hostId, processId) }),
    });
  else if (path === `POST ${DROP_PATH}`)
    answer(stream, logger, {
      schema: dropRequest,
      work: async ({ hostId, reason }) => {
        hub.drop(hostId, reason);
        return {};
      },
    });
  else stream.respond({ ":status": 404 }, { endStream: true });
}

function serveRoster(stream: ServerHttp2Stream, hub: AgentHub): void {
  stream.respond({ ":status": 200, "content-type": "application/x-ndjson" });
  const feed = new RosterFeed(rosterOf(hub), stream);
  stream.on("drain", () => feed.drain());
  const stop = hub.onChange(({ hostId, kind }) => feed.note(hostId, kind));
  const timer = setInterval(() => feed.tick(), HEARTBEAT_INTERVAL_MS);
  stream.once("close", () => {
    clearInterval(timer);
    stop();
  });
}

function rosterOf(hub: AgentHub): RosterSource {
  const describe = ({ hostId, epoch, facts, stats }: HostConnection): RosterHost => ({ hostId, epoch, facts, stats });
  return {
    hosts: () => [...hub.connections()].map(describe),
    find: (hostId) => {
      const connection = hub.find(hostId);
      return connection === undefined ? undefined : describe(connection);
    },
    silences: () => [...hub.connections()].map(({ hostId, socket }) => ({ hostId, silentMs: Date.now() - socket.lastHeardMs })),
  };
}

type Question<T extends z.ZodType> = { schema: T; work: (request: z.output<T>) => Promise<unknown> };

/** One short question, one short answer. */
function answer<T extends z.ZodType>(stream: ServerHttp2Stream, logger: Logger, { schema, work }: Question<T>): void {
  void (async () => {
    try {
      const request = await readQuestion(stream, schema);
      const result = await work(request);
      if (stream.destroyed) return;
      stream.respond({ ":status": 200, "content-type": "application/json" });
      stream.end(formatLine(result));
    } catch (error) {
      logger.warn("what another control plane asked was not answered", { error: toFlotillaError(error).message });
      if (!stream.destroyed && !stream.headersSent) stream.respond({ ":status": 400 }, { endStream: true });
    }
  })();
}

async function readQuestion<T extends z.ZodType>(stream: ServerHttp2Stream, schema: T): Promise<z.output<T>> {
  // Shielded: whoever stops reading would end the stream itself, before its answer.
  for await (const request of readLines(shieldBody(stream), { schema, maxBytes: MAX_REQUEST_BYTES })) {
    stream.resume();
    return request;
  }
  throw new FlotillaError("invalid", "nothing was asked");
}
