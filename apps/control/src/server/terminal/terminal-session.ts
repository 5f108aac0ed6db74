import type { ClientHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { Readable } from "node:stream";
import type { ObjectRef, UserActor } from "@flotilla/services";
import type { WebSocket } from "ws";
import { z } from "zod";
import { ReplayBuffer } from "./replay-buffer.ts";

const REPLAY_BYTES = 256 * 1024;
export const IDLE_LIMIT_MS = 10 * 60_000;
/** A viewer with more than this unsent holds the program back, as a slow terminal does. */
const HIGH_WATER_BYTES = 1024 * 1024;
const LOW_WATER_BYTES = 256 * 1024;
const DRAIN_POLL_MS = 25;

const cells = z.int().min(1).max(1000);
const pageMessage = z.object({ resize: z.object({ cols: cells, rows: cells }) });

export type TerminalSessionOptions = {
  id: string;
  actor: UserActor;
  /** The container that the program runs in. */
  object: ObjectRef;
  input: ClientHttp2Stream;
  output: Readable;
  resize(size: { cols: number; rows: number }): Promise<void>;
  readExitCode(): Promise<number | null>;
  onEnd(): void;
};

/**
 * One program with a terminal and its viewers. It lives while the program does and somebody looked at it within the last
 * ten minutes; a viewer that comes gets the last 256 KiB first.
 */
export class TerminalSession {
  readonly id: string;
  readonly actor: UserActor;
  readonly object: ObjectRef;
  readonly #options: TerminalSessionOptions;
  readonly #replay = new ReplayBuffer(REPLAY_BYTES);
  readonly #viewers = new Set<WebSocket>();
  #idle: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(options: TerminalSessionOptions) {
    this.id = options.id;
    this.actor = options.actor;
    this.object = options.object;
    this.#options = options;
    options.output.on("data", (chunk: Buffer) => this.#show(chunk));
    options.output.once("close", () => void this.#finish());
    this.#startIdle();
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  addViewer(viewer: WebSocket): void {
    const before = this.#replay.bytes();
    if (before.length > 0) viewer.send(before);
    clearTimeout(this.#idle);
    this.#viewers.add(viewer);
    viewer.on("message", (data, isBinary) => this.#receive(viewer, Buffer.isBuffer(data) ? data : Buffer.alloc(0), isBinary));
    viewer.on("error", () => viewer.terminate());
    viewer.once("close", () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.#startIdle();
    });
  }

  /** Ends the program's terminal: its shell gets a hang-up. */
  end(reason: string): void {
    for (const viewer of this.#viewers) viewer.close(1008, reason);
    this.#options.input.close(constants.NGHTTP2_CANCEL);
  }

  #startIdle(): void {
    clearTimeout(this.#idle);
    if (this.#hasEnded) return;
    this.#idle = setTimeout(() => this.end("nobody looked at this terminal for ten minutes"), IDLE_LIMIT_MS);
    this.#idle.unref();
  }

  #show(chunk: Buffer): void {
    this.#replay.push(chunk);
    for (const viewer of this.#viewers) viewer.send(chunk);
    if (this.#isAnyBehind(HIGH_WATER_BYTES)) this.#pauseUntilDrained();
  }

  #pauseUntilDrained(): void {
    const { output } = this.#options;
    output.pause();
    const timer = setInterval(() => {
      if (this.#isAnyBehind(LOW_WATER_BYTES)) return;
      clearInterval(timer);
      output.resume();
    }, DRAIN_POLL_MS);
  }

  #isAnyBehind(bytes: number): boolean {
    return [...this.#viewers].some((viewer) => viewer.bufferedAmount > bytes);
  }

  #receive(viewer: WebSocket, data: Buffer, isBinary: boolean): void {
    const { input } = this.#options;
    if (isBinary) {
      if (input.destroyed || input.write(data)) return;
      viewer.pause();
      input.once("drain", () => viewer.resume());
      return;
    }
    const parsed = pageMessage.safeParse(parseJson(data));
    if (!parsed.success) viewer.close(1007, "not a message of this protocol");
    else void this.#options.resize(parsed.data.resize).catch(() => undefined);
  }

  async #finish(): Promise<void> {
    this.#hasEnded = true;
    clearTimeout(this.#idle);
    const code = await this.#options.readExitCode().catch(() => null);
    for (const viewer of this.#viewers) {
      viewer.send(JSON.stringify({ exit: { code } }));
      viewer.close(1000);
    }
    this.#options.onEnd();
  }
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString("utf8"));
  } catch {
    return undefined;
  }
}
