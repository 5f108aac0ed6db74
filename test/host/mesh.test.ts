// Hosts that watch each other, in a lab of three with their control plane: tests 2, 11, 12 and 13 of the overlay's list, and
// a host whose power goes. What callers noticed is printed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NetworkService, NetworkState } from "@flotilla/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { run } from "../../agent/src/host/run.ts";
import { switchPort } from "../lab/lab-plan.ts";
import { Lab } from "../lab/lab.ts";
import { findInits } from "../lab/nodes.ts";
import { until } from "../support/linked-agent.ts";
import { makeBusyboxTar } from "../support/busybox-image.ts";

const NAME = `me${process.pid}`;
const PATIENCE = { timeout: 30_000, interval: 100 };
const NETWORK_ID = "0e".repeat(32);
const VIP = "10.63.0.2";
const HOSTS = { h1: "10.63.0.17", h2: "10.63.0.33", h3: "10.63.0.49" } as const;
type Name = keyof typeof HOSTS;
const names = Object.keys(HOSTS) as Name[];
const directory = mkdtempSync(join(tmpdir(), "flotilla-mesh-"));
let lab: Lab;

const Mesh = z.object({
  hosts: z.array(z.object({ id: z.string(), name: z.string(), standing: z.string(), isOnline: z.boolean() })),
  pairs: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      state: z.string(),
      pathMtuBytes: z.number().nullable(),
      isNarrow: z.boolean(),
      isShut: z.boolean(),
    }),
  ),
});
const readMesh = async () => {
  const { hosts, pairs } = Mesh.parse(await lab.query("networks.mesh"));
  const nameOf = new Map(hosts.map(({ id, name }) => [id, name]));
  const label = ({ from, to }: { from: string; to: string }): string => `${nameOf.get(from) ?? ""} ${nameOf.get(to) ?? ""}`;
  const standings = Object.fromEntries(hosts.map(({ name, standing }) => [name, standing]));
  return { standings, pairs: new Map(pairs.map((pair) => [label(pair), pair])) };
};
const stateOf = async (pair: string): Promise<string | undefined> => (await readMesh()).pairs.get(pair)?.state;
const allUp = async (): Promise<boolean> => {
  const { pairs } = await readMesh();
  return pairs.size === 6 && [...pairs.values()].every(({ state }) => state === "up");
};

const service = (): NetworkService => ({
  networkId: NETWORK_ID,
  id: "web",
  names: ["web"],
  addresses: [VIP],
  ports: [{ protocol: "tcp", port: 80, targetPort: 80, publishedPort: null }],
  affinity: "none",
  backends: Object.values(HOSTS).map((address) => ({ address, weight: 1 })),
});

function network(down: NetworkState["down"] = []): Omit<NetworkState, "self"> {
  return {
    id: NETWORK_ID,
    namespace: "default",
    name: "mesh",
    vni: 5101,
    vxlanPort: 4789,
    subnet: "10.63.0.0/24",
    gateway: "10.63.0.1",
    subnet6: null,
    mtuBytes: null,
    isInternal: false,
    isEncrypted: false,
    isAttachable: true,
    labels: {},
    options: {},
    createdAtMs: 1_700_000_000_000,
    hosts: [1, 2, 3].map((number) => ({ number, underlay: lab.address(`h${number}`), tunnels: [] })),
    blocks: [1, 2, 3].map((host) => ({ host, cidr: `10.63.0.${host * 16}/28` })),
    pins: [],
    members: (["h2", "h3"] as const).map((name, index) => ({ host: index + 2, containerId: name.repeat(32), containerName: name, aliases: [], address: HOSTS[name], address6: null })), // prettier-ignore
    dead: [],
    down,
    isolated: [],
    allow: [],
  };
}

const docker = async (host: string, ...args: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await lab.docker(host, args);
  expect(exitCode, stderr).toBe(0);
  return stdout.trim();
};
/** Slots of the service in a host's router. */
const backends = async (host: Name): Promise<Name[]> => {
  const path = join(lab.environmentOf(host)["FLOTILLA_RUN"] ?? "", "overlay", "5101");
  const { stdout } = await lab.exec(host, ["nsenter", `--net=${path}`, "nft", "list", "map", "inet", "flotilla", "eps_tcp"]);
  return names.filter((name) => stdout.includes(`: ${HOSTS[name]}`));
};
/** Calls the service so many times, one after the other. @returns how many calls each backend answered; "" is nobody within a second. */
const call = async (host: Name, count: number): Promise<Map<string, number>> => {
  const line = `for i in $(seq ${count}); do printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 1 ${VIP} 80 | tail -n 1; echo " ."; done`;
  const { stdout } = await lab.docker(host, ["exec", host, "sh", "-c", line]);
  const answers = stdout.split(" .\n").slice(0, count);
  return new Map([...Map.groupBy(answers, (answer) => answer.trim())].map(([name, all]) => [name, all.length]));
};
const say = (test: string, text: string): void => void process.stdout.write(`[mesh ${test}] ${text}\n`);
const format = (answers: ReadonlyMap<string, number>): string =>
  [...answers].map(([name, count]) => `${count} ${name === "" ? "failed" : name}`).sort().join(", "); // prettier-ignore

