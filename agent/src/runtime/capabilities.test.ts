import { expect, test } from "vitest";
import { ALL_CAPABILITIES, capabilitiesOfMask, DEFAULT_CAPABILITIES, resolveCapabilities } from "./capabilities.ts";

const all = new Set(ALL_CAPABILITIES);
const resolve = (add: string[], drop: string[], isPrivileged = false): string[] => resolveCapabilities({ add, drop, isPrivileged }, all);

test("without a wish a container has Docker's fourteen", () => {
  expect(resolve([], [])).toHaveLength(14);
  expect(new Set(resolve([], []))).toEqual(new Set(DEFAULT_CAPABILITIES));
});

test("names come with and without CAP_, in any case", () => {
  expect(resolve(["net_admin"], ["CAP_CHOWN"])).toContain("CAP_NET_ADMIN");
  expect(resolve(["net_admin"], ["CAP_CHOWN"])).not.toContain("CAP_CHOWN");
});

test("ALL can be added but for some, or dropped but for some", () => {
  expect(resolve(["ALL"], ["SYS_ADMIN"])).toEqual(ALL_CAPABILITIES.filter((name) => name !== "CAP_SYS_ADMIN"));
  expect(resolve(["kill"], ["all"])).toEqual(["CAP_KILL"]);
});

test("privileged has all, but never what the agent itself lacks", () => {
  expect(resolve([], [], true)).toEqual(ALL_CAPABILITIES);
  const held = new Set(["CAP_KILL", "CAP_CHOWN"]);
  expect(resolveCapabilities({ add: [], drop: [], isPrivileged: true }, held)).toEqual(["CAP_CHOWN", "CAP_KILL"]);
});

test("an unknown name is refused", () => {
  expect(() => resolve(["FLY"], [])).toThrow('invalid CapAdd: unknown capability: "CAP_FLY"');
  expect(() => resolve([], ["CAP_"])).toThrow("invalid CapDrop");
});

test("a mask of /proc names its capabilities", () => {
  expect(capabilitiesOfMask("00000000a80425fb")).toEqual(new Set(DEFAULT_CAPABILITIES));
  expect(capabilitiesOfMask("").size).toBe(0);
});
