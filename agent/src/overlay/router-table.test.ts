import { describe, expect, test } from "vitest";
import { formatObject, type KernelObject } from "../host/kernel-objects.ts";
import { sampleInput, sampleService, sampleState } from "./fixture.ts";
import { planChanges } from "./router.ts";
import { route } from "./router-plan.ts";
import { afterUpdate, formatTable, formatUpdate, planTable, type RouterTable } from "./router-table.ts";
import { formatUnderlayTable } from "./underlay-table.ts";
import { findStaleFlows, planServers } from "./virtual-servers.ts";

const NOTHING_LOCAL = { uplinkAddress: "169.254.64.1", ports: [] };
const tableOf = (change: Parameters<typeof sampleState>[0] = {}): RouterTable => {
  const state = sampleState(change);
  return planTable(sampleInput({ state }), planServers(state, NOTHING_LOCAL));
};
const setsOf = (table: RouterTable): Record<string, string[]> =>
  Object.fromEntries([...table.elements].filter(([, keys]) => keys.size > 0).map(([name, keys]) => [name, [...keys].map(([key, value]) => (value === "" ? key : `${key} : ${value}`))])); // prettier-ignore

describe("planServers", () => {
  test("gives each family its backends, in one order on all hosts", () => {
    const backends = ["10.30.1.34", "fd30:1::a1e:112", "10.30.1.18"].map((address) => ({ address, weight: 1 }));
    const [v4, v6] = planServers(sampleState({ services: [sampleService({ backends })] }), NOTHING_LOCAL);
    expect(v4?.slots.map((slot) => slot.address)).toEqual(["10.30.1.18", "10.30.1.34"]);
    expect(v6?.slots).toEqual([{ address: "fd30:1::a1e:112", port: 8080 }]);
  });

  test("counts weights as slots; 0 is none; nothing left is no server", () => {
    const weigh = (...weights: number[]) => planServers(sampleState({ services: [sampleService({ addresses: ["10.30.1.2"], backends: weights.map((weight, index) => ({ address: `10.30.1.${18 + index}`, weight })) })] }), NOTHING_LOCAL); // prettier-ignore
    expect(weigh(1, 3, 0)[0]?.slots.map((slot) => slot.address)).toEqual(["10.30.1.18", "10.30.1.19", "10.30.1.19", "10.30.1.19"]);
    expect(weigh(0, 0)).toEqual([]);
  });

  test("publishes services and containers at the router's end of the uplink, or not at all", () => {
    const ports = [{ protocol: "tcp" as const, port: 80, targetPort: 8080, publishedPort: 443 }];
    const state = sampleState({ services: [sampleService({ addresses: [], ports })] });
    const own = [{ protocol: "udp" as const, hostPort: 53, containerAddress: "10.30.1.18", containerPort: 5353 }];
    expect(planServers(state, { uplinkAddress: "169.254.64.1", ports: own }).map(({ address, protocol, port, slots }) => `${protocol} ${address}:${port} ${slots.length}`)).toEqual(["tcp 169.254.64.1:443 2", "udp 169.254.64.1:53 1"]); // prettier-ignore
    expect(planServers(state, { uplinkAddress: undefined, ports: own })).toEqual([]);
  });
});

describe("findStaleFlows", () => {
  const udp = (addresses: string[]) => planServers(sampleState({ services: [sampleService({ addresses: ["10.30.1.2"], ports: [{ protocol: "udp", port: 53, targetPort: 53, publishedPort: null }], backends: addresses.map((address) => ({ address, weight: 1 })) })] }), NOTHING_LOCAL); // prettier-ignore

  test("are those of backends that went, and of servers that went", () => {
    expect(findStaleFlows(udp(["10.30.1.18", "10.30.1.34"]), udp(["10.30.1.34"]))).toEqual([
      { address: "10.30.1.2", port: 53, backend: "10.30.1.18" },
    ]);
    expect(findStaleFlows(udp(["10.30.1.18"]), [])).toEqual([{ address: "10.30.1.2", port: 53, backend: "10.30.1.18" }]);
  });

  test("are none when backends come, and none of TCP", () => {
    expect(findStaleFlows(udp(["10.30.1.18"]), udp(["10.30.1.18", "10.30.1.34"]))).toEqual([]);
    expect(findStaleFlows(planServers(sampleState({ services: [sampleService()] }), NOTHING_LOCAL), [])).toEqual([]);
  });
});

describe("planTable", () => {
  test("has members, peers and slots as elements", () => {
    expect(setsOf(tableOf({ services: [sampleService()] }))).toEqual({
      members: ['"c1" . 10.30.1.18'],
      members6: ['"c1" . fd30:1::a1e:112'],
      pairs: ["10.30.1.18 . 10.30.1.18"],
      pairs6: ["fd30:1::a1e:112 . fd30:1::a1e:112"],
      local: ["10.30.1.18"],
      local6: ["fd30:1::a1e:112"],
      vips: ["10.30.1.2"],
      vips6: ["fd30:1::a1e:102"],
      vteps: ["02:f1:00:00:00:02", "02:f1:00:00:00:03"],
      svc: ["10.30.1.2 . tcp . 80 : goto n_tcp_2"],
      svc6: ["fd30:1::a1e:102 . tcp . 80 : goto n_tcp6_1"],
      eps_tcp: ["10.30.1.2 . 80 . 0 : 10.30.1.18 . 8080", "10.30.1.2 . 80 . 1 : 10.30.1.34 . 8080"],
      eps_tcp6: ["fd30:1::a1e:102 . 80 . 0 : fd30:1::a1e:112 . 8080"],
    });
  });

  test("spreads at random, or by the caller's address", () => {
    expect([...tableOf({ services: [sampleService()] }).slotChains.values()][0]).toBe(
      "dnat ip to ip daddr . tcp dport . numgen random mod 2 map @eps_tcp",
    );
    expect([...tableOf({ services: [sampleService({ affinity: "client-ip" })] }).slotChains][1]).toEqual(["a_tcp6_1", "dnat ip6 to ip6 daddr . tcp dport . jhash ip6 saddr mod 1 map @eps_tcp6"]); // prettier-ignore
  });
});

