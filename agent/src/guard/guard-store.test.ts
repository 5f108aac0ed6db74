import { makeResource, type Resource, type ResourceBody, SAFE_GUARD } from "@flotilla/protocol";
import { expect, test } from "vitest";
import { Database } from "../store/database.ts";
import { GuardStore } from "./guard-store.ts";

const state = (namespace: string, allow: ResourceBody = {}, key = `guard/${namespace}`): Resource =>
  makeResource(key, { namespace, limits: { containers: 2 }, allow });

test("a namespace without a guard rail may do what Docker gives to everybody", () => {
  expect(new GuardStore(new Database(":memory:")).of("shop")).toEqual(SAFE_GUARD);
});

test("what was told outlasts the agent, since containers start before it is told again", async () => {
  const db = new Database(":memory:");
  expect(await new GuardStore(db).apply([state("shop", { hostPid: true })])).toEqual([]);
  const again = new GuardStore(db);
  expect(again.of("shop").allow.hostPid).toBe(true);
  expect(again.of("shop").limits).toEqual({ containers: 2 });
  expect(again.of("other")).toEqual(SAFE_GUARD);
});

test("what is not told any more is not allowed any more", async () => {
  const guards = new GuardStore(new Database(":memory:"));
  await guards.apply([state("shop", { hostPid: true }), state("other")]);
  await guards.apply([state("other")]);
  expect(guards.of("shop")).toEqual(SAFE_GUARD);
  expect(guards.of("other").limits.containers).toBe(2);
});

test("what is of no known form, or under another's key, allows nothing and is named", async () => {
  const guards = new GuardStore(new Database(":memory:"));
  await guards.apply([state("shop", { hostPid: true })]);
  const failures = await guards.apply([state("shop", { hostPid: "yes" }), state("other", {}, "guard/shop2")]);
  expect(failures.map(({ key }) => key)).toEqual(["guard/shop", "guard/shop2"]);
  expect(guards.of("shop")).toEqual(SAFE_GUARD);
  expect(guards.of("other")).toEqual(SAFE_GUARD);
});

test("limits are applied to namespaces that have some, that had some, and what the kernel refuses is a failure", async () => {
  const guards = new GuardStore(new Database(":memory:"));
  const applied: (readonly string[])[] = [];
  guards.onChange((namespaces) => {
    applied.push(namespaces);
    return namespaces.includes("shop") ? [{ namespace: "shop", message: "EBUSY" }] : [];
  });
  expect(await guards.apply([state("shop"), state("other")])).toEqual([{ key: "guard/shop", message: "EBUSY" }]);
  await guards.apply([]);
  expect(applied).toEqual([
    ["shop", "other"],
    ["shop", "other"],
  ]);
  await guards.apply([]);
  expect(applied[2]).toEqual([]);
});
