import type { NetworkService } from "@flotilla/protocol";
import { sampleService } from "@flotilla/protocol/sample-network";
import { describe, expect, test } from "vitest";
import { formatObject, type KernelObject } from "../host/kernel-objects.ts";
import { sampleInput, sampleState } from "./fixture.ts";
import { planEndpointChanges, planEndpointPart } from "./endpoint-parts.ts";
import { planChanges, type LocalEndpoint } from "./router-plan.ts";
import { route } from "./router-plan.ts";
import { afterUpdate, formatTable, formatUpdate, isPlain, planTable, planUpdate, withChains, type RouterTable } from "./router-table.ts";
import { planChains, planPart, planPartChanges, type Elements } from "./service-parts.ts";
import { formatUnderlayTable, planUnderlayNetwork } from "./underlay-table.ts";
import { planPublished } from "./virtual-servers.ts";

const LOCAL: LocalEndpoint = { link: "c7", address: "10.30.2.7", address6: "", mac: "" };
const tableOf = (published: readonly NetworkService[] = []): RouterTable =>
  planTable(sampleInput({ published }), planPublished(published, { uplinkAddress: "169.254.64.1", ports: [] }));
const linesOf = (elements: Elements): Record<string, string[]> =>
  Object.fromEntries([...elements].filter(([, keys]) => keys.size > 0).map(([name, keys]) => [name, [...keys].map(([key, value]) => (value === "" ? key : `${key} : ${value}`))])); // prettier-ignore
const onV4 = (change: Partial<NetworkService> = {}): NetworkService => sampleService({ addresses: ["10.30.1.2"], ...change });
const three = onV4({ backends: ["10.30.1.18", "10.30.1.34", "10.30.1.50"].map((address) => ({ address, weight: 1 })) });

test("planTable has peers as elements, and what the network says of addresses", () => {
  expect(linesOf(tableOf().elements)).toEqual({ vteps: ["02:f1:00:00:00:02", "02:f1:00:00:00:03"] });
  const state = sampleState({ dead: ["10.30.1.34", "fd30:1::a1e:122"], isolated: ["10.30.1.18"] });
  expect(linesOf(planTable(sampleInput({ state }), []).elements)).toMatchObject({
    dead: ["10.30.1.34"],
    dead6: ["fd30:1::a1e:122"],
    isolated: ["10.30.1.18"],
  });
});

test("a container's part says where its addresses are", () => {
  const [endpoint = LOCAL] = sampleInput().endpoints;
  expect(linesOf(planEndpointPart(endpoint).elements)).toEqual({
    members: ['"c1" . 10.30.1.18'],
    members6: ['"c1" . fd30:1::a1e:112'],
    pairs: ["10.30.1.18 . 10.30.1.18"],
    pairs6: ["fd30:1::a1e:112 . fd30:1::a1e:112"],
    local: ["10.30.1.18"],
    local6: ["fd30:1::a1e:112"],
  });
  expect(linesOf(planEndpointPart(LOCAL).elements)).toEqual({
    members: ['"c7" . 10.30.2.7'],
    pairs: ["10.30.2.7 . 10.30.2.7"],
    local: ["10.30.2.7"],
  });
});

test("containers' parts change when their addresses do, come and go with them", () => {
  const one: LocalEndpoint = { link: "c1", address: "10.30.2.1", address6: "", mac: "a" };
  const loaded = new Map([one, LOCAL].map((endpoint) => [endpoint.link, planEndpointPart(endpoint)]));
  const linksOf = (endpoints: readonly LocalEndpoint[]): string[][] => {
    const { gone, come } = planEndpointChanges(loaded, endpoints);
    return [gone, come].map((parts) => parts.map(({ endpoint }) => `${endpoint.link} ${endpoint.address}`));
  };
  expect(linksOf([{ ...one, mac: "b" }, LOCAL])).toEqual([[], []]);
  expect(linksOf([one, { ...LOCAL, link: "c8" }])).toEqual([["c7 10.30.2.7"], ["c8 10.30.2.7"]]);
  expect(linksOf([{ ...one, address6: "fd30::1" }])).toEqual([["c1 10.30.2.1", "c7 10.30.2.7"], ["c1 10.30.2.1"]]); // prettier-ignore
});

