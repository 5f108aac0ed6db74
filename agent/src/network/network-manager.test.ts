import { silentLogger } from "@flotilla/core";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { AttachRequest, PortBinding } from "../engine/ports.ts";
import { FakeNameService } from "../dns/fake-name-service.ts";
import { EventBus } from "../events/bus.ts";
import { FakeNetworkKernel } from "../host/fake-network-kernel.ts";
import { FakeWireguard } from "../host/fake-wireguard.ts";
import { Database } from "../store/database.ts";
import { createNetworkManager, type Networks } from "./network-manager.ts";

const config = {
  dataDir: "/d",
  runDir: "/r",
  socketPath: "/r/engine.sock",
  instance: "1a2b3c4d",
  logLevel: "info",
  compileCacheDir: "/c",
} as const;

let kernel: FakeNetworkKernel;
let db: Database;
let events: EventBus;
let networks: Networks;

const resolvConf = () => ({ nameservers: ["172.19.0.53"], searches: [], options: [] });
let resolver: FakeNameService;
const open = (): Networks =>
  createNetworkManager({ config, db, events, logger: silentLogger, kernel, wireguard: new FakeWireguard(), resolvConf, resolver });
const tcp = (hostPort: number, change: Partial<PortBinding> = {}): PortBinding => ({
  containerPort: 80,
  protocol: "tcp",
  hostIp: "",
  hostPort,
  ...change,
});
const request = (containerId: string, change: Partial<AttachRequest> = {}): AttachRequest => ({
  namespace: "default",
  containerId,
  hostname: containerId,
  containerName: `name-${containerId}`,
  endpoints: [{ networkName: "bridge", aliases: [] }],
  ports: [],
  ...change,
});
const since = (from: number): string[] => kernel.transcript.slice(from);

beforeEach(() => {
  kernel = new FakeNetworkKernel();
  resolver = new FakeNameService();
  db = new Database(":memory:");
  events = new EventBus();
  networks = open();
  return () => networks.close();
});

