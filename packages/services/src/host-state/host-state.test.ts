import { describe, expect, test } from "vitest";
import { composedKey } from "./compose-host-state.ts";
import { formatScope, type HostStateScope, parseScope } from "./notify-host-state.ts";
import { summariseHostState } from "./read-host-state.ts";

const row = {
  hostId: "h",
  generation: 4n,
  hash: "x",
  composedAt: null,
  appliedGeneration: 4n,
  appliedHash: "x",
  appliedAt: new Date(0),
  failures: [],
  epoch: 1,
};

describe("how far a host is", () => {
  test.each([
    ["nothing is known", null, "none"],
    ["it never reported", { ...row, appliedGeneration: null }, "none"],
    ["it has the newest", row, "applied"],
    ["it has an older one", { ...row, appliedGeneration: 3n }, "behind"],
    ["it has another one of the same number", { ...row, appliedHash: "y" }, "behind"],
    ["something failed", { ...row, failures: [{ key: "network/a", message: "no" }] }, "failing"],
    ["what failed cannot be read", { ...row, failures: "?" }, "applied"],
  ])("%s", (_what, found, state) => expect(summariseHostState(found).state).toBe(state));
});

test.each<HostStateScope>(["all", { hostId: "0198-a" }, { teamId: "t" }])("scope %j is understood again", (scope) => {
  expect(parseScope(formatScope(scope))).toEqual(scope);
});

test.each(["", "planet 3", "host", "host "])("scope %j means everybody", (payload) => expect(parseScope(payload)).toBe("all"));

test("keys", () => expect([composedKey("network", "a"), composedKey("credentials", "")]).toEqual(["network/a", "credentials"]));