describe("planPart", () => {
  test("has addresses, lookups and slots as elements", () => {
    expect(linesOf(planPart(sampleService()).elements)).toEqual({
      vips: ["10.30.1.2"],
      vips6: ["fd30:1::a1e:102"],
      svc: ["10.30.1.2 . tcp . 80 : goto n_tcp_2"],
      svc6: ["fd30:1::a1e:102 . tcp . 80 : goto n_tcp6_1"],
      eps_tcp: ["10.30.1.2 . 80 . 0 : 10.30.1.18 . 8080", "10.30.1.2 . 80 . 1 : 10.30.1.34 . 8080"],
      eps_tcp6: ["fd30:1::a1e:102 . 80 . 0 : fd30:1::a1e:112 . 8080"],
    });
  });

  test("spreads at random, or by the caller's address", () => {
    expect(planChains(planPart(sampleService()).servers)[0]?.[1]).toBe(
      "dnat ip to ip daddr . tcp dport . numgen random mod 2 map @eps_tcp",
    );
    expect(planChains(planPart(sampleService({ affinity: "client-ip" })).servers)[1]).toEqual(["a_tcp6_1", "dnat ip6 to ip6 daddr . tcp dport . jhash ip6 saddr mod 1 map @eps_tcp6"]); // prettier-ignore
  });
});

describe("planPartChanges", () => {
  const [one, two] = [onV4({ id: "one" }), onV4({ id: "two" })];
  const loaded = new Map([one, two].map((service) => [service.id, planPart(service)]));
  const idsOf = (...args: Parameters<typeof planPartChanges>): string[][] =>
    [planPartChanges(...args).gone, planPartChanges(...args).come].map((parts) => parts.map((part) => part.service.id));
  const services = (...list: NetworkService[]) => new Map(list.map((service) => [service.id, service]));

  test("are services that went, came, or are another object", () => {
    expect(idsOf(loaded, services(one, two))).toEqual([[], []]);
    expect(idsOf(loaded, services({ ...one }, onV4({ id: "three" })))).toEqual([["one", "two"], ["one", "three"]]); // prettier-ignore
  });

  test("are looked for among the touched ones only", () => {
    expect(idsOf(loaded, services(), ["two", "unknown"])).toEqual([["two"], []]);
  });
});

const textOf = (...args: Parameters<typeof planUpdate>): string | undefined => {
  const update = planUpdate(...args);
  return update && formatUpdate(update);
};

