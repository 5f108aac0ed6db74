import { describe, expect, test } from "vitest";
import { parseConstraints } from "./constraints.ts";
import { planMoves } from "./plan-moves.ts";
import { formatReason } from "./reason.ts";
import { schedule } from "./schedule.ts";
import type { PlacedReplica, ScheduleHost, ScheduleInput, ServiceDemand } from "./schedule-types.ts";

const host = (name: string, more: Partial<ScheduleHost> = {}): ScheduleHost => ({
  id: `id-${name}`,
  name,
  labels: {},
  os: "linux",
  architecture: "x86_64",
  availability: "active",
  isDown: false,
  cpuMillis: 4_000,
  memoryBytes: 8 * 2 ** 30,
  ports: [],
  images: [],
  ...more,
});
const service = (more: Partial<ServiceDemand> = {}): ServiceDemand => ({
  id: "web",
  name: "web",
  constraints: [],
  preferences: [],
  strategy: "spread",
  maxPerHost: null,
  cpuMillis: 0,
  memoryBytes: 0,
  hostPorts: [],
  volumes: [],
  image: "web:1",
  needsNetworks: false,
  ...more,
});
const HOSTS = [host("h1"), host("h2"), host("h3")];
const slots = (count: number, serviceId = "web"): ScheduleInput["wanted"] =>
  Array.from({ length: count }, (_, index) => ({ serviceId, slot: String(index + 1) }));
const on = (name: string, more: Partial<PlacedReplica> = {}): PlacedReplica => ({
  serviceId: "web",
  hostId: `id-${name}`,
  isLeaving: false,
  ...more,
});

type Ask = Partial<ScheduleInput> & { demand?: Partial<ServiceDemand> };
const ask = ({ demand, ...input }: Ask): ReturnType<typeof schedule> =>
  schedule({ hosts: HOSTS, services: [service(demand)], placed: [], volumes: new Map(), wanted: slots(1), ...input });
const where = (input: Ask): string =>
  ask(input)
    .placements.map(({ hostId }) => hostId.slice(3))
    .join(" ");
const why = (input: Ask): string | undefined =>
  ask(input)
    .unplaced.slice(0, 1)
    .map((item) => formatReason(item.reason))[0];

describe("spread", () => {
  test("one on each host before a second one anywhere", () => expect(where({ wanted: slots(7) })).toBe("h1 h2 h3 h1 h2 h3 h1"));
  test("counts what is there", () => expect(where({ wanted: slots(2), placed: [on("h1"), on("h1"), on("h2")] })).toBe("h3 h2"));
  test("what is leaving does not count as one of the service", () =>
    expect(where({ placed: [on("h1", { isLeaving: true }), on("h2"), on("h3")] })).toBe("h1"));
  test("of hosts with as many replicas of the service, the least loaded one", () => {
    const services = [service(), service({ id: "other", cpuMillis: 1_000 })];
    expect(where({ services, placed: [on("h1", { serviceId: "other" })] })).toBe("h2");
  });
  test("of equally good hosts, one that has the image", () => {
    expect(where({ hosts: [host("h1"), host("h2"), host("h3", { images: ["web:1"] })], wanted: slots(3) })).toBe("h3 h1 h2");
  });
  test("equal input gives equal output, whatever the order of the hosts", () => {
    expect(where({ hosts: HOSTS.toReversed(), wanted: slots(5) })).toBe(where({ wanted: slots(5) }));
  });
});

describe("preferences", () => {
  const hosts = [
    host("a1", { labels: { zone: "a" } }),
    host("a2", { labels: { zone: "a" } }),
    host("b1", { labels: { zone: "b" } }),
    host("x"),
  ];
  test("spread over values first, hosts without the label are a group of their own", () => {
    expect(where({ hosts, demand: { preferences: ["zone"] }, wanted: slots(6) })).toBe("x a1 b1 x a2 b1");
  });
  test("count what is there", () => {
    expect(where({ hosts, demand: { preferences: ["zone"] }, wanted: slots(2), placed: [on("x"), on("b1")] })).toBe("a1 x");
  });
  test("a full group does not keep the others", () => {
    expect(where({ hosts, demand: { preferences: ["zone"], maxPerHost: 1 }, wanted: slots(5) })).toBe("x a1 b1 a2");
  });
  test("of two labels, the second inside the first", () => {
    const racks = ["a 1", "a 2", "b 1"].map((text) =>
      host(text.replace(" ", ""), { labels: { zone: text[0] ?? "", rack: text[2] ?? "" } }),
    );
    expect(where({ hosts: racks, demand: { preferences: ["zone", "rack"] }, wanted: slots(4) })).toBe("a1 b1 a2 b1");
  });
});

