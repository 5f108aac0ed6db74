// The agent's end of the control socket.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { FlotillaError } from "@flotilla/core";
import { FromResolver, readLines, sendLine } from "./control-messages.ts";
import type { Loaded } from "./resolver-server.ts";

const HELLO_MS = 2_000;
const LOAD_MS = 5_000;

/** A connection to a resolver that has said who it is. */
export class ResolverConnection {
  readonly code: string;
  readonly pid: number;
  readonly #socket: Socket;
  readonly #closed: Promise<void>;
  #waiting: ((loaded: Loaded) => void) | undefined;

  private constructor(socket: Socket, hello: { code: string; pid: number }) {
    this.code = hello.code;
    this.pid = hello.pid;
    this.#socket = socket;
    this.#closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  /** @returns undefined when nobody listens there, or who does is silent. */
  static async open(path: string): Promise<ResolverConnection | undefined> {
    const socket = connect(path);
    socket.on("error", () => undefined);
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(HELLO_MS) });
      const { promise, resolve, reject } = Promise.withResolvers<ResolverConnection>();
      const timer = setTimeout(() => reject(new FlotillaError("unavailable", "the resolver says nothing")), HELLO_MS);
      let connection: ResolverConnection | undefined;
      socket.once("close", () => reject(new FlotillaError("unavailable", "the resolver closed the connection")));
      readLines(socket, FromResolver, (message) => {
        if ("code" in message) resolve((connection ??= new ResolverConnection(socket, message)));
        else if (connection !== undefined) connection.#waiting?.(message);
      });
      // It must not keep the agent from ending.
      socket.unref();
      return await promise.finally(() => clearTimeout(timer));
    } catch {
      socket.destroy();
      return undefined;
    }
  }

  /** Calls once, when the connection is gone for whatever reason but `close`. */
  onLost(listener: () => void): void {
    void this.#closed.then(() => {
      if (!this.#isLeft) listener();
    });
  }

  #isLeft = false;

  /** Settles when it answers from a state of at least this version. @throws unavailable when it does not say so in time. */
  async load(version: number): Promise<Loaded> {
    const { promise, resolve, reject } = Promise.withResolvers<Loaded>();
    const timer = setTimeout(() => reject(new FlotillaError("unavailable", "the resolver does not answer")), LOAD_MS);
    void this.#closed.then(() => reject(new FlotillaError("unavailable", "the resolver is gone")));
    this.#waiting = (loaded) => {
      if (loaded.loaded >= version) resolve(loaded);
    };
    sendLine(this.#socket, { load: version });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  /** Leaves it running. */
  close(): void {
    this.#isLeft = true;
    this.#socket.destroy();
  }

  /** Tells it to end and waits until it has. */
  async end(): Promise<void> {
    this.#isLeft = true;
    sendLine(this.#socket, { end: true });
    // This timer also keeps the agent, which may be ending itself, from being gone before.
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, HELLO_MS);
    await Promise.race([this.#closed, promise]);
    clearTimeout(timer);
    this.#socket.destroy();
  }
}
