import { expect, test } from "vitest";
import { StartGate } from "./start-gate.ts";

function setup() {
  let hasStarted = false;
  let output = "";
  const gate = new StartGate(
    () => hasStarted,
    (chunk) => (output += chunk.toString()),
  );
  return { gate, push: (text: string) => gate.push(Buffer.from(text)), start: () => (hasStarted = true), output: () => output };
}

test("what comes before the start is held and given when it started, in order", async () => {
  const { push, start, output } = setup();
  push("a");
  expect(output()).toBe("");
  start();
  await expect.poll(output).toBe("a");
  push("b");
  expect(output()).toBe("ab");
});

test("what a program that never started left is dropped", () => {
  const { gate, push, output } = setup();
  push("the runtime's own words");
  gate.end();
  expect(output()).toBe("");
});

test("what a program left that ended at once is its output", () => {
  const { gate, push, start, output } = setup();
  push("quick");
  start();
  gate.end();
  expect(output()).toBe("quick");
});
