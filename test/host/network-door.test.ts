// The host folder's door to the network: each piece alone, against the real kernel.
import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { forgetUdpFlows } from "../../agent/src/host/conntrack.ts";
import { createNetns, hasNetns, inNetns, listNetns, removeNetns } from "../../agent/src/host/netns.ts";
import { nftProgram, openNft } from "../../agent/src/host/nft.ts";
import { reservePort } from "../../agent/src/host/port-reservation.ts";
import { restrictiveForwardChains } from "../../agent/src/host/restrictive-forward-chains.ts";
import { RouteSocket } from "../../agent/src/host/rtnetlink.ts";
import { run } from "../../agent/src/host/run.ts";

let root: string;

const ownNetns = (): string => readlinkSync("/proc/thread-self/ns/net");
const at = (name: string): string => join(root, name);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flotilla-door-"));
});

afterEach(() => {
  for (const name of listNetns(root)) removeNetns(at(name));
  rmSync(root, { recursive: true, force: true });
});

describe("network namespaces", () => {
  test("a new one is another, is kept by its file, and the thread comes home", () => {
    const home = ownNetns();
    const inside = createNetns(at("a"), ownNetns);
    expect(inside).not.toBe(home);
    expect(ownNetns()).toBe(home);
    expect(inNetns(at("a"), ownNetns)).toBe(inside);
    expect(ownNetns()).toBe(home);
    expect([hasNetns(at("a")), listNetns(root)]).toEqual([true, ["a"]]);
  });

  test("the thread comes home and nothing stays when the visitor throws", () => {
    const home = ownNetns();
    const fail = (): never => {
      throw new Error("visitor");
    };
    expect(() => createNetns(at("a"), fail)).toThrow("visitor");
    expect(existsSync(at("a"))).toBe(false);
    createNetns(at("b"), () => undefined);
    expect(() => inNetns(at("b"), fail)).toThrow("visitor");
    expect(ownNetns()).toBe(home);
  });

  test("one that is there is not replaced, a missing one is an error, removal may be repeated", () => {
    const inside = createNetns(at("a"), ownNetns);
    expect(() => createNetns(at("a"), () => undefined)).toThrow("EEXIST");
    expect(inNetns(at("a"), ownNetns)).toBe(inside);
    expect(() => inNetns(at("b"), ownNetns)).toThrow("ENOENT");
    removeNetns(at("a"));
    removeNetns(at("a"));
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(root);
  });

  test("a file that is no namespace is not taken for one", async () => {
    createNetns(at("a"), () => undefined);
    await run({ argv: ["umount", at("a")] });
    expect([hasNetns(at("a")), listNetns(root)]).toEqual([false, ["a"]]);
    expect(() => inNetns(at("a"), ownNetns)).toThrow("EINVAL");
  });
});

