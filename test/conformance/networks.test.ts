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
