// The agent's overlay networks from desired state to kernel objects, on fake kernels.
import { FlotillaError, silentLogger } from "@flotilla/core";
import { type NetworkService, type NetworkState, serviceResourceId } from "@flotilla/protocol";
import { sampleService } from "@flotilla/protocol/sample-network";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { AttachRequest } from "../engine/ports.ts";
import { EventBus } from "../events/bus.ts";
import { FakeNetworkKernel } from "../host/fake-network-kernel.ts";
import { FakeOverlayKernel } from "../host/fake-overlay-kernel.ts";
import { FakeWireguard } from "../host/fake-wireguard.ts";
import { createNetworkManager, type Networks } from "../network/network-manager.ts";
import { Database } from "../store/database.ts";
import { joinKernels, sampleState } from "./fixture.ts";

const config = {
  dataDir: "/d",
  runDir: "/r",
  socketPath: "/r/engine.sock",
  instance: "1a2b3c4d",
  logLevel: "info",
  compileCacheDir: "/c",
} as const;
const ROUTER = "/r/overlay/4097";
let host: FakeNetworkKernel;
let kernel: FakeOverlayKernel;
let wireguard: FakeWireguard;
let db: Database;
let networks: Networks;

const open = (): Networks =>
  createNetworkManager({
    config,
    db,
    events: new EventBus(),
    logger: silentLogger,
    kernel: host,
    overlayKernel: kernel,
    wireguard,
    resolvConf: () => ({ nameservers: [], searches: [], options: [] }),
    resolver: { apply: async () => undefined, close: async () => undefined },
    addresses: {
      pin: ({ namespace }, wanted) => pinAddress(namespace, wanted),
      grow: ({ namespace }, networkId) => growNetwork(namespace, networkId),
    },
    requested: (namespace, networkName) => new Set(requested.get(`${namespace} ${networkName}`)),
  });
/** Addresses that containers ask for, by namespace and network. */
const requested = new Map<string, string[]>();
/** The control plane, when it is asked for an address. */
const noMore = (): Promise<void> => Promise.reject(new FlotillaError("exhausted", "no block of addresses is left"));
let growNetwork: (namespace: string, networkId: string) => Promise<void>;
let pinAddress: (namespace: string, wanted: { networkId: string; address: string }) => Promise<void>;
/** This host's underlay address is one that every machine has. */
const state = (change: Partial<NetworkState> = {}): NetworkState =>
  sampleState({
    hosts: [1, 2, 3].map((number) => ({ number, underlay: number === 1 ? "127.0.0.1" : `10.99.0.${number}`, tunnels: [] })),
    ...change,
  });
const other = (change: Partial<NetworkState> = {}): NetworkState => state({ id: "cd".repeat(32), name: "other", vni: 4098, ...change });
const apply = async (...states: NetworkState[]): Promise<string[]> => [...(await networks.applyOverlays(new Map(states.map((each) => [each.id, each])), new Map())).values()]; // prettier-ignore
/** The network with services that came or changed; of those that are to go only the id. */
const serve = async (...services: (NetworkService | string)[]): Promise<string[]> => {
  const bodies = services.map((each) => (typeof each === "string" ? [`${state().id}/${each}`, undefined] : [serviceResourceId(each), each]) as [string, unknown]); // prettier-ignore
  return [...(await networks.applyOverlays(new Map([[state().id, state()]]), new Map(bodies))).values()];
};
const attach = (containerId: string, change: Partial<AttachRequest> = {}) =>
  networks.attach({
    namespace: "default",
    containerId,
    hostname: containerId,
    endpoints: [{ networkName: "net", aliases: [] }],
    ports: [],
    ...change,
  });
const names = (): string[] => networks.list("default").map((view) => view.name);
const published = (): string => host.nftTexts.findLast((text) => text.includes("map ports")) ?? "";

beforeEach(() => {
  growNetwork = noMore;
  host = new FakeNetworkKernel();
  kernel = new FakeOverlayKernel();
  wireguard = new FakeWireguard();
  joinKernels(host, kernel);
  db = new Database(":memory:");
  networks = open();
  return () => networks.close();
});

