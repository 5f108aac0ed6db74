// Overlay networks as users have them: real agents of a lab, driven by desired state, with the docker command.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleNetwork, sampleService, type SharedNetworkState } from "@flotilla/protocol/sample-network";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Lab } from "../lab/lab.ts";
import { until } from "../support/linked-agent.ts";
import { makeBusyboxTar } from "../support/busybox-image.ts";

const NAME = `ov${process.pid}`;
const PROBE = join(import.meta.dirname, "overlay-probe.ts");
const NUMBERS = { h1: 1, h2: 2 };
const VIP = "10.60.0.2";
const directory = mkdtempSync(join(tmpdir(), "flotilla-ova-"));
let lab: Lab;

/** Of hosts h1 and h2. */
const network = (change: Partial<SharedNetworkState> = {}): SharedNetworkState =>
  sampleNetwork(2, {
    id: "0a".repeat(32),
    name: "ov",
    vni: 5001,
    subnet: "10.60.0.0/24",
    gateway: "10.60.0.1",
    subnet6: "fd60::/64",
    createdAtMs: 1_700_000_000_000,
    hosts: [1, 2].map((number) => ({ number, underlay: lab.address(`h${number}`), tunnels: [] })),
    blocks: [1, 2].map((host) => ({ host, cidr: `10.60.0.${host * 16}/28` })),
    ...change,
  });

const twin = (): SharedNetworkState => network({ id: "0b".repeat(32), name: "twin", vni: 5002 });
const closed = (): SharedNetworkState => network({ id: "0c".repeat(32), name: "closed", vni: 5003, subnet: "10.61.0.0/24", gateway: "10.61.0.1", subnet6: null, isInternal: true, blocks: [1, 2].map((host) => ({ host, cidr: `10.61.0.${host * 16}/28` })) }); // prettier-ignore

const ok = async (result: Promise<{ exitCode: number; stdout: string; stderr: string }>): Promise<string> => {
  const { exitCode, stdout, stderr } = await result;
  expect(exitCode, stderr).toBe(0);
  return stdout.trim();
};
const docker = (host: string, ...args: string[]): Promise<string> => ok(lab.docker(host, args));
const start = (host: string, name: string, ...args: string[]): Promise<string> =>
  docker(
    host,
    "run",
    "-d",
    "--name",
    name,
    ...args,
    "busybox",
    "sh",
    "-c",
    `mkdir /w; echo ${name} > /w/index.html; exec httpd -f -p 80 -h /w`,
  );
const addressOf = (host: string, name: string, on = "ov"): Promise<string> =>
  docker(host, "inspect", "-f", `{{(index .NetworkSettings.Networks "${on}").IPAddress}}`, name);
/** What a web server answers, "" for nothing. The wget of a static busybox crashes when it is given a time limit. */
const body = (answer: { stdout: string }): string => answer.stdout.split("\r\n\r\n")[1]?.trim() ?? "";
const request = (path: string) => ({ input: `GET ${path} HTTP/1.0\r\n\r\n` });
const fetchFrom = async (host: string, name: string, address: string): Promise<string> =>
  body(await lab.docker(host, ["exec", "-i", name, "nc", "-w", "1", address, "80"], request("/")));
const fetchFromNode = async (node: string, url: { address: string; port: number; path?: string; count?: number }): Promise<string[]> => {
  const { address, port, path = "/", count = 1 } = url;
  return (await ok(lab.exec(node, [process.execPath, PROBE, "get", address, String(port), path, String(count)]))).split("\n");
};
const untilKnown = (host: string, name: string): Promise<void> =>
  until(async () => (await lab.docker(host, ["network", "ls", "--format", "{{.Name}}"])).stdout.split("\n").includes(name));

beforeAll(async () => {
  lab = await Lab.up(NAME, { hostCount: 2 });
  const tar = await makeBusyboxTar(directory);
  await Promise.all(lab.hosts.map((host) => docker(host, "import", "--change", 'CMD ["sh"]', tar, "busybox:latest")));
  lab.setNetworks({ numbers: NUMBERS, networks: [network(), twin(), closed()] });
  await Promise.all(lab.hosts.flatMap((host) => ["ov", "twin", "closed"].map((name) => untilKnown(host, name))));
  await start("h1", "alpha", "--network", "ov", "--network-alias", "web");
  await start("h2", "beta", "--network", "ov");
});

afterAll(async () => {
  await lab.down();
  rmSync(directory, { recursive: true, force: true });
});

