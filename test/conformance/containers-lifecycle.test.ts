// start, stop, restart, kill, pause, rename, wait, rm, ps, inspect, top, stats, update, diff, cp, restart policies, health.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";

let agent: TestAgent;

beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(async () => agent.close());
afterEach(async () => {
  const ids = (await agent.docker(["ps", "-aq"])).stdout.split("\n").filter((id) => id !== "");
  if (ids.length > 0) await agent.docker(["rm", "-f", ...ids]);
});

async function ok(...args: string[]): Promise<string> {
  const result = await agent.docker(args);
  expect(result, `docker ${args.join(" ")}: ${result.stderr}`).toMatchObject({ exitCode: 0 });
  return result.stdout.trim();
}

const sleeper = (name: string, ...options: string[]): Promise<string> =>
  ok("run", "-d", "--name", name, ...options, "busybox", "sleep", "600");

describe("start, stop, restart, kill", () => {
  test("several at once, by name, id and prefix", async () => {
    const a = await sleeper("first");
    await sleeper("second");
    expect(await ok("stop", "-t", "0", "first", "second")).toBe("first\nsecond");
    expect(await agent.inspect("first", "{{.State.Status}} {{.State.ExitCode}}")).toBe("exited 137");
    expect(await ok("start", a.slice(0, 12), "second")).toBe(`${a.slice(0, 12)}\nsecond`);
    expect(await ok("restart", "-t", "0", "first", "second")).toBe("first\nsecond");
    expect(await agent.inspect("second", "{{.State.Running}}")).toBe("true");
  });

  test("stop sends the stop signal first and gives the program its time", async () => {
    await ok(
      "run",
      "-d",
      "--name",
      "polite",
      "--stop-signal",
      "USR1",
      "busybox",
      "sh",
      "-c",
      "trap 'echo bye; exit 3' USR1; while true; do sleep 0.1; done",
    );
    await expect.poll(() => agent.inspect("polite", "{{.State.Running}}")).toBe("true");
    await agent.docker(["exec", "polite", "true"]);
    await ok("stop", "polite");
    expect(await agent.inspect("polite", "{{.State.ExitCode}}")).toBe("3");
    expect(await ok("logs", "polite")).toBe("bye");
  });

  test("kill takes names and numbers; an unknown signal is refused", async () => {
    await sleeper("killed");
    const refused = await agent.docker(["kill", "-s", "NOSUCH", "killed"]);
    expect(refused.stderr).toMatch(/[Ii]nvalid signal: NOSUCH/);
    await ok("kill", "-s", "9", "killed");
    await expect.poll(() => agent.inspect("killed", "{{.State.ExitCode}}")).toBe("137");
    expect((await agent.docker(["kill", "killed"])).stderr).toMatch(/is not running/);
  });

  test("a second start keeps what the first one wrote", async () => {
    await ok("run", "--name", "twice", "busybox", "sh", "-c", "echo x >> /count; wc -l < /count");
    await ok("start", "-a", "twice");
    expect(await ok("logs", "twice")).toBe("1\n2");
  });
});

describe("pause, rename, wait, rm", () => {
  test("pause freezes, unpause goes on", async () => {
    await sleeper("paused");
    await ok("pause", "paused");
    expect(await agent.inspect("paused", "{{.State.Status}} {{.State.Paused}} {{.State.Running}}")).toBe("paused true true");
    expect(await ok("ps", "--filter", "name=paused", "--format", "{{.Status}}")).toMatch(/\(Paused\)$/);
    expect((await agent.docker(["exec", "paused", "true"])).stderr).toMatch(/is paused/);
    await ok("unpause", "paused");
    expect(await ok("exec", "paused", "echo", "thawed")).toBe("thawed");
  });

  test("rename frees the old name", async () => {
    await sleeper("old");
    await ok("rename", "old", "new");
    expect((await agent.docker(["inspect", "old"])).exitCode).toBe(1);
    await sleeper("old");
    const clash = await agent.docker(["rename", "old", "new"]);
    expect(clash.stderr).toContain("is already in use by container");
  });

  test("wait prints the exit code, also of one that has ended", async () => {
    await ok("run", "-d", "--name", "waited", "busybox", "sh", "-c", "sleep 0.3; exit 5");
    expect(await ok("wait", "waited")).toBe("5");
    expect(await ok("wait", "waited")).toBe("5");
  });

  test("rm refuses a running container unless forced; -v takes its anonymous volumes along", async () => {
    await sleeper("removed", "-v", "/anonymous");
    const volume = await agent.inspect("removed", "{{(index .Mounts 0).Name}}");
    expect((await agent.docker(["rm", "removed"])).stderr).toMatch(/cannot remove a running container|container is running/);
    expect(await ok("volume", "ls", "-q")).toContain(volume);
    await ok("rm", "-f", "-v", "removed");
    expect(await ok("volume", "ls", "-q")).not.toContain(volume);
  });

  test("a name in use is refused, naming who has it", async () => {
    const id = await sleeper("taken");
    const result = await agent.docker(["create", "--name", "taken", "busybox"]);
    expect(result.stderr).toContain(`The container name "/taken" is already in use by container "${id}"`);
  });

  test("container prune removes the stopped ones and says how much came free", async () => {
    await sleeper("stays");
    await ok("run", "--name", "goes", "busybox", "sh", "-c", "head -c 100000 /dev/zero > /x");
    const text = await ok("container", "prune", "-f");
    expect(text).toMatch(/Total reclaimed space: 1\d\d(\.\d+)?kB/);
    expect(await ok("ps", "-a", "--format", "{{.Names}}")).toBe("stays");
  });
});

