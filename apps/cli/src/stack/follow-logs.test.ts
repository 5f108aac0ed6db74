import { FlotillaError } from "@flotilla/core";
import { describe, expect, test } from "vitest";
import { LogMerger, type LogOptions, type LogSource, toUnixTime } from "./follow-logs.ts";

const OPTIONS: LogOptions = { follow: true, tail: "5", timestamps: false };
const source = (containerId: string, restarts = 0): LogSource => ({ label: `web.${containerId}`, host: "h1", containerId, restarts });
const at = (second: number, text: string): string => `2026-01-02T03:04:0${second}.5Z ${text}\n`;

type Opened = { id: string; tail: string | undefined; since: string | undefined };

/** Reads what there is, look by look; after the last one there is nothing. `logs`: what each opening of a container's log tells. */
async function merge(looks: (LogSource[] | Error)[], logs: Record<string, (string | Error)[]>, options = OPTIONS) {
  const [written, notes, opened]: [string[], string[], Opened[]] = [[], [], []];
  const left = [...looks];
  const failed = await new LogMerger(
    {
      sources: async () => {
        const look = left.shift() ?? [];
        if (look instanceof Error) throw look;
        return look;
      },
      open: async ({ containerId: id }, { tail, since }) => {
        opened.push({ id, tail, since });
        const text = logs[id]?.shift() ?? "";
        if (text instanceof Error) throw text;
        const bytes = Buffer.from(text);
        // In the middle of a character, too.
        const parts = [bytes.subarray(0, 35), bytes.subarray(35)];
        return { body: (async function* () { yield* parts; })(), isMultiplexed: false }; // prettier-ignore
      },
      write: (_stream, line) => written.push(line),
      note: (text) => notes.push(text),
      isColoured: false,
      pause: () => new Promise((resolve) => setImmediate(resolve)),
    },
    options,
  ).run();
  return { written, notes, opened, failed };
}

describe("merged logs", () => {
  test("have those of replicas that are made meanwhile, from their beginning", async () => {
    const { written, opened } = await merge([[source("1")], [source("1"), source("2")]], { 1: [at(1, "old")], 2: [at(2, "née")] });
    expect(written).toEqual(["web.1 | old", "web.2 | née"]);
    expect(opened).toEqual([
      { id: "1", tail: "5", since: undefined },
      { id: "2", tail: "all", since: undefined },
    ]);
  });

  test("go on with each run of a container, without a line twice", async () => {
    const runs = [at(1, "first"), at(1, "first") + at(3, "second")];
    const { written, opened } = await merge([[source("1")], [source("1")], [source("1", 1)]], { 1: runs });
    expect(written).toEqual(["web.1 | first", "web.1 | second"]);
    expect(opened.map(({ since }) => since)).toEqual([undefined, "1767323041.5"]);
  });

  test("stop for nobody: neither for a host that does not answer nor for a control plane that is away", async () => {
    const down = new FlotillaError("unavailable", "host h1 answers 503");
    const looks = [[source("1"), source("2")], down, [source("1"), source("2")]];
    const result = await merge(looks, { 1: [at(1, "one")], 2: [down, down, at(2, "two")] });
    expect(result).toMatchObject({ written: ["web.1 | one"], notes: ["log of web.2: host h1 answers 503"] });
    expect(result.failed).toBeGreaterThan(0);
  });

  test("end with what there is unless they are followed, with times where they are asked for", async () => {
    const options = { ...OPTIONS, follow: false, timestamps: true };
    const { written, failed } = await merge([[source("1")], [source("2")]], { 1: [at(1, "one").trimEnd()] }, options);
    expect({ written, failed }).toEqual({ written: ["web.1 | 2026-01-02T03:04:01.5Z one"], failed: 0 });
  });
});

test.each([
  ["2026-01-02T03:04:05.123456789Z", "1767323045.123456789"],
  ["2026-01-02T03:04:05Z", "1767323045.0"],
])("%s is %s", (time, seconds) => {
  expect(toUnixTime(time)).toBe(seconds);
});
