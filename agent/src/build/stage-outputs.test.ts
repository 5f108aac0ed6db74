import { expect, test } from "vitest";
import type { BuildEvent } from "./build-types.ts";
import { classicLines } from "./classic-output.ts";
import { Semaphore } from "./semaphore.ts";
import { StageOutputs } from "./stage-outputs.ts";

const say = (text: string): BuildEvent => ({ kind: "output", stream: "stdout", text });

test("stages are told in their order, however they are built", async () => {
  const seen: string[] = [];
  const outputs = new StageOutputs((event) => void seen.push(...classicLines(event)), 3);
  const sinks = [0, 1, 2].map((place) => outputs.sinkOf(place));
  await sinks[2]?.(say("c1 "));
  await sinks[0]?.(say("a1 "));
  await sinks[1]?.(say("b1 "));
  await outputs.finish(1);
  await sinks[0]?.(say("a2 "));
  await outputs.finish(0);
  await sinks[2]?.(say("c2 "));
  await outputs.finish(2);
  expect(seen.join("")).toBe("a1 a2 b1 c1 c2 ");
});

test("a stage that fails before its turn has told what it had to say", async () => {
  const seen: string[] = [];
  const outputs = new StageOutputs((event) => void seen.push(...classicLines(event)), 2);
  await outputs.sinkOf(1)(say("why it fails"));
  await outputs.fail(1);
  expect(seen).toEqual(["why it fails"]);
});

test("lines are Docker's", () => {
  const id = `sha256:${"a".repeat(64)}` as const;
  const events: BuildEvent[] = [
    { kind: "step", number: 2, total: 3, text: "RUN x" },
    { kind: "cached" },
    { kind: "running", containerId: "b".repeat(64) },
    { kind: "output", stream: "stderr", text: "oh\n" },
    { kind: "removed", containerId: "b".repeat(64) },
    { kind: "stepped", imageId: id },
    { kind: "stepped", imageId: undefined },
    { kind: "triggers", count: 1 },
    { kind: "built", imageId: id },
    { kind: "tagged", name: "x:latest" },
  ];
  expect(events.flatMap(classicLines).join("")).toBe(
    [
      "Step 2/3 : RUN x",
      " ---> Using cache",
      " ---> Running in bbbbbbbbbbbb",
      "\u001b[91moh",
      "\u001b[0mRemoving intermediate container bbbbbbbbbbbb",
      " ---> aaaaaaaaaaaa",
      " ---> ",
      "# Executing 1 build trigger",
      "Successfully built aaaaaaaaaaaa",
      "Successfully tagged x:latest",
      "",
    ].join("\n"),
  );
});

test("a semaphore lets its number in, and the next when one leaves, also by an error", async () => {
  const semaphore = new Semaphore(1);
  const order: string[] = [];
  const failing = semaphore.run(async () => {
    await Promise.resolve();
    order.push("first");
    throw new Error("first fails");
  });
  const second = semaphore.run(async () => void order.push("second"));
  await expect(failing).rejects.toThrow("first fails");
  await second;
  expect(order).toEqual(["first", "second"]);
});
