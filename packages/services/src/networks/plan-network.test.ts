import { networkRequest, type NetworkRequest } from "@flotilla/protocol";
import { describe, expect, test } from "vitest";
import { type NetworkSurroundings, checkPool, isEncrypted, planNetwork } from "./plan-network.ts";

const ID = "0123456789abcdef".repeat(4);
const ask = (request: Partial<NetworkRequest> = {}): NetworkRequest => networkRequest.parse({ name: "web", ...request });
const plan = (request: Partial<NetworkRequest> = {}, around: Partial<NetworkSurroundings> = {}) =>
  planNetwork(ask(request), { id: ID, taken: [], routes: new Map(), hosts: 3, ...around });

describe("a network that leaves all to the control plane", () => {
  test("gets the first /20 of the pool, blocks of 16 and its first block reserved", () => {
    expect(plan()).toEqual({
      subnet: "10.64.0.0/20",
      gateway: "10.64.0.1",
      addressRange: null,
      subnet6: null,
      blockLength: 28,
      mtuBytes: null,
      reserved: ["10.64.0.0/28"],
      warnings: [],
    });
  });

  test("avoids the team's networks and what hosts have routes to, but for the default route", () => {
    const routes = new Map([["h1", ["10.64.16.0/24", "0.0.0.0/0"]]]);
    expect(plan({}, { taken: ["10.64.0.0/20"], routes }).subnet).toBe("10.64.32.0/20");
  });

  test("comes from another pool when the instance has one", () => {
    expect(plan({}, { pool: checkPool("172.16.0.0/12"), taken: ["172.16.0.0/20"] }).subnet).toBe("172.16.16.0/20");
    expect(() => checkPool("172.16.0.0/11")).toThrow("it should be 172.0.0.0/11");
    expect(() => checkPool("172.0.0.0/11")).toThrow("it must be of private addresses");
    expect(() => checkPool("10.0.0.0/21")).toThrow("it must be at most /20");
    expect(() => checkPool("fd00::/16")).toThrow();
  });

  test("is refused when the pool is full", () => {
    expect(() => plan({}, { pool: "10.64.0.0/19", taken: ["10.64.0.0/20", "10.64.16.0/20"] })).toThrow(
      "could not find an available, non-overlapping IPv4 address pool in 10.64.0.0/19",
    );
  });

  test("has a unique local prefix of its own when IPv6 is asked for", () =>
    expect(plan({ hasIpv6: true }).subnet6).toBe("fd01:2345:6789:abcd::/64"));
});

describe("what a user chooses", () => {
  test.each([
    ["172.31.0.0/16", 26, "172.31.0.0/26"],
    ["10.1.2.0/24", 28, "10.1.2.0/28"],
    ["10.1.2.0/25", 29, "10.1.2.0/29"],
    ["10.1.2.0/26", 30, "10.1.2.0/30"],
    ["10.0.0.0/8", 26, "10.0.0.0/26"],
  ])("subnet %s has blocks of /%i", (subnet, blockLength, first) => {
    expect(plan({ subnet })).toMatchObject({ subnet, blockLength, reserved: [first] });
  });

  test("a gateway elsewhere keeps its block from being leased", () => {
    expect(plan({ subnet: "10.1.2.0/24", gateway: "10.1.2.254" })).toMatchObject({
      gateway: "10.1.2.254",
      reserved: ["10.1.2.0/28", "10.1.2.240/28"],
    });
  });

  test("an ip-range is where blocks come from", () => {
    expect(plan({ subnet: "10.1.0.0/16", addressRange: "10.1.8.0/24" })).toMatchObject({ addressRange: "10.1.8.0/24", blockLength: 28 });
  });

  test("the MTU is an option, as Docker has it", () => {
    expect(plan({ options: { "com.docker.network.driver.mtu": "8950" } }).mtuBytes).toBe(8950);
  });

  test("the subnet of another network is allowed, with a warning", () => {
    const { warnings } = plan({ subnet: "10.64.0.0/20" }, { taken: ["10.64.0.0/20"], routes: new Map([["h2", ["10.64.1.0/24"]]]) });
    expect(warnings).toEqual([
      "subnet 10.64.0.0/20 overlaps with 10.64.0.0/20 of another network: a container cannot use both",
      "subnet 10.64.0.0/20 hides 10.64.1.0/24, which host h2 has a route to, from the network's containers",
    ]);
  });
});

