import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { detectCgroups, listCgroups } from "../../agent/src/host/cgroup.ts";
import { mountsBelow } from "../../agent/src/host/mounts.ts";
import { isSameProcess, processStartTicks } from "../../agent/src/host/process-table.ts";
import { NS, type TestEngine, until, withEngine } from "../support/engine.ts";
import { COMPILE_CACHE } from "../support/compile-cache.ts";

const CHILD = join(import.meta.dirname, "..", "support", "engine-child.ts");

/** Starts an engine in a process of its own. @returns it once it has printed `word`. */
async function startChild(t: TestEngine, word: string, args: readonly string[]): Promise<ChildProcess> {
  const data = join(t.config.dataDir, "..");
  const child = spawn(process.execPath, [CHILD, data, t.config.runDir, ...args], {
    env: { ...process.env, ...COMPILE_CACHE },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  try {
    await until(`the engine says ${word}`, () => text.includes(word) || child.exitCode !== null);
    expect(child.exitCode).toBeNull();
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return child;
}

async function killNow(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/** What the machine has must be what the records say, and nothing else. */
async function expectConsistent(t: TestEngine): Promise<void> {
  const views = t.engine.views();
  const ids = views.map((view) => view.id).sort();
  const running = views
    .filter((view) => view.status === "running")
    .map((view) => view.id)
    .sort();
  for (const view of views.filter((each) => each.status === "running")) expect(processStartTicks(view.pid)).toBeDefined();
  expect(
    listCgroups(detectCgroups(), `/flotilla-${t.config.instance}`)
      .filter((name) => /^[0-9a-f]{64}$/.test(name))
      .sort(),
  ).toEqual(running);
  expect(entriesOf(join(t.config.runDir, "containers")).sort()).toEqual(running);
  expect(entriesOf(join(t.config.runDir, "runtime")).sort()).toEqual(running);
  expect(entriesOf(join(t.config.runDir, "exits"))).toEqual([]);
  expect(entriesOf(join(t.config.dataDir, "containers")).sort()).toEqual(ids);
  expect(t.images.listRootfs().sort()).toEqual(ids);
  const mounts = mountsBelow(join(t.config.dataDir, "rootfs"));
  expect(mounts.filter((point) => !running.some((id) => point.includes(id)))).toEqual([]);
}

test("containers, exit codes and policies survive the death of the agent", async () => {
  await withEngine(async (t) => {
    const body = (command: string, hostConfig: Record<string, unknown> = {}): unknown => ({
      Image: "busybox",
      Cmd: ["sh", "-c", command],
      HostConfig: hostConfig,
    });
    const containers = [
      { name: "stays", body: body("sleep 1000") },
      { name: "ends", body: body("sleep 1; exit 7") },
      { name: "vanishes", body: body("sleep 1", { AutoRemove: true }) },
      { name: "returns", body: body("sleep 1; exit 1", { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 1 } }) },
    ];
    let stays = { pid: 0, ticks: 0 };
    let endedBefore = 0;
    await t.reopen(async () => {
      const child = await startChild(t, "ready", ["hold", JSON.stringify(containers)]);
      await killNow(child);
      await sleep(2_000);
      endedBefore = Date.now();
    });
    const view = t.engine.get(NS, "stays");
    stays = { pid: view.pid, ticks: processStartTicks(view.pid) ?? -1 };
    expect(view.status).toBe("running");
    expect(isSameProcess(stays.pid, stays.ticks)).toBe(true);
    const { State } = await t.engine.inspect(NS, "ends", { size: false });
    expect(State).toMatchObject({ Status: "exited", ExitCode: 7 });
    expect(Date.parse(State.FinishedAt)).toBeLessThan(endedBefore);
    expect(() => t.engine.get(NS, "vanishes")).toThrow("No such container");
    await until("the policy acted", async () => (await t.engine.inspect(NS, "returns", { size: false })).RestartCount === 1);
    await t.exitOf(t.engine.get(NS, "returns").id);
    await expectConsistent(t);
    await t.engine.kill(NS, "stays", { name: "SIGKILL", number: 9 });
    expect(await t.exitOf(t.engine.get(NS, "stays").id)).toBe(137);
  });
});

test("after a machine's restart nothing runs, and what should starts again", async () => {
  await withEngine(async (t) => {
    const plain = await t.run({ Cmd: ["sleep", "1000"] });
    const always = await t.run({ Cmd: ["sleep", "1000"], HostConfig: { RestartPolicy: { Name: "unless-stopped" } } });
    const stopped = await t.run({ Cmd: ["sleep", "1000"], StopTimeout: 0, HostConfig: { RestartPolicy: { Name: "unless-stopped" } } });
    await t.engine.stop(NS, stopped, {});
    const pids = [plain, always].map((id) => t.engine.get(NS, id).pid);
    await t.reopen(async () => {
      // What a reboot does: every process dies, shims first, and the volatile directory is empty.
      for (const id of [plain, always]) process.kill(shimOf(t, id), "SIGKILL");
      for (const pid of pids) process.kill(pid, "SIGKILL");
      await until("they are gone", () => pids.every((pid) => processStartTicks(pid) === undefined));
      for (const name of ["containers", "exits", "runtime"]) rmSync(join(t.config.runDir, name), { recursive: true, force: true });
    });
    expect((await t.engine.inspect(NS, plain, { size: false })).State).toMatchObject({ Status: "exited", ExitCode: 255 });
    await until("it runs again", () => t.engine.get(NS, always).status === "running");
    expect(t.engine.get(NS, stopped).status).toBe("exited");
    await expectConsistent(t);
  });
});

test("a container whose shim was killed is noticed when it ends", async () => {
  await withEngine(async (t) => {
    const id = await t.run({ Cmd: ["sleep", "1000"] });
    process.kill(shimOf(t, id), "SIGKILL");
    process.kill(t.engine.get(NS, id).pid, "SIGKILL");
    expect(await t.exitOf(id)).toBe(255);
  });
});

test("killed at any moment of a load, it comes back to the truth and leaves nothing", { timeout: 120_000 }, async () => {
  await withEngine(async (t) => {
    for (let round = 0; round < 10; round += 1) {
      await t.reopen(async () => {
        const child = await startChild(t, "open", ["load"]);
        await sleep(randomInt(20, 900));
        await killNow(child);
      });
      await until("nothing is restarting", () => t.engine.views().every((view) => view.status !== "restarting"));
      await expectConsistent(t);
    }
  });
});

/** One that was killed before its first container has not made every directory. */
function entriesOf(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

function shimOf(t: TestEngine, id: string): number {
  const pid = Number(readFileSync(join(t.engine.get(NS, id).bundleDir, "conmon.pid"), "utf8"));
  expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).toContain(id);
  return pid;
}
