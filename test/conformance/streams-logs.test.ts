// docker logs, events and wait, by the unmodified docker command, and stats by the API.
import { request } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { type LiveCommand, liveDocker } from "../support/live-command.ts";

let agent: TestAgent;

beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(async () => agent.close());
afterEach(async () => {
  const ids = (await agent.docker(["ps", "-aq"])).stdout.split("\n").filter((id) => id !== "");
  if (ids.length > 0) await agent.docker(["rm", "-f", ...ids]);
});

const numbers = (from: number, to: number): string => Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join("");
const logs = async (...args: string[]) => (await agent.docker(["logs", ...args])).stdout;
const script = (name: string, text: string) => agent.docker(["run", "--name", name, "busybox", "sh", "-c", text]);
/** An engine says nothing of who listens: something is done again until it is told of. */
const untilListening = (events: LiveCommand): Promise<void> =>
  expect
    .poll(async () => {
      await agent.docker(["volume", "create", "heard"]);
      await agent.docker(["volume", "rm", "heard"]);
      return events.text();
    })
    .toContain("volume create");

describe("docker logs", () => {
  test("gives both streams apart, also of a container that has ended", async () => {
    await script("both", "seq 1 3; echo err >&2");
    expect(await agent.docker(["logs", "both"])).toEqual({ exitCode: 0, stdout: "1\n2\n3\n", stderr: "err\n" });
  });

  test("of 100000 lines loses none, and --tail finds the last", async () => {
    await agent.docker(["run", "-d", "--name", "long", "busybox", "seq", "1", "100000"]);
    await agent.docker(["wait", "long"]);
    expect((await logs("long")) === numbers(1, 100_000)).toBe(true);
    expect(await logs("--tail", "3", "long")).toBe(numbers(99_998, 100_000));
    expect(await logs("--tail", "0", "long")).toBe("");
    expect((await logs("--tail", "200000", "long")).length).toBe(numbers(1, 100_000).length);
  });

  test("keeps lines longer than any buffer, and a last line without an end", async () => {
    await script("wide", "head -c 100000 /dev/zero | tr '\\0' y; echo; printf unended");
    expect((await logs("wide")) === `${"y".repeat(100_000)}\nunended`).toBe(true);
    expect(await logs("--tail", "1", "wide")).toBe("unended");
  });

  test("-t puts Docker's time before each line; --since and --until choose by it", async () => {
    await script("timed", "echo first; sleep 1.2; echo second; sleep 1.2; echo third");
    const stamped = (await logs("-t", "timed")).trim().split("\n");
    expect(stamped.map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /, ""))).toEqual(["first", "second", "third"]);
    const second = (stamped[1] ?? "").split(" ")[0] ?? "";
    expect(await logs("--since", second, "timed")).toBe("second\nthird\n");
    expect(await logs("--until", second, "timed")).toBe("first\nsecond\n");
    expect(await logs("--since", second, "--until", second, "timed")).toBe("second\n");
    expect(await logs("--since", "1h", "timed")).toBe("first\nsecond\nthird\n");
  });

  test("-f gives what comes, over a stop of nobody but the container", async () => {
    await agent.docker(["run", "-d", "--name", "flow", "busybox", "sh", "-c", "for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done"]);
    const follower = liveDocker(agent.host, ["logs", "-f", "flow"]);
    await follower.until(/^1\n2\n/);
    expect(await follower.exited).toBe(0);
    expect(follower.text()).toBe(numbers(1, 6));
  });

  test("-f follows over restarts by policy", async () => {
    await agent.docker(["run", "-d", "--name", "again", "--restart", "on-failure:2", "busybox", "sh", "-c", "echo up; sleep 0.3; exit 1"]);
    const follower = liveDocker(agent.host, ["logs", "-f", "again"]);
    expect(await follower.exited).toBe(0);
    expect(follower.text()).toBe("up\nup\nup\n");
  });

  test("ten followers of a flood all get all of it", async () => {
    await agent.docker(["run", "-d", "--name", "flood", "busybox", "sh", "-c", "sleep 1; seq 1 50000"]);
    const followers = Array.from({ length: 10 }, () => liveDocker(agent.host, ["logs", "-f", "flood"]));
    await Promise.all(followers.map((follower) => follower.exited));
    const whole = numbers(1, 50_000);
    expect(followers.map((follower) => follower.text() === whole)).toEqual(Array.from({ length: 10 }, () => true));
  });

  test("of a terminal are raw", async () => {
    await agent.docker(["run", "-t", "--name", "tty", "busybox", "sh", "-c", "echo one; echo two >&2"]);
    expect(await agent.docker(["logs", "tty"])).toEqual({ exitCode: 0, stdout: "one\r\ntwo\r\n", stderr: "" });
  });

  test("--details shows the labels and variables that were asked for", async () => {
    await agent.docker([
      "run", "--name", "detailed", "--label", "team=a b", "-e", "STAGE=test", "--log-opt", "labels=team", "--log-opt", "env=STAGE", "busybox", "echo", "x",
    ]); // prettier-ignore
    expect(await logs("--details", "detailed")).toBe("STAGE=test,team=a+b x\n");
  });

  test("max-size and max-file keep the newest, and no line is lost while they are read", async () => {
    await agent.docker([
      "run", "-d", "--name", "rotated", "--log-opt", "max-size=200k", "--log-opt", "max-file=3", "busybox",
      "sh", "-c", "for i in $(seq 1 60); do seq $((i*1000)) $((i*1000+999)); sleep 0.05; done",
    ]); // prettier-ignore
    const follower = liveDocker(agent.host, ["logs", "-f", "rotated"]);
    expect(await follower.exited).toBe(0);
    expect(follower.text() === numbers(1000, 60_999)).toBe(true);
    const kept = await logs("rotated");
    expect(kept.length).toBeLessThan(follower.text().length);
    expect(follower.text().endsWith(kept)).toBe(true);
  });
});

