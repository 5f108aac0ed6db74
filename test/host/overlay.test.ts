// The data path of overlay networks, numbered after the failure tests of the design; each prints what it counted.
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { NetworkService } from "@flotilla/protocol";
import { sampleNetwork, sampleService, sampleUnderlay as underlay, type SharedNetworkState } from "@flotilla/protocol/sample-network";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openNft } from "../../agent/src/host/nft.ts";
import { inNetns } from "../../agent/src/host/netns.ts";
import { formatUnderlayTable } from "../../agent/src/overlay/underlay-table.ts";
import { RouteSocket } from "../../agent/src/host/rtnetlink.ts";
import { openOverlayKernel } from "../../agent/src/host/overlay-kernel.ts";
import { uplinkName } from "../../agent/src/overlay/names.ts";
import { type Count, INSTANCE, labInstance, type LabContainer, OverlayLab } from "./overlay-lab.ts";
import { BRIEFLY } from "./patience.ts";

const VNI = 4097;
const VIP = "10.30.1.2";
const VIP6 = "fd30:1::a1e:102";
const PORT = 8080;
const report = (number: string, text: string): void => void process.stdout.write(`[overlay ${number}] ${text}\n`);
const named = (count: Count): Record<string, number> => {
  const names: Record<string, number> = {};
  for (const [answer, times] of Object.entries(count.answers))
    names[answer.split(" ")[0] ?? ""] = (names[answer.split(" ")[0] ?? ""] ?? 0) + times;
  return names;
};

let lab: OverlayLab;
let a: LabContainer;
let b: LabContainer;
let c: LabContainer;
let caller: LabContainer;

function service(backends: readonly LabContainer[], change: Partial<NetworkService> = {}): NetworkService {
  return sampleService({
    addresses: [VIP, VIP6],
    ports: [
      { protocol: "tcp", port: 80, targetPort: PORT, publishedPort: 8443 },
      { protocol: "udp", port: 80, targetPort: PORT, publishedPort: null },
    ],
    affinity: "none",
    backends: backends.flatMap(({ address, address6 }) => [
      { address, weight: 1 },
      { address: address6, weight: 1 },
    ]),
    ...change,
  });
}

/** Packets that a container has received, as it counts them. */
const received = async ({ path }: LabContainer): Promise<number> =>
  Number(/eth0: *\d+ +(\d+)/.exec((await lab.exec(path, ["cat", "/proc/net/dev"])).stdout)?.[1]);

/** An IPv4 address as /proc/net/tcp6 ends it. */
const hexOf = (address: string): string =>
  Buffer.from(address.split(".").map(Number).toReversed()).toString("hex").toUpperCase(); // prettier-ignore

/** What a host's router tracks. */
const flows = (host: number): string =>
  inNetns(lab.router(host, VNI).path, () => readFileSync("/proc/thread-self/net/nf_conntrack", "utf8"));

const publish = (services: readonly NetworkService[], change: Partial<SharedNetworkState> = {}): Promise<void> =>
  lab.network(sampleNetwork(3, change), [1, 2, 3], services);

beforeAll(async () => {
  lab = new OverlayLab();
  await lab.up(4);
  await publish([]);
  a = await lab.container(1, VNI, { name: "a", address: "10.30.1.18" });
  b = await lab.container(2, VNI, { name: "b", address: "10.30.1.34" });
  c = await lab.container(3, VNI, { name: "c", address: "10.30.1.50" });
  caller = await lab.container(1, VNI, { name: "caller", address: "10.30.1.19" });
  await Promise.all([lab.serve(a.path, PORT, "a"), lab.serve(b.path, PORT, "b"), lab.serve(c.path, PORT, "c")]);
});
afterAll(() => lab.close());

test("1: containers reach each other across hosts and on one, with both families", async () => {
  for (const from of [a, b, c]) {
    const targets = [a, b, c, caller].flatMap(({ address, address6 }) => [address, address6]);
    expect(await Promise.all(targets.map((target) => lab.pings(from.path, target)))).toEqual(targets.map(() => true));
  }
  expect(await lab.ask(caller.path, { protocol: "tcp", address: b.address6, port: PORT })).toContain(`b saw ${caller.address6}`);
  expect(await lab.pings(a.path, "10.30.1.60")).toBe(false);
  report("1", "24 pairs of both families, 0 lost");
});