describe("formatUpdate", () => {
  const one = tableOf({ services: [sampleService({ addresses: ["10.30.1.2"] })] });

  test("of equal tables is nothing", () => {
    expect(formatUpdate(one, tableOf({ services: [sampleService({ addresses: ["10.30.1.2"] })] }))).toBe("");
  });

  test("is only what differs, chains before the elements that name them", () => {
    const three = sampleService({ addresses: ["10.30.1.2"], backends: ["10.30.1.18", "10.30.1.34", "10.30.1.50"].map((address) => ({ address, weight: 1 })) }); // prettier-ignore
    expect(formatUpdate(one, tableOf({ services: [three] }))).toBe(
      [
        "add chain inet flotilla n_tcp_3",
        "add rule inet flotilla n_tcp_3 dnat ip to ip daddr . tcp dport . numgen random mod 3 map @eps_tcp",
        "delete element inet flotilla svc { 10.30.1.2 . tcp . 80 : goto n_tcp_2 }",
        "add element inet flotilla svc { 10.30.1.2 . tcp . 80 : goto n_tcp_3 }",
        "add element inet flotilla eps_tcp { 10.30.1.2 . 80 . 2 : 10.30.1.50 . 8080 }",
        "",
      ].join("\n"),
    );
  });

  test("needs the whole table when rules differ", () => {
    const published = [{ protocol: "tcp" as const, port: 80, targetPort: 8080, publishedPort: 443 }];
    expect(formatUpdate(one, tableOf({ services: [sampleService({ ports: published })] }))).toBe(undefined);
  });

  test("remembers chains that stay in the kernel", () => {
    const none = tableOf();
    expect([...afterUpdate(one, none).slotChains.keys()]).toEqual(["n_tcp_2"]);
    expect(formatUpdate(afterUpdate(one, none), one)).not.toContain("add chain");
  });
});

test("formatTable replaces the table in one transaction and declares chains before maps", () => {
  const text = formatTable(tableOf({ services: [sampleService()] }));
  expect(text.startsWith("add table inet flotilla\ndelete table inet flotilla\n")).toBe(true);
  expect(text.indexOf("chain n_tcp_2 {\n  }")).toBeLessThan(text.indexOf("map svc {"));
});

describe("planChanges", () => {
  const neighbour = (mac: string): KernelObject => ({ kind: "neighbour", link: "vx0", address: "fe80::2", mac });
  const gone = route({ destination: "10.30.1.32/28", link: "vx0", via: "fe80::2" });
  const lines = (...args: Parameters<typeof planChanges>): string[] =>
    planChanges(...args).map(({ verb, object }) => `${verb} ${formatObject(object)}`);

  test("adds what is absent, replaces what differs, leaves what is right", () => {
    expect(lines([neighbour("02:f1:00:00:00:02"), gone], [neighbour("02:f1:00:00:00:09"), gone], true)).toEqual([
      "replace neigh fe80::2 lladdr 02:f1:00:00:00:02 dev vx0",
    ]);
  });

  test("removes routes before the neighbours they need, and nothing before the wish is known to be complete", () => {
    expect(lines([], [neighbour("02:f1:00:00:00:02"), gone], true)).toEqual([
      "delete route unicast 10.30.1.32/28 table 254 dev vx0 via fe80::2 onlink",
      "delete neigh fe80::2 lladdr 02:f1:00:00:00:02 dev vx0",
    ]);
    expect(lines([], [gone], false)).toEqual([]);
  });
});

describe("formatUnderlayTable", () => {
  test("lets only hosts of a network send into it, and tracks no envelope", () => {
    const text = formatUnderlayTable("1a2b3c4d", [sampleState()]);
    expect(text).toContain("udp dport 4789 @th,96,24 vmap { 4097 : jump vni_4097 }");
    expect(text).toContain("ip saddr != { 10.99.0.2, 10.99.0.3 } drop");
    expect(text.match(/udp dport \{ 4789 \} notrack/g)?.length).toBe(2);
  });

  test("of a network on this host alone lets nobody in; of none is removal", () => {
    expect(formatUnderlayTable("1a2b3c4d", [sampleState({ hosts: [{ number: 1, underlay: "10.99.0.1" }] })])).toMatch(
      /chain vni_4097 \{\n\s+drop/,
    );
    expect(formatUnderlayTable("1a2b3c4d", [])).toBe(
      "add table inet flotilla_1a2b3c4d_underlay\ndelete table inet flotilla_1a2b3c4d_underlay\n",
    );
  });
});