describe("binpack", () => {
  test("fills one host before the next", () => {
    const demand = { strategy: "binpack" as const, cpuMillis: 2_000 };
    expect(where({ demand, wanted: slots(5) })).toBe("h1 h1 h2 h2 h3");
    expect(where({ demand, wanted: slots(2), placed: [on("h2")] })).toBe("h2 h1");
  });
});

describe("constraints", () => {
  const { constraints } = parseConstraints(["node.labels.disk == ssd"]);
  const labelled = [host("h1", { labels: { disk: "SSD" } }), host("h2", { labels: { disk: "hdd" } }), host("h3")];
  test("equal, without regard to case", () => expect(where({ hosts: labelled, demand: { constraints }, wanted: slots(2) })).toBe("h1 h1"));
  test.each([
    ["node.labels.disk!=ssd", "h2"],
    ["node.hostname==h3", "h3"],
    ["node.hostname!=h1", "h2"],
    ["node.id==id-h2", "h2"],
    ["node.platform.arch==amd64", "h1"],
    ["node.platform.os!=windows", "h1"],
    ["engine.labels.disk==hdd", "h2"],
  ])("%s", (text, expected) => expect(where({ hosts: labelled, demand: parseConstraints([text]) })).toBe(expected));
  test("roles mean nothing, and that is said", () => {
    expect(parseConstraints(["node.role==manager"])).toEqual({
      constraints: [],
      ignored: ["node.role==manager"],
    });
  });
  test.each(["disk", "node.labels.disk=ssd", "node.labels.==x", "node.colour==red", "node.hostname=="])("%s is refused", (text) =>
    expect(() => parseConstraints([text])).toThrow(`invalid constraint "${text}"`),
  );
  test("a label named like a property of every object is no label", () => {
    expect(why({ demand: parseConstraints(["node.labels.constructor==x"]) })).toBe("3 hosts: 3 lack label constructor=x");
  });
});

describe("why a replica cannot be placed", () => {
  test("in one sentence over all hosts", () => {
    const hosts = [host("h1", { availability: "drain" }), host("h2"), host("h3")];
    expect(why({ hosts, demand: parseConstraints(["node.labels.disk==ssd"]) })).toBe("3 hosts: 1 is drained, 2 lack label disk=ssd");
  });
  test.each<[string, Ask]>([
    ["there is no host", { hosts: [] }],
    ["1 host: 1 is down", { hosts: [host("h1", { isDown: true })] }],
    ["2 hosts: 2 are cordoned", { hosts: ["a", "b"].map((name) => host(name, { availability: "cordon" })) }],
    ["3 hosts: 3 have less than 5 CPUs left to reserve", { demand: { cpuMillis: 5_000 } }],
    ["3 hosts: 3 have less than 9216 MiB of memory left to reserve", { demand: { memoryBytes: 9 * 2 ** 30 } }],
    ["1 host: 1 has port 80/tcp in use", { hosts: [host("h1", { ports: ["80/tcp"] })], demand: { hostPorts: ["80/tcp"] } }],
    ["1 host: 1 has 1 replica, the most for one host", { hosts: [host("h1")], demand: { maxPerHost: 1 }, placed: [on("h1")] }],
    ["3 hosts: 1 is not host h9, 2 are drained", { hosts: [host("h1"), ...["a", "b"].map((name) => host(name, { availability: "drain" }))], demand: parseConstraints(["node.hostname==h9"]) }], // prettier-ignore
    ["2 hosts: 1 is not host h2, 1 is drained", { hosts: [host("h1"), host("h2", { availability: "drain" })], demand: parseConstraints(["node.id==id-h2"]) }], // prettier-ignore
    ["1 host: 1 is not host id-h9", { hosts: [host("h1")], demand: parseConstraints(["node.id==id-h9"]) }],
  ])("%s", (reason, input) => expect(why(input)?.split(/: |, /).toSorted()).toEqual(reason.split(/: |, /).toSorted()));
  test("what fits is placed, and only the rest is refused", () => {
    const result = ask({ demand: { cpuMillis: 3_000 }, wanted: slots(4) });
    expect([result.placements.length, result.unplaced.length]).toEqual([3, 1]);
  });
  test("one that does not fit does not take hosts from the next service", () => {
    const services = [service({ id: "big", cpuMillis: 9_000 }), service()];
    expect(where({ services, wanted: [...slots(1, "big"), ...slots(3)] })).toBe("h1 h2 h3");
  });
});

