import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { NO_FILTERS } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import { EventBus } from "../events/bus.ts";
import { streamEvents, type EventQuery } from "./event-stream.ts";

function setup() {
  const bus = new EventBus();
  const sink = new PassThrough();
  const gone = new AbortController();
  const publish = (action: string, namespace = "default"): bigint =>
    bus.publish({ namespace, type: "container", action, id: "c1" }).timeNano;
  const run = (query: Partial<EventQuery>): Promise<void> =>
    streamEvents(
      bus,
      { namespace: "default", filters: NO_FILTERS, sinceNano: undefined, untilNano: undefined, ...query },
      { sink, signal: gone.signal },
    );
  const actions = async (): Promise<string[]> => {
    sink.end();
    const lines = (await text(sink)).split("\n").filter((line) => line !== "");
    return lines.map((line) => (JSON.parse(line) as { Action: string }).Action);
  };
  return { bus, sink, gone, publish, run, actions };
}

describe("streamEvents", () => {
  test("an until in the past replays what is held and ends", async () => {
    const { publish, run, actions } = setup();
    publish("create");
    const since = publish("start");
    const until = publish("die");
    await run({ sinceNano: since, untilNano: until });
    expect(await actions()).toEqual(["start", "die"]);
  });

  test("without since only later events are sent, until the reader is gone", async () => {
    const { publish, run, actions, gone } = setup();
    publish("before");
    const done = run({});
    publish("start");
    publish("die");
    await new Promise(setImmediate);
    gone.abort();
    await done;
    expect(await actions()).toEqual(["start", "die"]);
  });

  test("events of another namespace are never seen", async () => {
    const { publish, run, actions } = setup();
    publish("start", "team-b");
    await run({ sinceNano: 1n, untilNano: publish("start") });
    expect(await actions()).toEqual(["start"]);
  });

  test("a reader that has gone leaves no subscriber behind", async () => {
    const { bus, sink, publish, run } = setup();
    const done = run({});
    sink.destroy();
    publish("start");
    await done;
    expect(bus.history()).toHaveLength(1);
  });

  test("a reader that is too far behind is cut off", async () => {
    const { publish, run, sink } = setup();
    const done = run({});
    for (let index = 0; index < 10_000; index++) publish("exec_start");
    await expect(done).rejects.toThrow("too slow");
    sink.destroy();
  });
});
