import { describe, expect, test } from "vitest";
import { CUT_OFF_LIMIT_MS, DOWN_AFTER_MS, type HostStanding, judgeHost, UNHEARD_AFTER_MS } from "./judge-host.ts";

const judge = (silentMs: number, peers: readonly boolean[], uncertaintyMs = 0): HostStanding =>
  judgeHost({ silentMs, peers, uncertaintyMs });
const [yes, no] = [true, false];

test.each([[[]], [[yes]], [[no]], [[no, no, no]]])("who is heard is up, whatever peers say: %j", (peers) => {
  expect(judge(UNHEARD_AFTER_MS, peers)).toBe("up");
});

describe("who is not heard", () => {
  const silentMs = UNHEARD_AFTER_MS + 1;

  test.each<[boolean[], HostStanding]>([
    [[no], "down"],
    [[no, no, yes], "down"],
    [[no, yes], "cut-off"],
    [[yes], "cut-off"],
    [[yes, yes, no], "cut-off"],
    [[], "cut-off"],
  ])("and whom peers reach %j is %s", (peers, standing) => expect(judge(silentMs, peers)).toBe(standing));
});

test.each<[number, boolean[], HostStanding]>([
  [DOWN_AFTER_MS, [], "cut-off"],
  [DOWN_AFTER_MS + 1, [], "down"],
  [DOWN_AFTER_MS, [yes, no], "cut-off"],
  [DOWN_AFTER_MS + 1, [yes, no], "down"],
  [DOWN_AFTER_MS + 1, [yes, yes, no], "cut-off"],
  [CUT_OFF_LIMIT_MS, [yes], "cut-off"],
  [CUT_OFF_LIMIT_MS + 1, [yes], "down"],
  [Number.POSITIVE_INFINITY, [], "down"],
])("after %i ms with peers %j: %s", (silentMs, peers, standing) => expect(judge(silentMs, peers)).toBe(standing));

test("what others heard is known later, and waited for", () => {
  expect(judge(UNHEARD_AFTER_MS + 20_000, [no], 20_000)).toBe("up");
  expect(judge(UNHEARD_AFTER_MS + 20_001, [no], 20_000)).toBe("down");
});
