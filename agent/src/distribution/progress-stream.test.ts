import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { FlotillaError } from "@flotilla/core";
import { ProgressQueue, streamProgress } from "./progress-stream.ts";

const counter = (id: string, current: number) => ({ status: "Downloading", id, progressDetail: { current, total: 100 } });

describe("ProgressQueue", () => {
  test("replaces a counter that nobody has read, and keeps the order of the rest", async () => {
    let nowMs = 0;
    const queue = new ProgressQueue(() => (nowMs += 1000));
    queue.push(counter("a", 1));
    queue.push({ status: "Waiting", id: "b" });
    queue.push(counter("a", 2));
    expect(await queue.take()).toEqual([{ status: "Waiting", id: "b" }, counter("a", 2)]);
  });

  test("tells a counter ten times a second, and always its end", async () => {
    const queue = new ProgressQueue(() => 0);
    queue.push(counter("a", 1));
    expect(await queue.take()).toEqual([counter("a", 1)]);
    queue.push(counter("a", 2));
    queue.push(counter("a", 100));
    expect(await queue.take()).toEqual([counter("a", 100)]);
  });

  test("gives nothing when it has ended", async () => {
    const queue = new ProgressQueue(() => 0);
    const taken = queue.take();
    queue.end();
    expect(await taken).toEqual([]);
  });
});

describe("streamProgress", () => {
  test("ends each message with CR LF and puts an error last", async () => {
    const sink = new PassThrough();
    const read = text(sink);
    const work = async (emit: (message: { status: string }) => void): Promise<void> => {
      emit({ status: "one" });
      await Promise.resolve();
      throw new FlotillaError("invalid", "it is wrong");
    };
    await streamProgress(sink, work, () => 0);
    sink.end();
    expect(await read).toBe('{"status":"one"}\r\n{"errorDetail":{"message":"it is wrong"},"error":"it is wrong"}\r\n');
  });

  test("waits for the work when the reader is gone", async () => {
    const sink = new PassThrough();
    sink.destroy();
    let isDone = false;
    const work = async (emit: (message: { status: string }) => void): Promise<void> => {
      emit({ status: "one" });
      await new Promise((resolve) => setImmediate(resolve));
      isDone = true;
    };
    await streamProgress(sink, work, () => 0);
    expect(isDone).toBe(true);
  });
});
