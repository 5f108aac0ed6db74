import { createServer } from "node:net";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Attachment, PortBinding } from "../../agent/src/engine/ports.ts";
import { run } from "../../agent/src/host/run.ts";
import { readMachineState, type MachineState } from "../support/leftovers.ts";
import { containerRequest, HOST_ADDRESS, NetworkLab, OUTSIDE_ADDRESS, type Instance } from "./network-lab.ts";
import { BRIEFLY } from "./patience.ts";

const WEB_PORT = 18_080;
const LOCAL_PORT = 18_081;
const ADDRESS_PORT = 18_082;
const UDP_PORT = 18_053;

const publish = (hostPort: number, change: Partial<PortBinding> = {}): PortBinding => ({
  containerPort: 80,
  protocol: "tcp",
  hostIp: "",
  hostPort,
  ...change,
});

describe("bridge networks on a real kernel", () => {
  const lab = new NetworkLab();
  let before: MachineState;
  let instance: Instance;
  let web: Attachment;
  let client: Attachment;
  let stranger: Attachment;

  const addressOf = (attachment: Attachment): string => attachment.endpoints[0]?.ipv4Address ?? "";
  const fromHost = (address: string, port: number, patienceMs?: number) => lab.ask("", { protocol: "tcp", address, port }, patienceMs);
  const fromOutside = (address: string, port: number, patienceMs?: number) =>
    lab.ask(lab.outside, { protocol: "tcp", address, port }, patienceMs);

  beforeAll(async () => {
    before = await readMachineState();
    await lab.joinOutside();
    instance = lab.open("a");
    await instance.networks.reconcile([]);
    const ports = [
      publish(WEB_PORT),
      publish(LOCAL_PORT, { hostIp: "127.0.0.1" }),
      publish(ADDRESS_PORT, { hostIp: HOST_ADDRESS }),
      publish(UDP_PORT, { protocol: "udp", containerPort: 53 }),
    ];
    web = await instance.networks.attach(containerRequest("web", { ports }));
    client = await instance.networks.attach(containerRequest("client"));
    stranger = await instance.networks.attach(containerRequest("stranger", { namespace: "other-team" }));
    await lab.serve(web.netnsPath, { protocol: "tcp", port: 80, name: "web" });
    await lab.serve(web.netnsPath, { protocol: "udp", port: 53, name: "dns" });
    await lab.serve(stranger.netnsPath, { protocol: "tcp", port: 80, name: "stranger" });
    await lab.serve(lab.outside, { protocol: "tcp", port: 80, name: "outside" });
    await lab.serve(lab.outside, { protocol: "udp", port: 53, name: "outside" });
  });

  afterAll(async () => {
    await lab.close();
    expect(await lab.leftovers(before)).toEqual([]);
  });

  test("containers of one network reach each other and see each other's addresses", async () => {
    expect(await lab.ask(client.netnsPath, { protocol: "tcp", address: addressOf(web), port: 80 })).toBe(`web saw ${addressOf(client)}`);
  });

  test.each(["tcp", "udp"] as const)("containers reach the outside world over %s as the host", async (protocol) => {
    const port = protocol === "tcp" ? 80 : 53;
    expect(await lab.ask(client.netnsPath, { protocol, address: OUTSIDE_ADDRESS, port })).toBe(`outside saw ${HOST_ADDRESS}`);
  });

  test("a published port answers outside callers, who keep their own address", async () => {
    expect(await fromOutside(HOST_ADDRESS, WEB_PORT)).toBe(`web saw ${OUTSIDE_ADDRESS}`);
  });

  test("a published port answers the host on loopback and on its own address", async () => {
    expect(await fromHost("127.0.0.1", WEB_PORT)).toMatch(/^web saw /);
    expect(await fromHost(HOST_ADDRESS, WEB_PORT)).toMatch(/^web saw /);
  });

  test("a published port answers its own container, its neighbour and another namespace", async () => {
    for (const from of [web, client, stranger]) {
      expect(await lab.ask(from.netnsPath, { protocol: "tcp", address: HOST_ADDRESS, port: WEB_PORT })).toMatch(/^web saw /);
    }
  });

  test("udp is published too", async () => {
    expect(await lab.ask(lab.outside, { protocol: "udp", address: HOST_ADDRESS, port: UDP_PORT })).toBe(`dns saw ${OUTSIDE_ADDRESS}`);
    expect(await lab.ask("", { protocol: "udp", address: "127.0.0.1", port: UDP_PORT })).toMatch(/^dns saw /);
  });

  test("a client that never pauses finds a udp port published late, and its next container", async () => {
    const port = 18_054;
    const answers = await lab.insist(lab.outside, { address: HOST_ADDRESS, port });
    const ports = [publish(port, { protocol: "udp", containerPort: 53 })];
    for (const id of ["first", "second"]) {
      const attachment = await instance.networks.attach(containerRequest(id, { ports }));
      await lab.serve(attachment.netnsPath, { protocol: "udp", port: 53, name: id });
      await expect.poll(() => answers.at(-1)).toBe(`${id} saw ${OUTSIDE_ADDRESS}`);
      await instance.networks.detach(id);
    }
  });

  test("a port published on one address answers there only", async () => {
    expect(await fromHost("127.0.0.1", LOCAL_PORT)).toMatch(/^web saw /);
    expect(await fromOutside(HOST_ADDRESS, LOCAL_PORT, BRIEFLY)).toMatch(/^no answer/);
    expect(await fromOutside(HOST_ADDRESS, ADDRESS_PORT)).toBe(`web saw ${OUTSIDE_ADDRESS}`);
    expect(await fromHost("127.0.0.1", ADDRESS_PORT, BRIEFLY)).toMatch(/^no answer/);
  });

  test("namespaces do not reach each other's containers", async () => {
    expect(await lab.ask(client.netnsPath, { protocol: "tcp", address: addressOf(stranger), port: 80 }, BRIEFLY)).toMatch(/^no answer/);
    expect(await lab.ask(stranger.netnsPath, { protocol: "tcp", address: addressOf(web), port: 80 }, BRIEFLY)).toMatch(/^no answer/);
  });

  test("an outside machine that routes to a container's address gets nothing that is not published", async () => {
    await run({ argv: ["nsenter", `--net=${lab.outside}`, "ip", "route", "add", `${addressOf(web)}/32`, "via", HOST_ADDRESS] });
    expect(await fromOutside(addressOf(web), 80, BRIEFLY)).toMatch(/^no answer/);
  });

  test("a container cannot reach the host's loopback through its gateway", async () => {
    const inside = (...args: string[]) => run({ argv: ["nsenter", `--net=${client.netnsPath}`, ...args] });
    const server = createServer((socket) => socket.end("secret"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      await inside("busybox", "sysctl", "-w", "net.ipv4.conf.eth0.route_localnet=1");
      await inside("ip", "addr", "del", "127.0.0.1/8", "dev", "lo");
      await inside("ip", "route", "add", "127.0.0.1/32", "via", client.endpoints[0]?.gateway ?? "", "src", addressOf(client));
      expect(await lab.ask(client.netnsPath, { protocol: "tcp", address: "127.0.0.1", port }, BRIEFLY)).toMatch(/^no answer/);
    } finally {
      server.close();
    }
  });

  test("a container cannot send with an address that is not of its network", async () => {
    const forged = "203.0.113.7/32";
    const inside = (...args: string[]) => run({ argv: ["nsenter", `--net=${client.netnsPath}`, "ip", ...args] });
    const bridge = instance.networks.inspect("default", "bridge").options["com.docker.network.bridge.name"] ?? "";
    // Answers would find their way back: what must stop it is the table alone.
    await run({ argv: ["nsenter", `--net=${lab.outside}`, "ip", "route", "add", forged, "via", HOST_ADDRESS] });
    await run({ argv: ["ip", "route", "add", forged, "dev", bridge] });
    await inside("addr", "add", forged, "dev", "eth0");
    await inside("route", "add", `${OUTSIDE_ADDRESS}/32`, "via", client.endpoints[0]?.gateway ?? "", "src", "203.0.113.7");
    expect(await lab.ask(client.netnsPath, { protocol: "tcp", address: OUTSIDE_ADDRESS, port: 80 }, BRIEFLY)).toMatch(/^no answer/);
    await inside("route", "del", `${OUTSIDE_ADDRESS}/32`);
  });

  test("a port that a program of the host has is refused before anything is made", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(18_099, "127.0.0.1", resolve));
    try {
      await expect(instance.networks.attach(containerRequest("late", { ports: [publish(18_099)] }))).rejects.toMatchObject({
        code: "conflict",
        message:
          "driver failed programming external connectivity on endpoint late: listen tcp4 0.0.0.0:18099: bind: address already in use",
      });
      expect(existsSync(`${instance.config.runDir}/netns/late`)).toBe(false);
    } finally {
      server.close();
    }
  });

  test("a published port is held, so that no program takes it", async () => {
    const server = createServer();
    await expect(new Promise((_, reject) => server.once("error", reject).listen(WEB_PORT, "0.0.0.0"))).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
  });

  test("another instance beside it has names and subnets of its own, and cannot take its ports", async () => {
    const other = lab.open("b");
    const attachment = await other.networks.attach(containerRequest("web"));
    expect(addressOf(attachment)).not.toBe(addressOf(web));
    await expect(other.networks.attach(containerRequest("thief", { ports: [publish(WEB_PORT)] }))).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await lab.ask(attachment.netnsPath, { protocol: "tcp", address: addressOf(web), port: 80 }, BRIEFLY)).toMatch(/^no answer/);
    await other.networks.reconcile([]);
    expect(await fromHost("127.0.0.1", WEB_PORT)).toMatch(/^web saw /);
  });

  test("a flushed ruleset is put back with the next change", async () => {
    await run({ argv: ["nft", "delete", "table", "ip", `flotilla_${instance.config.instance}`] });
    // That nobody is answered now cannot be asked: the watch that puts it back by itself may be quicker.
    await instance.networks.attach(containerRequest("extra", { ports: [publish(0)] }));
    expect(await fromOutside(HOST_ADDRESS, WEB_PORT)).toBe(`web saw ${OUTSIDE_ADDRESS}`);
    await instance.networks.detach("extra");
  });

  test("after kill -9 a new agent keeps what runs, mends what is broken and removes the rest", async () => {
    await instance.networks.attach(containerRequest("dead", { ports: [publish(18_083)] }));
    const links = async () => (await run({ argv: ["ip", "-br", "link"] })).stdout;
    const bridge = instance.networks.inspect("default", "bridge").options["com.docker.network.bridge.name"] ?? "";
    await run({ argv: ["ip", "link", "delete", bridge] });
    await run({ argv: ["nft", "delete", "table", "ip", `flotilla_${instance.config.instance}`] });
    const restarted = lab.open("a");
    await restarted.networks.reconcile(["web", "client", "stranger"]);
    instance = restarted;
    expect(await fromOutside(HOST_ADDRESS, WEB_PORT)).toBe(`web saw ${OUTSIDE_ADDRESS}`);
    expect(await lab.ask(client.netnsPath, { protocol: "tcp", address: addressOf(web), port: 80 })).toMatch(/^web saw /);
    expect(existsSync(`${instance.config.runDir}/netns/dead`)).toBe(false);
    const prefix = `fv${instance.config.instance.slice(0, 6)}-`;
    await expect.poll(async () => (await links()).split("\n").filter((line) => line.startsWith(prefix)).length).toBe(3);
  });

  test("attach repeated after a half-made container finishes it", async () => {
    const again = await instance.networks.attach(containerRequest("client"));
    expect(again.endpoints).toEqual(client.endpoints);
  });

  test("fifty containers at once get fifty addresses", async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `many${index}`);
    const attachments = await Promise.all(ids.map((id) => instance.networks.attach(containerRequest(id, { ports: [publish(0)] }))));
    expect(new Set(attachments.map(addressOf)).size).toBe(50);
    expect(new Set(attachments.map(({ ports }) => ports[0]?.hostPort)).size).toBe(50);
    await Promise.all(ids.map((id) => instance.networks.detach(id)));
  });

  test("a user-defined network can be joined live, and its internal kind leads nowhere", async () => {
    const common = { driver: "bridge", gateway: "", addressRange: "", isAttachable: false, labels: {}, options: {} };
    instance.networks.createNetwork("default", { ...common, name: "inner", subnet: "198.18.80.0/24", isInternal: true });
    const endpoint = await instance.networks.connect("web", { networkName: "inner", aliases: [] });
    const lonely = await instance.networks.attach(containerRequest("lonely", { endpoints: [{ networkName: "inner", aliases: [] }] }));
    expect(await lab.ask(lonely.netnsPath, { protocol: "tcp", address: endpoint.ipv4Address, port: 80 })).toMatch(/^web saw /);
    expect(await lab.ask(lonely.netnsPath, { protocol: "tcp", address: OUTSIDE_ADDRESS, port: 80 }, BRIEFLY)).toMatch(/^no answer/);
    await instance.networks.detach("lonely");
    await instance.networks.disconnect("web", endpoint.networkId);
    await instance.networks.removeNetwork("default", "inner");
  });

  test("when the last container is gone, closing leaves nothing in the kernel", async () => {
    for (const id of ["web", "client", "stranger"]) await instance.networks.detach(id);
    await instance.networks.close();
    const { stdout } = await run({ argv: ["nft", "list", "tables"] });
    expect(stdout).not.toContain(instance.config.instance);
  });
});