test("docker shows the network as one of several hosts", async () => {
  expect(await docker("h1", "network", "ls", "--filter", "driver=overlay", "--format", "{{.Name}} {{.Driver}} {{.Scope}}")).toBe(
    "closed overlay swarm\nov overlay swarm\ntwin overlay swarm",
  );
  expect(await docker("h2", "network", "inspect", "-f", "{{.Id}} {{(index .IPAM.Config 0).Subnet}} {{.Attachable}}", "ov")).toBe(
    `${"0a".repeat(32)} 10.60.0.0/24 true`,
  );
});

test("containers get addresses of their host's block and reach each other across hosts, with both families", async () => {
  expect([await addressOf("h1", "alpha"), await addressOf("h2", "beta")]).toEqual(["10.60.0.17", "10.60.0.33"]);
  expect(await fetchFrom("h1", "alpha", "10.60.0.33")).toBe("beta");
  expect(await fetchFrom("h2", "beta", "10.60.0.17")).toBe("alpha");
  expect(await fetchFrom("h1", "alpha", "fd60::a3c:21")).toBe("beta");
  expect(await docker("h1", "exec", "alpha", "cat", "/sys/class/net/eth0/mtu")).toBe("1450");
});

test("--ip takes this host's own addresses and says why it takes no others", async () => {
  await start("h1", "pinned", "--network", "ov", "--ip", "10.60.0.25");
  expect(await fetchFrom("h2", "beta", "10.60.0.25")).toBe("pinned");
  const refused = async (address: string): Promise<string> => (await lab.docker("h1", ["run", "--rm", "--network", "ov", "--ip", address, "busybox", "true"])).stderr; // prettier-ignore
  expect(await refused("10.60.0.25")).toContain("Address already in use");
  expect(await refused("10.60.0.40")).toContain("another host gives it out");
  expect(await refused("10.99.0.1")).toContain("does not belong to subnet 10.60.0.0/24");
});

describe("several networks", () => {
  test("3, 4: with one subnet and equal addresses never mix", async () => {
    await start("h2", "twin-b", "--network", "twin", "--ip", "10.60.0.33");
    await start("h1", "twin-a", "--network", "twin");
    expect(await fetchFrom("h1", "twin-a", "10.60.0.33")).toBe("twin-b");
    expect(await fetchFrom("h1", "alpha", "10.60.0.33")).toBe("beta");
  });

  test("4: a container on a bridge, an overlay and an internal overlay reaches all of them", async () => {
    await start("h1", "many");
    await docker("h1", "network", "connect", "ov", "many");
    await docker("h1", "network", "connect", "closed", "many");
    await start("h2", "inner", "--network", "closed");
    const inner = await addressOf("h2", "inner", "closed");
    expect(await fetchFrom("h1", "many", "10.60.0.33")).toBe("beta");
    expect(await fetchFrom("h1", "many", inner)).toBe("inner");
    expect(await fetchFrom("h2", "beta", await addressOf("h1", "many"))).toBe("many");
    expect(await fetchFrom("h2", "beta", inner)).toBe("");
    await docker("h1", "network", "disconnect", "ov", "many");
    expect(await fetchFrom("h1", "many", "10.60.0.33")).toBe("");
    expect(await fetchFrom("h1", "many", inner)).toBe("inner");
  });
});

test("a port published by a container on an overlay works from outside, and keeps the caller's address", async () => {
  const command = "mkdir /w; echo published > /w/index.html; exec httpd -f -vv -p 80 -h /w";
  await docker("h1", "run", "-d", "--name", "published", "--network", "ov", "-p", "8088:80", "busybox", "sh", "-c", command);
  const from = (node: string, address: string): Promise<string[]> => fetchFromNode(node, { address, port: 8088 });
  await expect.poll(() => from("h2", lab.address("h1"))).toEqual(["published"]);
  expect(await from("h1", "127.0.0.1")).toEqual(["published"]);
  const { stderr } = await lab.docker("h1", ["logs", "published"]);
  expect(stderr).toContain(lab.address("h2"));
});

test("5, 7: a service is one address inside and one port on every host", async () => {
  const service = sampleService({
    networkId: network().id,
    addresses: [VIP],
    ports: [{ protocol: "tcp", port: 80, targetPort: 80, publishedPort: 8090 }],
    backends: ["10.60.0.17", "10.60.0.33"].map((address) => ({ address, weight: 1 })),
  });
  lab.setNetworks({ numbers: NUMBERS, networks: [network(), twin(), closed()], services: [service] });
  await expect.poll(() => fetchFrom("h1", "pinned", VIP)).toMatch(/^(alpha|beta)$/);
  for (const host of lab.hosts) {
    const answers = new Set(await fetchFromNode("control", { address: lab.address(host), port: 8090, count: 40 }));
    expect([...answers].sort(), host).toEqual(["alpha", "beta"]);
  }
  lab.setNetworks({ numbers: NUMBERS, networks: [network(), twin(), closed()] });
});

