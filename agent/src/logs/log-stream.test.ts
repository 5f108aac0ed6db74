import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { streamLog, type LogRequest } from "./log-stream.ts";

let dir: string;
let logPath: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "flt-log-"));
  logPath = join(dir, "container.log");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const line = (text: string, flag = "F"): string => `2026-11-23T17:49:52.443617576+00:00 stdout ${flag} ${text}\n`;
const lines = (from: number, to: number): string => Array.from({ length: to - from + 1 }, (_, index) => line(`l${from + index}`)).join("");

const FORMAT: LogRequest["format"] = {
  stdout: true,
  stderr: true,
  isRaw: true,
  joinsFrames: false,
  timestamps: false,
  details: "",
  since: undefined,
  until: undefined,
};

/** Starts reading; `text()` is what came so far, `end()` ends the container. */
function read(tailLines?: number, follows = false) {
  const sink = new PassThrough();
  const gone = new AbortController();
  let text = "";
  let isLive = follows;
  let notify = (): void => undefined;
  sink.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const follow: LogRequest["follow"] = {
    isLive: () => isLive,
    onChange: (listener) => {
      notify = listener;
      return () => undefined;
    },
  };
  const done = streamLog({ logPath, tailLines, format: FORMAT, ...(follows ? { follow } : {}) }, { sink, signal: gone.signal });
  const end = (): void => {
    isLive = false;
    notify();
  };
  return { text: () => text, done, end, leave: () => gone.abort(), sink };
}

async function readAll(tailLines?: number): Promise<string> {
  const reader = read(tailLines);
  await reader.done;
  await new Promise(setImmediate);
  return reader.text();
}

describe("reading a log", () => {
  test("of a container that never started gives nothing", async () => {
    expect(await readAll()).toBe("");
    logPath = join(dir, "none", "container.log");
    expect(await readAll(5)).toBe("");
  });

  test("gives all of it, over rotated files, oldest first", async () => {
    writeFileSync(`${logPath}.10`, lines(1, 2));
    writeFileSync(`${logPath}.2`, lines(3, 4));
    writeFileSync(`${logPath}.1`, lines(5, 5));
    writeFileSync(logPath, lines(6, 7));
    writeFileSync(`${logPath}.tmp`, lines(99, 99));
    expect(await readAll()).toBe("l1\nl2\nl3\nl4\nl5\nl6\nl7\n");
  });

  test("of megabytes loses nothing", async () => {
    writeFileSync(logPath, lines(1, 60_000));
    expect(await readAll()).toBe(Array.from({ length: 60_000 }, (_, index) => `l${index + 1}\n`).join(""));
  });

  test.each([
    [0, ""],
    [1, "l9\n"],
    [3, "l7\nl8\nl9\n"],
    [9, "l1\nl2\nl3\nl4\nl5\nl6\nl7\nl8\nl9\n"],
    [100, "l1\nl2\nl3\nl4\nl5\nl6\nl7\nl8\nl9\n"],
  ])("the last %i lines", async (tail, expected) => {
    writeFileSync(logPath, lines(1, 9));
    expect(await readAll(tail)).toBe(expected);
    renameSync(logPath, `${logPath}.1`);
    writeFileSync(`${logPath}.2`, lines(1, 4));
    writeFileSync(`${logPath}.1`, lines(5, 7));
    writeFileSync(logPath, lines(8, 9));
    expect(await readAll(tail)).toBe(expected);
  });

  test("the last lines of a large log are found at every place of a chunk's border", async () => {
    for (const padding of [0, 1, 44, 45, 46, 47, 100]) {
      writeFileSync(logPath, line("x".repeat(padding)) + lines(1, 5000));
      expect(await readAll(3)).toBe("l4998\nl4999\nl5000\n");
      expect(await readAll(4000)).toBe(Array.from({ length: 4000 }, (_, index) => `l${index + 1001}\n`).join(""));
    }
  });

  test("a line in parts is one line of the tail, and so is one that has not ended", async () => {
    writeFileSync(logPath, line("first") + line("a", "P") + line("b", "P") + line("c") + line("open", "P"));
    expect(await readAll(1)).toBe("open");
    expect(await readAll(2)).toBe("abc\nopen");
    expect(await readAll(3)).toBe("first\nabc\nopen");
  });
});

describe("following a log", () => {
  test("gives lines as they come and ends with the container, losing nothing", async () => {
    writeFileSync(logPath, lines(1, 2));
    const reader = read(1, true);
    await expect.poll(reader.text).toBe("l2\n");
    appendFileSync(logPath, lines(3, 3));
    await expect.poll(reader.text).toBe("l2\nl3\n");
    appendFileSync(logPath, line("cut in").slice(0, 40));
    appendFileSync(logPath, line("cut in").slice(40));
    appendFileSync(logPath, lines(4, 4));
    reader.end();
    await reader.done;
    expect(reader.text()).toBe("l2\nl3\ncut in\nl4\n");
  });

  test("goes on over a rotation", async () => {
    writeFileSync(logPath, lines(1, 1));
    const reader = read(undefined, true);
    await expect.poll(reader.text).toBe("l1\n");
    renameSync(logPath, `${logPath}.1`);
    appendFileSync(`${logPath}.1`, lines(2, 2));
    writeFileSync(logPath, lines(3, 3));
    await expect.poll(reader.text).toBe("l1\nl2\nl3\n");
    reader.end();
    await reader.done;
  });

  test("catches up after several rotations", async () => {
    writeFileSync(logPath, lines(1, 1));
    const reader = read(undefined, true);
    await expect.poll(reader.text).toBe("l1\n");
    renameSync(logPath, `${logPath}.2`);
    writeFileSync(`${logPath}.1`, lines(2, 2));
    writeFileSync(logPath, lines(3, 3));
    await expect.poll(reader.text).toBe("l1\nl2\nl3\n");
    reader.end();
    await reader.done;
  });

  test("goes on when somebody empties the file", async () => {
    writeFileSync(logPath, lines(1, 9));
    const reader = read(1, true);
    await expect.poll(reader.text).toBe("l9\n");
    truncateSync(logPath);
    appendFileSync(logPath, lines(10, 10));
    await expect.poll(reader.text).toBe("l9\nl10\n");
    reader.end();
    await reader.done;
  });

  test("ends when the reader leaves", async () => {
    writeFileSync(logPath, lines(1, 1));
    const reader = read(undefined, true);
    await expect.poll(reader.text).toBe("l1\n");
    reader.leave();
    await reader.done;
  });
});