test("the VXLAN device gathers nothing that came through a veth, and so was gathered before", () => {
  const socket = inNetns(lab.router(1, VNI).path, () => new RouteSocket());
  expect(socket.hasReceiveOffload("vx0")).toBe(false);
  socket.close();
});

test("2: packets of exactly the MTU pass, larger ones are refused with the right size", async () => {
  expect(await lab.pings(a.path, b.address, 1450 - 28)).toBe(true);
  expect((await lab.exec(a.path, ["ping", "-c", "1", "-W", "1", "-M", "do", "-s", "1423", b.address])).stderr).toMatch(/mtu=?\s*1450/);
});

test("shortcut: packets that need no flow leave none, and lose a hop in each router", async () => {
  const { stdout } = await lab.exec(a.path, ["busybox", "traceroute", "-n", "-q", "1", "-w", "1", "-m", "4", b.address]);
  expect(stdout.match(/^ *\d+ +[\d.]+/gm)?.map((line) => line.trim().split(/ +/)[1])).toEqual(["10.30.1.1", "10.30.1.32", b.address]);
  for (const family of ["address", "address6"] as const) {
    const before = await received(b);
    expect(await lab.ask(caller.path, { protocol: "tcp", address: b[family], port: PORT })).toContain("b saw");
    expect(await received(b)).toBeGreaterThan(before);
    expect(await lab.ask(caller.path, { protocol: "udp", address: a[family], port: PORT })).toContain("a saw");
  }
  expect([flows(1), flows(2)].join()).not.toContain(`dport=${PORT}`);
});

test("8: an agent that starts anew replays everything and no packet is lost", async () => {
  const { wish, path } = lab.router(1, VNI);
  let replays = 0;
  const replay = async (): Promise<void> => {
    for (const until = Date.now() + 1_000; Date.now() < until; replays += 1) {
      const restarted = lab.openRouter(lab.host(1), path);
      await restarted.apply(wish, true);
      await setTimeout(10);
    }
  };
  const held = await lab.hold(caller.path, { address: b.address, port: PORT });
  const [connections, datagrams] = await Promise.all([
    lab.count(caller.path, { protocol: "tcp", address: c.address, port: PORT }, replay),
    lab.count(a.path, { protocol: "udp", address: b.address, port: PORT }, () => setTimeout(1_000)),
  ]);
  report(
    "8",
    `${replays} replays: ${connections.failed} of ${connections.sent} connections failed, ${datagrams.failed} of ${datagrams.sent} datagrams lost`,
  );
  expect(connections.sent).toBeGreaterThan(10);
  expect([connections.failed, datagrams.failed, held.answer]).toEqual([0, 0, `open b saw ${caller.address}`]);
  expect(await Promise.race([held.next(), setTimeout(50, "still open")])).toBe("still open");
});

