import type { Duplex, Readable, Writable } from "node:stream";

export type ResponseHead = { status: number; headers: Readonly<Record<string, string>> };

/** How a front end (HTTP/1.1 or HTTP/2) answers. Exactly one of the three is called, once. */
export type Responder = {
  /** A whole answer. A HEAD request gets the head alone. */
  end(head: ResponseHead, body?: Uint8Array): void;
  /** Flushes the head; what is written follows. Ending it ends the answer, destroying it cuts it so that the client sees that. */
  stream(head: ResponseHead): Writable;
  /** Switches to raw bytes both ways, behind the request's body. `protocol` is what the connection is upgraded to. */
  hijack(headers: Readonly<Record<string, string>>, protocol: string): Promise<Duplex>;
};

/** One request as a front end hands it to the dispatcher. */
export type Exchange = {
  method: string;
  /** Path with query, percent-encoded, as it came. */
  target: string;
  namespace: string;
  /** Guard rails do not bind the caller. */
  isExempt: boolean;
  header(name: string): string | undefined;
  body: Readable;
  /** Aborts when the client is gone before the answer ended. */
  signal: AbortSignal;
  responder: Responder;
};
