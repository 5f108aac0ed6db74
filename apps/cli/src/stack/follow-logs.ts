import { setTimeout } from "node:timers/promises";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { STDCOPY, StdcopyDecoder } from "@flotilla/engine-api";
import type { Credentials } from "../remote/credentials.ts";

/** `restarts`: how often it was started again; with another number the log goes on. */
export type LogSource = { label: string; host: string; containerId: string; restarts: number };
export type LogOptions = { follow: boolean; tail: string; timestamps: boolean };
export type LogStream = "stdout" | "stderr";
export type OpenedLog = { body: AsyncIterable<Uint8Array>; isMultiplexed: boolean };

export type LogReading = {
  /** Whose logs there are now. */
  sources: () => Promise<readonly LogSource[]>;
  open: (source: LogSource, query: Readonly<Record<string, string>>) => Promise<OpenedLog>;
  write: (stream: LogStream, line: string) => void;
  note: (text: string) => void;
  isColoured: boolean;
  pause?: (ms: number) => Promise<unknown>;
};

const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];
const LOOK_MS = 1000;

type Followed = { isOpen: boolean; restarts: number; lastTime: string; prefix: string; failure: string };
/** To be read again, however often it was started. */
const AGAIN = -1;

/**
 * Prints the logs of several containers of several hosts as they come, each line with the name of its replica. With `follow` also of
 * those that are made later, in a rollout for example, and of each run of one that starts again, until there are none any more.
 */
export class LogMerger {
  readonly #reading: LogReading;
  readonly #options: LogOptions;
  readonly #followed = new Map<string, Followed>();
  #failed = 0;

  constructor(reading: LogReading, options: LogOptions) {
    this.#reading = reading;
    this.#options = options;
  }

  /** @returns how many logs could not be read. */
  async run(): Promise<number> {
    const { sources, pause = setTimeout } = this.#reading;
    const first = this.#begin(await sources(), this.#options.tail);
    if (!this.#options.follow) {
      await Promise.all(first);
      return this.#failed;
    }
    for (;;) {
      await pause(LOOK_MS);
      const now = await sources().catch((error: unknown) => {
        if (toFlotillaError(error).code === "unavailable") return undefined;
        return [];
      });
      if (now === undefined) continue;
      void this.#begin(now, "all");
      if (now.length === 0 && ![...this.#followed.values()].some(({ isOpen }) => isOpen)) return this.#failed;
    }
  }

  #begin(sources: readonly LogSource[], tail: string): Promise<void>[] {
    return sources.flatMap((source) => {
      const known = this.#followed.get(source.containerId);
      if (known !== undefined && (known.isOpen || known.restarts === source.restarts)) return [];
      const followed = known ?? { isOpen: false, restarts: 0, lastTime: "", prefix: this.#prefix(source.label), failure: "" };
      this.#followed.set(source.containerId, followed);
      Object.assign(followed, { isOpen: true, restarts: source.restarts });
      return [this.#read(source, followed, known === undefined ? tail : "all").finally(() => (followed.isOpen = false))];
    });
  }

  #prefix(label: string): string {
    const code = COLOURS[this.#followed.size % COLOURS.length] ?? 36;
    return this.#reading.isColoured ? `\u001b[${code}m${label} |\u001b[0m ` : `${label} | `;
  }

  async #read(source: LogSource, followed: Followed, tail: string): Promise<void> {
    try {
      const query = { stdout: "1", stderr: "1", timestamps: "1", follow: this.#options.follow ? "1" : "0", tail };
      const since = followed.lastTime === "" ? {} : { since: toUnixTime(followed.lastTime) };
      const { body, isMultiplexed } = await this.#reading.open(source, { ...query, ...since });
      await this.#print(followed, body, isMultiplexed);
    } catch (error) {
      const { message } = toFlotillaError(error);
      if (message !== followed.failure) this.#reading.note(`log of ${source.label}: ${message}`);
      Object.assign(followed, { failure: message, restarts: AGAIN });
      this.#failed++;
    }
  }

  async #print(followed: Followed, body: AsyncIterable<Uint8Array>, isMultiplexed: boolean): Promise<void> {
    const decoder = new StdcopyDecoder();
    const texts = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    const rest = { stdout: "", stderr: "" };
    const known = followed.lastTime;
    const line = (stream: LogStream, text: string): void => {
      const at = text.indexOf(" ");
      const time = text.slice(0, Math.max(0, at));
      // A run that goes on is told from the time of the last line on, that line with it.
      if (known !== "" && time <= known) return;
      if (time > followed.lastTime) followed.lastTime = time;
      this.#reading.write(stream, `${followed.prefix}${this.#options.timestamps ? text : text.slice(at + 1)}`);
    };
    const add = (stream: LogStream, bytes: Uint8Array): void => {
      const lines = `${rest[stream]}${texts[stream].decode(bytes, { stream: true })}`.split("\n");
      rest[stream] = lines.pop() ?? "";
      for (const text of lines) line(stream, text.replace(/\r$/, ""));
    };
    for await (const chunk of body) {
      if (!isMultiplexed) add("stdout", chunk);
      else
        for (const { stream, payload } of decoder.push(Buffer.from(chunk))) add(stream === STDCOPY.stderr ? "stderr" : "stdout", payload);
    }
    for (const stream of ["stdout", "stderr"] as const) if (rest[stream] !== "") line(stream, rest[stream]);
  }
}

/** `2026-01-02T03:04:05.123456789Z` as seconds since the epoch with their fraction, as the engine takes it. Pure. */
export function toUnixTime(time: string): string {
  const [, second = "", fraction = "0"] = /^([^.Z]*)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return `${Date.parse(`${second}Z`) / 1000}.${fraction}`;
}

/** Opens a container's log on its host, through the control plane. @throws unavailable. */
export async function openLog(
  { url, token }: Credentials,
  { host, containerId }: LogSource,
  query: Readonly<Record<string, string>>,
): Promise<OpenedLog> {
  const path = `${url}/docker/${encodeURIComponent(host)}/v1.47/containers/${containerId}/logs?${new URLSearchParams(query).toString()}`;
  const response = await fetch(path, { headers: { authorization: `Bearer ${token}` }, redirect: "error" });
  if (!response.ok || response.body === null) throw new FlotillaError("unavailable", `host ${host} answers ${response.status}`);
  return { body: response.body, isMultiplexed: (response.headers.get("content-type") ?? "").includes("multiplexed") };
}
