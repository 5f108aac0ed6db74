import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { encodeStdcopy } from "@flotilla/engine-api";
import { beforeEach, describe, expect, test } from "vitest";
import type { Call } from "../engine/client.ts";
import { LogTail, type LogTailOptions, splitTime } from "./log-tail.ts";

type Entry = { time: string; text: string; stream: 1 | 2 };

const at = (ms: number): string => `${new Date(1_700_000_000_000 + ms).toISOString().slice(0, -1)}000000Z`;

/** A container's log as an engine serves it: whole lines with their times; a log that is followed ends with the run. */
class Log {
  readonly entries: Entry[] = [];
  readonly readers: { stream: PassThrough; isMultiplexed: boolean }[] = [];
  readonly asked: Record<string, unknown>[] = [];
  readonly shown: string[] = [];
  readonly warnings: string[] = [];
  readonly stop = new AbortController();
  hasTerminal = false;
  isRunning = true;

  readonly #engine: LogTailOptions["engine"] = {
    stream: async ({ query = {} }: Call) => {
      this.asked.push(query);
      const body = new PassThrough();
      const since = typeof query["since"] === "string" ? fromSeconds(query["since"]) : "";
      const found = this.entries.filter(({ time }) => time >= since);
      for (const entry of query["tail"] === 1 ? found.slice(-1) : found) this.#send(body, entry);
      if (query["follow"] === true && this.isRunning) this.readers.push({ stream: body, isMultiplexed: !this.hasTerminal });
      else body.end();
      this.stop.signal.addEventListener("abort", () => body.destroy());
      return Object.assign(body, { headers: {} }) as unknown as IncomingMessage;
    },
  };

  #send(body: PassThrough, { time, text, stream }: Entry): void {
    const line = Buffer.from(`${time} ${text}\n`);
    body.write(this.hasTerminal ? line : encodeStdcopy(stream, line));
  }

  write(ms: number, text: string, stream: 1 | 2 = 1): void {
    const entry = { time: at(ms), text, stream };
    this.entries.push(entry);
    for (const reader of this.readers) this.#send(reader.stream, entry);
  }

  endRun(): void {
    this.isRunning = false;
    for (const { stream } of this.readers.splice(0)) stream.end();
  }

  tail(more: Partial<LogTailOptions> = {}): LogTail {
    return new LogTail({
      engine: this.#engine,
      printer: { line: (name, text, stream) => void this.shown.push(`${name} ${stream ?? ""} ${text}`) },
      container: { id: "c1", short: "web-1", hasTerminal: this.hasTerminal },
      timestamps: false,
      signal: this.stop.signal,
      warn: (message) => void this.warnings.push(message),
      ...more,
    });
  }
}

const fromSeconds = (text: string): string => {
  const [seconds = "", nanos = ""] = text.split(".");
  return `${new Date(Number(seconds) * 1_000).toISOString().slice(0, 19)}.${nanos}Z`;
};
const rest = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
};

let log: Log;
beforeEach(() => {
  log = new Log();
});

describe("what a container says", () => {
  test("is shown as it comes, each stream for itself, to the end", async () => {
    const tail = log.tail();
    log.write(1, "before");
    tail.begin();
    await rest();
    log.write(2, "bad", 2);
    log.write(3, "last");
    log.endRun();
    await tail.finish();
    expect(log.shown).toEqual(["web-1 stdout before", "web-1 stderr bad", "web-1 stdout last"]);
    expect(log.asked.at(-1)).toMatchObject({ follow: false, since: "1700000000.003000000" });
  });

  test("in a run that nobody heard of is shown at the latest with the end", async () => {
    const tail = log.tail();
    tail.begin();
    await rest();
    log.write(1, "first");
    log.endRun();
    await rest();
    log.write(2, "second");
    log.write(3, "third");
    await tail.finish();
    expect(log.shown).toEqual(["web-1 stdout first", "web-1 stdout second", "web-1 stdout third"]);
  });

  test("is shown once, however often it is asked for, also if many lines have one time", async () => {
    const tail = log.tail();
    tail.begin();
    await rest();
    for (const text of ["a", "a", "b"]) log.write(1, text);
    log.write(1, "e", 2);
    log.endRun();
    for (let round = 0; round < 3; round += 1) {
      tail.wake();
      await rest();
    }
    log.write(1, "c");
    await tail.finish();
    expect(log.shown).toEqual(["web-1 stdout a", "web-1 stdout a", "web-1 stdout b", "web-1 stderr e", "web-1 stdout c"]);
  });

  test("before its start is left out, when it was there before", async () => {
    log.write(1, "old");
    log.write(1, "older of the same time");
    const tail = log.tail();
    await tail.skip();
    tail.begin();
    await rest();
    log.write(2, "new");
    log.endRun();
    await tail.finish();
    expect(log.shown).toEqual(["web-1 stdout new"]);
  });

  test("without a newline at the end of a run is gone on with in the next one", async () => {
    const tail = log.tail();
    log.write(1, "half");
    tail.begin();
    log.endRun();
    await rest();
    log.entries[0] = { time: at(1), text: "half and half", stream: 1 };
    await tail.finish();
    expect(log.shown).toEqual(["web-1 stdout half", "web-1 stdout  and half"]);
  });

  test("is shown by a terminal too, and with its times where they are wanted", async () => {
    log.hasTerminal = true;
    const tail = log.tail({ timestamps: true });
    log.write(1, "a");
    tail.begin();
    await rest();
    log.endRun();
    await tail.finish();
    expect(log.shown).toEqual([`web-1 stdout ${at(1)} a`]);
  });

  test("after it was over and started again is shown too", async () => {
    const tail = log.tail();
    log.write(1, "one");
    log.isRunning = false;
    tail.begin();
    await tail.finish();
    log.write(2, "two");
    tail.reopen();
    await tail.finish();
    expect(log.shown).toEqual(["web-1 stdout one", "web-1 stdout two"]);
  });

  test("of many runs, whatever is heard of them and when, is shown once and in order", async () => {
    const tail = log.tail();
    tail.begin();
    const said: string[] = [];
    for (let run = 0; run < 40; run += 1) {
      log.isRunning = true;
      for (let line = 0; line < run % 4; line += 1) {
        log.write(run * 10 + Math.floor(line / 2), `${run} ${line}`);
        said.push(`web-1 stdout ${run} ${line}`);
      }
      if (run % 3 === 0) tail.wake();
      if (run % 5 !== 0) await rest();
      log.endRun();
      if (run % 2 === 0) tail.wake();
    }
    await tail.finish();
    expect(log.shown).toEqual(said);
  });
});

test("what goes wrong is a warning, and not after the end", async () => {
  const engine = { stream: async () => Promise.reject(new Error("no log")) };
  const tail = log.tail({ engine });
  tail.begin();
  await tail.finish();
  expect(log.warnings).toEqual(["no log"]);
  const other = log.tail({ engine });
  log.stop.abort();
  other.begin();
  await other.finish();
  expect(log.warnings).toHaveLength(1);
});

test.each([
  ["2026-11-26T04:05:06.123456789Z hello there", { time: "2026-11-26T04:05:06.123456789", text: "hello there" }],
  ["2026-11-26T04:05:06.123456789Z ", { time: "2026-11-26T04:05:06.123456789", text: "" }],
  ["hello there", undefined],
])("%s", (line, found) => expect(splitTime(line)).toEqual(found));
