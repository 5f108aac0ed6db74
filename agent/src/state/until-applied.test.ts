import { makeResource, type Resource } from "@flotilla/protocol";
import { expect, test } from "vitest";
import type { DesiredState, Outcome } from "./desired-state.ts";
import { untilApplied } from "./until-applied.ts";

/** As much of desired state as is asked, told what the test says. */
class FakeDesired {
  listeners = new Set<(outcome: Outcome) => void>();
  outcome: Outcome | undefined;
  items: Resource[] = [makeResource("network/a", {})];
  resources(): readonly Resource[] {
    return this.items;
  }
  onOutcome(listener: (outcome: Outcome) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

const OUTCOME: Outcome = { version: { generation: 1, hash: "a".repeat(64) }, failures: [] };

function wait(desired: FakeDesired): { done: Promise<void>; expire: () => void; cancelled: () => boolean } {
  let run = (): void => undefined;
  let isCancelled = false;
  const timer = {
    after: (_ms: number, task: () => void): (() => void) => {
      run = task;
      return () => (isCancelled = true);
    },
  };
  const done = untilApplied(desired as unknown as DesiredState, "network", timer);
  return { done, expire: () => run(), cancelled: () => isCancelled };
}

test("waits until it is applied, and leaves nothing behind", async () => {
  const desired = new FakeDesired();
  const { done, cancelled } = wait(desired);
  for (const listener of desired.listeners) listener(OUTCOME);
  await done;
  expect(desired.listeners.size).toBe(0);
  expect(cancelled()).toBe(true);
});

test("does not wait for ever", async () => {
  const desired = new FakeDesired();
  const { done, expire } = wait(desired);
  expire();
  await done;
  expect(desired.listeners.size).toBe(0);
});

test.each(["nothing is stored", "it is applied already"])("does not wait when %s", async (what) => {
  const desired = new FakeDesired();
  if (what === "nothing is stored") desired.items = [];
  else desired.outcome = OUTCOME;
  await wait(desired).done;
  expect(desired.listeners.size).toBe(0);
});