describe("networks of desired state", () => {
  test("are listed beside those of the host, and cost nothing until a container comes", async () => {
    expect(await apply(state(), other())).toEqual([]);
    expect(names()).toEqual(["bridge", "host", "none", "net", "other"]);
    expect(kernel.hasRouter(ROUTER)).toBe(false);
    await attach("c1");
    expect(kernel.hasRouter(ROUTER)).toBe(true);
    expect(networks.describeOverlay(state().id)).toMatchObject({
      mtuBytes: 1450,
      endpoints: [{ address: "10.30.1.17", address6: "fd30:1::a1e:111" }],
    });
  });

  test("that are wrong are told by name, and keep none of the others", async () => {
    const failures = await networks.applyOverlays(new Map<string, unknown>([["x", { vni: 1 }], [other().id, other()], [state().id, state({ gateway: "10.9.9.9" })]]), new Map()); // prettier-ignore
    expect([...failures]).toEqual([
      ["x", expect.stringContaining("network x: ")],
      [state().id, "network net: gateway 10.9.9.9 is outside of 10.30.1.0/24"],
    ]);
    expect(names()).toContain("other");
    expect(names()).not.toContain("net");
  });

  test("never share a VNI and never change it", async () => {
    expect(await apply(state(), other({ vni: 4097 }))).toEqual(["network other: VNI 4097 is that of network net"]);
    expect(await apply(state({ vni: 4099 }))).toEqual(["network net: VNI and subnet of a network never change"]);
  });

  test("do not take the name of a network of this host, and may later", async () => {
    const own = networks.createNetwork("default", { name: "net", driver: "", subnet: "", gateway: "", addressRange: "", isInternal: false, isAttachable: false, labels: {}, options: {} }); // prettier-ignore
    expect(await apply(state())).toEqual(["network net: this host has a network of that name already"]);
    await networks.removeNetwork("default", own);
    expect(await apply(state())).toEqual([]);
  });

  test("that went go, but not from under a container", async () => {
    await apply(state());
    await attach("c1");
    expect(await apply()).toEqual(["network net is to go, but containers of this host are on it"]);
    await networks.detach("c1");
    expect(await apply()).toEqual([]);
    expect([names(), kernel.hasRouter(ROUTER)]).toEqual([["bridge", "host", "none"], false]);
  });

  test("are removed by the control plane alone", async () => {
    await apply(state());
    await expect(networks.removeNetwork("default", "net")).rejects.toThrow("the control plane removes it");
  });
});

