import type { NetworkService } from "@flotilla/protocol";
import { sampleService } from "@flotilla/protocol/sample-network";
import { describe, expect, test } from "vitest";
import { sampleState } from "./fixture.ts";
import { leaveOut, refuseDown, type Services } from "./leave-out.ts";

const on = (...hosts: number[]): ReadonlySet<number> => new Set(hosts);
const mapOf = (...services: NetworkService[]): Services => new Map(services.map((service) => [service.id, service]));
/** Host 1 has 10.30.1.16/28, host 2 .32/28, host 3 .48/28. */
const addresses = (backends: readonly string[], out: ReadonlySet<number>, weights: readonly number[] = []): string[] => {
  const service = sampleService({ backends: backends.map((address, index) => ({ address, weight: weights[index] ?? 1 })) });
  const left = leaveOut(sampleState(), mapOf(service), out).get(service.id);
  return left?.backends.map(({ address }) => address) ?? [];
};

test("nothing out of reach are the very same services", () => {
  const services = mapOf(sampleService());
  expect(leaveOut(sampleState(), services, on())).toBe(services);
  expect(leaveOut(sampleState(), services, on(9))).toBe(services);
});

describe("a backend on a host out of reach", () => {
  test("is left out", () => expect(addresses(["10.30.1.18", "10.30.1.34", "10.30.1.50"], on(2))).toEqual(["10.30.1.18", "10.30.1.50"]));

  test("stays when all are", () => expect(addresses(["10.30.1.34", "10.30.1.50"], on(2, 3))).toEqual(["10.30.1.34", "10.30.1.50"]));

  test("stays when the others take nothing new", () =>
    expect(addresses(["10.30.1.18", "10.30.1.34"], on(2), [0, 1])).toEqual(["10.30.1.18", "10.30.1.34"]));

  test("is found by its IPv6 address too", () =>
    expect(addresses(["fd30:1::a1e:112", "fd30:1::a1e:122"], on(2))).toEqual(["fd30:1::a1e:112"]));

  test("stays as the only one of its family", () =>
    expect(addresses(["10.30.1.18", "10.30.1.34", "fd30:1::a1e:122"], on(2))).toEqual(["10.30.1.18", "fd30:1::a1e:122"]));
});

test("a pinned address is its host's, whoever has the block around it", () => {
  const service = sampleService({ backends: ["10.30.1.18", "10.30.1.34"].map((address) => ({ address, weight: 1 })) });
  const state = sampleState({ pins: [{ host: 3, address: "10.30.1.34" }] });
  const left = (out: ReadonlySet<number>): number | undefined => leaveOut(state, mapOf(service), out).get(service.id)?.backends.length;
  expect([left(on(2)), left(on(3))]).toEqual([2, 1]);
});

test("services that lose nothing are the same objects", () => {
  const near = sampleService({ id: "near", backends: [{ address: "10.30.1.18", weight: 1 }] });
  const far = sampleService({ id: "far", backends: ["10.30.1.18", "10.30.1.34"].map((address) => ({ address, weight: 1 })) });
  const left = leaveOut(sampleState(), mapOf(near, far), on(2));
  expect([...left.keys()]).toEqual(["near", "far"]);
  expect(left.get("near")).toBe(near);
  expect(left.get("far")).toEqual({ ...far, backends: [{ address: "10.30.1.18", weight: 1 }] });
});

describe("what a host that counts as down had", () => {
  const down = [
    { host: 2, addresses: ["10.30.1.34", "fd30:1::a1e:122"] },
    { host: 3, addresses: ["10.30.1.50"] },
  ];

  test("is refused by who does not reach the host either, with what is dead anyway", () => {
    const state = sampleState({ down, dead: ["10.30.1.99"] });
    expect(refuseDown(state, on(2)).dead).toEqual(["10.30.1.99", "10.30.1.34", "fd30:1::a1e:122"]);
    expect(refuseDown(state, on(2, 3)).dead).toEqual(["10.30.1.99", "10.30.1.34", "fd30:1::a1e:122", "10.30.1.50"]);
  });

  test("is not by who reaches it, nor of a host that is out of reach and does not count as down", () => {
    const state = sampleState({ down: down.slice(0, 1) });
    expect(refuseDown(state, on())).toBe(state);
    expect(refuseDown(state, on(3))).toBe(state);
  });

  test("makes the same network again for the same hosts, which need not be looked at twice", () => {
    const state = sampleState({ down });
    const refused = refuseDown(state, on(2));
    expect(refuseDown(state, on(2, 4))).toBe(refused);
    expect(refuseDown(state, on(2, 3))).not.toBe(refused);
  });
});
