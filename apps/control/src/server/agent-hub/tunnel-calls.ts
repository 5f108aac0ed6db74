import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import type { Readable } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import { EXEMPT_HEADER, HIJACK_HEADER, NAMESPACE_HEADER } from "@flotilla/protocol";
import type { EngineRequest, EngineResponse } from "@flotilla/services";
import { answerBody } from "./answer-body.ts";
import { sendBody } from "./send-body.ts";

export type TunnelAnswer = { status: number; headers: Record<string, string>; isUpgraded: boolean };

/** A full-duplex call: end `input` for a half-close, close it to cancel; read `output` to its end. */
export type RawCall = { input: ClientHttp2Stream; output: Readable; answered: Promise<TunnelAnswer> };

export type RawRequest = Omit<EngineRequest, "body">;

export type TunnelOptions = {
  session: ClientHttp2Session;
  /** Who is called, in errors: `host web-1`. */
  label: string;
  /** What an error says when the connection is gone. */
  goneMessage: string;
  /** Added to each call. */
  headers?: Readonly<Record<string, string>>;
  /** Whether an answer is the host's own. @throws what the call fails with, if it is not. */
  check?: (headers: IncomingHttpHeaders) => void;
};

/** Calls through an HTTP/2 connection that leads to an engine. */
export class TunnelCalls {
  readonly #options: TunnelOptions;

  constructor(options: TunnelOptions) {
    this.#options = options;
  }

  async request(request: EngineRequest): Promise<EngineResponse> {
    const { body } = request;
    const stream = this.#open(request, body === undefined);
    const answered = this.#answer(stream);
    const answer = answerBody(stream);
    if (typeof body === "string" || body instanceof Uint8Array) stream.end(body);
    // An engine may answer before it has read everything: the answer says why, the rest of the upload is dropped.
    else if (body !== undefined) sendBody(body, stream);
    const { status, headers } = await answered;
    return { status, headers, body: answer };
  }

  /** Opens a full-duplex call without waiting for its answer: the raw input may have to be sent first. */
  openRaw(request: RawRequest, options: { endStream: boolean } = { endStream: false }): RawCall {
    const input = this.#open(request, options.endStream);
    const output = answerBody(input);
    return { input, output, answered: this.#answer(input) };
  }

  #open(request: RawRequest, endStream: boolean): ClientHttp2Stream {
    const { session, headers } = this.#options;
    if (session.destroyed || session.closed) throw this.#gone();
    // After the caller's own headers: whose objects a call is about, and what binds it, nobody says but this process.
    const ours = { [NAMESPACE_HEADER]: request.namespace, [EXEMPT_HEADER]: request.isExempt === true ? "1" : "0" };
    return session.request(
      { ...request.headers, ...headers, ":method": request.method, ":path": request.path, ...ours },
      { endStream, ...(request.signal === undefined ? {} : { signal: request.signal }) },
    );
  }

  #answer(stream: ClientHttp2Stream): Promise<TunnelAnswer> {
    const { label, check } = this.#options;
    return new Promise((resolve, reject) => {
      stream.once("response", (headers) => {
        try {
          check?.(headers);
          resolve({ status: Number(headers[":status"]), headers: plainHeaders(headers), isUpgraded: headers[HIJACK_HEADER] === "101" });
        } catch (error) {
          stream.close();
          reject(error);
        }
      });
      // Stays for the stream's life: a later failure ends the body, and must not end the process.
      stream.on("error", (error) => reject(new FlotillaError("unavailable", `${label}: ${error.message}`, { cause: error })));
      stream.once("close", () => reject(this.#gone()));
    });
  }

  #gone(): FlotillaError {
    return new FlotillaError("unavailable", this.#options.goneMessage);
  }
}

/** Headers without those of HTTP/2 itself, each as one text. */
export function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    plain[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return plain;
}