describe("attach", () => {
  test("the first container of a namespace brings its bridge and the table", async () => {
    const attachment = await networks.attach(request("c1"));
    expect(attachment).toMatchObject({
      netnsPath: "/r/netns/c1",
      endpoints: [
        { networkName: "bridge", ipv4Address: "172.17.0.2", prefixLength: 16, gateway: "172.17.0.1", macAddress: "02:42:ac:11:00:02" },
      ],
      ports: [],
    });
    expect(kernel.transcript).toEqual([
      "host: link delete fl1a2b3c-1",
      "host: link add fl1a2b3c-1 address 02:42:ac:11:00:01 mtu 1500 type bridge",
      "host: link set fl1a2b3c-1 addrgenmode none",
      "host: addr add 172.17.0.1/16 dev fl1a2b3c-1",
      "host: link set fl1a2b3c-1 up",
      "nft: add table ip flotilla_1a2b3c4d",
      "netns add /r/netns/c1",
      "c1: link set lo up",
      "host: link add fv1a2b3c-1 address 02:fe:ac:11:00:02 mtu 1500 master fl1a2b3c-1 type veth peer eth0 address 02:42:ac:11:00:02 mtu 1500 netns /r/netns/c1",
      "host: link set fv1a2b3c-1 addrgenmode none",
      "host: link set fv1a2b3c-1 up",
      "c1: link set eth0 addrgenmode none",
      "c1: addr add 172.17.0.2/16 dev eth0",
      "c1: link set eth0 up",
      "c1: route add default via 172.17.0.1 dev eth0",
    ]);
    expect(kernel.sysctls.get("net/ipv4/ip_forward")).toBe("1");
  });

  test("a container without published ports costs no nftables transaction", async () => {
    await networks.attach(request("c1"));
    const before = kernel.nftTexts.length;
    await networks.attach(request("c2"));
    expect(kernel.nftTexts.length).toBe(before);
  });

  test("published ports are elements, and what is reported has real ports", async () => {
    await networks.attach(request("c1"));
    const { ports } = await networks.attach(request("c2", { ports: [tcp(8080), tcp(0, { containerPort: 81, hostIp: "127.0.0.1" })] }));
    expect(ports).toEqual([
      { containerPort: 80, protocol: "tcp", hostIp: "0.0.0.0", hostPort: 8080 },
      { containerPort: 81, protocol: "tcp", hostIp: "127.0.0.1", hostPort: 49_000 },
    ]);
    expect(kernel.nftTexts.at(-1)).toBe(
      "add element ip flotilla_1a2b3c4d ports { tcp . 8080 : 172.17.0.3 . 80 }\nadd element ip flotilla_1a2b3c4d address_ports { 127.0.0.1 . tcp . 49000 : 172.17.0.3 . 81 }\n",
    );
    expect([...kernel.reserved]).toEqual(["tcp 0.0.0.0:8080", "tcp 127.0.0.1:49000"]);
  });

  test("repeated it changes nothing and keeps the address", async () => {
    const first = await networks.attach(request("c1", { ports: [tcp(8080)] }));
    const before = kernel.transcript.length;
    const second = await networks.attach(request("c1", { ports: [tcp(8080)] }));
    expect(second).toEqual(first);
    expect(since(before)).toEqual([]);
  });

  test("cut off in the middle it leaves nothing", async () => {
    await networks.attach(request("c1"));
    kernel.failOn = /c2: addr add/;
    await expect(networks.attach(request("c2", { ports: [tcp(8080)] }))).rejects.toThrow("set up network of container name-c2");
    expect(kernel.hasNetns("/r/netns/c2")).toBe(false);
    expect([...kernel.reserved]).toEqual([]);
    expect(networks.inspect("default", "bridge").endpoints.map(({ containerId }) => containerId)).toEqual(["c1"]);
  });

  test("a table that somebody flushed is put back whole", async () => {
    await networks.attach(request("c1"));
    kernel.failOn = /nft: add element/;
    await networks.attach(request("c2", { ports: [tcp(8080)] }));
    expect(kernel.nftTexts.at(-1)).toContain("elements = { tcp . 8080 : 172.17.0.3 . 80 }");
  });

  test("a table that somebody flushed is noticed without any change", async () => {
    vi.useFakeTimers();
    const watched = open();
    try {
      await watched.attach(request("c1"));
      const before = kernel.nftTexts.length;
      await vi.advanceTimersByTimeAsync(5_000);
      expect(kernel.nftTexts.slice(before).filter((text) => text.startsWith("add table"))).toEqual([]);
      kernel.missingTables.add("ip flotilla_1a2b3c4d");
      await vi.advanceTimersByTimeAsync(5_000);
      expect(kernel.nftTexts.at(-1)).toContain("add table ip flotilla_1a2b3c4d\ndelete table");
    } finally {
      vi.useRealTimers();
      await watched.close();
    }
  });

  test("each namespace has a bridge and a subnet of its own", async () => {
    const a = await networks.attach(request("c1"));
    const b = await networks.attach(request("c2", { namespace: "team-b" }));
    expect(b.endpoints[0]?.ipv4Address).toBe("172.18.0.2");
    expect(b.endpoints[0]?.networkId).not.toBe(a.endpoints[0]?.networkId);
  });

  test("a subnet that holds the host's resolver is left out", async () => {
    for (const namespace of ["default", "team-b"]) networks.list(namespace);
    const attachment = await networks.attach(request("c1", { namespace: "team-c" }));
    expect(attachment.endpoints[0]?.ipv4Address).toBe("172.20.0.2");
  });

  test("a namespace without network has loopback only", async () => {
    expect(await networks.attach(request("c1", { endpoints: [] }))).toMatchObject({ endpoints: [], ports: [] });
    expect(kernel.transcript).toEqual(["netns add /r/netns/c1", "c1: link set lo up"]);
  });
});

