import { describe, expect, test } from "vitest";
import { actionsFor, containerTone, exitCodeFromStatus, exitReason, healthFromStatus } from "./container-state.ts";

describe("containerTone", () => {
  test.each([
    [{ state: "running" }, "ok"],
    [{ state: "running", health: "unhealthy" }, "bad"],
    [{ state: "running", health: "starting" }, "info"],
    [{ state: "restarting" }, "warn"],
    [{ state: "exited", exitCode: 0 }, "idle"],
    [{ state: "exited", exitCode: 143 }, "idle"],
    [{ state: "exited", exitCode: 1 }, "bad"],
    [{ state: "created" }, "idle"],
    [{ state: "dead" }, "bad"],
  ] as const)("%o is %s", (facts, tone) => expect(containerTone(facts)).toBe(tone));
});

test("health and exit code are read from Docker's status line", () => {
  expect(healthFromStatus("Up 2 hours (healthy)")).toBe("healthy");
  expect(healthFromStatus("Up 1 second (health: starting)")).toBe("starting");
  expect(healthFromStatus("Up 2 hours")).toBeUndefined();
  expect(exitCodeFromStatus("Exited (127) 3 seconds ago")).toBe(127);
  expect(exitCodeFromStatus("Up 3 seconds")).toBeUndefined();
});

test("only actions that can work are offered", () => {
  expect(actionsFor("running")[0]).toBe("stop");
  expect(actionsFor("exited")).toEqual(["start"]);
  expect(actionsFor("paused")).not.toContain("pause");
});

test("out of memory is named before the signal it causes", () => {
  expect(exitReason(137, true)).toBe("oom");
  expect(exitReason(137, false)).toBe("killed");
  expect(exitReason(3, false)).toBe("error");
});
