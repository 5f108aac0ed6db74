// The resolver's process on the real kernel: sockets in a namespace, packets rewritten, resolvers outside, hand-over.
import { spawn, type ChildProcess } from "node:child_process";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, Socket } from "node:net";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@flotilla/core";
import { decode, encode, type Answer } from "dns-packet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { frame, MessageStream } from "../../agent/src/dns/message-stream.ts";
import { formatRedirect, REDIRECT_REQUESTS } from "../../agent/src/dns/redirect-table.ts";
import { CONTAINERS, type NamesChange } from "../../agent/src/dns/names-state.ts";
import { resolverPaths } from "../../agent/src/dns/resolver-paths.ts";
import { ResolverProcess } from "../../agent/src/dns/resolver-process.ts";
import { containerKey, type ContainerRecord, namesKey, networkKey, type StateRecord } from "../../agent/src/dns/resolver-state.ts";
import { openInetSocket } from "../../agent/src/host/inet-sockets.ts";
import { findProcesses } from "../../agent/src/host/process-table.ts";
import { openNetworkKernel } from "../../agent/src/host/network-kernel.ts";
import { until } from "../support/engine.ts";

const dir = mkdtempSync(join(tmpdir(), "flt-dns-"));
const runDir = join(dir, "run");
const netnsPath = join(dir, "netns", "c1");
const resolvConfPath = join(dir, "resolv.conf");
/** An address of the host's loopback that nobody else's server has. */
const HOST_SERVER = "127.85.3.53";
const kernel = openNetworkKernel();
const closers: (() => void)[] = [];
let resolver: ResolverProcess;

const makeResolver = (): ResolverProcess =>
  new ResolverProcess({ runDir, cacheDir: join(dir, "cache"), logger: silentLogger, resolvConfPath });
const group = (...records: [string, StateRecord][]) => ({ isWhole: true, records: new Map(records) });
const container = (change: Partial<ContainerRecord>): [string, StateRecord] => [
  containerKey("c1"),
  { kind: "container", id: "c1", netnsPath, networks: ["n1"], links: [], servers: [], isForwarding: true, ...change },
];
const named = (name: string, addresses: string[]): [string, StateRecord] => [
  namesKey("n1", name),
  { kind: "names", network: "n1", rank: 1, names: [{ name, addresses }], members: [] },
];
/** Everything that there is. */
const wish = (change: Partial<ContainerRecord> = {}): NamesChange => ({
  isWhole: true,
  groups: new Map([
    [CONTAINERS, group(container(change))],
    ["n1", group([networkKey("n1"), { kind: "network", id: "n1", name: "app" }], named("web", ["10.0.0.2"]), named("many", Array.from({ length: 200 }, (_, index) => `10.1.0.${index}`)))], // prettier-ignore
  ]),
});
const NOTHING: NamesChange = { isWhole: true, groups: new Map() };
const change = (key: string, record?: StateRecord): NamesChange => ({ isWhole: false, groups: new Map([["n1", { isWhole: false, records: new Map([[key, record]]) }]]) }); // prettier-ignore

/** Sends bytes from the container's namespace to 127.0.0.11 port 53; undefined when nothing comes back in time. */
async function exchange(message: Uint8Array, timeoutMs = 6_000): Promise<Buffer | undefined> {
  const socket = createSocket("udp4");
  const fd = openInetSocket({ type: "udp", address: "0.0.0.0", port: 0, netnsPath, isShared: false });
  try {
    await new Promise<void>((resolve) => socket.bind({ fd, exclusive: true }, resolve));
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), timeoutMs);
      socket.once("error", () => resolve(undefined));
      socket.once("message", (answer, from) => {
        clearTimeout(timer);
        expect(`${from.address}:${from.port}`).toBe("127.0.0.11:53");
        resolve(answer);
      });
      socket.send(message, 53, "127.0.0.11");
    });
  } finally {
    socket.close();
  }
}

let lastId = 0;
const query = (name: string): Buffer =>
  encode({ type: "query", id: ++lastId & 0xffff, flags: 0x100, questions: [{ type: "A", class: "IN", name }] });
const dataOf = (message: Buffer | undefined): unknown[] => (message === undefined ? ["silence"] : (decode(message).answers ?? []).map((each) => ("data" in each ? each.data : ""))); // prettier-ignore
const ask = async (name: string): Promise<unknown[]> => dataOf(await exchange(query(name)));
const codeOf = (message: Buffer | undefined): number => (message === undefined ? -1 : message.readUInt8(3) & 0x0f);

