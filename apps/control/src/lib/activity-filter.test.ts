import { describe, expect, test } from "vitest";
import { ACTIONS } from "@flotilla/services";
import { ACTION_NOUNS, readActivityFilter } from "./activity-filter.ts";

const NOW = Date.parse("2026-11-26T12:00:00Z");
const read = (search: string): object => readActivityFilter((name) => new URLSearchParams(search).get(name), NOW);

describe("the filter of the activity in the address", () => {
  test("is empty where nothing is said, or nothing that means anything", () => {
    expect(read("")).toEqual({});
    expect(read("q=%20&outcome=maybe&action=a.b.c&period=ever&scope=all&from=2026-01-01")).toEqual({});
  });

  test("looks by person, action, object and outcome", () => {
    expect(read("q=web&actor=ada&action=container.remove&object=web-1&outcome=refused&scope=instance")).toEqual({
      search: "web",
      actor: "ada",
      action: "container.remove",
      object: "web-1",
      outcome: "refused",
      scope: "instance",
    });
  });

  test("a noun, and an action that is being written, are filters already", () => {
    expect(read("action=container")).toEqual({ action: "container" });
    expect(read("action=container.")).toEqual({ action: "container." });
    expect(read("action=.")).toEqual({});
  });

  test("periods end now", () => {
    expect(read("period=1h")).toEqual({ from: "2026-11-26T11:00:00.000Z" });
    expect(read("period=7d")).toEqual({ from: "2026-11-19T12:00:00.000Z" });
  });

  test("days are whole days of the reader, the last one too", () => {
    const filter = readActivityFilter((name) => ({ period: "days", from: "2026-11-01", to: "2026-11-30" })[name] ?? null, NOW);
    expect(filter).toEqual({ from: new Date(2026, 10, 1).toISOString(), to: new Date(2026, 11, 1).toISOString() });
    expect(read("period=days&from=yesterday")).toEqual({});
  });
});

test("every noun that is offered begins an action", () => {
  const nouns = new Set(Object.keys(ACTIONS).map((action) => action.split(".", 1)[0]));
  expect(ACTION_NOUNS.filter((noun) => !nouns.has(noun) && noun !== "instance")).toEqual([]);
});