describe("docker wait", () => {
  test("gives the code of the end that comes, for several waiters", async () => {
    await agent.docker(["run", "-d", "--name", "ends", "busybox", "sh", "-c", "sleep 0.5; exit 6"]);
    const codes = await Promise.all([1, 2, 3].map(async () => (await agent.docker(["wait", "ends"])).stdout));
    expect(codes).toEqual(["6\n", "6\n", "6\n"]);
    expect((await agent.docker(["wait", "ends"])).stdout).toBe("6\n");
  });
});

describe("docker events", () => {
  test("tells the story of run --rm in Docker's order", async () => {
    const since = `${Date.now() / 1000}`;
    await agent.docker(["run", "--rm", "--name", "story", "--label", "l=1", "busybox", "sh", "-c", "exit 3"]);
    const { stdout } = await agent.docker([
      "events", "--since", since, "--until", `${Date.now() / 1000 + 0.5}`, "--format", '{{.Type}} {{.Action}} {{index .Actor.Attributes "name"}} {{index .Actor.Attributes "exitCode"}}',
    ]); // prettier-ignore
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.trim()),
    ).toEqual([
      "container create story",
      "container attach story",
      "network connect bridge",
      "container start story",
      "container die story 3",
      "network disconnect bridge",
      "container destroy story",
    ]);
  });

  test("filters by container, event and label", async () => {
    const since = `${Date.now() / 1000}`;
    await script("one", "true");
    await agent.docker(["run", "--name", "two", "--label", "keep=yes", "busybox", "true"]);
    const until = `${Date.now() / 1000 + 0.3}`;
    const events = async (...filters: string[]) =>
      (
        await agent.docker([
          "events",
          "--since",
          since,
          "--until",
          until,
          "--format",
          '{{.Action}}:{{index .Actor.Attributes "name"}}',
          ...filters.flatMap((filter) => ["--filter", filter]),
        ])
      ).stdout;
    expect(await events("container=one", "event=start", "event=die")).toBe("start:one\ndie:one\n");
    expect(await events("label=keep=yes", "event=create")).toBe("create:two\n");
    expect(await events("type=image")).toBe("");
  });

  test("come live, exec and its command included", async () => {
    const live = liveDocker(agent.host, ["events", "--format", "{{.Type}} {{.Action}}"]);
    await untilListening(live);
    await agent.docker(["run", "-d", "--name", "live", "busybox", "sleep", "60"]);
    await agent.docker(["exec", "live", "sh", "-c", "true"]);
    await agent.docker(["rename", "live", "alive"]);
    await agent.docker(["pause", "alive"]);
    await agent.docker(["unpause", "alive"]);
    await agent.docker(["kill", "alive"]);
    await live.until(/container die\n/);
    expect(live.text()).toMatch(
      /container create\n[^]*container start\ncontainer exec_create: sh -c true\ncontainer exec_start: sh -c true\ncontainer exec_die\ncontainer rename\ncontainer pause\ncontainer unpause\ncontainer kill\ncontainer die\n/,
    );
    live.kill("SIGTERM");
    await live.exited;
  });
});

describe("stats", () => {
  type Stats = {
    id: string;
    name: string;
    read: string;
    preread: string;
    cpu_stats: { cpu_usage: { total_usage: number }; system_cpu_usage: number; online_cpus: number };
    precpu_stats: { cpu_usage: { total_usage: number }; system_cpu_usage?: number };
    memory_stats: { usage?: number; limit?: number };
    pids_stats: { current?: number };
    networks?: Record<string, { rx_bytes: number }>;
  };
  const stats = (query: string): Promise<Stats> =>
    new Promise((resolve, reject) => {
      const sent = request({ socketPath: agent.socketPath, path: `/v1.47/containers/busy/stats?${query}` }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve(JSON.parse(text) as Stats));
      });
      sent.on("error", reject);
      sent.end();
    });

  test("of one shot have nothing before them; without it the use of the processor can be computed", async () => {
    await agent.docker(["run", "-d", "--name", "busy", "--memory", "64m", "busybox", "sh", "-c", "while true; do :; done"]);
    const once = await stats("stream=0&one-shot=1");
    expect(once).toMatchObject({ name: "/busy", preread: "0001-01-01T00:00:00Z", precpu_stats: { cpu_usage: { total_usage: 0 } } });
    expect(once.memory_stats.limit).toBe(64 * 1024 * 1024);
    expect(once.pids_stats.current).toBe(1);
    expect(Object.keys(once.networks ?? {})).toEqual(["eth0"]);
    const two = await stats("stream=0");
    const used = two.cpu_stats.cpu_usage.total_usage - two.precpu_stats.cpu_usage.total_usage;
    const passed = two.cpu_stats.system_cpu_usage - (two.precpu_stats.system_cpu_usage ?? 0);
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThanOrEqual(passed * 1.5);
  });

  test("of a stopped container are its name and nothing", async () => {
    await agent.docker(["create", "--name", "busy", "busybox", "true"]);
    const still = await stats("stream=0");
    expect(still).toMatchObject({ name: "/busy", read: "0001-01-01T00:00:00Z", memory_stats: {}, pids_stats: {} });
    expect(still.networks).toBeUndefined();
  });
});