test("what is wrong with a network is told, and the others go on", async () => {
  const wrong = network({ id: "0d".repeat(32), name: "wide", vni: 5004, mtuBytes: 9000, subnet: "10.62.0.0/24", gateway: "10.62.0.1", blocks: [{ host: 1, cidr: "10.62.0.16/28" }] }); // prettier-ignore
  lab.setNetworks({ numbers: NUMBERS, networks: [network(), twin(), closed(), wrong] });
  await untilKnown("h1", "wide");
  const { stderr } = await lab.docker("h1", ["run", "--rm", "--network", "wide", "busybox", "true"]);
  expect(stderr).toContain("MTU 9000 needs packets of 9050 bytes, eth0 carries 1500");
  expect(await fetchFrom("h1", "alpha", "10.60.0.33")).toBe("beta");
});

test("a network that is to go waits for its containers, then goes without trace", async () => {
  lab.setNetworks({ numbers: NUMBERS, networks: [network(), closed()] });
  await expect.poll(async () => (await lab.docker("h1", ["network", "ls", "--format", "{{.Name}}"])).stdout).not.toContain("wide"); // prettier-ignore
  expect(await docker("h1", "network", "ls", "--format", "{{.Name}}")).toContain("twin");
  await docker("h1", "rm", "-f", "twin-a");
  await expect.poll(async () => (await lab.docker("h1", ["network", "ls", "--format", "{{.Name}}"])).stdout).not.toContain("twin"); // prettier-ignore
  const path = join(lab.environmentOf("h1")["FLOTILLA_RUN"] ?? "", "overlay");
  expect((await ok(lab.exec("h1", ["ls", path]))).split("\n")).not.toContain("5002");
});

test("8, 9: with agents killed and the control plane off, traffic goes on and new containers start", async () => {
  const inA = await docker("h1", "inspect", "-f", "{{.State.Pid}}", "alpha");
  await lab.powerOff("control");
  await Promise.all(lab.hosts.map((host) => lab.killAgent(host)));
  const ping = ["nsenter", `--target=${inA}`, "--net", "ping", "-q", "-i", "0.01", "-c", "300", "-W", "1", "10.60.0.33"] as const;
  const pinging = lab.exec("h1", [...ping]);
  await Promise.all(lab.hosts.map((host) => lab.startAgent(host)));
  const report = (await pinging).stdout;
  process.stdout.write(`[overlay 8, 9] agents killed and started anew: ${/\d+ packets.*loss/.exec(report)?.[0] ?? report}\n`);
  expect(report).toContain(" 0% packet loss");
  await start("h2", "late", "--network", "ov");
  expect(await fetchFrom("h1", "alpha", await addressOf("h2", "late"))).toBe("late");
  await docker("h1", "restart", "-t", "0", "alpha");
  expect(await addressOf("h1", "alpha")).toBe("10.60.0.17");
});

test("28: a router's device deleted and all tables flushed are put right", async () => {
  const path = join(lab.environmentOf("h1")["FLOTILLA_RUN"] ?? "", "overlay", "5001");
  await ok(lab.exec("h1", ["nsenter", `--net=${path}`, "ip", "link", "delete", "vx0"]));
  await ok(lab.exec("h1", ["nsenter", `--net=${path}`, "nft", "flush", "ruleset"]));
  await ok(lab.exec("h1", ["nft", "flush", "ruleset"]));
  const startedAt = performance.now();
  await expect.poll(() => fetchFrom("h1", "alpha", "10.60.0.33"), { interval: 100 }).toBe("beta");
  await expect.poll(async () => (await lab.exec("h1", ["nft", "list", "tables"])).stdout).toMatch(/_underlay/);
  const seconds = (performance.now() - startedAt) / 1000;
  process.stdout.write(`[overlay 28] put right after ${seconds.toFixed(1)} s\n`);
});

test("a reboot with the control plane off brings network and containers back", async () => {
  await docker("h2", "run", "-d", "--name", "phoenix", "--restart", "always", "--network", "ov", "--ip", "10.60.0.45", "busybox", "sh", "-c", "mkdir /w; echo phoenix > /w/index.html; exec httpd -f -p 80 -h /w"); // prettier-ignore
  await lab.reboot("h2");
  await expect.poll(() => fetchFrom("h1", "alpha", "10.60.0.45")).toBe("phoenix");
});
