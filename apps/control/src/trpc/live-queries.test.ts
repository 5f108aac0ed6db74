import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createStaleCollector, type QueryPath, staleQueries } from "./live-queries.ts";

describe("staleQueries", () => {
  test("a batch names each query once", () => {
    const paths = staleQueries([
      { kind: "container", action: "start", id: "a" },
      { kind: "container", action: "die", id: "b" },
      { kind: "activity", action: "container.start" },
    ]).map((path) => path.join("."));
    expect(paths).toContain("containers.list");
    expect(new Set(paths).size).toBe(paths.length);
  });

  test("what no page shows touches nothing", () => {
    expect(staleQueries([{ kind: "container", action: "exec_create: sh" }])).toEqual([]);
  });

  test("news of stacks ask for stacks, deployments and files again, and not for what never changes", () => {
    const paths = staleQueries([{ kind: "stack", action: "changed" }]).map((path) => path.join("."));
    expect(paths).toEqual(expect.arrayContaining(["stacks.list", "stacks.get", "deployments.list", "secrets", "configs", "hosts.get"]));
    expect(paths).not.toContain("stacks.revision");
  });

  test("new measurements of a host do not ask for all containers again", () => {
    expect(staleQueries([{ kind: "host", action: "stats", host: "a" }])).not.toContainEqual(["containers", "list"]);
    expect(staleQueries([{ kind: "host", action: "online", host: "a" }])).toContainEqual(["containers", "list"]);
  });

  test("the use of images changes with containers that come, start and go, not with each of their events", () => {
    const touches = (action: string): boolean => staleQueries([{ kind: "container", action }]).some((path) => path[0] === "images");
    expect(["create", "start", "destroy"].map(touches)).toEqual([true, true, true]);
    expect(["die", "health_status: healthy", "exec_create: sh"].map(touches)).toEqual([false, false, false]);
  });

  test("health changes are shown", () => {
    expect(staleQueries([{ kind: "container", action: "health_status: unhealthy" }])).not.toEqual([]);
  });
});

describe("createStaleCollector", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("tells the first at once, a storm once an interval, and the last one too", () => {
    const told: QueryPath[][] = [];
    const collector = createStaleCollector(500, (paths) => {
      told.push(paths);
      return [];
    });
    collector.add([["a"]]);
    expect(told).toEqual([[["a"]]]);
    for (let index = 0; index < 100; index += 1) collector.add([["a"], ["b"]]);
    expect(told).toHaveLength(1);
    vi.advanceTimersByTime(500);
    expect(told).toEqual([[["a"]], [["a"], ["b"]]]);
    vi.advanceTimersByTime(5000);
    expect(told).toHaveLength(2);
    collector.add([["c"]]);
    expect(told).toHaveLength(3);
  });

  test("tells again what could not be asked yet, until it could", () => {
    let isBusy = true;
    const told: QueryPath[][] = [];
    const collector = createStaleCollector(500, (paths) => {
      told.push(paths);
      return isBusy ? paths.slice(0, 1) : [];
    });
    collector.add([["slow"], ["quick"]]);
    vi.advanceTimersByTime(500);
    isBusy = false;
    vi.advanceTimersByTime(5000);
    expect(told).toEqual([[["slow"], ["quick"]], [["slow"]], [["slow"]]]);
  });

  test("tells nothing after it was stopped", () => {
    const told: QueryPath[][] = [];
    const collector = createStaleCollector(500, (paths) => {
      told.push(paths);
      return [];
    });
    collector.add([["a"]]);
    collector.add([["b"]]);
    collector.stop();
    vi.advanceTimersByTime(1000);
    expect(told).toHaveLength(1);
  });
});
