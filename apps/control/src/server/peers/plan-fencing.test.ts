import { describe, expect, test } from "vitest";
import { mustProveOwnership, planFencing } from "./plan-fencing.ts";

const held = [{ hostId: "a", epoch: 3 }];

describe("planFencing", () => {
  test("a connection with the host's newest epoch, noted here, stays as it is", () => {
    expect(planFencing(held, [{ hostId: "a", hostEpoch: 3, heldEpoch: 3 }])).toEqual({ drop: [], claim: [] });
  });

  test("the higher epoch wins: the connection here is ended, and only one below it", () => {
    const plan = planFencing(held, [{ hostId: "a", hostEpoch: 5, heldEpoch: null }]);
    expect(plan).toEqual({ drop: [{ hostId: "a", below: 5, reason: "the host has a newer connection" }], claim: [] });
  });

  test("what the database lost with a lease that was over for a while is noted again, but never over a newer connection", () => {
    expect(planFencing(held, [{ hostId: "a", hostEpoch: 3, heldEpoch: null }]).claim).toEqual(held);
    expect(planFencing(held, [{ hostId: "a", hostEpoch: 3, heldEpoch: 2 }]).claim).toEqual(held);
    expect(planFencing(held, [{ hostId: "a", hostEpoch: 4, heldEpoch: null }]).claim).toEqual([]);
  });

  test("a host that was removed has no connection, whatever its epoch", () => {
    expect(planFencing(held, [{ hostId: "a", hostEpoch: null, heldEpoch: null }]).drop).toEqual([
      { hostId: "a", below: Infinity, reason: "the host was removed" },
    ]);
  });

  test("an older answer of the database, or none, ends nothing", () => {
    expect(planFencing(held, [{ hostId: "a", hostEpoch: 2, heldEpoch: 2 }])).toEqual({ drop: [], claim: [] });
    expect(planFencing(held, [])).toEqual({ drop: [], claim: [] });
    expect(planFencing([], [{ hostId: "a", hostEpoch: 9, heldEpoch: null }])).toEqual({ drop: [], claim: [] });
  });

  test("of any number of control planes that hold one host, each with what the database says now, at most one keeps it", () => {
    for (let hostEpoch = 1; hostEpoch <= 4; hostEpoch += 1) {
      const keep = [1, 2, 3, 4]
        .filter((epoch) => epoch <= hostEpoch)
        .filter((epoch) => {
          const { drop } = planFencing([{ hostId: "a", epoch }], [{ hostId: "a", hostEpoch, heldEpoch: null }]);
          return !drop.some(({ below }) => epoch < below);
        });
      expect(keep).toEqual([hostEpoch]);
    }
  });
});

describe("mustProveOwnership", () => {
  test.each([
    [{ leaseLeftMs: 9_000, unreachable: 0 }, false],
    [{ leaseLeftMs: 9_000, unreachable: 1 }, true],
    [{ leaseLeftMs: 0, unreachable: 0 }, true],
    [{ leaseLeftMs: -1, unreachable: 2 }, true],
  ])("%j: %s", (standing, expected) => expect(mustProveOwnership(standing)).toBe(expected));
});
