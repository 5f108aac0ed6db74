import { beforeEach, describe, expect, test } from "vitest";
import { CONTAINERS, type GroupChange, NamesState } from "./names-state.ts";
import { containerKey, networkKey, type StateRecord } from "./resolver-state.ts";

const network = (id: string, name = id): StateRecord => ({ kind: "network", id, name });
const whole = (...records: StateRecord[]): GroupChange => ({ isWhole: true, records: new Map(records.map((each) => [keyOf(each), each])) });
const some = (records: Record<string, StateRecord | undefined>): GroupChange => ({ isWhole: false, records: new Map(Object.entries(records)) }); // prettier-ignore
const keyOf = (record: StateRecord): string => (record.kind === "network" ? networkKey(record.id) : "");

let state: NamesState;
const take = (groups: Record<string, GroupChange>, isWhole = false): boolean =>
  state.take({ isWhole, groups: new Map(Object.entries(groups)) });
const delta = (): { remove: string[]; put: Record<string, string> } => {
  const { remove, put } = state.takeDelta();
  return { remove: [...remove], put: Object.fromEntries(put) };
};
const names = (): string[] => [...state.records()].map(([, text]) => text.replace(/.*"name":"([^"]*)".*/, "$1"));

beforeEach(() => {
  state = new NamesState();
});

describe("what is said of names", () => {
  test("becomes the difference to what was said before", () => {
    expect(take({ n: whole(network("a"), network("b")) })).toBe(true);
    expect(delta()).toEqual({ remove: [], put: { "network a": JSON.stringify(network("a")), "network b": JSON.stringify(network("b")) } });
    expect(take({ n: whole(network("a"), network("b")) })).toBe(false);
    expect(take({ n: some({ "network a": network("a") }) })).toBe(false);
    expect(delta()).toEqual({ remove: [], put: {} });
    expect(take({ n: some({ "network a": network("a", "x"), "network b": undefined, "network never": undefined }) })).toBe(true);
    expect(delta()).toEqual({ remove: ["network b"], put: { "network a": JSON.stringify(network("a", "x")) } });
    expect(names()).toEqual(["x"]);
  });

  test("a whole group is without what it does not name, the others stay", () => {
    take({ n: whole(network("a"), network("b")), m: whole(network("c")) });
    delta();
    take({ n: whole(network("b")) });
    expect(delta()).toEqual({ remove: ["network a"], put: {} });
    expect(names()).toEqual(["b", "c"]);
  });

  test("a network that goes is one key, containers are one each; a whole change is without groups that it does not name", () => {
    take({ a: whole(network("a"), network("b")), c: whole(network("c")), [CONTAINERS]: some({ [containerKey("x")]: network("x"), [containerKey("y")]: network("y") }) }); // prettier-ignore
    expect(state.hasContainers()).toBe(true);
    delta();
    expect(take({ a: whole() })).toBe(true);
    expect(delta()).toEqual({ remove: ["network a"], put: {} });
    expect(take({ [CONTAINERS]: whole() }, true)).toBe(true);
    expect(delta()).toEqual({ remove: ["network c", "container x", "container y"], put: {} });
    expect([names(), state.hasContainers()]).toEqual([[], false]);
    expect(take({ a: whole() }, true)).toBe(false);
  });

  test("several changes are one difference, in which the last counts and removals come first", () => {
    take({ a: whole(network("a"), network("b")) });
    take({ a: whole() });
    expect(delta()).toEqual({ remove: ["network a"], put: {} });
    take({ a: whole(network("a")) });
    take({ a: whole() });
    take({ a: whole(network("a", "again")) });
    expect(delta()).toEqual({ remove: ["network a"], put: { "network a": JSON.stringify(network("a", "again")) } });
    take({ a: some({ "network b": network("b") }) });
    take({ a: some({ "network b": undefined }) });
    expect(delta()).toEqual({ remove: ["network b"], put: {} });
  });
});
