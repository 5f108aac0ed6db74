import { describe, expect, test } from "vitest";
import { toRetentionFields, toRetentionPolicy } from "./retention-form.ts";

describe("the form of retention rules", () => {
  test("gives back what it was filled with", () => {
    const policy = {
      rules: [
        { pattern: "v*", keepLast: 0, olderThanDays: null },
        { pattern: "*", keepLast: null, olderThanDays: 30 },
      ],
      untaggedAfterDays: 7,
    };
    expect(toRetentionPolicy(toRetentionFields(policy))).toEqual(policy);
    expect(toRetentionPolicy({ rules: [], untaggedAfterDays: "" })).toEqual({ rules: [], untaggedAfterDays: null });
  });

  test.each([
    { pattern: "", keepLast: "1", olderThanDays: "" },
    { pattern: "*", keepLast: "", olderThanDays: "" },
    { pattern: "*", keepLast: "-1", olderThanDays: "" },
    { pattern: "*", keepLast: "1.5", olderThanDays: "" },
    { pattern: "*", keepLast: "", olderThanDays: "0" },
    { pattern: "a b", keepLast: "1", olderThanDays: "" },
  ])("%o is not finished", (rule) => {
    expect(toRetentionPolicy({ rules: [rule], untaggedAfterDays: "" })).toBeUndefined();
  });
});
