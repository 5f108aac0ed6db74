// kill -9 of the agent: containers, logs and exit codes survive, and what was half-done is finished or undone.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { seeded } from "../support/seeded.ts";

let agent: TestAgent;

beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(async () => agent.close());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("kill -9 of the agent", () => {
  test("a container runs on, logs on, and is the same one afterwards", async () => {
    await agent.docker([
      "run",
      "-d",
      "--name",
      "steady",
      "busybox",
      "sh",
      "-c",
      "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.1; done",
    ]);
    const pid = await agent.inspect("steady", "{{.State.Pid}}");
    await agent.kill();
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    await pause(500);
    await agent.start();
    expect(await agent.inspect("steady", "{{.State.Pid}} {{.State.Status}} {{.RestartCount}}")).toBe(`${pid} running 0`);
    const logged = async (): Promise<string[]> => (await agent.docker(["logs", "steady"])).stdout.trim().split("\n");
    const before = (await logged()).length;
    await expect.poll(async () => (await logged()).length).toBeGreaterThan(before);
    const lines = await logged();
    expect(lines).toEqual(lines.map((_, at) => `line ${at + 1}`));
    expect((await agent.docker(["exec", "steady", "echo", "alive"])).stdout).toBe("alive\n");
    await agent.docker(["rm", "-f", "steady"]);
  });

  test("what ended meanwhile has its true exit code and time", async () => {
    // It ends when it is told to, which is after the agent was killed.
    const ended = "trap 'echo last words; exit 42' TERM; while :; do sleep 0.1; done";
    await agent.docker(["run", "-d", "--name", "ends", "busybox", "sh", "-c", ended]);
    const pid = Number(await agent.inspect("ends", "{{.State.Pid}}"));
    await agent.kill();
    process.kill(pid, "SIGTERM");
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
    await expect.poll(() => readdirSync(join(agent.dir, "run", "exits")).length).toBeGreaterThan(0);
    await pause(100);
    const restartedAt = Date.now();
    await agent.start();
    expect(await agent.inspect("ends", "{{.State.Status}} {{.State.ExitCode}}")).toBe("exited 42");
    expect(Date.parse(await agent.inspect("ends", "{{.State.FinishedAt}}"))).toBeLessThan(restartedAt);
    expect((await agent.docker(["logs", "ends"])).stdout).toBe("last words\n");
    await agent.docker(["rm", "ends"]);
  });

  test("--rm and --restart are honoured at the next start", async () => {
    await agent.docker(["run", "-d", "--rm", "--name", "goes", "busybox", "sleep", "600"]);
    await agent.docker(["run", "-d", "--restart", "always", "--name", "returns", "busybox", "sleep", "600"]);
    const [goes, pid] = [await agent.inspect("goes", "{{.State.Pid}}"), await agent.inspect("returns", "{{.State.Pid}}")];
    await agent.kill();
    for (const ending of [goes, pid]) process.kill(Number(ending), "SIGKILL");
    await expect.poll(() => [goes, pid].filter((ending) => existsSync(`/proc/${ending}`))).toEqual([]);
    await agent.start();
    await expect.poll(async () => (await agent.docker(["ps", "-a", "--format", "{{.Names}} {{.State}}"])).stdout).toBe("returns running\n");
    expect(await agent.inspect("returns", "{{.State.Pid}}")).not.toBe(pid);
    await agent.docker(["rm", "-f", "returns"]);
  });

  test(
    "20 times at random moments of run, stop, rm and exec: what should run runs, and nothing is left over",
    { timeout: 300_000 },
    async () => {
      const random = seeded(20_261_123);
      await agent.docker(["run", "-d", "--name", "keeper", "--restart", "always", "-p", "127.0.0.1:0:80", "busybox", "sleep", "6000"]);
      for (let round = 0; round < 20; round++) {
        const load = Promise.allSettled([
          agent.docker(["run", "-d", "--name", `stays-${round}`, "busybox", "sleep", "6000"]),
          agent.docker(["run", "--rm", "--name", `short-${round}`, "busybox", "true"]),
          agent.docker(["run", "-d", "--name", `ported-${round}`, "-p", "0:80", "-v", "/anon", "busybox", "sleep", "6000"]),
          round > 0 ? agent.docker(["rm", "-f", "-v", `ported-${round - 1}`]) : Promise.resolve(),
          round > 0 ? agent.docker(["stop", "-t", "0", `stays-${round - 1}`]) : Promise.resolve(),
          agent.docker(["exec", "keeper", "true"]),
        ]);
        await pause(Math.floor(random() * 400));
        await agent.kill();
        await load;
        await agent.start();
      }
      await expect.poll(() => agent.inspect("keeper", "{{.State.Running}}")).toBe("true");
      expect((await agent.docker(["exec", "keeper", "echo", "alive"])).stdout).toBe("alive\n");
      expect(await agent.inspect("keeper", "{{.RestartCount}}")).toBe("0");
      const running = (await agent.docker(["ps", "-q", "--no-trunc"])).stdout.trim().split("\n");
      for (const id of running) expect((await agent.docker(["exec", id, "true"])).exitCode).toBe(0);
      const ids = (await agent.docker(["ps", "-aq"])).stdout.trim().split("\n");
      expect((await agent.docker(["rm", "-f", "-v", ...ids])).exitCode).toBe(0);
      expect((await agent.docker(["volume", "ls", "-q"])).stdout).toBe("");
      for (const kept of ["bundles", "netns", "exits"]) {
        const path = join(agent.dir, "run", kept);
        if (existsSync(path)) expect(readdirSync(path), kept).toEqual([]);
      }
    },
  );
});
