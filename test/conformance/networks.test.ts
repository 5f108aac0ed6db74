// The Networks section of the manual, with the unmodified docker command: one agent for all of it.
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { runCommand } from "../support/docker.ts";
import { until } from "../support/engine.ts";

let agent: TestAgent;
beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(async () => {
  await agent.close();
});

const docker = async (...args: string[]): Promise<string> => {
  const result = await agent.docker(args);
  if (result.exitCode !== 0) throw new Error(`docker ${args.join(" ")}: ${result.stderr}`);
  return result.stdout.trim();
};
const refused = async (...args: string[]): Promise<string> => {
  const result = await agent.docker(args);
  expect(result.exitCode, args.join(" ")).not.toBe(0);
  return result.stderr.trim();
};
/** Starts a container that sleeps. */
const sleeper = (name: string, ...options: string[]): Promise<string> =>
  docker("run", "-d", "--name", name, "--stop-timeout", "0", ...options, "busybox", "sleep", "1000");
/** Addresses that a container's resolver gives for a name; a name that is not there rejects. */
const lookUp = async (container: string, name: string, type = "a"): Promise<string[]> => {
  const text = await docker("exec", container, "nslookup", `-type=${type}`, name, "127.0.0.11");
  return [...text.slice(text.indexOf("answer")).matchAll(/^Address(?: \d+)?: (\S+)/gm)].map((match) => match[1] ?? "");
};
const addressOf = (container: string, network: string): Promise<string> =>
  agent.inspect(container, `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`);
const canReach = async (container: string, address: string): Promise<boolean> =>
  (await agent.docker(["exec", container, "ping", "-c1", "-W1", address])).exitCode === 0;
/** Its default route; "" without one. */
const wayOut = async (container: string): Promise<string> =>
  /^default .*$/m.exec(await docker("exec", container, "ip", "route"))?.[0].trim() ?? "";
/** Process ids of this agent's resolver. */
const resolvers = (): number[] =>
  readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return argv.includes("flotilla-resolver") && argv.some((word) => word.startsWith(agent.dir));
      } catch {
        return false;
      }
    })
    .map(Number);