describe("netlink", () => {
  test("a socket stays in the namespace where it was opened", () => {
    const stack = createNetns(at("a"), () => new RouteSocket());
    expect(stack.links().map(({ name }) => name)).toContain("lo");
    expect(stack.findLink("lo")?.isUp).toBe(false);
    stack.apply([{ kind: "set-up", name: "lo" }]);
    expect(stack.findLink("lo")).toMatchObject({ index: 1, isUp: true });
    expect(stack.addresses()).toEqual([{ linkIndex: 1, address: "127.0.0.1", prefixLength: 8 }]);
    stack.close();
  });

  test("bridge, veth, address and route are as ip(8) sees them", async () => {
    const left = createNetns(at("left"), () => new RouteSocket());
    const right = createNetns(at("right"), () => new RouteSocket());
    left.apply([
      { kind: "add-bridge", name: "br0", mac: "02:42:0a:00:00:01", mtuBytes: 1400 },
      { kind: "disable-ipv6-autoconfiguration", name: "br0" },
      { kind: "add-address", name: "br0", address: "10.0.0.1", prefixLength: 24 },
      { kind: "set-up", name: "br0" },
      {
        kind: "add-veth",
        name: "v0",
        mac: "02:fe:0a:00:00:02",
        master: "br0",
        mtuBytes: 1400,
        peer: { name: "eth0", mac: "02:42:0a:00:00:02", netnsPath: at("right") },
      },
      { kind: "set-up", name: "v0" },
      { kind: "enable-hairpin", name: "v0" },
    ]);
    right.apply([
      { kind: "add-address", name: "eth0", address: "10.0.0.2", prefixLength: 24 },
      { kind: "set-up", name: "eth0" },
      { kind: "add-default-route", gateway: "10.0.0.1", link: "eth0" },
    ]);
    const ip = async (name: string, ...args: string[]) =>
      JSON.parse((await run({ argv: ["nsenter", `--net=${at(name)}`, "ip", "-json", "-details", ...args] })).stdout);
    expect(await ip("left", "link", "show", "br0")).toMatchObject([
      { address: "02:42:0a:00:00:01", mtu: 1400, inet6_addr_gen_mode: "none", linkinfo: { info_kind: "bridge" } },
    ]);
    expect(await ip("left", "link", "show", "v0")).toMatchObject([
      { master: "br0", linkinfo: { info_kind: "veth", info_slave_data: { hairpin: true } } },
    ]);
    expect(await ip("left", "addr", "show", "br0")).toMatchObject([
      { addr_info: [{ local: "10.0.0.1", prefixlen: 24, broadcast: "10.0.0.255" }] },
    ]);
    expect(await ip("right", "route")).toMatchObject([{ dst: "default", gateway: "10.0.0.1", dev: "eth0" }, { dst: "10.0.0.0/24" }]);
    expect(right.routes()).toMatchObject([
      { prefixLength: 0, gateway: "10.0.0.1", table: 254 },
      { destination: "10.0.0.0", prefixLength: 24 },
    ]);
    left.apply([{ kind: "delete-link", name: "v0" }]);
    expect(right.findLink("eth0")).toBeUndefined();
    left.close();
    right.close();
  });

  test("what is there already or not there any more is no error where that is the wish", () => {
    const stack = createNetns(at("a"), () => new RouteSocket());
    stack.apply([
      { kind: "add-address", name: "lo", address: "10.0.0.1", prefixLength: 32 },
      { kind: "add-address", name: "lo", address: "10.0.0.1", prefixLength: 32 },
      { kind: "delete-link", name: "nope" },
    ]);
    expect(stack.addresses()).toHaveLength(1);
    stack.close();
  });

  test("what rides in one datagram is done in order, indexes of links made in it included, and what is refused of it is told", () => {
    const stack = createNetns(at("a"), () => new RouteSocket());
    stack.apply([
      { kind: "set-up", name: "lo" },
      { kind: "add-bridge", name: "br0", mac: "02:42:0a:00:00:01", mtuBytes: 1500 },
      { kind: "disable-ipv6-autoconfiguration", name: "br0" },
      { kind: "add-address", name: "br0", address: "10.0.0.1", prefixLength: 24 },
      { kind: "set-up", name: "br0" },
      { kind: "add-default-route", gateway: "10.0.0.9", link: "br0" },
    ]);
    const { index, isUp } = stack.findLink("br0") ?? {};
    expect([isUp, stack.addresses().find(({ address }) => address === "10.0.0.1")?.linkIndex]).toEqual([true, index]);
    expect(stack.routes().find(({ prefixLength }) => prefixLength === 0)).toMatchObject({ gateway: "10.0.0.9", linkIndex: index });
    const refused = () => stack.apply([{ kind: "set-mtu", name: "no1", mtuBytes: 1400 }, { kind: "set-mtu", name: "no2", mtuBytes: 1400 }, { kind: "set-mtu", name: "br0", mtuBytes: 1400 }]); // prettier-ignore
    expect(refused).toThrow("link set no1 mtu 1400: ENODEV");
    // The socket has nothing left of that: the next answer is the next question's.
    expect(stack.findLink("br0")?.mtuBytes).toBe(1400);
    expect(() => stack.indexOf("no1")).toThrow("find link no1: ENODEV");
    expect(stack.indexOf("br0")).toBe(index);
    stack.apply([
      { kind: "delete-link", name: "br0" },
      { kind: "add-bridge", name: "br0", mac: "02:42:0a:00:00:02", mtuBytes: 1500 },
      { kind: "add-address", name: "br0", address: "10.0.0.2", prefixLength: 24 },
    ]);
    expect(stack.addresses().map(({ linkIndex }) => linkIndex)).toContain(stack.indexOf("br0"));
    stack.close();
  });

  test("a refusal names the operation, the errno and the kernel's reason, and stops the list", () => {
    const stack = createNetns(at("a"), () => new RouteSocket());
    const bridge = { kind: "add-bridge", name: "br0", mac: "02:42:0a:00:00:01", mtuBytes: 1500 } as const;
    stack.apply([bridge]);
    expect(() => stack.apply([bridge, { kind: "set-up", name: "br0" }])).toThrow(
      "link add br0 address 02:42:0a:00:00:01 mtu 1500 type bridge: EEXIST",
    );
    expect(stack.findLink("br0")?.isUp).toBe(false);
    expect(() => stack.apply([{ kind: "set-master", name: "br0", master: "nope" }])).toThrow("find link nope: ENODEV");
    expect(() => stack.apply([{ kind: "add-default-route", gateway: "192.0.2.1", link: "br0" }])).toThrow(/ENETUNREACH|ENETDOWN|EINVAL/);
    // The bridge as a port of itself: ELOOP with the kernel's own sentence.
    expect(() => stack.apply([{ kind: "set-master", name: "br0", master: "br0" }])).toThrow(/ELOOP: .+/);
    stack.close();
  });
});