describe("a service with an address of its own", () => {
  test("5: spreads over replicas of all hosts, shows the caller's address, and works for its own replicas", async () => {
    await publish([service([a, b, c])]);
    for (const address of [VIP, VIP6]) {
      const count = await lab.count(caller.path, { protocol: "tcp", address, port: 80 }, () => setTimeout(500));
      const spread = Object.values(named(count));
      const expected = count.ok / 3;
      const chiSquare = spread.reduce((sum, times) => sum + (times - expected) ** 2 / expected, 0);
      report(
        "5",
        `${address}: ${count.failed} of ${count.sent} connections failed, spread ${spread.join("/")}, chi square ${chiSquare.toFixed(1)}`,
      );
      expect(count.failed).toBe(0);
      expect(spread.length).toBe(3);
      // Two degrees of freedom: one run in a million is beyond 27.6.
      expect(chiSquare).toBeLessThan(27.6);
      const from = address === VIP ? caller.address : caller.address6;
      expect(Object.keys(count.answers).every((answer) => answer.endsWith(`saw ${from}`))).toBe(true);
    }
    const own = await lab.count(a.path, { protocol: "tcp", address: VIP, port: 80 }, () => setTimeout(200));
    expect(own.failed).toBe(0);
    expect(Object.keys(named(own)).sort()).toEqual(["a", "b", "c"]);
  });

  test("5: keeps a caller at one replica when asked to", async () => {
    await publish([service([a, b, c], { affinity: "client-ip" })]);
    const count = await lab.count(caller.path, { protocol: "tcp", address: VIP, port: 80 }, () => setTimeout(200));
    expect(Object.keys(named(count)).length).toBe(1);
    expect(count.failed).toBe(0);
  });

  test("5: gives a replica of weight 3 three times as much", async () => {
    await publish([service([], { backends: [{ address: a.address, weight: 1 }, { address: b.address, weight: 3 }, { address: c.address, weight: 0 }] })]); // prettier-ignore
    const names = named(await lab.count(caller.path, { protocol: "tcp", address: VIP, port: 80 }, () => setTimeout(400)));
    expect(names["c"]).toBe(undefined);
    const [ofA = 0, ofB = 0] = [names["a"], names["b"]];
    const sent = ofA + ofB;
    // One run in a million is five standard deviations away from three in four.
    expect(Math.abs(ofB - 0.75 * sent) / Math.sqrt(sent * 0.75 * 0.25)).toBeLessThan(5);
    expect(ofB).toBeGreaterThan(ofA);
  });

  test("6: scaling 1 to 3 to 1 under load fails no connection", async () => {
    await publish([service([a])]);
    let changes = 0;
    const count = await lab.count(caller.path, { protocol: "tcp", address: VIP, port: 80 }, async () => {
      for (const set of [[a, b], [a, b, c], [b, c], [c], [c, a], [a]]) {
        await publish([service(set)]);
        changes += 1;
        await setTimeout(60);
      }
    });
    report("6", `${changes} changes: ${count.failed} of ${count.sent} connections failed`);
    expect([count.failed, Object.keys(named(count)).length]).toEqual([0, 3]);
  });

  test("6: draining keeps what is established and gives nothing new", async () => {
    await publish([service([b])]);
    const held = await lab.hold(caller.path, { address: VIP, port: 80 });
    await publish([
      service([], {
        backends: [
          { address: b.address, weight: 0 },
          { address: c.address, weight: 1 },
        ],
      }),
    ]);
    const names = named(await lab.count(caller.path, { protocol: "tcp", address: VIP, port: 80 }, () => setTimeout(150)));
    expect(Object.keys(names)).toEqual(["c"]);
    expect(await Promise.race([held.next(), setTimeout(100, "still open")])).toBe("still open");
  });

  test("6: a connection to a replica that was taken out lives on, through an agent's restart", async () => {
    await publish([service([b])]);
    const [held, held6] = await Promise.all([VIP, VIP6].map((address) => lab.hold(caller.path, { address, port: 80 })));
    expect([flows(1), flows(2)].map((text) => text.includes(`src=${b.address} dst=${caller.address} sport=${PORT}`))).toEqual([
      true,
      false,
    ]);
    await publish([service([c])]);
    const { wish, router } = lab.router(1, VNI);
    router.distrust();
    await router.apply(wish, true);
    expect([held?.answer, held6?.answer]).toEqual([`open b saw ${caller.address}`, `open b saw ${caller.address6}`]);
    expect(await Promise.race([held?.next(), held6?.next(), setTimeout(200, "still open")])).toBe("still open");
    // An answer that came back untranslated would have been refused by the caller, whom it is not from.
    expect((await lab.exec(b.path, ["cat", "/proc/net/tcp6"])).stdout).toMatch(new RegExp(`:${PORT.toString(16).toUpperCase()} .{24}${hexOf(caller.address)}:.{4} 01 `)); // prettier-ignore
  });

  test("5: without a replica refuses at once, also datagrams", async () => {
    await publish([service([])]);
    expect(await lab.ask(caller.path, { protocol: "tcp", address: VIP, port: 80 })).toBe("no answer: ECONNREFUSED");
    await publish([service([a])]);
    expect(await lab.ask(caller.path, { protocol: "tcp", address: VIP, port: 81 })).toBe("no answer: ECONNREFUSED");
  });

  test("10: a dead replica's callers are reset at once, and new connections avoid it", async () => {
    await publish([service([b])]);
    const held = await lab.hold(caller.path, { address: VIP, port: 80 });
    expect(held.answer).toContain("open b");
    const startedAt = performance.now();
    await publish([service([c])], { dead: [b.address, b.address6] });
    expect(await held.next()).toMatch(/^closed (ECONNRESET|EPIPE)/);
    const resetMs = Math.round(performance.now() - startedAt);
    expect(await lab.ask(caller.path, { protocol: "tcp", address: b.address, port: PORT })).toBe("no answer: ECONNREFUSED");
    const count = await lab.count(caller.path, { protocol: "tcp", address: VIP, port: 80 }, () => setTimeout(150));
    report(
      "10",
      `established connection reset after ${resetMs} ms; ${count.failed} of ${count.sent} new ones failed ${JSON.stringify(count.reasons)}`,
    );
    expect(count.failed).toBe(0);
  });

  test("19: a UDP caller that never pauses moves to a replica that is there, also from none", async () => {
    await publish([service([a])]);
    const count = await lab.count(caller.path, { protocol: "udp", address: VIP, port: 80 }, async () => {
      await setTimeout(400);
      await publish([service([b])]);
      await setTimeout(400);
      await publish([service([])]);
      await setTimeout(50);
      await publish([service([c])]);
      await setTimeout(400);
    });
    report(
      "19",
      `answers by replica ${JSON.stringify(named(count))}, ${count.failed} of ${count.sent} datagrams lost (some while there was none)`,
    );
    expect(Object.keys(named(count)).sort()).toEqual(["a", "b", "c"]);
  });
});

