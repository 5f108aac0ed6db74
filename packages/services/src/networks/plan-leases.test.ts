import { describe, expect, test } from "vitest";
import { type Lease, type LeasedNetwork, type LeaseHost, nextHostBlock, PIN_RESTS_MS, planLeases, REST_MS } from "./plan-leases.ts";

const NOW = 10_000_000;
const host = (id: string, used: string[] = [], isCurrent = true): LeaseHost => ({
  id,
  isCurrent,
  used: new Map([["n", used]]),
  resting: new Map(),
});
const block = (id: string, hostId: string | null, cidr: string, releasedMs?: number): Lease => ({
  id,
  kind: "block",
  hostId,
  cidr,
  leasedAt: new Date(0),
  releasedAt: releasedMs === undefined ? null : new Date(releasedMs),
});
const reserved: Lease = { ...block("r", null, "10.0.0.0/28"), kind: "reserved" };
const network = (leases: Lease[], more: Partial<LeasedNetwork> = {}): LeasedNetwork => ({
  id: "n",
  subnet: "10.0.0.0/24",
  addressRange: null,
  blockLength: 28,
  leases: [reserved, ...leases],
  ...more,
});
const addresses = (from: number, count: number): string[] => Array.from({ length: count }, (_, index) => `10.0.0.${from + index}`);
const NOTHING = { lease: [], release: [], restore: [], free: [], exhausted: [] };

describe("leasing", () => {
  test("each host gets a block, never the same, never the reserved one", () => {
    const { lease } = planLeases([network([])], [host("a"), host("b"), host("c")], NOW);
    expect(lease.map(({ hostId, cidr }) => `${hostId} ${cidr}`)).toEqual(["a 10.0.0.16/28", "b 10.0.0.32/28", "c 10.0.0.48/28"]);
  });

  test("who has one with room gets no more", () => {
    expect(planLeases([network([block("1", "a", "10.0.0.16/28")])], [host("a", addresses(17, 11))], NOW)).toEqual(NOTHING);
  });

  test("who runs short gets one more before it is full", () => {
    const { lease } = planLeases([network([block("1", "a", "10.0.0.16/28")])], [host("a", addresses(17, 12))], NOW);
    expect(lease).toEqual([{ networkId: "n", hostId: "a", cidr: "10.0.0.32/28" }]);
  });

  test("addresses that rest are no more free than those in use", () => {
    const rests = { ...host("a", addresses(17, 2)), resting: new Map([["n", 10]]) };
    expect(planLeases([network([block("1", "a", "10.0.0.16/28")])], [rests], NOW).lease).toEqual([
      { networkId: "n", hostId: "a", cidr: "10.0.0.32/28" },
    ]);
  });

  test("the block that a host would get next is the first that nobody has", () => {
    expect(nextHostBlock(network([block("1", "a", "10.0.0.16/28"), block("2", "b", "10.0.0.48/28")]))).toBe("10.0.0.32/28");
    expect(nextHostBlock(network([block("1", "a", "10.0.0.16/28")], { addressRange: "10.0.0.16/28" }))).toBeUndefined();
  });

  test("a pinned address keeps its block from being leased", () => {
    const pin: Lease = { ...block("p", "b", "10.0.0.20/32"), kind: "pin" };
    expect(planLeases([network([pin])], [host("a")], NOW).lease).toEqual([{ networkId: "n", hostId: "a", cidr: "10.0.0.32/28" }]);
  });

  test("blocks come from the range that was asked for", () => {
    const { lease, exhausted } = planLeases([network([], { addressRange: "10.0.0.224/27" })], [host("a"), host("b"), host("c")], NOW);
    expect(lease.map(({ cidr }) => cidr)).toEqual(["10.0.0.224/28", "10.0.0.240/28"]);
    expect(exhausted).toEqual([{ networkId: "n", hostId: "c" }]);
  });

  test("networks do not know of each other: the same block twice", () => {
    const { lease } = planLeases([network([]), network([], { id: "m" })], [host("a")], NOW);
    expect(lease.map(({ networkId, cidr }) => `${networkId} ${cidr}`)).toEqual(["n 10.0.0.16/28", "m 10.0.0.16/28"]);
  });
});

