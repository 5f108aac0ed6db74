import { expect, test } from "vitest";
import { EventBus, type EngineEvent } from "./bus.ts";

const event = (action: string): { namespace: string; type: "container"; action: string; id: string } => ({
  namespace: "default",
  type: "container",
  action,
  id: "c1",
});

test("subscribers get later events only, until they leave", () => {
  const bus = new EventBus(() => 1000);
  const seen: string[] = [];
  bus.publish(event("create"));
  const leave = bus.subscribe((published: EngineEvent) => seen.push(published.action));
  bus.publish(event("start"));
  leave();
  bus.publish(event("die"));
  expect(seen).toEqual(["start"]);
  expect(bus.history().map((held) => held.action)).toEqual(["create", "start", "die"]);
});

test("times strictly increase within a millisecond and when the clock steps back", () => {
  let now = 5000;
  const bus = new EventBus(() => now);
  const first = bus.publish(event("a"));
  const second = bus.publish(event("b"));
  now = 4000;
  const third = bus.publish(event("c"));
  expect(first.timeNano).toBe(5_000_000_000n);
  expect([second.timeNano > first.timeNano, third.timeNano > second.timeNano]).toEqual([true, true]);
});

test("the history keeps the last 1024", () => {
  const bus = new EventBus();
  for (let made = 0; made < 1100; made++) bus.publish(event(String(made)));
  expect(bus.history()).toHaveLength(1024);
  expect(bus.history()[0]?.action).toBe("76");
});
