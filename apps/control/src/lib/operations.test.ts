import { describe, expect, test } from "vitest";
import { appendText, applySteps, createOperations, percentOf } from "./operations.ts";

const PULL = { kind: "pull", host: "local", subject: "nginx:1" } as const;

function start() {
  const operations = createOperations(() => 5);
  const cancelled: string[] = [];
  const id = operations.add(PULL, () => cancelled.push("stopped"));
  const get = () => operations.list().find((one) => one.id === id);
  return { operations, id, get, cancelled };
}

describe("applySteps", () => {
  test("keeps one row for each layer, in the order in which they came, and its size when a later step has none", () => {
    const { operations, id, get } = start();
    operations.update(id, (one) =>
      applySteps(one, [
        { id: "latest", status: "Pulling from nginx" },
        { id: "a", status: "Downloading", current: 1, total: 10 },
        { id: "b", status: "Waiting" },
        { id: "a", status: "Pull complete" },
      ]),
    );
    expect(get()?.layers).toEqual([
      { id: "a", status: "Pull complete", current: null, total: 10 },
      { id: "b", status: "Waiting", current: null, total: null },
    ]);
    expect(get()?.lines).toEqual(["Pulling from nginx"]);
  });
});

describe("percentOf", () => {
  test("is the mean of the layers", () => {
    const layers = [
      { id: "a", status: "Pull complete", current: null, total: null },
      { id: "b", status: "Downloading", current: 5, total: 10 },
    ];
    expect(percentOf({ ...PULL, layers, upload: null, state: "running" })).toBe(75);
  });
  test("is not known before the first layer", () => {
    expect(percentOf({ ...PULL, layers: [], upload: null, state: "running" })).toBeNull();
  });
});

describe("appendText", () => {
  test("joins what was cut in the middle of a line", () => {
    expect(appendText(appendText([], "Step 1/2 : FR"), "OM a\n ---> 1\n")).toEqual(["Step 1/2 : FROM a", " ---> 1", ""]);
  });
  test("shows the last of what overwrites itself", () => expect(appendText([], "10%\r20%\r\n")).toEqual(["20%", ""]));
});

describe("operations", () => {
  test("a cancelled one stops its work and stays cancelled, whatever comes afterwards", () => {
    const { operations, id, get, cancelled } = start();
    operations.cancel(id);
    operations.end(id, "failed", "aborted");
    expect(cancelled).toEqual(["stopped"]);
    expect(get()).toMatchObject({ state: "cancelled", error: null, endedAt: 5 });
  });
  test("clearing forgets what is over and keeps what runs", () => {
    const { operations, id } = start();
    const second = operations.add(PULL, () => undefined);
    operations.end(id, "done");
    operations.clear();
    expect(operations.list().map((one) => one.id)).toEqual([second]);
  });
});
