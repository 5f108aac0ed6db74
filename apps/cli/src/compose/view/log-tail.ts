import type { IncomingMessage } from "node:http";
import { toFlotillaError } from "@flotilla/core";
import type { EngineClient } from "../engine/client.ts";
import { cutLines, isMultiplexed, type LogPrinter, type LogStreamName } from "./log-printer.ts";

type Place = {
  /** Time of the last entry that was shown. */ time: string;
  /** Lines of that time that were shown. */ count: number;
  text: string;
};

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9})(\S{1,6}) /;

export type LogTailOptions = {
  engine: Pick<EngineClient, "stream">;
  printer: Pick<LogPrinter, "line">;
  /** `short`: how its lines begin. */
  container: { id: string; short: string; hasTerminal: boolean };
  /** Lines begin with their times. */
  timestamps: boolean;
  signal: AbortSignal;
  warn: (message: string) => void;
};

/**
 * Shows what a container says over all its runs, each line once. A log that is followed ends with a run, and a run may be over before anybody hears of
 * its beginning: so reading goes on where it stopped, by the times of the entries, and once more when the container has ended for good.
 */
export class LogTail {
  readonly #options: LogTailOptions;
  readonly #places = new Map<LogStreamName, Place>();
  /** What is not later than this was there before. */
  #start = "";
  #isFinal = false;
  #isDirty = false;
  #kick: () => void = () => undefined;
  #running: Promise<void> | undefined;

  constructor(options: LogTailOptions) {
    this.#options = options;
  }

  /** Leaves out what the log has now. */
  async skip(): Promise<void> {
    let last = "";
    const query = { tail: 1 };
    await this.#read(query, (text) => (last = splitTime(text)?.time ?? last)).catch(() => undefined);
    this.#start = last;
  }

  /** Begins to show; again is nothing. */
  begin(): void {
    this.#running ??= this.#run().catch((error: unknown) => {
      const { code, message } = toFlotillaError(error);
      if (!this.#options.signal.aborted && code !== "not_found") this.#options.warn(message);
    });
  }

  /** The container began or ended a run. */
  wake(): void {
    this.#isDirty = true;
    this.#kick();
  }

  /** The container has ended for good. Resolves when everything is shown. */
  async finish(): Promise<void> {
    this.#isFinal = true;
    this.wake();
    await this.#running;
  }

  /** It was over, and has been started again. */
  reopen(): void {
    this.#isFinal = false;
    this.#running = undefined;
    this.begin();
  }

  async #run(): Promise<void> {
    const { signal } = this.#options;
    signal.addEventListener("abort", () => this.#kick(), { once: true });
    while (!signal.aborted) {
      const isLast = this.#isFinal;
      this.#isDirty = false;
      const seen = new Map<LogStreamName, Place>();
      const since = this.#since();
      await this.#read({ follow: !isLast, ...(since === undefined ? {} : { since }) }, (text, stream) =>
        this.#take(text, { stream, seen }),
      );
      if (isLast) return;
      if (!this.#isDirty && !signal.aborted) await new Promise<void>((resolve) => (this.#kick = resolve));
    }
  }

  /** The time of the last entry that was shown, as the engine takes it. */
  #since(): string | undefined {
    const times = [...this.#places.values()].map(({ time }) => time);
    const last = [this.#start, ...times].toSorted().at(-1) ?? "";
    if (last === "") return undefined;
    return `${Math.floor(Date.parse(`${last.slice(0, 19)}Z`) / 1_000)}.${last.slice(20)}`;
  }

  /** @param seen what this reading has passed. */
  #take(text: string, { stream, seen }: { stream: LogStreamName; seen: Map<LogStreamName, Place> }): void {
    const { printer, container, timestamps } = this.#options;
    const found = splitTime(text);
    const shown = this.#places.get(stream);
    const before = seen.get(stream);
    // The rest of a line that was cut for its length is shown as its beginning was.
    if (found === undefined) {
      if (before?.text !== HIDDEN) printer.line(container.short, text, stream);
      return;
    }
    const count = before?.time === found.time ? before.count + 1 : 1;
    const isOld = found.time <= this.#start;
    const isShown = shown !== undefined && (found.time < shown.time || (found.time === shown.time && count <= shown.count));
    seen.set(stream, { time: found.time, count, text: isOld || isShown ? HIDDEN : "" });
    if (isOld) return;
    if (!isShown) {
      this.#places.set(stream, { time: found.time, count, text: found.text });
      printer.line(container.short, timestamps ? text : found.text, stream);
    } else if (found.time === shown.time && count === shown.count && found.text !== shown.text && found.text.startsWith(shown.text)) {
      // The run before ended within a line, and this one has ended it.
      printer.line(container.short, found.text.slice(shown.text.length), stream);
      shown.text = found.text;
    }
  }

  async #read(
    query: { follow?: boolean; since?: string; tail?: number },
    tell: (text: string, stream: LogStreamName) => void,
  ): Promise<void> {
    const { engine, container, signal } = this.#options;
    const response: IncomingMessage = await engine.stream({
      method: "GET",
      path: `/containers/${container.id}/logs`,
      query: { stdout: true, stderr: true, timestamps: true, ...query },
      signal,
    });
    await cutLines(response, isMultiplexed(response, container.hasTerminal), tell);
  }
}

/** In the place of a text: the line was not shown. */
const HIDDEN = "\u0000hidden";

/** A line of a log with times, as the time in UTC and the rest. An offset is none that any engine sends. Pure. */
export function splitTime(line: string): { time: string; text: string } | undefined {
  const [head, time] = TIME.exec(line) ?? [];
  return head === undefined || time === undefined ? undefined : { time, text: line.slice(head.length) };
}