/** A DNS server that answers each name with one address, in the host's namespace or in the container's. */
async function serve(options: { inside: boolean; address: string; answer: string }): Promise<void> {
  const socket: UdpSocket = createSocket("udp4");
  const fd = openInetSocket({
    type: "udp",
    address: options.address,
    port: 53,
    netnsPath: options.inside ? netnsPath : undefined,
    isShared: false,
  });
  await new Promise<void>((resolve) => socket.bind({ fd, exclusive: true }, resolve));
  const reply = (message: Buffer, isCut: boolean): Buffer => {
    const { id = 0, questions = [] } = decode(message);
    const name = questions[0]?.name ?? "";
    const answers: Answer[] = isCut ? [] : [{ type: "A", name, ttl: 60, data: options.answer }];
    return encode({ type: "response", id, flags: isCut ? 0x200 : 0, questions, answers });
  };
  socket.on("message", (message, { address, port }) => socket.send(reply(message, isLarge(message)), port, address));
  const server = createServer((client) => {
    const messages = new MessageStream((message) => client.end(frame(reply(message, false))));
    client.on("error", () => undefined).on("data", (chunk: Buffer) => messages.push(chunk));
  });
  const tcpFd = openInetSocket({
    type: "tcp",
    address: options.address,
    port: 53,
    netnsPath: options.inside ? netnsPath : undefined,
    isShared: true,
  });
  await new Promise<void>((resolve) => server.listen({ fd: tcpFd }, resolve));
  closers.push(
    () => socket.close(),
    () => server.close(),
  );
}
const isLarge = (message: Buffer): boolean => (decode(message).questions?.[0]?.name ?? "").toLowerCase().startsWith("large");

beforeAll(async () => {
  writeFileSync(resolvConfPath, `nameserver ${HOST_SERVER}\n`);
  const stack = kernel.createNetns(netnsPath);
  stack.apply([{ kind: "set-up", name: "lo" }]);
  stack.close();
  kernel.nftRequestsInside(netnsPath, REDIRECT_REQUESTS);
  await serve({ inside: false, address: HOST_SERVER, answer: "203.0.113.1" });
  await serve({ inside: true, address: "127.0.0.99", answer: "203.0.113.2" });
  resolver = makeResolver();
  await resolver.apply(wish());
});
afterAll(async () => {
  await resolver.apply(NOTHING);
  await resolver.close();
  for (const close of closers) close();
  kernel.removeNetns(netnsPath);
  kernel.close();
  expect(findProcesses(runDir)).toEqual([]);
  rmSync(dir, { recursive: true, force: true });
});

test("the table is the same whether libnftables makes it or netlink, which refuses one that is there", async () => {
  const read = (): Promise<string> => kernel.nftInside(netnsPath, "list ruleset");
  const made = await read();
  expect(made).toContain("ip daddr 127.0.0.11 udp dport 53 udp dport set 40053");
  expect(() => kernel.nftRequestsInside(netnsPath, REDIRECT_REQUESTS)).toThrow("nft: create table ip flotilla_dns: EEXIST");
  expect(await read()).toBe(made);
  await kernel.nftInside(netnsPath, formatRedirect());
  expect(await read()).toBe(made);
});

test("names of the container's networks are answered by UDP from port 53", async () => {
  expect(await ask("web")).toEqual(["10.0.0.2"]);
  expect(await ask("WEB.app")).toEqual(["10.0.0.2"]);
});

test("what does not fit comes by TCP, several questions over one connection", async () => {
  const short = await exchange(query("many"));
  expect(dataOf(short)).toEqual([]);
  expect((short?.readUInt8(2) ?? 0) & 2).toBe(2);
  const fd = openInetSocket({ type: "tcp", address: "0.0.0.0", port: 0, netnsPath, isShared: false });
  const socket = new Socket({ fd, pauseOnCreate: true } as { fd: number });
  const counts: number[] = [];
  const messages = new MessageStream((message) => counts.push(dataOf(message).length));
  socket.on("data", (chunk: Buffer) => messages.push(chunk));
  socket.connect(53, "127.0.0.11", () => {
    socket.resume();
    socket.write(Buffer.concat([frame(query("many")), frame(query("web"))]));
  });
  await until("both answers", () => counts.length === 2);
  socket.destroy();
  expect(counts.sort((a, b) => a - b)).toEqual([1, 200]);
});

test("other names are asked of the host's resolver, on the host's loopback; long answers by TCP", async () => {
  expect(await ask("example.org")).toEqual(["203.0.113.1"]);
  expect(await ask("large.example.org")).toEqual(["203.0.113.1"]);
});

