import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { EngineClient } from "../engine/client.ts";
import { waitForHealth } from "./wait.ts";

const CONTAINER = { id: "1", name: "p-web-1" };
const NEVER = new AbortController().signal;

type State = { Running: boolean; ExitCode: number; Health?: { Status: string; Log: { Output: string; ExitCode: number }[] } };
const RUNS: State = { Running: true, ExitCode: 0 };
const checked = (Status: string, Output = "", ExitCode = 0): State => ({ ...RUNS, Health: { Status, Log: [{ Output, ExitCode }] } });

/** An engine that tells one state after the other, the last one for ever. */
function engineOf(...states: State[]): { engine: EngineClient; looks: () => number } {
  let looks = 0;
  const json = async (): Promise<unknown> => ({ State: states[Math.min(looks++, states.length - 1)] });
  return { engine: { json } as unknown as EngineClient, looks: () => looks };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** Lets time pass until it is settled. @returns the message of what it was refused with, `ready` otherwise. */
async function outcome(states: State[], needsCheck = false): Promise<string> {
  const { engine } = engineOf(...states);
  const wait = waitForHealth({ engine, signal: NEVER }, CONTAINER, needsCheck).then(
    () => "ready",
    (error: unknown) => (error as Error).message,
  );
  await vi.advanceTimersByTimeAsync(5_000);
  return wait;
}

describe("waiting for a container", () => {
  test("one that has a check is ready when that is well", async () => {
    expect(await outcome([checked("starting"), checked("starting"), checked("healthy")])).toBe("ready");
  });

  test.each([
    ["wrong\n", "container p-web-1 is unhealthy: check exited with 3: wrong"],
    ["", "container p-web-1 is unhealthy: check exited with 3"],
  ])("one that is found unhealthy is refused with what its check said (%j)", async (output, message) => {
    expect(await outcome([checked("starting"), checked("unhealthy", output, 3)])).toBe(message);
  });

  test("one without a check has to go on for a while", async () => {
    expect(await outcome([RUNS])).toBe("ready");
    expect(await outcome([RUNS, RUNS, { Running: false, ExitCode: 1 }])).toBe("container p-web-1 exited (1)");
    expect(await outcome([RUNS], true)).toBe("container p-web-1 has no healthcheck configured");
  });

  test("ends with the reason of its signal", async () => {
    const stop = new AbortController();
    const { engine, looks } = engineOf(checked("starting"));
    const wait = expect(waitForHealth({ engine, signal: stop.signal }, CONTAINER, false)).rejects.toThrow("enough");
    await vi.advanceTimersByTimeAsync(200);
    stop.abort(new Error("enough"));
    await wait;
    const before = looks();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(looks()).toBe(before);
  });
});