describe("port conflicts", () => {
  test("with another container come before anything is made, in Docker's words", async () => {
    await networks.attach(request("c1", { ports: [tcp(8080)] }));
    const before = kernel.transcript.length;
    await expect(networks.attach(request("c2", { ports: [tcp(8081), tcp(8080, { hostIp: "127.0.0.1" })] }))).rejects.toMatchObject({
      code: "conflict",
      message:
        "driver failed programming external connectivity on endpoint name-c2: Bind for 127.0.0.1:8080 failed: port is already allocated",
    });
    expect(since(before)).toEqual([]);
    expect([...kernel.reserved]).toEqual(["tcp 0.0.0.0:8080"]);
  });

  test("with a program of the host are noticed too", async () => {
    kernel.foreignPorts.add("tcp 0.0.0.0:8080");
    await expect(networks.attach(request("c1", { ports: [tcp(8080)] }))).rejects.toMatchObject({ code: "conflict" });
    expect(kernel.transcript).toEqual([]);
  });

  test("do not exist between tcp and udp, nor between two addresses", async () => {
    const ports = [tcp(53, { hostIp: "127.0.0.1" }), tcp(53, { protocol: "udp" }), tcp(53, { hostIp: "192.0.2.2" })];
    expect((await networks.attach(request("c1", { ports }))).ports).toHaveLength(3);
  });

  test("make a range go on to the next port", async () => {
    kernel.foreignPorts.add("tcp 0.0.0.0:8000");
    const range = tcp(8000, { hostPortEnd: 8002 });
    expect((await networks.attach(request("c1", { ports: [range] }))).ports[0]?.hostPort).toBe(8001);
    expect((await networks.attach(request("c2", { ports: [range] }))).ports[0]?.hostPort).toBe(8002);
    await expect(networks.attach(request("c3", { ports: [range] }))).rejects.toThrow(
      "Bind for 0.0.0.0:8000-8002 failed: all ports are allocated",
    );
  });

  test("a port named by one binding is not given to another of the same container", async () => {
    const { ports } = await networks.attach(request("c1", { ports: [tcp(0), tcp(49_000, { containerPort: 81 })] }));
    expect(ports.map(({ hostPort }) => hostPort)).toEqual([49_001, 49_000]);
  });

  test("an IPv6 address is refused where the container has none", async () => {
    await expect(networks.attach(request("c1", { ports: [tcp(80, { hostIp: "::1" })] }))).rejects.toThrow(
      "cannot publish on IPv6 address [::1]: the container is on no network with IPv6 that leads out",
    );
  });

  test("are on both families, or on neither, for a container that has IPv6", async () => {
    networks.createNetwork("default", { name: "six", driver: "", subnet: "", gateway: "", addressRange: "", ipv6: { subnet: "fd00::/64", gateway: "" }, isInternal: false, isAttachable: false, labels: {}, options: {} }); // prettier-ignore
    const six = (id: string, ...ports: PortBinding[]) => networks.attach(request(id, { endpoints: [{ networkName: "six", aliases: [] }], ports })); // prettier-ignore
    kernel.foreignPorts.add("tcp :::8080");
    await expect(six("c1", tcp(8080))).rejects.toThrow("address already in use");
    expect([...kernel.reserved]).toEqual([]);
    const { ports, endpoints } = await six("c1", tcp(8081), tcp(8082, { hostIp: "127.0.0.1" }), tcp(8083, { hostIp: "FD00:0::1" }));
    expect(ports.map(({ hostIp, hostPort }) => `${hostIp} ${hostPort}`).sort()).toEqual(["0.0.0.0 8081", "127.0.0.1 8082", ":: 8081", "fd00::1 8083"]); // prettier-ignore
    expect(endpoints[0]).toMatchObject({ ipv6Address: "fd00::2", prefixLength6: 64, gateway6: "fd00::1" });
    expect(kernel.nftTexts.at(-1)).toMatch(/table ip6 flotilla_[^]* map ports [^}]* elements = \{ tcp \. 8081 : fd00::2 \. 80 \}/);
  });
});

describe("detach", () => {
  test("gives back ports, namespace and address, and may be repeated", async () => {
    await networks.attach(request("c1", { ports: [tcp(8080)] }));
    const before = kernel.transcript.length;
    await networks.detach("c1");
    await networks.detach("c1");
    expect(since(before)).toEqual([
      "nft: delete element ip flotilla_1a2b3c4d ports { tcp . 8080 : 172.17.0.2 . 80 }",
      "netns delete /r/netns/c1",
    ]);
    expect([...kernel.reserved]).toEqual([]);
    expect((await networks.attach(request("c2", { ports: [tcp(8080)] }))).ports[0]?.hostPort).toBe(8080);
  });

  test("events tell of both ends", async () => {
    await networks.attach(request("c1"));
    await networks.detach("c1");
    expect(events.history().map(({ type, action, attributes }) => [type, action, attributes["container"], attributes["name"]])).toEqual([
      ["network", "connect", "c1", "bridge"],
      ["network", "disconnect", "c1", "bridge"],
    ]);
  });
});