describe("nftables", () => {
  test("a text is one transaction: a bad line undoes the good ones", async () => {
    createNetns(at("a"), () => undefined);
    const nft = inNetns(at("a"), openNft);
    try {
      const table = `flotilla_test_${process.pid}`;
      await expect(nft.apply(`add table ip ${table}\nadd rule ip ${table} nope accept\n`)).rejects.toThrow("No such file or directory");
      expect(await nft.apply("list tables\n")).not.toContain(table);
    } finally {
      nft.close();
    }
    await expect(nft.apply("list tables\n")).rejects.toThrow("closed");
  });

  test("the program stands in where the library is missing", async () => {
    const table = `flotilla_test_${process.pid}`;
    await nftProgram.apply(`add table ip ${table}\n`);
    expect(await nftProgram.apply("list tables\n")).toContain(table);
    await nftProgram.apply(`delete table ip ${table}\n`);
    await expect(nftProgram.apply(`delete table ip ${table}\n`)).rejects.toThrow("No such file or directory");
  });
});

describe("ports", () => {
  let server: Server | undefined;

  afterEach(() => server?.close());

  const listen = (host: string): Promise<number> =>
    new Promise((resolve) => {
      server = createServer().listen(0, host, () => {
        const address = server?.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });

  test("what a program has is a conflict, also between one address and all", async () => {
    const port = await listen("127.0.0.1");
    expect(() => reservePort({ address: "127.0.0.1", port, protocol: "tcp" })).toThrow(
      `listen tcp4 127.0.0.1:${port}: bind: address already in use`,
    );
    expect(() => reservePort({ address: "0.0.0.0", port, protocol: "tcp" })).toThrow("address already in use");
    reservePort({ address: "127.0.0.2", port, protocol: "tcp" }).release();
    reservePort({ address: "0.0.0.0", port, protocol: "udp" }).release();
  });

  test("what is reserved no other reservation and no program gets, until it is released", async () => {
    const port = await listen("0.0.0.0");
    await new Promise((resolve) => server?.close(resolve));
    const reservation = reservePort({ address: "0.0.0.0", port, protocol: "tcp" });
    expect(() => reservePort({ address: "0.0.0.0", port, protocol: "tcp" })).toThrow("address already in use");
    await expect(new Promise((_, reject) => createServer().once("error", reject).listen(port, "127.0.0.1"))).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
    reservation.release();
    reservation.release();
    reservePort({ address: "0.0.0.0", port, protocol: "tcp" }).release();
  });

  test("the remains of closed connections do not keep a port", async () => {
    const port = await listen("127.0.0.1");
    await new Promise<void>((resolve) => {
      server?.once("connection", (socket) => socket.end());
      connect(port, "127.0.0.1")
        .on("close", () => resolve())
        .resume();
    });
    await new Promise((resolve) => server?.close(resolve));
    expect(readFileSync("/proc/net/tcp", "utf8")).toMatch(new RegExp(`:${port.toString(16).toUpperCase()} [0-9A-F:]+ 06`));
    const reservation = reservePort({ address: "127.0.0.1", port, protocol: "tcp" });
    expect(() => reservePort({ address: "127.0.0.1", port, protocol: "tcp" })).toThrow("address already in use");
    reservation.release();
  });

  test("an address that is not this machine's is the caller's mistake", () => {
    expect(() => reservePort({ address: "203.0.113.1", port: 80, protocol: "tcp" })).toThrow("bind: cannot assign requested address");
  });
});

test("udp flows to a port are forgotten, others stay", async () => {
  const socket = createSocket("udp4");
  const send = (port: number) => new Promise<void>((resolve) => socket.send("?", port, "127.0.0.1", () => resolve()));
  // Tracked only while a table asks for it.
  const table = `flotilla_test_${process.pid}`;
  await run({
    argv: ["nft", "-f", "-"],
    stdin: `table ip ${table} { chain c { type filter hook output priority 0; ct state new accept; }; }`,
  });
  try {
    await send(40_971);
    await send(40_972);
    // The kernel's list is read in pieces while others' flows come and go, and a piece may miss an entry: asked until it is so.
    const tracked = (): string[] =>
      ["40971", "40972"].filter((port) => readFileSync("/proc/net/nf_conntrack", "utf8").includes(` dport=${port} `));
    await expect.poll(tracked).toEqual(["40971", "40972"]);
    const others = (): string[] => {
      const ports = [
        { address: "0.0.0.0", port: 40_971 },
        { address: "192.0.2.99", port: 40_972 },
      ];
      expect(forgetUdpFlows(ports)).toBe(true);
      return tracked();
    };
    await expect.poll(others).toEqual(["40972"]);
    // The kernel walks its table once for each call, and a walk beside others' changes may pass an entry over.
    const forgotten = (): string[] => {
      expect(forgetUdpFlows([{ address: "127.0.0.1", port: 40_972 }])).toBe(true);
      return tracked();
    };
    await expect.poll(forgotten).toEqual([]);
  } finally {
    socket.close();
    await run({ argv: ["nft", "delete", "table", "ip", table] });
  }
});

test("a firewall that drops forwarded packets is found", async () => {
  const table = `flotilla_test_${process.pid}`;
  // A chain of its own family, whose traffic this machine does not forward meanwhile.
  await run({
    argv: ["nft", "-f", "-"],
    stdin: `table ip6 ${table} { chain strict { type filter hook forward priority 0; policy drop; }; chain lax { type filter hook forward priority 1; policy accept; }; }`,
  });
  try {
    const found = (await restrictiveForwardChains()).filter((chain) => chain.includes(table));
    expect(found).toEqual([`ip6 ${table} strict`]);
  } finally {
    await run({ argv: ["nft", "delete", "table", "ip6", table] });
  }
});