describe("an update", () => {
  const none = tableOf();
  const loaded = withChains(none, [planPart(onV4())]);

  test("of equal tables is nothing", () => {
    expect(textOf(loaded, tableOf())).toBe("");
    expect(textOf(loaded, tableOf(), { gone: [planPart(onV4())], come: [planPart(onV4())] })).toBe("");
  });

  test("is only what differs, chains before the elements that name them", () => {
    expect(textOf(loaded, none, { gone: [planPart(onV4())], come: [planPart(three)] })).toBe(
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

  test("of services that exchange an address takes it from one before it gives it to the other", () => {
    const pair = (x: string, y: string) => [onV4({ id: "x", addresses: [x] }), onV4({ id: "y", addresses: [y], affinity: "client-ip" })].map(planPart); // prettier-ignore
    const lines = textOf(loaded, none, { gone: pair("10.30.1.2", "10.30.1.3"), come: pair("10.30.1.3", "10.30.1.2") })?.split("\n");
    expect(lines?.filter((line) => line.includes(" svc "))).toEqual([
      "delete element inet flotilla svc { 10.30.1.2 . tcp . 80 : goto n_tcp_2, 10.30.1.3 . tcp . 80 : goto a_tcp_2 }",
      "add element inet flotilla svc { 10.30.1.3 . tcp . 80 : goto n_tcp_2, 10.30.1.2 . tcp . 80 : goto a_tcp_2 }",
    ]);
  });

  test("of containers alone needs no libnftables; of services, of what has a value, and of very many it does", () => {
    const endpoint = (index: number): LocalEndpoint => ({ link: `c${index}`, address: `10.30.2.${index}`, address6: `fd30:1::2:${index}`, mac: "" }); // prettier-ignore
    const plan = (count: number) =>
      planUpdate(none, none, { gone: [planEndpointPart(LOCAL)], come: Array.from({ length: count }, (_, index) => planEndpointPart(endpoint(index))) }); // prettier-ignore
    const update = plan(1);
    expect(update?.changes.map(({ verb, set, keys }) => `${verb} ${set} ${keys.join()}`)).toEqual([
      'delete members "c7" . 10.30.2.7',
      "delete pairs 10.30.2.7 . 10.30.2.7",
      "delete local 10.30.2.7",
      'add members "c0" . 10.30.2.0',
      "add pairs 10.30.2.0 . 10.30.2.0",
      "add local 10.30.2.0",
      'add members6 "c0" . fd30:1::2:0',
      "add pairs6 fd30:1::2:0 . fd30:1::2:0",
      "add local6 fd30:1::2:0",
    ]);
    // Another container has the address: only where it is differs.
    expect(
      planUpdate(none, none, { gone: [planEndpointPart(LOCAL)], come: [planEndpointPart({ ...LOCAL, link: "c8" })] })?.changes,
    ).toEqual([
      { verb: "delete", set: "members", type: "ifname . ipv4_addr", keys: ['"c7" . 10.30.2.7'] },
      { verb: "add", set: "members", type: "ifname . ipv4_addr", keys: ['"c8" . 10.30.2.7'] },
    ]);
    const service = planUpdate(none, none, { gone: [], come: [planPart(onV4())] });
    const allowed = planTable(sampleInput({ state: sampleState({ allow: [{ from: "10.30.1.18", to: "10.30.1.34", protocol: "tcp", port: 80 }] }) }), []); // prettier-ignore
    expect([update, service, planUpdate(none, allowed), plan(201)].map((each) => each && isPlain(each))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test("needs the whole table when rules differ", () => {
    const published = [{ protocol: "tcp" as const, port: 80, targetPort: 8080, publishedPort: 443 }];
    expect(textOf(loaded, tableOf([sampleService({ ports: published })]))).toBe(undefined);
  });

  test("remembers chains that stay in the kernel", () => {
    const emptied = afterUpdate(loaded, none, { gone: [planPart(onV4())], come: [] });
    expect([...emptied.slotChains.keys()]).toEqual(["n_tcp_2"]);
    expect(textOf(emptied, none, { gone: [], come: [planPart(onV4())] })).not.toContain("add chain");
  });
});

test("formatTable replaces the table in one transaction and declares chains before maps", () => {
  const text = formatTable(tableOf(), [planPart(sampleService())]);
  expect(text.startsWith("add table inet flotilla\ndelete table inet flotilla\n")).toBe(true);
  expect(text.indexOf("chain n_tcp_2 {\n  }")).toBeLessThan(text.indexOf("map svc {"));
  expect(formatTable(tableOf(), [], false)).not.toContain("delete table");
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

describe("the underlay's table", () => {
  const NAME = "inet flotilla_1a2b3c4d_underlay";
  const alone = sampleState({ hosts: [{ number: 1, underlay: "10.99.0.1", tunnels: [] }] });

  test("lets only hosts of a network send into it, and tracks no envelope", () => {
    const text = formatUnderlayTable("1a2b3c4d", [sampleState()]);
    expect(text).toContain("elements = { 4789 . 4097 . 10.99.0.2, 4789 . 4097 . 10.99.0.3 }");
    expect(text).toContain("@peers4 notrack accept");
    expect(text).toContain(
      "chain arriving {\n    @th,64,32 1179406418 notrack accept\n    udp dport . @th,96,24 @networks drop\n    notrack",
    );
    expect(text).toContain("udp dport @ports jump arriving");
    expect(text).toContain("udp dport @ports notrack");
  });

  test("has one more network as elements: hosts once, of either family, and the port that all share", () => {
    const hosts = ["10.99.0.1", "10.99.0.2", "10.99.0.2", "fd99::3"].map((underlay, at) => ({ number: at + 1, underlay, tunnels: [] }));
    expect(Object.fromEntries(planUnderlayNetwork("1a2b3c4d", sampleState({ id: "n", hosts })))).toEqual({
      "port 4789": [{ set: `${NAME} ports`, text: "4789" }],
      n: [
        { set: `${NAME} networks`, text: "4789 . 4097" },
        { set: `${NAME} peers4`, text: "4789 . 4097 . 10.99.0.2" },
        { set: `${NAME} peers6`, text: "4789 . 4097 . fd99::3" },
      ],
    });
  });

  test("of a network on this host alone lets nobody in; of none is removal", () => {
    const text = formatUnderlayTable("1a2b3c4d", [alone]);
    expect(text).toContain("elements = { 4789 . 4097 }");
    expect(text).not.toContain("10.99");
    expect(formatUnderlayTable("1a2b3c4d", [])).toBe(`add table ${NAME}\ndelete table ${NAME}\n`);
  });
});
