import { expect, test } from "vitest";
import { Database } from "../store/database.ts";
import { BuildStore } from "./build-store.ts";

const ID = `sha256:${"a".repeat(64)}` as const;

function open(): BuildStore {
  let now = 0;
  return new BuildStore(new Database(":memory:"), () => (now += 1));
}

const row = (key: string, namespace = "default") => ({ namespace, key, imageId: ID, hasLayer: true, description: "RUN x", sizeBytes: 5 });

test("entries belong to a namespace and come back least recently used first", () => {
  const store = open();
  store.put(row("one"));
  store.put(row("two"));
  store.put(row("one", "team"));
  store.touch("default", "one");
  expect(store.list("default").map(({ key, use_count: uses }) => [key, uses])).toEqual([
    ["two", 0],
    ["one", 1],
  ]);
  expect(store.find("other", "one")).toBeUndefined();
});

test("a hidden image is unused when neither an entry nor a build leads to it", () => {
  const store = open();
  const build = {};
  store.hide("default", ID);
  store.put(row("one"));
  expect(store.unusedImages()).toEqual([]);
  store.delete({ namespace: "default", key: "one" });
  store.pin(build, "default", ID);
  expect(store.unusedImages()).toEqual([]);
  store.unpin(build);
  expect(store.unusedImages()).toEqual([{ namespace: "default", imageId: ID }]);
  store.show("default", ID);
  expect(store.unusedImages()).toEqual([]);
  expect(store.isHidden("default", ID)).toBe(false);
});
