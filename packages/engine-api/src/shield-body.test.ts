import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { shieldBody } from "./shield-body.ts";

test("all bytes come through, in order and with back-pressure", async () => {
  const source = new PassThrough();
  const body = shieldBody(source);
  const chunk = Buffer.alloc(64 * 1024, "a");
  let written = 0;
  while (source.write(chunk)) written++;
  // Nobody reads: neither side takes more than its buffer.
  await new Promise((resolve) => setImmediate(resolve));
  expect(body.readableLength).toBeLessThanOrEqual(2 * chunk.length);
  source.end("end");
  expect((await text(body)).length).toBe((written + 1) * chunk.length + 3);
});

test("a reader that gives up leaves the source alive and its rest to be read", async () => {
  const source = new PassThrough();
  const body = shieldBody(source);
  source.write("first");
  for await (const chunk of body) {
    expect(String(chunk)).toBe("first");
    break;
  }
  expect([body.destroyed, source.destroyed]).toEqual([true, false]);
  source.end("rest");
  expect(await text(source)).toBe("rest");
});

test("a source that breaks off is an error for the reader", async () => {
  const source = new PassThrough();
  const body = shieldBody(source);
  source.write("half");
  setImmediate(() => source.destroy());
  await expect(text(body)).rejects.toThrow("unexpected end of the request body");
});

test("the error of a source is the reader's error", async () => {
  const source = new PassThrough();
  source.on("error", () => undefined);
  const body = shieldBody(source);
  source.destroy(new Error("aborted"));
  await expect(text(body)).rejects.toThrow("aborted");
});

test("an error that nobody reads ends no process", async () => {
  const source = new PassThrough();
  source.on("error", () => undefined);
  shieldBody(source);
  source.destroy(new Error("aborted"));
  await new Promise((resolve) => source.once("close", resolve));
});

test("a body without bytes ends", async () => {
  const source = new PassThrough();
  source.end();
  expect(await text(shieldBody(source))).toBe("");
});
