import { describe, expect, test } from "vitest";
import { guardAllow, guardLimits, guardState, SAFE_GUARD, stricterLimits } from "./guard-state.ts";

describe("guard", () => {
  test("what is not said is not allowed", () => {
    const { allow, limits } = guardState.parse({ namespace: "shop", limits: {}, allow: {} });
    expect(Object.values(allow).every((value) => value === false || (Array.isArray(value) && value.length === 0))).toBe(true);
    expect({ allow, limits }).toEqual(SAFE_GUARD);
  });

  test.each(["relative", "/with/slash/", "/a/../b", "/a/./b", "//x", "/x\0y", ""])("%j is no directory to mount from", (path) => {
    expect(guardAllow.safeParse({ binds: [path] }).success).toBe(false);
  });

  test("the whole host can be named as a root", () => {
    expect(guardAllow.parse({ binds: ["/", "/srv/shop"] }).binds).toEqual(["/", "/srv/shop"]);
  });

  test.each(["NET_ADMIN", "cap_net_admin", "CAP_", "ALL CAPS"])("%j names no capability", (name) => {
    expect(guardAllow.safeParse({ capabilities: [name] }).success).toBe(false);
  });

  test.each([
    [{ hostPorts: [[80, 79]] }],
    [{ hostPorts: [[0, 10]] }],
    [{ hostPorts: [[1, 70_000]] }],
    [{ cpus: 0 }],
    [{ memoryBytes: 1 }],
    [{ containers: -1 }],
  ])("%j is no limit", (limits) => {
    expect(guardLimits.safeParse(limits).success).toBe(false);
  });
});

describe("the stricter of two limits", () => {
  test("is the smaller number, and the one that is there", () => {
    expect(stricterLimits({ containers: 3, cpus: 2 }, { containers: 5, memoryBytes: 2 ** 30 })).toEqual({
      containers: 3,
      cpus: 2,
      memoryBytes: 2 ** 30,
    });
    expect(stricterLimits({}, {})).toEqual({});
  });

  test("of port ranges is what both have", () => {
    expect(
      stricterLimits(
        {
          hostPorts: [
            [80, 90],
            [100, 200],
          ],
        },
        { hostPorts: [[85, 150]] },
      ),
    ).toEqual({
      hostPorts: [
        [85, 90],
        [100, 150],
      ],
    });
    expect(stricterLimits({ hostPorts: [[1, 2]] }, { hostPorts: [[3, 4]] })).toEqual({ hostPorts: [] });
    expect(stricterLimits({ hostPorts: [] }, {})).toEqual({ hostPorts: [] });
  });
});
