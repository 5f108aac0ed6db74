import { isFlotillaError } from "@flotilla/core";
import { expect, test } from "vitest";
import { checkBridgeOptions, readBridgeOptions } from "./bridge-options.ts";

const of = (key: string, value: string): Record<string, string> => ({ [`com.docker.network.${key}`]: value });
const defaults = { mtuBytes: undefined, hasIcc: true, masquerades: true };

test.each([
  [{}, {}],
  [{ "org.example.note": "x" }, {}],
  [of("driver.mtu", "1400"), { mtuBytes: 1400 }],
  [of("bridge.enable_icc", "false"), { hasIcc: false }],
  [of("bridge.enable_icc", "True"), {}],
  [of("bridge.enable_ip_masquerade", "0"), { masquerades: false }],
])("%j", (options, change) => {
  checkBridgeOptions(options);
  expect(readBridgeOptions(options)).toEqual({ ...defaults, ...change });
});

test.each([
  [of("driver.mtu", "67"), "invalid"],
  [of("driver.mtu", "1e3"), "invalid"],
  [of("driver.mtu", "-1"), "invalid"],
  [of("bridge.enable_icc", "no"), "invalid"],
  [of("bridge.name", "br0"), "not_implemented"],
  [of("bridge.host_binding_ipv4", "127.0.0.1"), "not_implemented"],
] as const)("%j is refused as %s", (options, code) => {
  try {
    checkBridgeOptions(options);
    expect.unreachable();
  } catch (error) {
    expect(isFlotillaError(error, code)).toBe(true);
  }
});

test("a network that is older than the rules works as well as it can", () => {
  expect(readBridgeOptions({ ...of("bridge.name", "br0"), ...of("driver.mtu", "x") })).toEqual(defaults);
});
