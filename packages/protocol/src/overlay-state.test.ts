import { describe, expect, test } from "vitest";
import { findContradiction, networkState, type NetworkState } from "./overlay-state.ts";
import { sampleNetwork } from "./sample-network.ts";

const STATE: NetworkState = { ...sampleNetwork(2, { blocks: [{ host: 1, cidr: "10.30.1.16/28" }] }), self: 1 };

describe("networkState", () => {
  test("takes what is complete and fills in the port", () => {
    const { vxlanPort: _, ...rest } = STATE;
    expect(networkState.parse(rest)).toEqual(STATE);
  });

  test.each([
    ["a VNI of Docker's", { vni: 4096 }],
    ["a VNI beyond 24 bits", { vni: 2 ** 24 }],
    ["a subnet that is none", { subnet: "10.30.1.0" }],
    ["an address with a zone", { gateway: "fe80::1%eth0" }],
    ["a name with a quote, which would end up in nftables", { name: 'x" drop' }],
    ["a block that is text", { blocks: [{ host: 1, cidr: "10.0.0.0/8; flush ruleset" }] }],
    ["host number 0", { self: 0 }],
    ["a port beyond the last", { vxlanPort: 65_536 }],
    ["an MTU below what IPv6 needs", { mtuBytes: 1_279 }],
  ])("refuses %s", (_, change) => {
    expect(networkState.safeParse({ ...STATE, ...change }).success).toBe(false);
  });
});

describe("findContradiction", () => {
  const of = (change: Partial<NetworkState>): string | undefined => findContradiction({ ...STATE, ...change });

  test("finds none in a sound network", () => {
    expect(of({})).toBe(undefined);
  });

  test("names what does not fit together", () => {
    const [first, second] = STATE.hosts;
    if (first === undefined || second === undefined) throw new Error("no hosts");
    expect(of({ hosts: [first, first] })).toBe("a host number is given twice");
    expect(of({ hosts: [first, { ...second, underlay: first.underlay }] })).toBe("two hosts have one underlay address");
    expect(of({ hosts: [first, { ...second, underlay: "fd99::2" }] })).toBe("underlay addresses are of both families");
    expect(of({ self: 7 })).toBe("host 7 is not among its hosts");
    expect(of({ pins: [{ host: 9, address: "10.30.1.77" }] })).toBe("host 9 has addresses but is not among the hosts");
    expect(of({ subnet6: "fd30::/112" })).toContain("too small");
  });

  test("finds blocks and gateways outside the subnet, and blocks that overlap", () => {
    expect(of({ gateway: "10.31.0.1" })).toContain("gateway");
    expect(of({ blocks: [{ host: 1, cidr: "10.31.0.0/28" }] })).toContain("10.31.0.0/28");
    expect(of({ blocks: [{ host: 1, cidr: "10.30.1.16/28" }, { host: 2, cidr: "10.30.1.24/29" }] })).toContain("overlap"); // prettier-ignore
  });
});