describe("containers", () => {
  test("keep their own address over a restart, and nobody else gets it for a while", async () => {
    await apply(state());
    await attach("c1");
    await networks.detach("c1");
    expect((await attach("c2")).endpoints[0]?.ipv4Address).toBe("10.30.1.18");
    expect((await attach("c1")).endpoints[0]?.ipv4Address).toBe("10.30.1.17");
  });

  test("with an address of nobody's block are there when the control plane gave it, once; else there is nothing of them", async () => {
    await apply(state());
    const asked: string[] = [];
    const on = (ipv4Address: string) => ({ endpoints: [{ networkName: "net", aliases: [], ipv4Address }] });
    pinAddress = async (namespace, { networkId, address }) => {
      asked.push(`${namespace} ${networkId === state().id} ${address}`);
      if (address === "10.30.1.201") throw new FlotillaError("conflict", "Address already in use");
      await apply(state({ pins: [{ host: 1, address }] }));
    };
    expect((await attach("c1", on("10.30.1.200"))).endpoints[0]?.ipv4Address).toBe("10.30.1.200");
    await networks.detach("c1");
    await attach("c1", on("10.30.1.200"));
    await expect(attach("c2", on("10.30.1.201"))).rejects.toThrow("Address already in use");
    await expect(networks.connect("c1", { networkName: "net", aliases: [], ipv4Address: "10.30.1.200" })).rejects.toThrow("already exists");
    expect(asked).toEqual(["default true 10.30.1.200", "default true 10.30.1.201"]);
    expect(host.hasNetns("/r/netns/c2")).toBe(false);
  });

  test("say which of the host's pinned addresses they ask for, when that changes", async () => {
    await networks.close();
    vi.useFakeTimers();
    networks = open();
    try {
      const pins = [{ host: 1, address: "10.30.1.200" }, { host: 2, address: "10.30.1.201" }]; // prettier-ignore
      await networks.applyOverlays(new Map([state({ pins }), other()].map((each) => [each.id, each])), new Map());
      expect([state(), other()].map(({ id }) => networks.describeOverlay(id)?.pins)).toEqual([[], []]);
      const told: unknown[] = [];
      networks.onOverlayChanged((networkId) => told.push(networks.describeOverlay(networkId)?.pins));
      requested.set("default net", ["10.30.1.200", "10.30.1.201", "10.30.1.17"]);
      await vi.advanceTimersByTimeAsync(3_000);
      requested.clear();
      await vi.advanceTimersByTimeAsync(3_000);
      expect(told).toEqual([["10.30.1.200"], []]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("for which the host's block has no room get one of the next block, however many come at once; else there is nothing of them", async () => {
    const blocks = [{ host: 1, cidr: "10.30.1.16/30" }];
    await apply(state({ blocks }));
    let asked = 0;
    let growing: Promise<void> | undefined;
    growNetwork = async (namespace, networkId) => {
      growing ??= (async () => {
        expect(`${namespace} ${networkId}`).toBe(`default ${state().id}`);
        if ((asked += 1) > 3) return noMore();
        blocks.push({ host: 1, cidr: `10.30.1.${16 + 4 * asked}/30` });
        expect(await apply(state({ blocks }))).toEqual([]);
      })().finally(() => (growing = undefined));
      await growing;
    };
    const ids = Array.from({ length: 15 }, (_, index) => `c${index}`);
    const made = await Promise.all(ids.map(async (id) => (await attach(id)).endpoints[0]?.ipv4Address));
    expect(new Set(made).size).toBe(15);
    expect(asked).toBe(3);
    await expect(attach("late")).rejects.toThrow("this host's blocks are full");
    expect(host.hasNetns("/r/netns/late")).toBe(false);
    expect(networks.describeOverlay(state().id)?.resting).toBe(0);
    await networks.detach("c3");
    expect(networks.describeOverlay(state().id)?.resting).toBe(1);
    await expect(attach("late")).rejects.toThrow("1 addresses rest");
  });

  test("cost their own link alone on a router that is as it was left, and mend one that is not", async () => {
    const aboutRouter = (): string[] => kernel.transcript.splice(0).filter((line) => /\b(vx0|up0)\b/.test(line));
    await apply(state());
    await attach("c1");
    expect(aboutRouter()).not.toEqual([]);
    await attach("c2");
    expect(aboutRouter()).toEqual([]);
    const stack = kernel.openRouter(ROUTER);
    stack.applyLinks([{ kind: "delete-link", name: "vx0" }]);
    stack.close();
    aboutRouter();
    await attach("c3");
    expect(aboutRouter().join("\n")).toContain("vx0");
  });

  test("publish ports through the router", async () => {
    await apply(state());
    await attach("c1", { ports: [{ containerPort: 80, protocol: "tcp", hostIp: "", hostPort: 8080 }] });
    expect(published()).toContain("elements = { tcp . 8080 : 169.254.64.1 . 8080 }");
    expect(published()).toContain('"fu1a2b3c-35t"');
  });

  test("get nothing on a network that this host cannot carry, and leave nothing", async () => {
    await apply(state({ mtuBytes: 9_000 }));
    await expect(attach("c1")).rejects.toThrow("MTU 9000 needs packets of 9050 bytes, lo carries 1500");
    expect(host.hasNetns("/r/netns/c1")).toBe(false);
    await expect(apply(state({ hosts: [{ number: 1, underlay: "192.0.2.1", tunnels: [] }], blocks: [] })).then(() => attach("c1"))).rejects.toThrow(); // prettier-ignore
  });

  test("get nothing on a network whose VNI another product has, and leave nothing; when it is free they do", async () => {
    await apply(state());
    const applyOnHost = host.host.apply.bind(host.host);
    host.host.apply = (operations) => {
      if (operations.some(({ kind }) => kind === "add-vxlan")) throw new FlotillaError("internal", "link add vx0: EEXIST", { details: { errno: "EEXIST" } }); // prettier-ignore
      applyOnHost(operations);
    };
    vi.useFakeTimers();
    const refused = expect(attach("c1")).rejects.toThrow("VXLAN network identifier 4097 on UDP port 4789 is in use on this host");
    await vi.runAllTimersAsync();
    vi.useRealTimers();
    await refused;
    expect([kernel.hasRouter(ROUTER), kernel.transcript.at(-1)]).toEqual([false, "overlay/4097: link delete up0"]);
    host.host.apply = applyOnHost;
    await attach("c1");
    expect(kernel.hasRouter(ROUTER)).toBe(true);
  });

  test("of another namespace do not see the network", async () => {
    await apply(state({ namespace: "team" }));
    await expect(attach("c1")).rejects.toThrow("network net not found");
  });
});

describe("encrypted networks", () => {
  const secret = (): NetworkState => state({ isEncrypted: true });

  test("refuse a host that cannot encrypt, with the reason, and make nothing in the clear", async () => {
    await apply(secret());
    expect(networks.describeOverlay(secret().id)?.problem).toContain("network net is encrypted, which this host cannot");
    await expect(attach("c1")).rejects.toThrow("network net is encrypted, which this host cannot");
    expect([kernel.hasRouter(ROUTER), host.hasNetns("/r/netns/c1")]).toEqual([false, false]);
  });

  test("shut the door before the first packet, and have a device as long as they are used", async () => {
    wireguard = new FakeWireguard("kernel");
    networks = open();
    await networks.reconcile([]);
    await apply(secret());
    await attach("c1");
    expect(host.nftTexts.findIndex((text) => text.includes('oifname != "fw1a2b3c-*" drop'))).toBeGreaterThan(-1);
    expect([...wireguard.devices.keys()]).toEqual(["fw1a2b3c-0"]);
    await networks.detach("c1");
    await apply();
    expect([...wireguard.devices.keys()]).toEqual([]);
  });
});

describe("services", () => {
  const nftOf = (from: number): string[] => kernel.transcript.slice(from).filter((line) => line.includes(": nft"));

  test("are programmed one by one, without another look at the network", async () => {
    await serve();
    await attach("c1");
    await serve(sampleService());
    const from = kernel.transcript.length;
    expect(await serve(sampleService({ affinity: "client-ip" }))).toEqual([]);
    expect(kernel.transcript.slice(from)).toEqual(["overlay/4097: nft add chain inet flotilla a_tcp_2"]);
  });

  test("that are as before, or are on a network without containers here, cost nothing", async () => {
    await serve(sampleService());
    expect(kernel.hasRouter(ROUTER)).toBe(false);
    await attach("c1");
    const from = kernel.transcript.length;
    expect(await serve(sampleService())).toEqual([]);
    expect(kernel.transcript.slice(from)).toEqual([]);
  });

  test("that go leave the table", async () => {
    await serve(sampleService());
    await attach("c1");
    const from = kernel.transcript.length;
    expect(await serve("web")).toEqual([]);
    expect(nftOf(from)).toEqual([expect.stringContaining("delete element inet flotilla")]);
    expect([...networks.overlayServices()]).toEqual([]);
  });

  test("that are wrong are told by name, and keep none of the others", async () => {
    const twice = sampleService({
      id: "twice",
      ports: [80, 80].map((port) => ({ protocol: "tcp", port, targetPort: 1, publishedPort: null })),
    });
    const failures = await serve(sampleService(), twice, sampleService({ id: "lost", networkId: "cd".repeat(32) }), sampleService({ id: "thief", addresses: ["10.30.1.2"] })); // prettier-ignore
    expect(failures).toEqual([
      "service twice: 80/tcp is given twice",
      `service lost: this host does not have its network ${"cd".repeat(32)}`,
      "service thief: address 10.30.1.2 is that of service web",
    ]);
    expect([...networks.overlayServices()]).toEqual([`${state().id}/web`]);
  });

  test("may exchange their addresses at once", async () => {
    const pair = (first: string, second: string) => [sampleService({ id: "x", addresses: [first] }), sampleService({ id: "y", addresses: [second] })]; // prettier-ignore
    expect(await serve(...pair("10.30.1.2", "10.30.1.3"))).toEqual([]);
    expect(await serve(...pair("10.30.1.3", "10.30.1.2"))).toEqual([]);
  });

  test("come back with the agent, before the control plane says anything", async () => {
    await serve(sampleService());
    await attach("c1");
    networks = open();
    await networks.reconcile(["c1"]);
    expect([...networks.overlayServices()]).toEqual([`${state().id}/web`]);
    const from = kernel.transcript.length;
    await serve(sampleService({ affinity: "client-ip" }));
    expect(nftOf(from).length).toBeGreaterThan(0);
  });
});

describe("ports of services", () => {
  const web = (publishedPort: number) => sampleService({ ports: [{ protocol: "tcp", port: 80, targetPort: 8080, publishedPort }] });

  test("are held on a host without a replica, and let go", async () => {
    expect(await serve(web(8443))).toEqual([]);
    expect(kernel.hasRouter(ROUTER)).toBe(true);
    expect([...host.reserved]).toEqual(["tcp 0.0.0.0:8443"]);
    expect(published()).toContain("tcp . 8443 : 169.254.64.1 . 8443");
    await serve("web");
    expect([[...host.reserved], kernel.hasRouter(ROUTER)]).toEqual([[], false]);
  });

  test("that a program has are the network's problem here, and come when it lets go", async () => {
    host.foreignPorts.add("tcp 0.0.0.0:8443");
    expect((await serve(web(8443)))[0]).toContain("port 8443/tcp cannot be published on this host");
    expect(published()).not.toContain("8443");
    host.foreignPorts.clear();
    expect(await serve(web(8443))).toEqual([]);
    expect(host.nftTexts.at(-1)).toBe("add element ip flotilla_1a2b3c4d ports { tcp . 8443 : 169.254.64.1 . 8443 }\n");
  });

  test("lead to backends on hosts that are reached, as the address does", async () => {
    await serve({
      ...web(8443),
      addresses: ["10.30.1.2"],
      backends: ["10.30.1.18", "10.30.1.34"].map((address) => ({ address, weight: 1 })),
    });
    const last = (): string => kernel.router(ROUTER).nftTexts.at(-1) ?? "";
    expect(last()).toContain("169.254.64.1 . 8443 . 1 : 10.30.1.34 . 8080");
    await networks.leaveOut(new Set([2]));
    expect(last()).toContain("169.254.64.1 . tcp . 8443 : goto n_tcp_1");
    expect(last()).toMatch(/delete element inet flotilla eps_tcp \{ [^}]*169\.254\.64\.1 \. 8443 \. 1/);
    await networks.leaveOut(new Set());
    expect(last()).toContain("169.254.64.1 . 8443 . 1 : 10.30.1.34 . 8080");
  });

  test("belong to one service of the host", async () => {
    expect(await serve(web(8443), { ...web(8443), id: "late", addresses: [] })).toEqual([
      "service late: published port 8443/tcp is that of service web",
    ]);
  });
});

describe("after a restart", () => {
  test("running containers have their network, whatever was left of others is gone", async () => {
    await apply(state(), other());
    await attach("c1");
    kernel.router("/r/overlay/9999");
    networks = open();
    await networks.reconcile(["c1"]);
    expect(kernel.listRouters("/r/overlay")).toEqual(["4097"]);
    expect(names()).toContain("other");
    expect(networks.describeOverlay(state().id)?.endpoints.length).toBe(1);
  });

  test("an agent that ends leaves no shortcut, which one of another version would not keep; the next makes it anew", async () => {
    await apply(state());
    await attach("c1");
    expect(kernel.router(ROUTER).programs.size).toBeGreaterThan(1);
    await networks.close();
    expect([kernel.hasRouter(ROUTER), kernel.router(ROUTER).programs.size]).toEqual([true, 0]);
    networks = open();
    await networks.reconcile(["c1"]);
    expect(kernel.router(ROUTER).programs.size).toBeGreaterThan(1);
  });

  test("repeating what is there changes nothing but the table, which is replaced in one transaction", async () => {
    await apply(state());
    await attach("c1");
    const from = kernel.transcript.length;
    networks = open();
    await networks.reconcile(["c1"]);
    const changes = kernel.transcript.slice(from).filter((line) => /^overlay\/4097: (replace|delete|link add|nft)/.test(line));
    expect(new Set(changes)).toEqual(new Set(["overlay/4097: nft add table inet flotilla"]));
  });
});
