import { describe, expect, test } from "vitest";
import { chooseAddress, chooseSubnet, isAssignable, type AddressSpace } from "./address-plan.ts";
import { formatAddress, formatSubnet, parseAddress, parseSubnet, type Subnet } from "@flotilla/core";

describe("subnets of new networks", () => {
  const choose = (...taken: string[]): string => formatSubnet(chooseSubnet(taken.map(parseSubnet)));

  test("come in Docker's order", () => {
    expect(choose()).toBe("172.17.0.0/16");
    expect(choose("172.17.0.0/16")).toBe("172.18.0.0/16");
  });

  test("avoid what the host routes, larger or smaller", () => {
    expect(choose("172.17.3.0/24", "172.18.0.0/15")).toBe("172.20.0.0/16");
    expect(choose("172.16.0.0/12")).toBe("192.168.0.0/20");
    expect(choose("172.16.0.0/12", "192.168.0.0/16")).toBe("10.128.0.0/20");
  });

  test("run out with Docker's words", () => {
    expect(() => choose("0.0.0.0/0")).toThrow("could not find an available, non-overlapping IPv4 address pool");
  });

  test("go on in smaller pieces when the large ones are used, and never overlap", () => {
    const taken: Subnet[] = [];
    for (let count = 0; count < 120; count += 1) taken.push(chooseSubnet(taken));
    const texts = taken.map(formatSubnet);
    expect([texts[10], texts[11], texts[74], texts[75], texts[91]]).toEqual([
      "172.27.0.0/16",
      "172.28.0.0/20",
      "172.31.240.0/20",
      "192.168.0.0/20",
      "10.128.0.0/20",
    ]);
    expect(new Set(texts).size).toBe(120);
  });
});

describe("addresses of new endpoints", () => {
  const space = (change: Partial<Record<"subnet" | "range" | "gateway" | "cursor", string>> & { used?: string[] } = {}): AddressSpace => {
    const subnet = parseSubnet(change.subnet ?? "172.17.0.0/29");
    return {
      subnet,
      range: change.range === undefined ? subnet : parseSubnet(change.range),
      gateway: parseAddress(change.gateway ?? "172.17.0.1"),
      used: new Set((change.used ?? []).map(parseAddress)),
      cursor: parseAddress(change.cursor ?? "0.0.0.0"),
    };
  };

  test("begin behind the gateway", () => {
    expect(formatAddress(chooseAddress(space()))).toBe("172.17.0.2");
  });

  test("go on behind the one given last, so that a freed one rests", () => {
    expect(formatAddress(chooseAddress(space({ cursor: "172.17.0.3" })))).toBe("172.17.0.4");
  });

  test("begin anew at the end, leaving out network, gateway and broadcast", () => {
    expect(formatAddress(chooseAddress(space({ cursor: "172.17.0.6", used: ["172.17.0.2"] })))).toBe("172.17.0.3");
  });

  test("stay inside the range", () => {
    expect(formatAddress(chooseAddress(space({ subnet: "10.0.0.0/16", gateway: "10.0.0.1", range: "10.0.9.0/24" })))).toBe("10.0.9.0");
  });

  test("run out when all are used", () => {
    const used = ["172.17.0.2", "172.17.0.3", "172.17.0.4", "172.17.0.5", "172.17.0.6"];
    expect(() => chooseAddress(space({ used }))).toThrow("no available IPv4 addresses on this network's address pools: 172.17.0.0/29");
  });

  test.each([
    ["172.17.0.5", true],
    ["172.17.0.1", false],
    ["172.17.0.0", false],
    ["172.17.0.7", false],
    ["172.17.0.8", false],
    ["172.17.0.4", false],
  ])("%s may be asked for: %s", (address, expected) => {
    expect(isAssignable(space({ used: ["172.17.0.4"] }), parseAddress(address))).toBe(expected);
  });
});