describe("reconcile", () => {
  test("after a crash it keeps what runs and takes away the rest", async () => {
    await networks.attach(request("c1", { ports: [tcp(8080)] }));
    await networks.attach(request("c2", { ports: [tcp(8081)] }));
    kernel.host.addLink("fv1a2b3c-zz", { kind: "veth" });
    kernel.host.addLink("fl1a2b3c-zz", { kind: "bridge" });
    kernel.host.addLink("fl999999-1", { kind: "bridge" });
    kernel.createNetns("/r/netns/stray");
    kernel.reserved.clear();
    const before = kernel.transcript.length;
    const restarted = open();
    await restarted.reconcile(["c1"]);
    expect(since(before).filter((line) => line.includes("delete"))).toEqual([
      "netns delete /r/netns/c2",
      "netns delete /r/netns/stray",
      "host: link delete fv1a2b3c-2",
      "host: link delete fv1a2b3c-zz",
      "host: link delete fl1a2b3c-zz",
    ]);
    expect(kernel.nftTexts.at(-1)).toContain("elements = { tcp . 8080 : 172.17.0.2 . 80 }");
    expect([...kernel.reserved]).toEqual(["tcp 0.0.0.0:8080"]);
    expect(kernel.host.findLink("fl999999-1")).toBeDefined();
    await restarted.close();
  });

  test("a bridge deleted under running containers is made again with their links on it", async () => {
    await networks.attach(request("c1"));
    kernel.host.apply([{ kind: "delete-link", name: "fl1a2b3c-1" }]);
    const restarted = open();
    await restarted.reconcile(["c1"]);
    expect(kernel.host.findLink("fv1a2b3c-1")?.masterIndex).toBe(kernel.host.findLink("fl1a2b3c-1")?.index);
    await restarted.close();
  });

  test("a link that was cut off half made is made again", async () => {
    await networks.attach(request("c1"));
    kernel.stack("/r/netns/c1").held.length = 0;
    kernel.stack("/r/netns/c1").linksByName.delete("eth0");
    await networks.reconcile(["c1"]);
    expect(kernel.stack("/r/netns/c1").held.map(({ address }) => address)).toEqual(["172.17.0.2"]);
  });

  test("one container that cannot be mended does not keep others from it", async () => {
    await networks.attach(request("c1"));
    await networks.attach(request("c2"));
    for (const id of ["c1", "c2"]) kernel.stack(`/r/netns/${id}`).linksByName.delete("eth0");
    kernel.failOn = /c1: addr add/;
    await networks.reconcile(["c1", "c2"]);
    expect(kernel.stack("/r/netns/c2").findLink("eth0")?.isUp).toBe(true);
  });

  test("a running container whose namespace lost its name is left alone", async () => {
    await networks.attach(request("c1"));
    kernel.removeNetns("/r/netns/c1");
    await networks.reconcile(["c1"]);
    expect(networks.inspect("default", "bridge").endpoints).toHaveLength(1);
  });

  test("when idle, closing takes the bridge and the table away", async () => {
    await networks.attach(request("c1"));
    await networks.detach("c1");
    await networks.close();
    expect(kernel.host.links().map(({ name }) => name)).toEqual(["lo"]);
    expect(kernel.nftTexts.at(-1)).toBe("add table ip flotilla_1a2b3c4d\ndelete table ip flotilla_1a2b3c4d\n");
  });

  test("an idle network moves when its subnet was taken meanwhile", async () => {
    networks.list("default");
    kernel.host.table.push({ destination: "172.17.0.0", prefixLength: 16, gateway: "", linkIndex: 99, metric: 0, table: 254 });
    expect((await networks.attach(request("c1"))).endpoints[0]?.ipv4Address).toBe("172.18.0.2");
  });
});

describe("networks by name", () => {
  test("every namespace has bridge, host and none, with ids that stay", () => {
    const ids = networks.list("default").map(({ name, driver, id }) => [name, driver, id]);
    expect(ids.map(([name, driver]) => [name, driver])).toEqual([
      ["bridge", "bridge"],
      ["host", "host"],
      ["none", "null"],
    ]);
    expect(networks.list("default").map(({ name, driver, id }) => [name, driver, id])).toEqual(ids);
    expect(networks.list("team-b").map(({ id }) => id)).not.toEqual(ids.map(([, , id]) => id));
  });

  test("names, ids and prefixes resolve; another namespace's do not", () => {
    const [bridge] = networks.list("default");
    expect(networks.resolve("default", "")).toEqual({ id: bridge?.id, name: "bridge", driver: "bridge" });
    expect(networks.resolve("default", bridge?.id.slice(0, 12) ?? "").name).toBe("bridge");
    expect(() => networks.resolve("team-b", bridge?.id ?? "")).toThrow(`network ${bridge?.id} not found`);
    expect(() => networks.resolve("default", "web")).toThrow("network web not found");
  });
});

