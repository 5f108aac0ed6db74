import type { ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import { type Logger, toFlotillaError } from "@flotilla/core";
import {
  type AgentStateMessage,
  boundFailures,
  controlStateMessage,
  type ControlStateMessage,
  formatLine,
  MAX_STATE_LINE_BYTES,
  type ObservedFeed,
  readLines,
  STATE_CONTENT_TYPE,
} from "@flotilla/protocol";
import type { DesiredState, Outcome } from "./desired-state.ts";
import type { ObservedState } from "./observed-state.ts";

export type HostState = {
  desired: DesiredState;
  observed: ObservedState;
  logger: Logger;
};

/**
 * Serves the stream of state of one connection to its end (packages/protocol/src/desired-state.ts says what is spoken).
 * @param origin which control plane and host this connection is of: a document of another one is nothing here.
 */
export async function serveState(stream: ServerHttp2Stream, state: HostState, origin: string): Promise<void> {
  const { desired, observed, logger } = state;
  const send = (message: AgentStateMessage): void => {
    if (!stream.destroyed && !stream.writableEnded) stream.write(formatLine(message));
  };
  const sendOutcome = ({ version, failures }: Outcome): void => send({ type: "applied", version, failures: boundFailures(failures) });
  stream.on("error", () => undefined);
  stream.respond({ ":status": 200, "content-type": STATE_CONTENT_TYPE });
  const version = desired.version(origin);
  send({ type: "have", version });
  if (version !== null && desired.outcome !== undefined) sendOutcome(desired.outcome);
  const stopOutcomes = desired.onOutcome((outcome) => {
    if (desired.version(origin) !== null) sendOutcome(outcome);
  });
  const { feed, close } = observed.open(send);
  try {
    for await (const message of readLines(stream, { schema: controlStateMessage, maxBytes: MAX_STATE_LINE_BYTES })) {
      answer({ desired, feed, send, origin }, message);
    }
    stream.end();
  } catch (error) {
    if (!stream.destroyed) {
      logger.warn("the stream of state is ended", { error: toFlotillaError(error).message });
      stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
    }
  } finally {
    stopOutcomes();
    close();
  }
}

type Ends = { desired: DesiredState; feed: ObservedFeed; send: (message: AgentStateMessage) => void; origin: string };

function answer({ desired, feed, send, origin }: Ends, message: ControlStateMessage): void {
  switch (message.type) {
    case "observed_ack":
      feed.acknowledge(message.sequence);
      return;
    case "observed_need_snapshot":
      feed.restart();
      return;
    case "snapshot":
    case "delta": {
      const result = desired.receive(origin, message);
      if (result === "need_snapshot") send({ type: "need_snapshot" });
      else if (typeof result === "object") send({ type: "refused", version: desired.version(origin), message: result.refused });
    }
  }
}