describe("giving back", () => {
  const two = [block("1", "a", "10.0.0.16/28"), block("2", "a", "10.0.0.32/28")];

  test("a second block that nobody uses is given back, the first never", () => {
    expect(planLeases([network(two)], [host("a", addresses(17, 3))], NOW).release).toEqual(["2"]);
    expect(planLeases([network([block("1", "a", "10.0.0.16/28")])], [host("a")], NOW)).toEqual(NOTHING);
  });

  test("one that was leased a moment ago is kept for the containers that it was leased for", () => {
    const young = [two[0]!, { ...two[1]!, leasedAt: new Date(NOW - 29_999) }];
    expect(planLeases([network(young)], [host("a", addresses(17, 3))], NOW)).toEqual(NOTHING);
    expect(planLeases([network(young)], [host("a", addresses(17, 3))], NOW + 1).release).toEqual(["2"]);
  });

  test("what would be leased again at once is kept", () => {
    expect(planLeases([network(two)], [host("a", addresses(17, 8))], NOW)).toEqual(NOTHING);
  });

  test("it rests, then it is free", () => {
    const given = (at: number): Lease[] => [block("1", "a", "10.0.0.16/28"), block("2", "a", "10.0.0.32/28", at)];
    expect(planLeases([network(given(NOW - REST_MS + 1))], [host("a")], NOW)).toEqual(NOTHING);
    expect(planLeases([network(given(NOW - REST_MS))], [host("a")], NOW)).toEqual({ ...NOTHING, free: ["2"] });
  });

  test("while it rests nobody else gets it", () => {
    const resting = block("2", "a", "10.0.0.16/28", NOW);
    expect(planLeases([network([resting])], [host("b")], NOW).lease.map(({ cidr }) => cidr)).toEqual(["10.0.0.32/28"]);
  });

  test("a host that has not applied its newest state may still use it", () => {
    const given = [block("1", "a", "10.0.0.16/28"), block("2", "a", "10.0.0.32/28", 0)];
    expect(planLeases([network(given)], [host("a", [], false)], NOW)).toEqual(NOTHING);
  });

  test("an endpoint that came in between takes it back", () => {
    const given = [block("1", "a", "10.0.0.16/28"), block("2", "a", "10.0.0.32/28", 0)];
    expect(planLeases([network(given)], [host("a", ["10.0.0.40"])], NOW)).toEqual({ ...NOTHING, restore: ["2"] });
  });

  test("blocks of a host that was removed rest too", () => {
    expect(planLeases([network([block("1", null, "10.0.0.16/28")])], [], NOW).release).toEqual(["1"]);
    expect(planLeases([network([block("1", null, "10.0.0.16/28", 0)])], [], NOW).free).toEqual(["1"]);
  });
});

describe("pinned addresses", () => {
  const own = block("1", "a", "10.0.0.16/28");
  const pin = (more: Partial<Lease> = {}): Lease => ({ ...block("p", "a", "10.0.0.200"), kind: "pin", ...more });
  const says = (pins: string[] | undefined, used: string[] = [], isCurrent = true): LeaseHost => ({
    ...host("a", used, isCurrent),
    ...(pins === undefined ? {} : { pins: new Map([["n", pins]]) }),
  });
  const plan = (lease: Lease, from: LeaseHost): ReturnType<typeof planLeases> => planLeases([network([own, lease])], [from], NOW);

  test("go when no container of their host asks for them, and rest like blocks", () => {
    expect(plan(pin(), says([]))).toEqual({ ...NOTHING, release: ["p"] });
    expect(plan(pin({ releasedAt: new Date(NOW - REST_MS) }), says([]))).toEqual({ ...NOTHING, free: ["p"] });
  });

  test.each<[string, Lease, LeaseHost]>([
    ["a container asks for, whether it runs or not", pin(), says(["10.0.0.200"])],
    ["a container has", pin(), says([], ["10.0.0.200"])],
    ["were given a moment ago", pin({ leasedAt: new Date(NOW - PIN_RESTS_MS + 1) }), says([])],
    ["belong to a host that does not say what it needs", pin(), says(undefined)],
    ["belong to a host that is away or behind", pin(), says([], [], false)],
    ["belong to another host", pin({ hostId: "b" }), says([])],
  ])("stay while they %s", (_, lease, from) => {
    expect(plan(lease, from)).toEqual(NOTHING);
  });

  test("come back when they are used again before they have rested", () => {
    expect(plan(pin({ releasedAt: new Date(NOW - 1) }), says([], ["10.0.0.200"]))).toEqual({ ...NOTHING, restore: ["p"] });
  });
});

test("whatever happens, no two hosts hold one address, and a quiet team comes to rest", () => {
  let random = 7;
  const next = (below: number): number => (random = (random * 48_271) % 2_147_483_647) % below;
  let leases: Lease[] = [];
  let id = 0;
  for (let step = 0; step < 400; step += 1) {
    const nowMs = NOW + step * 40_000;
    const hosts = ["a", "b", "c"].map((name) => {
      const own = leases.filter((lease) => lease.hostId === name && lease.releasedAt === null);
      // The last rounds are quiet.
      const used = step > 380 ? [] : own.flatMap(({ cidr }) => addresses(Number(cidr.split(/[./]/)[3]) + 1, next(16)));
      return host(name, used, next(3) > 0 || step > 380);
    });
    const { lease, release, restore, free } = planLeases([network(leases)], hosts, nowMs);
    leases = leases
      .filter((item) => !free.includes(item.id))
      .map((item) => (release.includes(item.id) ? { ...item, releasedAt: new Date(nowMs) } : item))
      .map((item) => (restore.includes(item.id) ? { ...item, releasedAt: null } : item))
      .concat(lease.map(({ hostId, cidr }) => block(String((id += 1)), hostId, cidr)));
    expect(new Set(leases.map(({ cidr }) => cidr)).size).toBe(leases.length);
  }
  expect(leases.map(({ hostId }) => hostId).toSorted()).toEqual(["a", "b", "c"]);
});