describe("names", () => {
  beforeAll(async () => {
    await docker("network", "create", "app");
    await docker("network", "create", "back");
    await sleeper("web", "--network", "app", "--network-alias", "www", "--hostname", "frontend");
    await sleeper("db", "--network", "app");
    await docker("network", "connect", "--alias", "store", "back", "db");
    await sleeper("job", "--network", "back", "--link", "db:linked");
  });
  afterAll(async () => {
    await docker("rm", "-f", "web", "db", "job");
    await docker("network", "rm", "app", "back");
  });

  test("containers find each other by name, alias, short id and hostname", async () => {
    const address = await addressOf("web", "app");
    const id = (await agent.inspect("web", "{{.Id}}")).slice(0, 12);
    for (const name of ["web", "WWW", "frontend", id, "web.app"]) expect(await lookUp("db", name), name).toEqual([address]);
    expect(await docker("exec", "db", "cat", "/etc/resolv.conf")).toMatch(/^nameserver 127\.0\.0\.11\n[^]*ndots:0/);
    expect(await docker("exec", "db", "cat", "/etc/hosts")).not.toContain("web");
    expect(await docker("exec", "db", "ping", "-c1", "-W2", "web")).toContain(address);
  });

  test("the missing family is NODATA, and an address has a name", async () => {
    expect(await lookUp("db", "web", "aaaa")).toEqual([]);
    expect(await docker("exec", "db", "nslookup", await addressOf("web", "app"), "127.0.0.11")).toContain("name = web.app");
  });

  test("a container on two networks finds names of both; others find only those of theirs", async () => {
    expect(await lookUp("db", "job")).toEqual([await addressOf("job", "back")]);
    expect(await lookUp("job", "store")).toEqual([await addressOf("db", "back")]);
    expect(await lookUp("job", "linked")).toEqual([await addressOf("db", "back")]);
    await expect(lookUp("job", "web")).rejects.toThrow();
    await expect(lookUp("db", "linked")).rejects.toThrow();
  });

  test("renaming, disconnecting and connecting change names at once", async () => {
    await docker("rename", "web", "site");
    await expect.poll(() => lookUp("db", "site")).toEqual([await addressOf("site", "app")]);
    await docker("rename", "site", "web");
    await docker("network", "disconnect", "back", "db");
    await expect(lookUp("job", "store")).rejects.toThrow();
    await docker("network", "connect", "--alias", "store", "back", "db");
    expect(await lookUp("job", "store")).toEqual([await addressOf("db", "back")]);
  });

  test("a container of the default bridge gets names when it joins a network that has them", async () => {
    await sleeper("late");
    const before = await docker("exec", "late", "cat", "/etc/resolv.conf");
    expect(before).not.toContain("127.0.0.11");
    await docker("network", "connect", "app", "late");
    expect(await docker("exec", "late", "cat", "/etc/resolv.conf")).toContain("nameserver 127.0.0.11");
    expect(await lookUp("late", "web")).toEqual([await addressOf("web", "app")]);
    await docker("network", "disconnect", "app", "late");
    expect(await docker("exec", "late", "cat", "/etc/resolv.conf")).toBe(before);
    await docker("rm", "-f", "late");
  });

  test("no lookup leaves a tracked connection in the container", async () => {
    for (let count = 0; count < 5; count += 1) await lookUp("db", "web");
    const count = await docker("exec", "db", "cat", "/proc/sys/net/netfilter/nf_conntrack_count");
    expect(count).toBe("0");
  });

  test("names resolve while the agent is dead, and the next one uses the resolver that is there", async () => {
    const [resolver] = resolvers();
    const address = await addressOf("web", "app");
    const namespace = await agent.inspect("db", "{{.NetworkSettings.SandboxKey}}");
    await agent.kill();
    // Nobody can exec now: the lookup is made from the container's namespace.
    const found = await runCommand(["nsenter", `--net=${namespace}`, "busybox", "nslookup", "web", "127.0.0.11"]);
    expect(found.stdout).toContain(address);
    await agent.start();
    expect(resolvers()).toEqual([resolver]);
    expect(await lookUp("db", "web")).toEqual([await addressOf("web", "app")]);
  });

  test("a resolver that is killed is started anew, and containers find it where it was", async () => {
    const [before] = resolvers();
    process.kill(before ?? 0, "SIGKILL");
    await until("there is another resolver", () => resolvers().some((pid) => pid !== before));
    await until("it answers", async () => (await lookUp("db", "web").catch(() => [])).length > 0);
    const [after] = resolvers();
    expect(after).not.toBe(before);
  });
});