beforeAll(async () => {
  lab = await Lab.up(NAME, { hostCount: 3 });
  // A hop that carries less than the links of all hosts, and says nothing when it drops: the switch's port of the third.
  const inSwitch = findInits(NAME).get("switch") ?? 0;
  await run({ argv: ["nsenter", `--target=${inSwitch}`, "--net", "ip", "link", "set", switchPort("h3"), "mtu", "1400"] });
  const tar = await makeBusyboxTar(directory);
  await Promise.all(names.map((host) => docker(host, "import", "--change", 'CMD ["sh"]', tar, "busybox:latest")));
  lab.setNetworks({ numbers: { h1: 1, h2: 2, h3: 3 }, networks: [network()], services: [service()] });
  await Promise.all(
    names.map(async (host) => {
      await until(async () => (await lab.docker(host, ["network", "inspect", "mesh"])).exitCode === 0);
      const serve = `mkdir /w; echo ${host} > /w/index.html; exec httpd -f -p 80 -h /w`;
      await docker(host, "run", "-d", "--name", host, "--network", "mesh", "--ip", HOSTS[host], "busybox", "sh", "-c", serve);
    }),
  );
  // Began before the hop was there: begun anew, so that no path is remembered.
  await lab.killAgent("h3");
  await lab.startAgent("h3");
});

afterAll(async () => {
  await lab.down();
  rmSync(directory, { recursive: true, force: true });
});

test("every host is seen by every other, and every backend by every router", async () => {
  await expect.poll(allUp, PATIENCE).toBe(true);
  expect((await readMesh()).standings).toEqual({ h1: "up", h2: "up", h3: "up" });
  for (const host of names) await expect.poll(() => backends(host), PATIENCE).toEqual(names);
});

const Reach = z.object({
  verdict: z.string(),
  failedHop: z.string().nullable(),
  hops: z.array(z.object({ hop: z.string(), state: z.string(), code: z.string() })),
});
/** Whether a container of one host reaches one of another: `yes`, or `no HOP CODE`. */
const reach = async (from: Name, to: object, port: number | null, protocol: "tcp" | "udp" = "tcp"): Promise<string> => {
  const { verdict, failedHop, hops } = Reach.parse(await lab.query("networks.reach", { host: from, id: from, to, port, protocol }));
  return failedHop === null ? verdict : `${verdict} ${failedHop} ${hops.find(({ hop }) => hop === failedHop)?.code ?? ""}`;
};
const container = (name: Name): object => ({ kind: "container", host: name, id: name });

describe("can A reach B?", () => {
  test.each<[string, () => Promise<string>, string]>([
    ["a port on another host, by name", () => reach("h1", container("h2"), 80), "yes"],
    ["a port that nobody listens on, and who looks at B knows it", () => reach("h1", container("h2"), 82), "no port nowhere"],
    ["by address", () => reach("h1", { kind: "address", address: HOSTS.h2 }, 80), "yes"],
    ["a port that nobody listens on", () => reach("h1", { kind: "address", address: HOSTS.h2 }, 81), "no port refused"],
    ["whether anything answers", () => reach("h3", { kind: "address", address: HOSTS.h1 }, null), "yes"],
    ["a service's virtual address", () => reach("h1", { kind: "address", address: VIP }, 80), "yes"],
  ])("%s", async (_what, ask, expected) => expect(await ask()).toBe(expected));
});

describe("12, 13: the underlay is cut between h1 and h2, and from h2 to h3 alone; every WebSocket is fine", () => {
  test("each host leaves out whom it does not reach, and nobody is down", async () => {
    await lab.cut("h1", "h2");
    await lab.cut("h2", "h3", true);
    const calls = call("h1", 30);
    await expect.poll(() => backends("h1"), PATIENCE).toEqual(["h1", "h3"]);
    await expect.poll(() => backends("h3"), PATIENCE).toEqual(["h1", "h3"]);
    await expect.poll(() => backends("h2"), PATIENCE).toEqual(["h2"]);
    say("12", `calls from h1 while it found out: ${format(await calls)}`);
    const answers = await call("h1", 60);
    say("12", `calls from h1 afterwards: ${format(answers)}`);
    expect([...answers.keys()].sort()).toEqual(["h1", "h3"]);
    const ofThird = await call("h3", 60);
    say("13", `calls from h3 afterwards: ${format(ofThird)}`);
    expect([...ofThird.keys()].sort()).toEqual(["h1", "h3"]);
    // Who falls silent is left out before it counts as down.
    const states = (): Promise<unknown> => Promise.all(["h1 h2", "h2 h3", "h3 h2", "h1 h3"].map(stateOf));
    await expect.poll(states, PATIENCE).toEqual(["down", "down", "down", "up"]);
    expect((await readMesh()).standings).toEqual({ h1: "up", h2: "up", h3: "up" });
    expect(await reach("h1", { kind: "address", address: HOSTS.h2 }, 80)).toBe("no underlay down");
  });

  test("and takes them back when it heals", async () => {
    await lab.heal("h1", "h2");
    await lab.heal("h2", "h3", true);
    for (const host of names) await expect.poll(() => backends(host), PATIENCE).toEqual(names);
    await expect.poll(allUp, PATIENCE).toBe(true);
  });
});

