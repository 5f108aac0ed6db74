import { Duplex } from "node:stream";
import { FlotillaError } from "@flotilla/core";

/** The part of a WebSocket (package `ws`, either end) that the link uses; messages come as Node buffers. */
export type WebSocketLike = {
  send(data: string | Uint8Array, done?: (error?: Error) => void): void;
  ping(): void;
  pause(): void;
  resume(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  on(event: "message", listener: (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => void): unknown;
  on(event: "ping" | "pong", listener: () => void): unknown;
  on(event: "close", listener: (code: number, reason: Buffer) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
};

type Waiting = { resolve: (data: Buffer) => void; reject: (error: FlotillaError) => void };

/** One write is cut to pieces of this size, so that no message is larger than the other end admits. */
const MAX_PIECE_BYTES = 256 * 1024;

/**
 * One WebSocket of the link: first text messages, asked for one by one (the handshake), then one byte stream of binary
 * messages. Nothing that comes between the two is lost; a message of the wrong kind ends the connection.
 */
export class LinkSocket {
  readonly #socket: WebSocketLike;
  readonly #texts: Buffer[] = [];
  readonly #early: Buffer[] = [];
  readonly #closed: Promise<string>;
  #waiting: Waiting | undefined;
  #stream: Duplex | undefined;
  #end: string | undefined;
  #lastHeardMs: number;
  readonly #nowMs: () => number;

  constructor(socket: WebSocketLike, nowMs: () => number = Date.now) {
    this.#socket = socket;
    this.#nowMs = nowMs;
    this.#lastHeardMs = nowMs();
    socket.on("message", (data, isBinary) => this.#receive(toBuffer(data), isBinary));
    socket.on("ping", () => this.#hear());
    socket.on("pong", () => this.#hear());
    this.#closed = new Promise((resolve) => {
      socket.on("error", (error) => this.#finish(error.message, resolve));
      socket.on("close", (code, reason) => this.#finish(reason.toString("utf8") || `closed with code ${code}`, resolve));
    });
  }

  /** When anything was last heard from the other end. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** Settles with the reason when the connection has ended. */
  get closed(): Promise<string> {
    return this.#closed;
  }

  ping(): void {
    if (this.#end === undefined) this.#socket.ping();
  }

  sendText(message: unknown): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** The next text message. @throws unavailable when the connection ends before, or nothing comes in time. */
  async nextText(timeoutMs: number): Promise<Buffer> {
    const ready = this.#texts.shift();
    if (ready !== undefined) return ready;
    if (this.#end !== undefined) throw new FlotillaError("unavailable", `the connection ended: ${this.#end}`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting = undefined;
        reject(new FlotillaError("unavailable", "the other end did not answer in time"));
      }, timeoutMs);
      this.#waiting = {
        resolve: (data) => {
          clearTimeout(timer);
          resolve(data);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
    });
  }

  /** From now on binary messages are one byte stream with back-pressure both ways. Call once. */
  toStream(): Duplex {
    const socket = this.#socket;
    const stream = new Duplex({
      read: () => socket.resume(),
      write: (chunk: Buffer, _encoding, done) => sendPieces(socket, chunk, done),
      final: (done) => {
        socket.close(1000);
        done();
      },
      destroy: (error, done) => {
        socket.terminate();
        done(error);
      },
    });
    this.#stream = stream;
    for (const chunk of this.#early.splice(0)) stream.push(chunk);
    if (this.#end !== undefined) stream.destroy();
    return stream;
  }

  /** Says why in the close frame, then ends. */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason.slice(0, 100));
  }

  /** Ends at once, for a peer that does not answer. */
  terminate(): void {
    this.#socket.terminate();
  }

  #hear(): void {
    this.#lastHeardMs = this.#nowMs();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.#hear();
    if (isBinary) {
      if (this.#stream === undefined) this.#early.push(data);
      else if (!this.#stream.push(data)) this.#socket.pause();
      if (this.#early.length > 64) this.close(1008, "too much before the handshake was over");
      return;
    }
    if (this.#stream !== undefined || this.#texts.length > 4) {
      this.close(1003, "unexpected text message");
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#texts.push(data);
    else waiting.resolve(data);
  }

  #finish(reason: string, resolve: (reason: string) => void): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#waiting?.reject(new FlotillaError("unavailable", `the connection ended: ${reason}`));
    this.#waiting = undefined;
    this.#stream?.push(null);
    this.#stream?.destroy();
    resolve(reason);
  }
}

function sendPieces(socket: WebSocketLike, chunk: Buffer, done: (error?: Error | null) => void): void {
  const rest = chunk.length - MAX_PIECE_BYTES;
  if (rest <= 0) socket.send(chunk, (error) => done(error));
  else {
    socket.send(chunk.subarray(0, MAX_PIECE_BYTES), (error) => {
      if (error === undefined || error === null) sendPieces(socket, chunk.subarray(MAX_PIECE_BYTES), done);
      else done(error);
    });
  }
}

function toBuffer(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
