import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import {
  CALLER_HEADER,
  EXEMPT_HEADER,
  NAMESPACE_HEADER,
  RELAY_CALLER_HEADER,
  RELAY_EPOCH_HEADER,
  RELAY_HOST_HEADER,
  RELAY_REFUSAL_HEADER,
} from "@flotilla/protocol";
import { answerBody } from "../agent-hub/answer-body.ts";
import { cancelStream } from "../agent-hub/cancel-stream.ts";
import { sendBody } from "../agent-hub/send-body.ts";
import { plainHeaders, type RawCall, type RawRequest } from "../agent-hub/tunnel-calls.ts";

/** Paths inside a host's tunnel that are of the link itself: only the control plane that holds it uses them. */
const LINK_PATHS = "/flotilla/v1/link/";
const OWN_HEADERS = new Set([RELAY_HOST_HEADER, RELAY_EPOCH_HEADER, RELAY_CALLER_HEADER, NAMESPACE_HEADER, EXEMPT_HEADER]);

export type RelayTarget = {
  epoch: number;
  openRaw(request: RawRequest, options: { endStream: boolean }): RawCall;
};

export type RelayHosts = {
  /** The connection of a host that is here. */
  find(hostId: string): RelayTarget | undefined;
  /** A ticket of this control plane for whoever called there; undefined when they cannot be found. */
  issueTicket(hostId: string, caller: string): Promise<{ ticket: string; end: () => void } | undefined>;
};

/**
 * Passes a call of another control plane on to a host that is here: headers, both bodies with their back-pressure, trailers,
 * half-closes and resets. Who called was authorised by the other one.
 */
export async function relayStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, hosts: RelayHosts): Promise<void> {
  stream.on("error", () => undefined);
  const hostId = String(headers[RELAY_HOST_HEADER] ?? "");
  const path = headers[":path"] ?? "/";
  const passed = passHeaders(headers);
  try {
    const caller = headers[RELAY_CALLER_HEADER];
    const ticket = typeof caller === "string" ? await hosts.issueTicket(hostId, caller) : undefined;
    if (ticket !== undefined) {
      passed[CALLER_HEADER] = ticket.ticket;
      if (stream.closed) ticket.end();
      else stream.once("close", ticket.end);
    }
    if (stream.closed) return;
    const target = hosts.find(hostId);
    if (target === undefined || String(target.epoch) !== headers[RELAY_EPOCH_HEADER] || path.startsWith(LINK_PATHS)) {
      refuse(stream);
      return;
    }
    const request = {
      method: headers[":method"] ?? "GET",
      path,
      namespace: String(headers[NAMESPACE_HEADER] ?? ""),
      isExempt: headers[EXEMPT_HEADER] === "1",
      headers: passed,
    };
    const call = target.openRaw(request, { endStream: stream.endAfterHeaders });
    pipeRequest(stream, call);
    await pipeAnswer(stream, call).catch(() => passFailure(stream, call));
  } catch {
    refuse(stream);
  }
}

/** The host reset the call, or its connection has ended. */
function passFailure(stream: ServerHttp2Stream, { input }: RawCall): void {
  if (stream.headersSent || (input.rstCode !== constants.NGHTTP2_NO_ERROR && input.rstCode !== constants.NGHTTP2_CANCEL))
    stream.close(input.rstCode);
  else refuse(stream);
}

function passHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(plainHeaders(headers)).filter(([name]) => !OWN_HEADERS.has(name) && name !== CALLER_HEADER));
}

/** The call was not made: the caller finds out where the host is now. */
function refuse(stream: ServerHttp2Stream): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond({ ":status": 503, [RELAY_REFUSAL_HEADER]: "gone" }, { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
}

/** What the caller sends, to its end; when the caller breaks off, so is the call to the host. */
function pipeRequest(stream: ServerHttp2Stream, { input }: RawCall): void {
  stream.once("close", () => cancelStream(input));
  if (stream.endAfterHeaders) {
    stream.resume();
    return;
  }
  // Wrapped, so that a body that was cut off is an error and never looks like its end.
  const body = answerBody(stream);
  sendBody(body, input, () => body.resume());
}

/** What the host answers. Returns when the answer has begun. */
async function pipeAnswer(stream: ServerHttp2Stream, { input, output, answered }: RawCall): Promise<void> {
  let trailers: OutgoingHttpHeaders | undefined;
  input.once("trailers", (received: IncomingHttpHeaders) => (trailers = plainHeaders(received)));
  const { status, headers } = await answered;
  if (stream.closed) return;
  const { [RELAY_REFUSAL_HEADER]: _, ...own } = headers;
  stream.respond({ ...own, ":status": status }, { waitForTrailers: true });
  let isCut = false;
  // With trailers to come the end of the body is not the end of the stream: what was cut off gets none, and so no end.
  stream.once("wantTrailers", () => {
    if (isCut) return;
    stream.sendTrailers(trailers ?? {});
    // The host is done, also when it has not read everything: the caller need not send the rest.
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  });
  output.once("error", () => {
    isCut = true;
    stream.close(input.rstCode === constants.NGHTTP2_NO_ERROR ? constants.NGHTTP2_CANCEL : input.rstCode);
  });
  output.pipe(stream);
}
