import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { DEFAULT_DETACH_KEYS } from "./detach-keys.ts";
import { pumpInput } from "./pump-input.ts";

function setup(acceptsBytes = Number.POSITIVE_INFINITY) {
  const client = new PassThrough();
  let taken = "";
  const target = {
    writeInput: async (bytes: Buffer) => {
      taken += bytes.toString();
      return taken.length <= acceptsBytes;
    },
    endInput: () => undefined,
  };
  return { client, target, taken: () => taken };
}

test("input goes on in order until the client ends it", async () => {
  const { client, target, taken } = setup();
  const done = pumpInput(client, target, undefined);
  client.write("one ");
  client.end("two");
  expect(await done).toBe("ended");
  expect(taken()).toBe("one two");
});

test("detach keys end it and leave the client's connection open", async () => {
  const { client, target, taken } = setup();
  const done = pumpInput(client, target, DEFAULT_DETACH_KEYS);
  client.write("text\x10\x11more");
  expect(await done).toBe("detached");
  expect(taken()).toBe("text");
  expect(client.destroyed).toBe(false);
});

test("a program that takes no more does not stop the client", async () => {
  const { client, target } = setup(3);
  const done = pumpInput(client, target, undefined);
  for (let index = 0; index < 100; index++) client.write("x".repeat(10_000));
  client.end();
  expect(await done).toBe("refused");
});

test("a client that breaks off is an error", async () => {
  const { client, target } = setup();
  const done = pumpInput(client, target, undefined);
  client.destroy();
  await expect(done).rejects.toThrow();
});
