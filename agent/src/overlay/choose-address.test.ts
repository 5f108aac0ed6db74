import { sampleService } from "@flotilla/protocol/sample-network";
import { describe, expect, test } from "vitest";
import { checkOverlayAddress, chooseOverlayAddress, needsPin, QUARANTINE_MS, type AddressQuestion } from "./choose-address.ts";
import { sampleState } from "./fixture.ts";

const NOW = 1_000_000;
const ask = (change: Partial<AddressQuestion> = {}): string =>
  chooseOverlayAddress({
    state: sampleState(),
    services: [],
    isUsed: () => false,
    releasedAtMs: () => undefined,
    had: [],
    nowMs: NOW,
    cursor: { next: 0 },
    ...change,
  });
const used = (list: readonly string[]): Pick<AddressQuestion, "isUsed"> => ({ isUsed: (address) => list.includes(address) });
const addresses = (from: number, count: number): string[] => Array.from({ length: count }, (_, index) => `10.30.1.${from + index}`);

describe("chooseOverlayAddress", () => {
  test("is the first free one of this host's block, behind the router's own", () => {
    expect(ask()).toBe("10.30.1.17");
    expect(ask(used(addresses(17, 3)))).toBe("10.30.1.20");
  });

  test("never the gateway, a virtual address, the subnet's ends or what is pinned elsewhere", () => {
    const state = sampleState({
      blocks: [{ host: 1, cidr: "10.30.1.0/29" }],
      pins: [{ host: 2, address: "10.30.1.3" }],
    });
    const services = [sampleService({ addresses: ["10.30.1.2"] })];
    expect(ask({ state, services })).toBe("10.30.1.4");
    expect(() => ask({ state: { ...state, blocks: [{ host: 1, cidr: "10.30.1.254/31" }] } })).toThrow("blocks are full");
  });

  test("leaves alone what was given back lately, unless it was the container's own", () => {
    const released: Partial<AddressQuestion> = {
      releasedAtMs: (address) => (address === "10.30.1.17" ? NOW - QUARANTINE_MS + 1 : undefined),
    };
    expect(ask(released)).toBe("10.30.1.18");
    expect(ask({ ...released, nowMs: NOW + 1 })).toBe("10.30.1.17");
    expect(ask({ ...released, had: ["10.30.1.17"] })).toBe("10.30.1.17");
    expect(ask({ ...released, had: ["10.30.1.17"], ...used(["10.30.1.17"]) })).toBe("10.30.1.18");
    // No more this host's to give.
    expect(ask({ ...released, had: ["10.30.1.40"] })).toBe("10.30.1.18");
  });

  test("goes on where the last search ended, without a look at what is before it, and round again", () => {
    const state = sampleState({ blocks: [{ host: 1, cidr: "10.30.1.16/30" }, { host: 1, cidr: "10.30.1.96/31" }] }); // prettier-ignore
    const taken: string[] = [];
    const asked: string[] = [];
    const cursor = { next: 0 };
    const isUsed = (address: string): boolean => {
      asked.push(address);
      return taken.includes(address);
    };
    const take = (): string => {
      asked.length = 0;
      const address = ask({ state, isUsed, cursor });
      taken.push(address);
      return address;
    };
    // Nobody took the first answer: it is given again.
    expect(ask({ state, isUsed, cursor })).toBe("10.30.1.17");
    expect([take(), take(), take(), take()]).toEqual(["10.30.1.17", "10.30.1.18", "10.30.1.19", "10.30.1.96"]);
    expect(asked).toEqual(["10.30.1.19", "10.30.1.96"]);
    taken.splice(0, 2);
    expect([take(), take(), take()]).toEqual(["10.30.1.97", "10.30.1.17", "10.30.1.18"]);
    expect(take).toThrow("blocks are full");
    // The host has fewer blocks than before.
    expect(ask({ state: sampleState({ blocks: [{ host: 1, cidr: "10.30.1.16/31" }] }), cursor: { next: 5 } })).toBe("10.30.1.17");
  });

  test("goes on in the next block, and says when all are full or none is there", () => {
    const state = sampleState({ blocks: [{ host: 1, cidr: "10.30.1.16/28" }, { host: 1, cidr: "10.30.1.96/30" }] }); // prettier-ignore
    expect(ask({ state, ...used(addresses(17, 15)) })).toBe("10.30.1.96");
    expect(() => ask(used(addresses(17, 15)))).toThrow("this host's blocks are full (10.30.1.16/28; 0 addresses rest)");
    expect(() => ask({ ...used(addresses(17, 13)), releasedAtMs: () => NOW })).toThrow("2 addresses rest");
    expect(() => ask({ state: sampleState({ blocks: [] }) })).toThrow("this host has no block of 10.30.1.0/24 yet");
  });
});

test("the control plane is asked for what is in nobody's block and free, also when it is another host's by itself", () => {
  const needs = (address: string, change: Parameters<typeof sampleState>[0] = {}, taken: string[] = []): boolean =>
    needsPin({ state: sampleState(change), services: [sampleService({ addresses: ["10.30.1.2"] })], ...used(taken) }, address);
  expect([needs("10.30.1.200"), needs("10.30.1.200", { pins: [{ host: 2, address: "10.30.1.200" }] })]).toEqual([true, true]);
  expect(needs("10.30.1.200", { pins: [{ host: 1, address: "10.30.1.200" }] })).toBe(false);
  expect(needs("10.30.1.200", {}, ["10.30.1.200"])).toBe(false);
  // This host's block, another's, outside, the gateway, a service's, the subnet's last.
  for (const address of ["10.30.1.20", "10.30.1.34", "10.31.0.1", "10.30.1.1", "10.30.1.2", "10.30.1.255"])
    expect(needs(address)).toBe(false);
});

describe("checkOverlayAddress", () => {
  const check = (address: string, change: Parameters<typeof sampleState>[0] = {}, taken: string[] = []): string =>
    checkOverlayAddress({ state: sampleState(change), services: [], ...used(taken) }, address);

  test("takes this host's own and what is pinned to it", () => {
    expect(check("10.30.1.20")).toBe("10.30.1.20");
    expect(check("10.30.1.200", { pins: [{ host: 1, address: "10.30.1.200" }] })).toBe("10.30.1.200");
  });

  test("refuses in words that say why", () => {
    expect(() => check("10.31.0.1")).toThrow("does not belong to subnet 10.30.1.0/24");
    expect(() => check("10.30.1.20", {}, ["10.30.1.20"])).toThrow("Address already in use");
    expect(() => check("10.30.1.1")).toThrow("Address already in use");
    expect(() => check("10.30.1.34")).toThrow("another host gives it out");
    expect(() => check("10.30.1.200")).toThrow("has to be reserved for this host first");
    expect(() => check("10.30.1.20", { pins: [{ host: 2, address: "10.30.1.20" }] })).toThrow("Address already in use");
  });
});