describe("user-defined networks", () => {
  const create = (name: string, change: Partial<Parameters<Networks["createNetwork"]>[1]> = {}): string =>
    networks.createNetwork("default", {
      name,
      driver: "bridge",
      subnet: "",
      gateway: "",
      addressRange: "",
      isInternal: false,
      isAttachable: false,
      labels: {},
      options: {},
      ...change,
    });

  test("give the resolver the names of their members, and send lookups to it", async () => {
    create("web", { subnet: "10.7.0.0/24" });
    const endpoints = [{ networkName: "web", aliases: ["db"], ipv4Address: "10.7.0.9" }];
    await networks.attach(request("c1", { endpoints }));
    await networks.attach(request("c2", { endpoints: [{ networkName: "web", aliases: [] }], dnsServers: ["9.9.9.9"] }));
    await networks.attach(request("c3"));
    const byName = (): (readonly string[] | undefined)[] =>
      ["name-c1", "db", "c1", "name-c2", "c2", "c3"].map((name) => resolver.find("c1", name));
    const [one, two] = [["10.7.0.9"], ["10.7.0.2"]];
    expect(byName()).toEqual([one, one, one, two, two, undefined]);
    expect(resolver.containers().map(({ id, netnsPath, servers }) => ({ id, netnsPath, servers }))).toEqual([
      { id: "c1", netnsPath: "/r/netns/c1", servers: [] },
      { id: "c2", netnsPath: "/r/netns/c2", servers: ["9.9.9.9"] },
    ]);
    expect(kernel.transcript.filter((line) => line.startsWith("nft in "))).toEqual([
      "nft in /r/netns/c1: create table ip flotilla_dns",
      "nft in /r/netns/c2: create table ip flotilla_dns",
    ]);
    await networks.detach("c2");
    expect(byName()).toEqual([one, one, one, undefined, undefined, undefined]);
    await networks.connect("c3", { networkName: "web", aliases: [] });
    expect(byName().at(-1)).toEqual(["10.7.0.3"]);
  });

  test("tell the resolver what a container changes and nothing else, with the same outcome as everything anew", async () => {
    for (const name of ["one", "two"]) create(name, {});
    const on = (...networkNames: string[]) => ({ endpoints: networkNames.map((networkName) => ({ networkName, aliases: [] })) });
    const idOf = (name: string): string => networks.inspect("default", name).id;
    const { steps } = resolver;
    await networks.attach(request("c1", on("one")));
    await networks.attach(request("c2", on("one", "two")));
    await networks.attach(request("c3", on("bridge")));
    networks.renameContainer("c1", "other");
    // It comes back on another network: its names on the first one are to go.
    await networks.attach(request("c2", on("two")));
    await networks.disconnect("c2", idOf("two"));
    kernel.failOn = /c4: addr add/;
    await expect(networks.attach(request("c4", on("two")))).rejects.toThrow("set up network");
    kernel.failOn = undefined;
    const [one, two] = [idOf("one"), idOf("two")];
    expect(steps).toEqual([
      ["container c1", `network ${one}`, `names ${one} c c1`],
      ["container c2", `names ${one} c c2`, `network ${two}`, `names ${two} c c2`],
      [`names ${one} c c1`],
      [`-names ${one} c c2`, "container c2", `names ${two} c c2`],
      ["-container c2", `-network ${two}`],
    ]);
    await networks.attach(request("c5", on("two", "one")));
    const before = resolver.records();
    const incremental = steps.length;
    await networks.reconcile(["c1", "c2", "c3", "c5"]);
    expect(resolver.records()).toEqual(before);
    expect(steps.length).toBe(incremental);
    resolver = new FakeNameService();
    const again = open();
    await again.reconcile(["c1", "c2", "c3", "c5"]);
    expect(resolver.records()).toEqual(before);
    await again.close();
  });

  test.each([
    ["a name in use", { name: "web", change: {}, message: "network with name web already exists" }],
    ["a predefined name", { name: "host", change: {}, message: "operation is not permitted on predefined host network" }],
    ["a bad name", { name: "a b", change: {}, message: "invalid network name" }],
    ["an overlay", { name: "x", change: { driver: "overlay" }, message: "an overlay network belongs to all hosts" }],
    ["an unknown driver", { name: "x", change: { driver: "macvlan" }, message: "could not find plugin macvlan" }],
    ["an overlap", { name: "x", change: { subnet: "172.17.8.0/24" }, message: "Pool overlaps with other one on this address space" }],
    ["a public subnet", { name: "x", change: { subnet: "8.8.8.0/24" }, message: "it must lie in a private range" }],
    ["everything", { name: "x", change: { subnet: "0.0.0.0/0" }, message: "it must lie in a private range" }],
    ["a gateway outside", { name: "x", change: { subnet: "10.9.0.0/24", gateway: "10.8.0.1" }, message: "no matching subnet for gateway" }],
    ["a range outside", { name: "x", change: { subnet: "10.9.0.0/24", addressRange: "10.8.0.0/25" }, message: "does not contain it" }],
  ])("%s is refused", (_, { name, change, message }) => {
    create("web");
    expect(() => create(name, change)).toThrow(message);
  });

  test("cannot be removed in use, nor when predefined", async () => {
    const id = create("web");
    await networks.attach(request("c1", { endpoints: [{ networkName: "web", aliases: [] }] }));
    await expect(networks.removeNetwork("default", "web")).rejects.toThrow(`network web id ${id} has active endpoints`);
    await expect(networks.removeNetwork("default", "bridge")).rejects.toThrow("bridge is a pre-defined network and cannot be removed");
    await networks.detach("c1");
    await networks.removeNetwork("default", "web");
    expect(networks.list("default")).toHaveLength(3);
  });

  test("know a renamed container by its new name", async () => {
    create("web");
    await networks.attach(request("c1", { endpoints: [{ networkName: "web", aliases: [] }] }));
    networks.renameContainer("c1", "fresh");
    networks.renameContainer("unknown", "other");
    await vi.waitFor(() => expect(resolver.find("c1", "fresh")?.length).toBe(1));
    expect(resolver.find("c1", "fresh")).toEqual(resolver.find("c1", "c1"));
    expect(networks.inspect("default", "web").endpoints[0]?.containerName).toBe("fresh");
  });

  test("can be joined and left by a running container", async () => {
    const id = create("web", { subnet: "10.7.0.0/24" });
    await networks.attach(request("c1"));
    expect(await networks.connect("c1", { networkName: "web", aliases: [] })).toMatchObject({ ipv4Address: "10.7.0.2", networkId: id });
    expect(kernel.stack("/r/netns/c1").findLink("eth1")?.isUp).toBe(true);
    await expect(networks.connect("c1", { networkName: "web", aliases: [] })).rejects.toThrow("already exists in network web");
    await networks.disconnect("c1", id);
    expect(networks.inspect("default", "web").endpoints).toEqual([]);
  });

  test("the way out is Docker's choice, moves with the networks, and published ports move along", async () => {
    create("aaa", { subnet: "10.7.0.0/24" });
    await networks.attach(request("c1", { ports: [tcp(8080)] }));
    const id = (await networks.connect("c1", { networkName: "aaa", aliases: [] })).networkId;
    expect(kernel.transcript).toContain("c1: route replace default via 10.7.0.1 dev eth1");
    expect(kernel.nftTexts.at(-1)).toContain("tcp . 8080 : 10.7.0.2 . 80");
    await networks.disconnect("c1", id);
    expect(kernel.transcript.filter((line) => line.includes("route replace")).at(-1)).toBe(
      "c1: route replace default via 172.17.0.1 dev eth0",
    );
    expect(kernel.nftTexts.at(-1)).toContain("tcp . 8080 : 172.17.0.2 . 80");
  });

  test("reserved addresses are given to nobody and shown", async () => {
    create("web", { subnet: "10.7.0.0/29", reserved: { router: "10.7.0.2", printer: "10.7.0.3" } });
    const { endpoints } = await networks.attach(request("c1", { endpoints: [{ networkName: "web", aliases: [] }] }));
    expect(endpoints[0]?.ipv4Address).toBe("10.7.0.4");
    const taken = { networkName: "web", aliases: [], ipv4Address: "10.7.0.3" };
    await expect(networks.attach(request("c2", { endpoints: [taken] }))).rejects.toThrow("Address already in use");
    expect(networks.inspect("default", "web").addressing?.reserved).toEqual({ router: "10.7.0.2", printer: "10.7.0.3" });
    expect(() => create("x", { subnet: "10.8.0.0/24", reserved: { a: "10.9.0.1" } })).toThrow(
      "no matching subnet for aux-address 10.9.0.1",
    );
  });
});