describe("a port that is published on every host", () => {
  test("7: is answered by replicas of all hosts with the caller's address kept", async () => {
    await publish([service([b, c])]);
    // What the agent's own table of the host does: the port to the router's end of the uplink.
    for (const number of [1, 2, 3]) {
      const { uplink } = lab.router(number, VNI).wish;
      await lab.nft(lab.host(number).path, hostTable(uplink?.routerAddress ?? ""));
      await lab.ip(lab.host(number).path, []);
      await lab.exec(lab.host(number).path, ["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
    }
    for (const [from, to] of [
      [3, 1],
      [1, 2],
      [2, 3],
      [1, 3],
    ] as const) {
      const count = await lab.count(lab.host(from).path, { protocol: "tcp", address: underlay(to, 4), port: 8443 }, () => setTimeout(150));
      report("7", `h${from} calls h${to}: ${count.failed} of ${count.sent} connections failed, ${JSON.stringify(count.answers)}`);
      expect(count.failed).toBe(0);
      expect(Object.keys(count.answers).sort()).toEqual([`b saw ${underlay(from, 4)}`, `c saw ${underlay(from, 4)}`]);
    }
  });
});

test("policy: an isolated container takes what is allowed and nothing else", async () => {
  const allow = [{ from: caller.address, to: b.address, protocol: "tcp" as const, port: PORT }];
  await publish([service([b])], { isolated: [b.address], allow });
  expect(await lab.ask(caller.path, { protocol: "tcp", address: b.address, port: PORT })).toContain("b saw");
  expect(await lab.ask(caller.path, { protocol: "tcp", address: VIP, port: 80 })).toContain("b saw");
  expect(await lab.ask(a.path, { protocol: "tcp", address: b.address, port: PORT }, BRIEFLY)).toBe("no answer: timeout");
  expect(await lab.pings(caller.path, b.address)).toBe(false);
  expect(await lab.pings(b.path, a.address)).toBe(true);
  await publish([]);
});

test("15, 16: an address that moves to another host is reached there, never at the old one", async () => {
  const address = "10.30.1.200";
  const first = await lab.container(2, VNI, { name: "first", address });
  await lab.serve(first.path, PORT, "first");
  const at = (host: number): Promise<void> => lab.network(sampleNetwork(3, { pins: [{ host, address }] }), [1, 2, 3]);
  await at(2);
  expect(await lab.ask(caller.path, { protocol: "tcp", address, port: PORT })).toContain("first saw");
  const second = await lab.container(3, VNI, { name: "second", address });
  await lab.serve(second.path, PORT, "second");
  const old = lab.router(2, VNI);
  const count = await lab.count(caller.path, { protocol: "udp", address, port: PORT }, async () => {
    await setTimeout(200);
    old.wish = { ...old.wish, endpoints: old.wish.endpoints.filter((endpoint) => endpoint.address !== address) };
    await at(3);
    await setTimeout(300);
  });
  report("16", `moved under traffic: ${count.failed} of ${count.sent} datagrams lost at one each 2 ms`);
  expect(Object.keys(named(count)).sort()).toEqual(["first", "second"]);
  expect(count.failed * 2).toBeLessThan(100);
  await publish([]);
});

describe("what does not belong", () => {
  test("21: VXLAN packets of strangers and sources that are not one's own are dropped", async () => {
    // A stranger on the underlay (host 4) with the right VNI, MAC address and inner addresses; host 2's table is taken away
    // at the end, to show that it is what keeps the packets out.
    const stranger = lab.host(4).path;
    await lab.ip(stranger, [
      `link add forged address 02:f1:00:00:00:01 type vxlan id ${VNI} local ${underlay(4, 4)} remote ${underlay(2, 4)} dstport 4789 nolearning`,
      "addr add 10.30.1.19/24 dev forged",
      "link set forged up",
      "neigh replace 10.30.1.34 lladdr 02:f1:00:00:00:02 dev forged",
    ]);
    const received = async (): Promise<number> => {
      const before = await packetsInto(b);
      await lab.pings(stranger, b.address);
      return (await packetsInto(b)) - before;
    };
    expect(await received()).toBe(0);
    const { state } = lab.router(2, VNI).wish;
    await lab.nft(lab.host(2).path, formatUnderlayTable(labInstance(2), []));
    expect(await received()).toBeGreaterThan(0);
    await lab.nft(lab.host(2).path, formatUnderlayTable(labInstance(2), [state]));
    await lab.ip(stranger, ["link delete forged"]);
    // A container that takes its neighbour's address.
    await lab.ip(caller.path, ["addr add 10.30.1.35/32 dev eth0", "addr add fd30:1::bad/128 dev eth0 nodad"]);
    expect((await lab.exec(caller.path, ["ping", "-c", "2", "-i", "0.05", "-W", "0.5", "-I", "10.30.1.35", b.address])).exitCode).not.toBe(
      0,
    );
    expect(
      (await lab.exec(caller.path, ["ping", "-c", "2", "-i", "0.05", "-W", "0.5", "-I", "fd30:1::bad", b.address6])).exitCode,
    ).not.toBe(0);
    await lab.ip(caller.path, ["addr del 10.30.1.35/32 dev eth0", "addr del fd30:1::bad/128 dev eth0"]);
    expect(await lab.pings(caller.path, b.address)).toBe(true);
  });

  test("20: the envelope leaves no tracked flow on the host", async () => {
    await lab.pings(a.path, b.address);
    expect((await lab.exec(lab.host(1).path, ["cat", "/proc/net/nf_conntrack"])).stdout).not.toMatch(/dport=4789\b/);
  });

  test("22: a VNI that another program has is a clear error", async () => {
    await lab.ip(lab.host(3).path, ["link add other type vxlan id 4200 local 10.99.0.3 dstport 4789"]);
    await expect(lab.network(sampleNetwork(3, { vni: 4200, name: "taken" }), [3])).rejects.toThrow(
      "VXLAN network identifier 4200 on UDP port 4789 is in use on this host",
    );
    const { path } = lab.router(3, 4200);
    const { stdout: links } = await lab.exec(lab.host(3).path, ["ip", "-o", "link"]);
    expect([openOverlayKernel().hasRouter(path), links.includes(uplinkName(INSTANCE, 4200))]).toEqual([false, false]);
    await lab.ip(lab.host(3).path, ["link delete other"]);
    await lab.network(sampleNetwork(3, { vni: 4200, name: "taken" }), [3]);
  });

  test("3: two networks with one subnet and equal addresses never mix", async () => {
    await lab.network(sampleNetwork(3, { vni: 4098, name: "twin", id: "cd".repeat(32) }), [1, 2, 3]);
    const twin = await lab.container(2, 4098, { name: "twin", address: b.address });
    const other = await lab.container(1, 4098, { name: "other", address: caller.address });
    await lab.serve(twin.path, PORT, "twin");
    expect(await lab.ask(other.path, { protocol: "tcp", address: b.address, port: PORT })).toContain("twin saw");
    expect(await lab.ask(caller.path, { protocol: "tcp", address: b.address, port: PORT })).toContain("b saw");
    expect(await lab.pings(other.path, c.address)).toBe(false);
  });
});

test("what containers have in the table is the same whether it came with them or with the whole table", async () => {
  const { router, wish, path } = lab.router(1, VNI);
  const read = async (): Promise<string[][]> => {
    const table = await lab.nft(path, "list table inet flotilla");
    const elementsOf = (set: string): string => new RegExp(`set ${set} \\{[^}]*elements = \\{([^}]*)\\}`).exec(table)?.[1] ?? "";
    const sets = ["members", "members6", "pairs", "pairs6", "local", "local6"];
    return sets.map((set) => elementsOf(set).split(",").map((element) => element.trim()).toSorted()); // prettier-ignore
  };
  // All anew but one, which then comes by itself.
  router.distrust();
  await router.apply({ ...wish, endpoints: wish.endpoints.slice(1) }, true);
  const without = await read();
  await router.refresh(wish);
  const byElements = await read();
  router.distrust();
  await router.apply(wish, true);
  expect(byElements).toEqual(await read());
  expect(byElements.map((elements) => elements.length)).toEqual(without.map((elements) => elements.length + 1));
  await router.refresh({ ...wish, endpoints: wish.endpoints.slice(1) });
  expect(await read()).toEqual(without);
  await router.refresh(wish);
});

test("28: a deleted device, flushed routes and a flushed ruleset are put back", async () => {
  const { router, wish, path } = lab.router(1, VNI);
  expect(router.isIntact()).toBe(true);
  for (const harm of [
    ["ip", "link", "delete", "vx0"],
    ["nft", "flush", "ruleset"],
    ["ip", "route", "flush", "table", "main"],
  ] as const) {
    await lab.exec(path, harm);
    router.distrust();
    await router.apply(wish, true);
    expect(router.isIntact()).toBe(true);
    expect(await lab.pings(caller.path, b.address), harm.join(" ")).toBe(true);
  }
});

test("23: cut off between any two steps, the next run completes it", async () => {
  const state = sampleNetwork(3, { vni: 4300, name: "cut", id: "ef".repeat(32) });
  await lab.network(state, [2, 3]);
  const far = await lab.container(2, 4300, { name: "far", address: "10.30.1.34" });
  const wish = {
    ...lab.router(2, 4300).wish,
    state: { ...state, self: 1 },
    localAddress: underlay(1),
    endpoints: [],
    uplink: { hostLink: "fu-cut", hostAddress: "169.254.64.40", routerAddress: "169.254.64.41" },
  };
  const path = `${lab.root}/h1-4300`;
  let cuts = 0;
  for (let steps = 0; ; steps += 1) {
    const router = lab.openRouter(lab.host(1), path, steps);
    const isDone = await router.apply(wish, true).then(() => true, () => false); // prettier-ignore
    if (isDone) break;
    cuts += 1;
  }
  const { exitCode } = await lab.exec(path, ["ping", "-c", "2", "-i", "0.05", "-W", "0.5", far.address]);
  report("23", `killed after each of ${cuts} steps, then complete`);
  expect(cuts).toBeGreaterThan(5);
  expect(exitCode).toBe(0);
  openOverlayKernel().removeRouter(path);
});

describe("24: ten thousand services", () => {
  const serviceAt = (index: number, targetPort = PORT): NetworkService =>
    sampleService({
      id: `s${index}`,
      addresses: [`10.31.${index >> 8}.${index & 255}`],
      ports: [{ protocol: "tcp", port: 80, targetPort, publishedPort: null }],
      backends: [a, b, c].map(({ address }) => ({ address, weight: 1 })),
    });

  test("load in a second, one change in milliseconds", async () => {
    const before = process.cpuUsage();
    await lab.network(sampleNetwork(3), [1], Array.from({ length: 10_000 }, (_, index) => serviceAt(index))); // prettier-ignore
    const loadMs = cpuMs(before);
    const { router, wish, path } = lab.router(1, VNI);
    const nft = inNetns(path, openNft);
    const services = new Map(wish.services).set("s77", serviceAt(77, 9000));
    const again = process.cpuUsage();
    await router.refresh({ ...wish, services }, ["s77"]);
    const changeMs = cpuMs(again);
    const elements = await nft.apply("get element inet flotilla eps_tcp { 10.31.0.77 . 80 . 0 }\n");
    nft.close();
    report("24", `10,000 services of 3: loaded by ${Math.round(loadMs)} ms of CPU, one change by ${changeMs.toFixed(1)} ms`);
    expect(elements).toContain("9000");
    expect(await lab.ask(caller.path, { protocol: "tcp", address: "10.31.1.1", port: 80 })).toContain(`saw ${caller.address}`);
    await publish([]);
  });
});

/** CPU of this process since then. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

/** Packets that a container has received. */
async function packetsInto(container: LabContainer): Promise<number> {
  const { stdout } = await lab.exec(container.path, ["cat", "/proc/self/net/dev"]);
  return Number(/eth0:\s*\d+\s+(\d+)/.exec(stdout)?.[1]);
}

const hostTable = (target: string): string => `add table ip published
delete table ip published
table ip published {
  chain in {
    type nat hook prerouting priority dstnat;
    fib daddr type local tcp dport 8443 dnat to ${target}
  }
}
`;