test.each<[string, Partial<NetworkRequest>, string, string]>([
  ["no CIDR", { subnet: "10.1.2.0" }, "invalid", "invalid subnet 10.1.2.0: invalid CIDR block notation"],
  ["bits behind the prefix", { subnet: "10.1.2.3/24" }, "invalid", "invalid subnet 10.1.2.3/24: it should be 10.1.2.0/24"],
  ["too small", { subnet: "10.1.2.0/29" }, "invalid", "/8 to /28"],
  ["too large", { subnet: "10.0.0.0/7" }, "invalid", "/8 to /28"],
  ["loopback", { subnet: "127.1.0.0/16" }, "invalid", "unicast"],
  ["link-local", { subnet: "169.254.0.0/16" }, "invalid", "unicast"],
  ["multicast", { subnet: "224.0.0.0/8" }, "invalid", "unicast"],
  ["gateway outside", { subnet: "10.1.2.0/24", gateway: "10.1.3.1" }, "invalid", "no matching subnet for gateway 10.1.3.1"],
  ["gateway is the network", { subnet: "10.1.2.0/24", gateway: "10.1.2.0" }, "invalid", "no matching subnet for gateway 10.1.2.0"],
  ["gateway is no address", { subnet: "10.1.2.0/24", gateway: "x" }, "invalid", "invalid IPv4 address: x"],
  ["gateway without subnet", { gateway: "10.1.2.1" }, "invalid", "no matching subnet for gateway or range"],
  ["range outside", { subnet: "10.1.2.0/24", addressRange: "10.1.3.0/26" }, "invalid", "does not contain it"],
  ["range larger", { subnet: "10.1.2.0/24", addressRange: "10.1.2.0/23" }, "invalid", "does not contain it"],
  ["range too small", { subnet: "10.1.2.0/24", addressRange: "10.1.2.0/30" }, "invalid", "at most /28"],
  ["predefined name", { name: "bridge" }, "forbidden", "operation is not permitted on predefined bridge network"],
  ["MTU below IPv6's", { options: { "com.docker.network.driver.mtu": "1000" } }, "invalid", "invalid MTU 1000"],
  ["MTU no number", { options: { "com.docker.network.driver.mtu": "1e3" } }, "invalid", "invalid MTU 1e3"],
  ["encrypted or not", { options: { encrypted: "perhaps" } }, "invalid", "perhaps is neither true nor false"],
  ["chosen VNI", { options: { "com.docker.network.driver.overlay.vxlanid_list": "9" } }, "invalid", "cannot be chosen"],
  ["IPv6 too small", { subnet6: "fd00::/112" }, "invalid", "IPv6 subnets are /8 to /96"],
  ["IPv6 no prefix", { subnet6: "fd00::" }, "invalid", "IPv6 subnets are /8 to /96"],
  ["IPv6 link-local", { subnet6: "fe80::/64" }, "invalid", "unicast"],
  [
    "more hosts than blocks",
    { subnet: "10.1.2.0/28" },
    "exhausted",
    "10.1.2.0/28 has 3 blocks of addresses for 4 hosts: give a larger one",
  ],
])("refused: %s", (_what, request, code, message) => {
  expect(() => plan(request, { hosts: 4 })).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});

test.each([
  [{}, false],
  [{ encrypted: "" }, true],
  [{ encrypted: "true" }, true],
  [{ encrypted: "False" }, false],
])("options %j: encrypted is %s", (options, expected) => expect(isEncrypted(options)).toBe(expected));
