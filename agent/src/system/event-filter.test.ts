import { parseFilters } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import type { EngineEvent } from "../events/bus.ts";
import { EVENT_FILTERS, matchesEvent } from "./event-filter.ts";
import { formatEventLine } from "./event-message.ts";

const start: EngineEvent = {
  namespace: "default",
  type: "container",
  action: "start",
  id: "abcdef0123",
  attributes: { name: "web", image: "busybox:latest", env: "prod" },
  timeNano: 1_700_000_000_123_456_789n,
};
const tag: EngineEvent = { ...start, type: "image", action: "tag", id: "sha256:aa", attributes: { name: "registry:5000/app:2" } };

describe("matchesEvent", () => {
  test.each<[EngineEvent, Record<string, string[]>, boolean]>([
    [start, {}, true],
    [start, { type: ["container"] }, true],
    [start, { type: ["image", "network"] }, false],
    [start, { event: ["start", "die"] }, true],
    [start, { event: ["sta"] }, false],
    [start, { container: ["abc"] }, true],
    [start, { container: ["we"] }, true],
    [start, { container: ["other"] }, false],
    [start, { network: ["web"] }, false],
    [start, { container: ["web"], event: ["die"] }, false],
    [start, { image: ["busybox"] }, true],
    [start, { image: ["busybox:latest"] }, true],
    [start, { image: ["busy"] }, false],
    [start, { label: ["env=prod"] }, true],
    [start, { label: ["env=dev"] }, false],
    [start, { scope: ["swarm"] }, false],
    [tag, { image: ["registry:5000/app"] }, true],
    [tag, { image: ["sha256:aa"] }, true],
    [{ ...start, action: "exec_create: sh -c x" }, { event: ["exec_create"] }, true],
    [{ ...start, action: "exec_create: sh -c x" }, { event: ["exec_create: sh -c x"] }, true],
    [{ ...start, action: "health_status: healthy" }, { event: ["health_status"] }, true],
    [{ ...start, action: "exec_die" }, { event: ["exec"] }, false],
  ])("%o with %j is %s", (event, filters, expected) => {
    expect(matchesEvent(event, parseFilters(JSON.stringify(filters), EVENT_FILTERS))).toBe(expected);
  });
});

describe("formatEventLine", () => {
  test("keeps every digit of the time and the flat fields of old versions", () => {
    const line = formatEventLine(start);
    expect(line).toContain('"timeNano":1700000000123456789}\n');
    expect(JSON.parse(line)).toMatchObject({
      status: "start",
      id: "abcdef0123",
      from: "busybox:latest",
      Type: "container",
      Action: "start",
      Actor: { ID: "abcdef0123", Attributes: { name: "web" } },
      scope: "local",
      time: 1_700_000_000,
    });
  });

  test("networks and volumes have no flat fields", () => {
    const line: unknown = JSON.parse(formatEventLine({ ...start, type: "network", action: "connect" }));
    expect(line).not.toHaveProperty("status");
    expect(line).not.toHaveProperty("id");
  });
});
