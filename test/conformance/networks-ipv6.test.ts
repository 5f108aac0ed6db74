// IPv6 on user-defined bridges, with the unmodified docker command.
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { until } from "../support/engine.ts";

const SUBNET = "fd42:7::/64";
let agent: TestAgent;

const docker = async (...args: string[]): Promise<string> => {
  const result = await agent.docker(args);
  if (result.exitCode !== 0) throw new Error(`docker ${args.join(" ")}: ${result.stderr}`);
  return result.stdout.trim();
};
/** Starts a container whose web server answers with its name, on both families. */
const serve = (name: string, ...options: string[]): Promise<string> =>
  docker("run", "-d", "--name", name, "--stop-timeout", "0", ...options, "busybox", "sh", "-c", `mkdir /w; echo ${name} > /w/index.html; exec httpd -f -p 80 -h /w`); // prettier-ignore
const fetchText = async (url: string): Promise<string> => {
  const answer = await fetch(url, { headers: { connection: "close" } }).catch(() => undefined);
  return ((await answer?.text()) ?? "").trim();
};
const from = async (container: string, address: string): Promise<string> => {
  const { stdout } = await agent.docker(["exec", "-i", container, "nc", "-w", "1", address, "80"], { input: "GET / HTTP/1.0\r\n\r\n" });
  return stdout.split("\r\n\r\n")[1]?.trim() ?? "";
};
const canReach = async (container: string, address: string): Promise<boolean> =>
  (await agent.docker(["exec", container, "ping", "-6", "-c1", "-W1", address])).exitCode === 0;
const settingOf = (container: string, field: string, network = "six"): Promise<string> =>
  agent.inspect(container, `{{(index .NetworkSettings.Networks "${network}").${field}}}`);

beforeAll(async () => {
  agent = await startTestAgent();
  await docker("network", "create", "--ipv6", "--subnet", "10.242.7.0/24", "--subnet", SUBNET, "six");
  await serve("one", "--network", "six");
  await serve("two", "--network", "six", "--ip6", "fd42:7::ab", "-p", "80");
});
afterAll(() => agent.close());

