import { describe, expect, test } from "vitest";
import type { UserActor } from "../access/actor.ts";
import { SYSTEM } from "../access/actor.ts";
import { StreamBounds } from "./stream-bounds.ts";

const person = (userId: string, id = userId, kind: "session" | "token" = "session"): UserActor => ({
  kind: "user",
  userId,
  name: userId,
  email: `${userId}@example.test`,
  credential: { kind, id },
  team: { id: "t", name: "t", slug: "t", namespace: "t" },
  role: null,
  rights: new Set(),
  grants: new Map(),
  isInstanceAdmin: false,
  lacksTwoFactor: false,
  address: null,
});
const openMany = (bounds: StreamBounds, actor: UserActor, count: number): (() => void)[] =>
  Array.from({ length: count }, () => bounds.open(actor));

describe("open streams", () => {
  test("are counted for each session: two thirds of what its person may have", () => {
    const bounds = new StreamBounds({ perPerson: 6, perProcess: 100 });
    openMany(bounds, person("ada", "s1"), 4);
    expect(() => bounds.open(person("ada", "s1"))).toThrow(
      "this session has 4 streams open (logs, figures, events): close some of them first",
    );
    openMany(bounds, person("ada", "t1", "token"), 2);
    expect(() => bounds.open(person("ada", "s2"))).toThrow("you have 6 streams open");
    expect(() => bounds.open(person("bob"))).not.toThrow();
  });

  test("of a token are told to be the token's", () => {
    const bounds = new StreamBounds({ perPerson: 3, perProcess: 0 });
    openMany(bounds, person("ci", "t1", "token"), 2);
    expect(() => bounds.open(person("ci", "t1", "token"))).toThrow("this token has 2 streams open");
  });

  test("make room when they end, each once however often its end is told", () => {
    const bounds = new StreamBounds({ perPerson: 3, perProcess: 0 });
    const [first] = openMany(bounds, person("ada"), 2);
    first?.();
    first?.();
    expect(bounds.size).toBe(1);
    bounds.open(person("ada"));
    expect(() => bounds.open(person("ada"))).toThrow("2 streams");
  });

  test("are bounded in all, whoever holds them", () => {
    const bounds = new StreamBounds({ perPerson: 10, perProcess: 3 });
    const ends = ["a", "b", "c"].map((name) => bounds.open(person(name)));
    expect(() => bounds.open(person("d"))).toThrow(expect.objectContaining({ code: "rate_limited" }));
    expect(() => bounds.open(person("d"))).toThrow("this control plane has 3 streams open, and holds no more");
    for (const end of ends) end();
    expect(bounds.size).toBe(0);
    expect(() => bounds.open(person("d"))).not.toThrow();
  });

  test("a refused one is not counted", () => {
    const bounds = new StreamBounds({ perPerson: 0, perProcess: 1 });
    const end = bounds.open(person("a"));
    expect(() => bounds.open(person("b"))).toThrow();
    end();
    expect(bounds.size).toBe(0);
  });

  test("0 is no limit, and who is no person is not counted", () => {
    const bounds = new StreamBounds({ perPerson: 0, perProcess: 0 });
    openMany(bounds, person("ada"), 1_000);
    bounds.open(SYSTEM);
    expect(bounds.size).toBe(1_000);
  });
});