describe("ps and inspect", () => {
  test("ps filters by name, label, status, exit code, ancestor and order", async () => {
    await sleeper("one", "--label", "tier=web");
    await sleeper("two", "--label", "tier=db");
    await agent.docker(["run", "--name", "three", "busybox", "sh", "-c", "exit 4"]);
    const names = async (...filters: string[]): Promise<string[]> =>
      (await ok("ps", "-a", "--format", "{{.Names}}", ...filters.flatMap((filter) => ["--filter", filter])))
        .split("\n")
        .filter((name) => name !== "")
        .sort();
    expect(await names("label=tier")).toEqual(["one", "two"]);
    expect(await names("label=tier=db")).toEqual(["two"]);
    expect(await names("status=exited")).toEqual(["three"]);
    expect(await names("exited=4")).toEqual(["three"]);
    expect(await names("name=^/?t")).toEqual(["three", "two"]);
    expect(await names("ancestor=busybox")).toEqual(["one", "three", "two"]);
    expect(await names("before=two")).toEqual(["one"]);
    expect(await names("since=one")).toEqual(["three", "two"]);
    expect(await names("status=exited", "status=running")).toEqual(["one", "three", "two"]);
    expect((await agent.docker(["ps", "--filter", "nonsense=1"])).stderr).toMatch(/invalid filter 'nonsense'/);
    expect(await ok("ps", "-n", "1", "--format", "{{.Names}}")).toBe("three");
  });

  test("ps -s gives sizes, and the status reads as Docker's", async () => {
    await ok("run", "-d", "--name", "sized", "busybox", "sh", "-c", "head -c 5000 /dev/zero > /x; sleep 600");
    await agent.docker(["exec", "sized", "true"]);
    await expect.poll(() => ok("ps", "-s", "--format", "{{.Size}}")).toMatch(/^\d+(\.\d+)?kB \(virtual /);
    expect(await ok("ps", "--format", "{{.Status}}")).toMatch(/^Up (Less than a second|\d+ seconds?)$/);
    await ok("stop", "-t", "0", "sized");
    expect(await ok("ps", "-a", "--format", "{{.Status}}")).toMatch(/^Exited \(137\) /);
  });

  test("an ambiguous prefix is refused", async () => {
    for (let made = 0; made < 17; made++) await ok("create", "busybox");
    const ids = (await ok("ps", "-aq", "--no-trunc")).split("\n");
    const first = ids.map((id) => id.slice(0, 1)).find((prefix, at, all) => all.indexOf(prefix) !== at);
    expect(first).toBeDefined();
    expect((await agent.docker(["inspect", "--type", "container", first ?? ""])).stderr).toMatch(
      /[Mm]ultiple IDs found with provided prefix/,
    );
  });
});

describe("top, stats, update, diff", () => {
  test("top lists the processes of the container", async () => {
    await sleeper("topped");
    const text = await ok("top", "topped");
    expect(text).toMatch(/^UID\s+PID\s+PPID/);
    expect(text).toContain("sleep 600");
  });

  test("stats of a running container has memory, processes and network", async () => {
    await sleeper("measured");
    const line = await ok("stats", "--no-stream", "--format", "{{.Name}}|{{.MemUsage}}|{{.PIDs}}|{{.NetIO}}", "measured");
    expect(line).toMatch(/^measured\|[\d.]+\w+ \/ [\d.]+\w+\|1\|/);
  });

  test("update changes limits and the restart policy of a running container", async () => {
    await sleeper("updated", "--memory", "64m", "--memory-swap", "64m");
    await ok("update", "--memory", "96m", "--memory-swap", "96m", "--restart", "unless-stopped", "--pids-limit", "44", "updated");
    expect(await agent.inspect("updated", "{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}")).toBe(
      `${96 * 1024 * 1024} unless-stopped`,
    );
    expect(
      await ok(
        "exec",
        "updated",
        "sh",
        "-c",
        "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true",
      ),
    ).toBe(String(96 * 1024 * 1024));
    expect(await ok("exec", "updated", "sh", "-c", "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null || true")).toBe(
      "44",
    );
  });

  test("diff shows what was added, changed and deleted", async () => {
    await ok("run", "--name", "changed", "busybox", "sh", "-c", "mkdir /new; touch /new/file; rm /etc/remove-me; chmod 700 /etc/change-me");
    const lines = (await ok("diff", "changed")).split("\n");
    expect(lines).toEqual(expect.arrayContaining(["A /new", "A /new/file", "D /etc/remove-me", "C /etc/change-me", "C /etc"]));
  });
});

describe("exec", () => {
  test("-e -w -u, exit code, standard input", async () => {
    await sleeper("target");
    expect(await ok("exec", "-e", "A=b", "-w", "/tmp", "-u", "12:34", "target", "sh", "-c", "echo $A $(pwd) $(id -u):$(id -g)")).toBe(
      "b /tmp 12:34",
    );
    expect((await agent.docker(["exec", "target", "sh", "-c", "exit 9"])).exitCode).toBe(9);
    expect((await agent.docker(["exec", "-i", "target", "cat"], { input: "through" })).stdout).toBe("through");
    expect((await agent.docker(["exec", "target", "no-such-program"])).exitCode).toBe(127);
    expect(await agent.docker(["exec", "-d", "target", "touch", "/detached"])).toMatchObject({ exitCode: 0 });
    await expect.poll(async () => (await agent.docker(["exec", "target", "ls", "/detached"])).exitCode).toBe(0);
  });

  test("ending an exec leaves the container running; a stopped container refuses one", async () => {
    await sleeper("ending");
    await ok("exec", "ending", "sh", "-c", "exit 0");
    expect(await agent.inspect("ending", "{{.State.Running}}")).toBe("true");
    await ok("stop", "-t", "0", "ending");
    expect((await agent.docker(["exec", "ending", "true"])).stderr).toMatch(/is not running/);
  });
});

describe("cp", () => {
  test("files and directories go in and out, of running and stopped containers", async () => {
    await sleeper("copied", "-v", "cpvolume:/volume");
    const dir = join(agent.dir, "cp");
    mkdirSync(join(dir, "tree", "sub"), { recursive: true });
    writeFileSync(join(dir, "tree", "sub", "file"), "content");
    await ok("cp", join(dir, "tree"), "copied:/tmp/");
    expect(await ok("exec", "copied", "cat", "/tmp/tree/sub/file")).toBe("content");
    await ok("cp", join(dir, "tree", "sub", "file"), "copied:/volume/renamed");
    await ok("stop", "-t", "0", "copied");
    await ok("cp", "copied:/volume/renamed", join(dir, "back"));
    expect(readFileSync(join(dir, "back"), "utf8")).toBe("content");
    await ok("cp", "copied:/tmp/tree", join(dir, "copy"));
    expect(readFileSync(join(dir, "copy", "sub", "file"), "utf8")).toBe("content");
  });

  test("a missing source and a missing target directory are errors", async () => {
    await sleeper("missing");
    expect((await agent.docker(["cp", "missing:/no/such", agent.dir])).stderr).toMatch(/Could not find the file \/no\/such|no such/i);
    writeFileSync(join(agent.dir, "plain"), "x");
    expect((await agent.docker(["cp", join(agent.dir, "plain"), "missing:/no/such/dir/"])).exitCode).toBe(1);
  });
});

describe("restart policies", () => {
  test("on-failure:2 tries twice more, then stays down", async () => {
    await agent.docker(["run", "-d", "--name", "fails", "--restart", "on-failure:2", "busybox", "sh", "-c", "echo try; exit 1"]);
    await expect.poll(() => agent.inspect("fails", "{{.State.Status}} {{.RestartCount}}")).toBe("exited 2");
    expect(await ok("logs", "fails")).toBe("try\ntry\ntry");
  });

  test("always comes back after a crash, and not after stop", async () => {
    await ok("run", "-d", "--name", "always", "--restart", "always", "busybox", "sleep", "600");
    const pid = await agent.inspect("always", "{{.State.Pid}}");
    process.kill(Number(pid), "SIGKILL");
    await expect.poll(() => agent.inspect("always", "{{.State.Running}} {{.RestartCount}}")).toBe("true 1");
    expect(await agent.inspect("always", "{{.State.Pid}}")).not.toBe(pid);
    await ok("stop", "-t", "0", "always");
    expect(await agent.inspect("always", "{{.State.Status}}")).toBe("exited");
  });
});

describe("health checks", () => {
  test("turns healthy, then unhealthy with the output of the check", async () => {
    await ok(
      "run",
      "-d",
      "--name",
      "checked",
      "--health-cmd",
      "test -e /ok || { echo not there; false; }",
      "--health-interval",
      "200ms",
      "--health-retries",
      "2",
      "busybox",
      "sh",
      "-c",
      "touch /ok; sleep 600",
    );
    await expect.poll(() => agent.inspect("checked", "{{.State.Health.Status}}")).toBe("healthy");
    expect(await ok("ps", "--filter", "health=healthy", "--format", "{{.Names}} {{.Status}}")).toMatch(/^checked Up .* \(healthy\)$/);
    await ok("exec", "checked", "rm", "/ok");
    await expect.poll(() => agent.inspect("checked", "{{.State.Health.Status}}")).toBe("unhealthy");
    expect(await agent.inspect("checked", "{{(index .State.Health.Log 0).Output}}")).toBeDefined();
  });
});