describe("a host that another team shares", () => {
  const shared = (more: Partial<NonNullable<ScheduleHost["share"]>> = {}): ScheduleHost =>
    host("s1", { share: { mayRun: true, maxReplicas: null, ports: null, ...more } });

  test("takes what it is lent for", () => {
    expect(where({ hosts: [...HOSTS, shared()], wanted: slots(4) })).toBe("h1 h2 h3 s1");
    expect(where({ hosts: [shared({ ports: [[80, 81], [443, 443]], maxReplicas: 1 })], demand: { hostPorts: ["443/tcp"] } })).toBe("s1"); // prettier-ignore
  });
  test.each<[string, Ask]>([
    ["1 host: 1 is shared without the right to run containers", { hosts: [shared({ mayRun: false })] }],
    [
      "1 host: 1 is shared by another team, where networks of this one do not reach",
      { hosts: [shared()], demand: { needsNetworks: true } },
    ],
    ["1 host: 1 has 2 containers, the most that its grant allows", { hosts: [shared({ maxReplicas: 2 })], placed: [on("s1"), on("s1")] }],
    ["1 host: 1 does not lend port 8080/tcp", { hosts: [shared({ ports: [[80, 81]] })], demand: { hostPorts: ["8080/tcp"] } }],
    ["1 host: 1 does not lend port 82/udp", { hosts: [shared({ ports: [] })], demand: { hostPorts: ["82/udp"] } }],
  ])("%s", (reason, input) => expect(why(input)).toBe(reason));
  test("holds no more than its grant, also of one plan", () =>
    expect(ask({ hosts: [shared({ maxReplicas: 2 })], wanted: slots(3) }).placements).toHaveLength(2));
});

describe("ports, volumes, global services", () => {
  test("a port is on a host once", () => {
    const result = ask({ demand: { hostPorts: ["80/tcp"] }, wanted: slots(4) });
    expect(result.placements).toHaveLength(3);
    expect(result.unplaced).toHaveLength(1);
  });
  test("replicas go where their volume lives", () => {
    expect(where({ demand: { volumes: ["data"] }, volumes: new Map([["data", ["id-h2"]]]), wanted: slots(2) })).toBe("h2 h2");
  });
  test("a new volume lives where the first replica goes", () =>
    expect(where({ demand: { volumes: ["data"] }, wanted: slots(3) })).toBe("h1 h1 h1"));
  test("a volume on a host that is away is a reason", () => {
    const hosts = [host("h1"), host("h2", { isDown: true })];
    expect(why({ hosts, demand: { volumes: ["data"] }, volumes: new Map([["data", ["id-h2"]]]) })).toBe(
      "2 hosts: 1 does not have the data of volume data, 1 is down",
    );
  });
  test("a pinned replica goes there or nowhere", () => {
    const wanted = [{ serviceId: "web", slot: "id-h2", hostId: "id-h2" }];
    expect(where({ wanted })).toBe("h2");
    expect(why({ wanted, hosts: [host("h2", { availability: "drain" })] })).toBe("host h2 is drained");
    expect(why({ wanted, hosts: [] })).toBe("host id-h2 is not there");
  });
});

describe("rebalancing", () => {
  const replicas = (...names: string[]): { id: string; serviceId: string; hostId: string }[] =>
    names.map((name, index) => ({ id: `r${index}`, serviceId: "web", hostId: `id-${name}` }));
  test("moves as few as makes it even", () => {
    const moves = planMoves({ hosts: HOSTS, services: [service()], replicas: replicas("h1", "h1", "h1", "h1", "h2", "h2") });
    expect(moves.map(({ fromHostId, toHostId }) => `${fromHostId} ${toHostId}`)).toEqual(["id-h1 id-h3", "id-h1 id-h3"]);
    expect(moves.slice(0, 1).map(({ because }) => formatReason(because))[0]).toBe("web has 4 replicas on h1 and 0 on h3");
  });
  test("leaves what is even, has a volume or fits nowhere else", () => {
    expect(planMoves({ hosts: HOSTS, services: [service()], replicas: replicas("h1", "h1", "h2", "h3") })).toEqual([]);
    expect(planMoves({ hosts: HOSTS, services: [service({ volumes: ["v"] })], replicas: replicas("h1", "h1") })).toEqual([]);
    const drained = [host("h1"), host("h2", { availability: "drain" })];
    expect(planMoves({ hosts: drained, services: [service()], replicas: replicas("h1", "h1") })).toEqual([]);
  });
});

test("10,000 replicas of 500 services over 1,000 hosts are all placed, evenly", () => {
  const hosts = Array.from({ length: 1_000 }, (_, index) =>
    host(`h${index}`, { labels: { disk: index % 2 === 0 ? "ssd" : "hdd" }, cpuMillis: 64_000 }),
  );
  const { constraints } = parseConstraints(["node.labels.disk==ssd"]);
  const services = Array.from({ length: 500 }, (_, index) =>
    service({ id: `s${index}`, cpuMillis: 100, constraints: index % 2 === 0 ? constraints : [] }),
  );
  const result = ask({ hosts, services, wanted: services.flatMap(({ id }) => slots(20, id)) });
  expect(result.unplaced).toEqual([]);
  const perHost = new Map<string, number>();
  for (const { hostId } of result.placements) perHost.set(hostId, (perHost.get(hostId) ?? 0) + 1);
  expect(Math.max(...perHost.values())).toBeLessThanOrEqual(11);
});