test("resolvers of a container's own are asked from its namespace", async () => {
  await resolver.apply(wish({ servers: ["127.0.0.99"] }));
  expect(await ask("example.org")).toEqual(["203.0.113.2"]);
  expect(await ask("large.example.org")).toEqual(["203.0.113.2"]);
  await resolver.apply(wish());
  expect(await ask("example.org")).toEqual(["203.0.113.1"]);
});

test("nothing is asked outside for a container on internal networks, and silence outside is SERVFAIL in time", async () => {
  await resolver.apply(wish({ isForwarding: false }));
  expect(codeOf(await exchange(query("example.org")))).toBe(2);
  // Nobody has this address and no packet leaves: the namespace has no way out.
  await resolver.apply(wish({ servers: ["192.0.2.1"] }));
  expect(codeOf(await exchange(query("silent.org")))).toBe(2);
  await resolver.apply(wish());
});

test("no packet ends it: noise, loops, answers, and it answers the next question", async () => {
  const loop = Buffer.concat([query("web").subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]);
  const counted = query("web");
  counted.writeUInt16BE(0xffff, 10);
  expect(codeOf(await exchange(loop))).toBe(1);
  expect(codeOf(await exchange(counted))).toBe(1);
  const reply = query("web");
  reply.writeUInt8(0x81, 2);
  const noise = [reply, Buffer.alloc(0), Buffer.alloc(11), Buffer.alloc(9_000, 0xff)];
  await Promise.all(noise.map((message) => exchange(message, 100)));
  expect(await ask("web")).toEqual(["10.0.0.2"]);
});

test("a change is read alone, also by one that takes over in the middle of changes, and after a new file", async () => {
  const [pid] = findProcesses(runDir);
  await resolver.apply(change(...named("shop", ["10.0.0.7"])));
  expect(await ask("shop")).toEqual(["10.0.0.7"]);
  // Enough of them for a new file.
  const padding = Array.from({ length: 200 }, (_, index) => `10.9.${index}.1`);
  for (let round = 0; round < 100; round += 1) await resolver.apply(change(...named("padding", [...padding, `10.8.0.${round}`])));
  await resolver.apply(change(namesKey("n1", "padding")));
  expect(statSync(resolverPaths(runDir).state).size).toBeLessThan(300 * 1024);
  expect([await ask("shop"), await ask("web"), await ask("padding")]).toEqual([["10.0.0.7"], ["10.0.0.2"], ["203.0.113.1"]]);
  expect(findProcesses(runDir)).toEqual([pid]);
  process.kill(pid ?? 0, "SIGKILL");
  await resolver.apply(change(namesKey("n1", "shop")));
  await until("another one answers", async () => (await ask("web")).includes("10.0.0.2"));
  expect(await ask("shop")).toEqual(["203.0.113.1"]);
});

test("one of other code takes over, with the sockets where they were", async () => {
  const [older] = findProcesses(runDir);
  const child: ChildProcess = spawn(process.execPath, ["--no-warnings", join(import.meta.dirname, "../../agent/src/dns/resolver-main.ts"), runDir, "other-code", "flotilla-resolver"], { stdio: "ignore", detached: true }); // prettier-ignore
  child.unref();
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let asked = 0;
  let lost = 0;
  for (; findProcesses(runDir).includes(older ?? 0); asked += 1) {
    const answer = (await exchange(query("web"), 500)) ?? (lost++, await exchange(query("web")));
    expect(dataOf(answer)).toEqual(["10.0.0.2"]);
  }
  process.stdout.write(`hand-over: ${asked} lookups meanwhile, ${lost} had to be repeated\n`);
  expect(asked).toBeGreaterThan(0);
  // The agent finds code that is not its own, and takes over in turn, which may be at once.
  await until("the agent has its own again", async () => {
    await resolver.apply(wish());
    return findProcesses(runDir).length === 1 && !findProcesses(runDir).includes(child.pid ?? 0);
  });
  expect(await ended).toBe(0);
  expect(await ask("web")).toEqual(["10.0.0.2"]);
});

test("an agent that closes leaves it to the containers, and the next one finds it; without containers it ends", async () => {
  const before = findProcesses(runDir);
  await resolver.close();
  expect(await ask("web")).toEqual(["10.0.0.2"]);
  resolver = makeResolver();
  await resolver.apply(wish());
  expect(findProcesses(runDir)).toEqual(before);
  await resolver.apply(NOTHING);
  await resolver.close();
  expect(findProcesses(runDir)).toEqual([]);
  resolver = makeResolver();
});