describe("a network with IPv6", () => {
  test("is shown as Docker shows it", async () => {
    expect(await docker("network", "inspect", "-f", "{{.EnableIPv6}} {{json .IPAM.Config}}", "six")).toBe(
      `true [{"Subnet":"10.242.7.0/24","Gateway":"10.242.7.1"},{"Subnet":"${SUBNET}","Gateway":"fd42:7::1"}]`,
    );
    expect(await docker("network", "inspect", "-f", "{{range .Containers}}{{.IPv6Address}} {{end}}", "six")).toContain("fd42:7::ab/64");
    expect(await settingOf("one", "GlobalIPv6Address")).toBe("fd42:7::2");
    expect(await settingOf("one", "IPv6Gateway")).toBe("fd42:7::1");
    expect(await settingOf("two", "IPAMConfig.IPv6Address")).toBe("fd42:7::ab");
  });

  test("connects its containers, by address and by name", async () => {
    expect(await from("one", "fd42:7::ab")).toBe("two");
    expect(await canReach("two", "fd42:7::2")).toBe(true);
    expect(await docker("exec", "one", "nslookup", "-type=aaaa", "two", "127.0.0.11")).toContain("fd42:7::ab");
    expect(await docker("exec", "one", "cat", "/etc/hosts")).toContain("fd42:7::2\t");
  });

  test("leads out through its gateway, with the host's address", async () => {
    expect(await docker("exec", "one", "ip", "-6", "route", "show", "default")).toContain("default via fd42:7::1 dev eth0");
    expect(await canReach("one", "fd42:7::1")).toBe(true);
  });

  test("publishes on both families", async () => {
    // Older docker commands put no brackets around an address.
    const shown = (await docker("port", "two", "80")).replace(/^:::/m, "[::]:").split("\n");
    const port = shown[0]?.split(":").at(-1) ?? "";
    expect(shown).toEqual([`0.0.0.0:${port}`, `[::]:${port}`]);
    await until("the port answers", async () => (await fetchText(`http://127.0.0.1:${port}/`)) === "two");
    expect(await fetchText(`http://[fd42:7::1]:${port}/`)).toBe("two");
    const own = Object.values(networkInterfaces()).flat().find((each) => each?.family === "IPv6" && !each.internal && each.scopeid === 0 && !each.address.startsWith("fd42")); // prettier-ignore
    if (own !== undefined) expect(await fetchText(`http://[${own.address}]:${port}/`)).toBe("two");
    // A container that calls the host's address reaches itself.
    const hairpin = await agent.docker(["exec", "-i", "two", "nc", "-w", "1", "fd42:7::1", port], { input: "GET / HTTP/1.0\r\n\r\n" });
    expect(hairpin.stdout).toContain("two");
  });

  test("is the same after a restart of the container and of the agent", async () => {
    await docker("restart", "-t", "0", "two");
    expect(await settingOf("two", "GlobalIPv6Address")).toBe("fd42:7::ab");
    await until("it serves again", async () => (await from("one", "fd42:7::ab")) === "two");
    await agent.kill();
    await agent.start();
    expect(await from("one", "fd42:7::ab")).toBe("two");
  });

  test("gives addresses of its range, and none that is another's", async () => {
    const range = ["--ip-range", "fd42:a::100/120", "--aux-address", "printer=fd42:a::103"];
    await docker("network", "create", "--ipv6", "--subnet", "10.242.9.0/24", "--subnet", "fd42:a::/64", ...range, "ranged");
    expect(await docker("network", "inspect", "-f", "{{json (index .IPAM.Config 1)}}", "ranged")).toBe(
      `{"Subnet":"fd42:a::/64","IPRange":"fd42:a::100/120","Gateway":"fd42:a::1","AuxiliaryAddresses":{"printer":"fd42:a::103"}}`,
    );
    const addresses = ["1", "2", "3"].map(() =>
      docker("run", "--rm", "--network", "ranged", "busybox", "ip", "-6", "-o", "addr", "show", "eth0"),
    );
    for (const shown of await Promise.all(addresses)) expect(shown).toMatch(/fd42:a::10[0-24-f]\/64/);
    await docker("network", "rm", "ranged");
  });

  test("is apart from other networks, and joins a running container", async () => {
    await docker("network", "create", "--ipv6", "other");
    expect(await docker("network", "inspect", "-f", "{{(index .IPAM.Config 1).Subnet}}", "other")).toMatch(/^fd[0-9a-f]{2}:.*::\/64$/);
    await serve("three", "--network", "other");
    expect(await canReach("three", "fd42:7::2")).toBe(false);
    await docker("network", "connect", "--ip6", "fd42:7::33", "six", "three");
    expect(await from("one", "fd42:7::33")).toBe("three");
    await docker("network", "disconnect", "six", "three");
    expect(await from("one", "fd42:7::33")).toBe("");
    await docker("rm", "-f", "three");
    await docker("network", "rm", "other");
  });

  test("with ICC off or internal keeps its promises", async () => {
    await docker("network", "create", "--ipv6", "--subnet", "fd42:8::/64", "-o", "com.docker.network.bridge.enable_icc=false", "apart");
    await docker("network", "create", "--ipv6", "--subnet", "fd42:9::/64", "--internal", "inner");
    for (const name of ["apart", "inner"]) for (const nth of ["1", "2"]) await serve(`${name}${nth}`, "--network", name);
    expect(await canReach("apart1", "fd42:8::1")).toBe(true);
    expect(await canReach("apart1", await settingOf("apart2", "GlobalIPv6Address", "apart"))).toBe(false);
    expect(await canReach("inner1", await settingOf("inner2", "GlobalIPv6Address", "inner"))).toBe(true);
    expect(await docker("exec", "inner1", "ip", "-6", "route")).not.toContain("default");
  });
});

test.each([
  [["create", "--ipv6", "--subnet", "fe80::/64", "x"], "unicast"],
  [["create", "--ipv6", "--subnet", "fd42:7::/48", "x"], "Pool overlaps"],
  [["create", "--ipv6", "--subnet", "fd43::/64", "--gateway", "fd44::1", "x"], "no matching subnet"],
  [["connect", "--ip6", "fd42:7::2", "six", "idle"], "Address already in use"],
  [["connect", "--ip6", "fd99::2", "six", "idle"], "does not belong to subnet"],
])("network %j is refused and leaves nothing", async (args, message) => {
  await agent.docker(["run", "-d", "--name", "idle", "--stop-timeout", "0", "busybox", "sleep", "1000"]);
  const { exitCode, stderr } = await agent.docker(["network", ...args]);
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain(message);
  expect(await docker("network", "ls", "-q", "--filter", "name=^x$")).toBe("");
});
