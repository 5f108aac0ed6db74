import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Lab } from "../lab/lab.ts";
import { makeBusyboxTar } from "../support/busybox-image.ts";
import { testRolePages } from "./role-pages.ts";

// Three hosts, a real control plane, the unmodified docker command on each.
const directory = mkdtempSync(join(tmpdir(), "flotilla-cluster-"));
const HOSTS = ["h1", "h2", "h3"] as const;
/** In the network that is made first, and in the block of no host. */
const FIXED = "10.64.9.9";
let lab: Lab;
let tar: string;

const ok = async (result: Promise<{ exitCode: number; stdout: string; stderr: string }>): Promise<string> => {
  const { exitCode, stdout, stderr } = await result;
  expect(exitCode, stderr).toBe(0);
  return stdout.trim();
};
const docker = (host: string, ...argv: string[]): Promise<string> => ok(lab.docker(host, argv));
const run = (host: string, name: string, network: string): Promise<string> =>
  docker(host, "run", "-d", "--name", name, "--network", network, "busybox", "sleep", "600");
const addressOf = (host: string, container: string): Promise<string> =>
  docker(host, "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container);
const networksOf = (host: string): Promise<string> =>
  docker(host, "network", "ls", "--filter", "driver=overlay", "--format", "{{.Name}} {{.Driver}} {{.Scope}}");

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("the condition did not come true within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

beforeAll(async () => {
  lab = await Lab.up(`c${process.pid}`, { hostCount: HOSTS.length, hasDashboard: true });
  tar = await makeBusyboxTar(directory);
  for (const host of HOSTS) await docker(host, "import", "--change", 'CMD ["sh"]', tar, "busybox:latest");
});
afterAll(async () => {
  await lab.down();
  rmSync(directory, { recursive: true, force: true });
});

describe("an overlay network that one host's docker makes", () => {
  test("is there when the command returns, and on every other host", async () => {
    const id = await docker("h1", "network", "create", "-d", "overlay", "--attachable", "--label", "tier=web", "web");
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await networksOf("h1")).toBe("web overlay swarm");
    for (const host of HOSTS) await eventually(async () => (await networksOf(host)) === "web overlay swarm");
    expect(await docker("h3", "network", "inspect", "--format", "{{.Id}} {{(index .IPAM.Config 0).Subnet}} {{.Labels.tier}}", "web")).toBe(
      `${id} 10.64.0.0/20 web`,
    );
  });

  test("joins containers of different hosts", async () => {
    await run("h1", "first", "web");
    await run("h3", "second", "web");
    const [a, b] = [await addressOf("h1", "first"), await addressOf("h3", "second")];
    expect(a).not.toBe(b);
    await eventually(async () => (await lab.docker("h1", ["exec", "first", "ping", "-c", "1", "-W", "1", b])).exitCode === 0);
    expect(await docker("h3", "exec", "second", "ping", "-c", "20", "-i", "0.05", "-W", "1", a)).toContain("20 packets received");
  });

  test("gives --ip an address that is in nobody's block, to one host", async () => {
    const fixed = ["run", "-d", "--name", "fixed", "--network", "web", "--ip", FIXED, "busybox", "sleep", "3600"];
    await docker("h2", ...fixed);
    expect(await addressOf("h2", "fixed")).toBe(FIXED);
    await eventually(async () => (await lab.docker("h1", ["exec", "first", "ping", "-c", "1", "-W", "1", FIXED])).exitCode === 0);
    const { exitCode, stderr } = await lab.docker("h3", fixed);
    expect([exitCode, stderr]).toEqual([125, expect.stringContaining("Address already in use")]);
    await docker("h3", "rm", "fixed");
  });

  test("has one name on all hosts, and is not removed while a host uses it", async () => {
    const taken = await lab.docker("h2", ["network", "create", "-d", "overlay", "web"]);
    expect(taken.stderr).toContain("network with name web already exists");
    await eventually(async () => (await lab.docker("h2", ["network", "rm", "web"])).stderr.includes("has active endpoints"));
  });

  test("two networks of one subnet do not see each other", async () => {
    await docker("h1", "network", "create", "-d", "overlay", "--subnet", "10.64.0.0/20", "twin");
    await eventually(async () => (await networksOf("h2")).includes("twin"));
    await run("h2", "third", "twin");
    const b = await addressOf("h3", "second");
    expect((await lab.docker("h2", ["exec", "third", "ping", "-c", "1", "-W", "1", b])).exitCode).not.toBe(0);
    await docker("h2", "rm", "-f", "third");
    await eventually(async () => (await lab.docker("h3", ["network", "rm", "twin"])).exitCode === 0);
  });

  test("--opt encrypted: containers talk through a tunnel, which goes with the network", async () => {
    await docker("h1", "network", "create", "-d", "overlay", "--opt", "encrypted", "secret");
    await eventually(async () => (await networksOf("h2")).includes("secret"));
    await run("h1", "alice", "secret");
    await run("h2", "bob", "secret");
    const bob = await addressOf("h2", "bob");
    await eventually(async () => (await lab.docker("h1", ["exec", "alice", "ping", "-c", "1", "-W", "1", bob])).exitCode === 0);
    expect(await docker("h1", "exec", "alice", "cat", "/sys/class/net/eth0/mtu")).toBe("1370");
    expect(await ok(lab.exec("h1", ["wg", "show", "all", "endpoints"]))).toContain(`${lab.address("h2")}:51871`);
    expect(await ok(lab.exec("h1", ["nft", "list", "ruleset"]))).toMatch(/oifname != "fw[0-9a-f]{6}-\*" drop/);
    await docker("h1", "rm", "-f", "alice");
    await docker("h2", "rm", "-f", "bob");
    await eventually(async () => (await lab.docker("h1", ["network", "rm", "secret"])).exitCode === 0);
    for (const host of HOSTS) await eventually(async () => !/^fw/m.test((await lab.exec(host, ["ip", "-br", "link"])).stdout));
  });

  test("refuses what cannot be, in words", async () => {
    const refused = await lab.docker("h2", ["network", "create", "-d", "overlay", "--subnet", "127.0.0.0/16", "bad"]);
    expect(refused.stderr).toContain("invalid subnet 127.0.0.0/16");
    expect(await networksOf("h2")).toBe("web overlay swarm");
  });
});

testRolePages(() => ({ lab, tar }));

describe("with the control plane away", () => {
  beforeAll(async () => {
    await lab.powerOff("control");
  });

  test("a new container still gets an address and is reached", async () => {
    await run("h2", "late", "web");
    const late = await addressOf("h2", "late");
    await eventually(async () => (await lab.docker("h1", ["exec", "first", "ping", "-c", "1", "-W", "1", late])).exitCode === 0);
  });

  test("a container with an address of nobody's block starts again with it", async () => {
    await docker("h2", "restart", "-t", "0", "fixed");
    expect(await addressOf("h2", "fixed")).toBe(FIXED);
    await eventually(async () => (await lab.docker("h1", ["exec", "first", "ping", "-c", "1", "-W", "1", FIXED])).exitCode === 0);
  });

  test("a new network is refused with a reason, and the old one stays", async () => {
    const { stderr } = await lab.docker("h1", ["network", "create", "-d", "overlay", "later"]);
    expect(stderr).toMatch(/not connected to its control plane|control plane did not answer within/);
    expect(await networksOf("h1")).toBe("web overlay swarm");
  });
});