describe("networks", () => {
  test("create, ls, inspect, rm and prune", async () => {
    const id = await docker("network", "create", "--driver", "bridge", "--subnet", "10.241.0.0/24", "--gateway", "10.241.0.254", "--ip-range", "10.241.0.128/25", "--aux-address", "router=10.241.0.129", "--label", "tier=front", "--opt", "com.docker.network.driver.mtu=1400", "made"); // prettier-ignore
    await docker("network", "create", "--label", "tier=back", "other");
    expect(await docker("network", "ls", "--no-trunc", "--filter", "label=tier=front", "--format", "{{.ID}} {{.Name}} {{.Driver}} {{.Scope}}")).toBe(`${id} made bridge local`); // prettier-ignore
    expect((await docker("network", "ls", "--filter", "type=custom", "--format", "{{.Name}}")).split("\n").sort()).toEqual([
      "made",
      "other",
    ]);
    expect(
      await docker("network", "inspect", "--format", "{{json .IPAM.Config}} {{json .Options}} {{json .Labels}} {{.Internal}}", "made"),
    ).toBe(
      '[{"Subnet":"10.241.0.0/24","IPRange":"10.241.0.128/25","Gateway":"10.241.0.254","AuxiliaryAddresses":{"router":"10.241.0.129"}}] {"com.docker.network.driver.mtu":"1400"} {"tier":"front"} false',
    );
    await sleeper("one", "--network", "made");
    expect(await addressOf("one", "made")).toBe("10.241.0.128");
    await sleeper("two", "--network", "made", "--ip", "10.241.0.7");
    expect(await addressOf("two", "made")).toBe("10.241.0.7");
    expect(await docker("exec", "one", "cat", "/sys/class/net/eth0/mtu")).toBe("1400");
    expect(await docker("exec", "one", "ip", "route")).toMatch(/^default via 10\.241\.0\.254 dev eth0/);
    expect(await refused("network", "rm", "made")).toContain("has active endpoints");
    expect(await docker("network", "inspect", "--format", "{{range .Containers}}{{.Name}} {{.IPv4Address}} {{end}}", "made")).toContain(
      "two 10.241.0.7/24",
    );
    await docker("rm", "-f", "one", "two");
    expect(await docker("network", "prune", "-f", "--filter", "label=tier=front")).toContain("made");
    expect(await docker("network", "prune", "-f", "--filter", "until=1h")).not.toContain("other");
    expect(await docker("network", "rm", "other")).toBe("other");
  });

  test.each([
    [["--subnet", "10.241.0.0/33", "x"], "invalid subnet"],
    [["--subnet", "10.241.0.0/24", "--gateway", "10.242.0.1", "x"], "no matching subnet"],
    [["--gateway", "10.241.0.1", "x"], "must have a corresponding subnet"],
    [["--subnet", "10.241.0.0/24", "--aux-address", "a=10.242.0.1", "x"], "no matching subnet"],
    [["--opt", "com.docker.network.bridge.enable_icc=perhaps", "x"], "invalid value"],
    [["--opt", "com.docker.network.bridge.name=eth0", "x"], "not supported"],
    [["--driver", "nosuch", "x"], "plugin"],
    [["bridge"], "predefined bridge network"],
  ])("create %j is refused and leaves nothing", async (args, message) => {
    expect(await refused("network", "create", ...args)).toContain(message);
    expect(await docker("network", "ls", "-q", "--filter", "type=custom")).toBe("");
  });

  test("connect and disconnect a running container: address, default route, published port", async () => {
    await docker("network", "create", "--subnet", "10.241.1.0/24", "aaa");
    await sleeper("web", "-p", "127.0.0.1::80");
    await docker("exec", "-d", "web", "httpd", "-f", "-p", "80", "-h", "/etc");
    const port = (await docker("port", "web", "80/tcp")).split(":")[1] ?? "";
    const answers = async (): Promise<boolean> => {
      const answer = await fetch(`http://127.0.0.1:${port}/hosts`, { headers: { connection: "close" } }).catch(() => undefined);
      return (await answer?.text())?.includes("localhost") ?? false;
    };
    const first = await wayOut("web");
    await until("the port answers", answers);
    await docker("network", "connect", "--ip", "10.241.1.9", "aaa", "web");
    expect(await addressOf("web", "aaa")).toBe("10.241.1.9");
    expect(await wayOut("web")).toBe("default via 10.241.1.1 dev eth1");
    expect(await answers()).toBe(true);
    expect(await refused("network", "connect", "aaa", "web")).toContain("already exists in network aaa");
    await docker("restart", "-t", "0", "web");
    expect(await addressOf("web", "aaa")).toBe("10.241.1.9");
    await docker("network", "disconnect", "aaa", "web");
    expect(await wayOut("web")).toBe(first);
    expect(await refused("network", "disconnect", "aaa", "web")).toContain("is not connected to");
    await docker("rm", "-f", "web");
    await docker("network", "rm", "aaa");
  });

  test("an internal network has no way out and no lookups outside; its members talk", async () => {
    await docker("network", "create", "--internal", "--subnet", "10.241.2.0/24", "inner");
    await sleeper("in1", "--network", "inner");
    await sleeper("in2", "--network", "inner");
    expect(await wayOut("in1")).toBe("");
    expect(await canReach("in1", "in2")).toBe(true);
    const outside = await agent.docker(["exec", "in1", "nslookup", "example.org", "127.0.0.11"]);
    expect(outside.stdout + outside.stderr).toContain("SERVFAIL");
    await docker("rm", "-f", "in1", "in2");
    await docker("network", "rm", "inner");
  });

  test("with ICC off containers reach their gateway and not each other", async () => {
    await docker("network", "create", "--subnet", "10.241.3.0/24", "-o", "com.docker.network.bridge.enable_icc=false", "apart");
    await sleeper("a1", "--network", "apart");
    await sleeper("a2", "--network", "apart");
    expect(await canReach("a1", "10.241.3.1")).toBe(true);
    expect(await canReach("a1", await addressOf("a2", "apart"))).toBe(false);
    expect(await lookUp("a1", "a2")).toEqual([await addressOf("a2", "apart")]);
    await docker("rm", "-f", "a1", "a2");
    await docker("network", "rm", "apart");
  });

  test("networks are apart from each other", async () => {
    await docker("network", "create", "--subnet", "10.241.4.0/24", "left");
    await docker("network", "create", "--subnet", "10.241.5.0/24", "right");
    await sleeper("le", "--network", "left");
    await sleeper("ri", "--network", "right");
    expect(await canReach("le", await addressOf("ri", "right"))).toBe(false);
    await docker("network", "connect", "right", "le");
    expect(await canReach("le", "ri")).toBe(true);
    await docker("rm", "-f", "le", "ri");
    await docker("network", "rm", "left", "right");
  });

  test("links on the default bridge: hosts lines and variables, told again when the target starts anew", async () => {
    await sleeper("db", "--expose", "5432", "-e", "ROLE=main");
    await sleeper("app", "--link", "db:store");
    const env = await docker("exec", "app", "cat", "/proc/1/environ");
    const address = await addressOf("db", "bridge");
    for (const entry of [
      `STORE_PORT=tcp://${address}:5432`,
      `STORE_PORT_5432_TCP_ADDR=${address}`,
      "STORE_NAME=/app/store",
      "STORE_ENV_ROLE=main",
    ]) {
      expect(env).toContain(entry);
    }
    const short = (await agent.inspect("db", "{{.Id}}")).slice(0, 12);
    expect(await docker("exec", "app", "cat", "/etc/hosts")).toContain(`${address}\tstore ${short} db\n`);
    expect(await agent.inspect("app", "{{json .HostConfig.Links}}")).toBe('["/db:/app/store"]');
    await docker("stop", "-t", "0", "db");
    await sleeper("squatter");
    await docker("start", "db");
    expect(await docker("exec", "app", "cat", "/etc/hosts")).toContain(`${await addressOf("db", "bridge")}\tstore ${short} db\n`);
    await docker("stop", "-t", "0", "db", "app");
    expect(await refused("start", "app")).toContain("Cannot link to a non running container: /db AS /app/store");
    expect(await refused("create", "--link", "nosuch:x", "busybox")).toContain("No such container: nosuch");
    await docker("rm", "-f", "db", "app", "squatter");
  });

  test.each(["host", "none", "container:base"])("--network %s cannot be connected to others", async (mode) => {
    await sleeper("base");
    await docker("network", "create", "more");
    await sleeper("fixed", "--network", mode);
    expect(await refused("network", "connect", "more", "fixed")).not.toBe("");
    await docker("rm", "-f", "fixed", "base");
    await docker("network", "rm", "more");
  });
});