test("a firewall of h2 that drops the port of VXLAN alone is told of both its peers, and everything else stays", async () => {
  const shut = async (): Promise<string[]> => {
    const { pairs } = await readMesh();
    return [...pairs].flatMap(([pair, { state, isShut }]) => (isShut && state === "up" ? [pair] : [])).sort();
  };
  expect(await shut()).toEqual([]);
  const nft = async (text: string): Promise<void> => {
    const { exitCode, stderr } = await lab.exec("h2", ["nft", text]);
    expect(exitCode, stderr).toBe(0);
  };
  // A network of the number that a probe has where VXLAN has its own, and none of h2's peers in it.
  const [table = ""] = /inet flotilla_\w+_underlay/.exec((await lab.exec("h2", ["nft", "list", "tables"])).stdout) ?? [];
  await nft(`add element ${table} networks { 4789 . 65792 }`);
  await nft("add table inet theirs { chain input { type filter hook input priority filter; udp dport 4789 drop; }; }");
  await expect.poll(shut, PATIENCE).toEqual(["h1 h2", "h3 h2"]);
  await expect.poll(allUp, PATIENCE).toBe(true);
  await nft("delete table inet theirs");
  await expect.poll(shut, PATIENCE).toEqual([]);
  await nft(`delete element ${table} networks { 4789 . 65792 }`);
});

test("2: the hidden hop is found, both ways, and is nobody else's", async () => {
  const mtus = async (): Promise<(number | null | undefined)[]> => {
    const { pairs } = await readMesh();
    return ["h3 h1", "h3 h2", "h1 h2", "h2 h1"].map((pair) => pairs.get(pair)?.pathMtuBytes);
  };
  // Linux lets a VLAN tag's four bytes more through a port.
  await expect.poll(mtus, PATIENCE).toEqual([1404, 1404, 1500, 1500]);
  expect((await readMesh()).pairs.get("h3 h1")?.isNarrow).toBe(true);
});

/** What the control plane says: the third host counts as down, or not. */
const tell = (down: NetworkState["down"] = []): void =>
  lab.setNetworks({ numbers: { h1: 1, h2: 2, h3: 3 }, networks: [network(down)], services: [service()] });
/** From a container of h1 to the third host's: what it answers, or why not. */
const callThird = async (seconds: number): Promise<string> => {
  const line = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w ${seconds} ${HOSTS.h3} 80 2>&1 | tail -n 1`;
  return (await lab.docker("h1", ["exec", "h1", "sh", "-c", line])).stdout.trim();
};

describe("11: the WebSocket of h2 is cut, and the power of h3 goes", () => {
  test("only the latter is down, as soon as the peers say so; h2 keeps its place", async () => {
    await lab.cut("h2", "control");
    await lab.powerOff("h3");
    const startedAt = performance.now();
    await expect.poll(async () => (await readMesh()).standings, PATIENCE).toMatchObject({ h2: "cut-off", h3: "down" });
    say("11", `h3 was down after ${((performance.now() - startedAt) / 1000).toFixed(1)} s, h2 was only cut off`);
    await expect.poll(() => backends("h1"), PATIENCE).toEqual(["h1", "h2"]);
    const answers = await call("h1", 60);
    say("11", `calls from h1: ${format(answers)}`);
    expect([...answers.keys()].sort()).toEqual(["h1", "h2"]);
    expect(await reach("h1", container("h3"), 80)).toBe("no underlay down");
  });

  test("10: who waits for a host that is found to be down is refused, and so is who calls it then", async () => {
    const waiting = callThird(60);
    await expect.poll(async () => (await lab.docker("h1", ["exec", "h1", "netstat", "-tn"])).stdout, PATIENCE).toContain("SYN_SENT");
    tell([{ host: 3, addresses: [HOSTS.h3] }]);
    expect(await waiting).toContain("Connection refused");
    expect(await callThird(60)).toContain("Connection refused");
  });

  test("and both are up again when they are heard", async () => {
    await lab.heal("h2", "control");
    await lab.powerOn("h3");
    await expect.poll(async () => (await readMesh()).standings, PATIENCE).toEqual({ h1: "up", h2: "up", h3: "up" });
    await expect.poll(() => backends("h2"), PATIENCE).toContain("h3");
  });

  test("10: a host that is reached is called, whoever still says that it is down", async () => {
    await docker("h3", "start", "h3");
    await expect.poll(() => callThird(1), PATIENCE).toBe("h3");
    tell();
    await expect.poll(() => backends("h1"), PATIENCE).toEqual(names);
    expect(await callThird(1)).toBe("h3");
  });
});
