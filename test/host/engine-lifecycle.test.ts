import { readFileSync } from "node:fs";
import { isFlotillaError } from "@flotilla/core";
import { ContainerUpdateBody } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import { parseSignal, SIGTERM } from "../../agent/src/engine/signals.ts";
import { NS, type TestEngine, until, withEngine } from "../support/engine.ts";

const trap = (signal: string, code: number): string[] => [
  "sh",
  "-c",
  `trap 'exit ${code}' ${signal}; echo ready; while :; do sleep 0.05; done`,
];

const logOf = (t: TestEngine, id: string): string =>
  readFileSync(t.engine.get(NS, id).logPath, "utf8")
    .split("\n")
    .map((line) => line.split(" ").slice(3).join(" "))
    .join("\n");

const ready = async (t: TestEngine, id: string): Promise<void> => await until("ready", () => logOf(t, id).includes("ready"));

const actions = (t: TestEngine, id: string): string[] =>
  t.events.filter((event) => event.id === id || event.attributes["container"] === id).map((event) => `${event.type} ${event.action}`);

const rejection = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("running", () => {
  test("a container runs, its output is logged and its exit code is kept", async () => {
    await withEngine(async (t) => {
      const id = await t.run({ Cmd: ["sh", "-c", "echo out; echo err >&2; exit 7"] });
      expect(await t.exitOf(id)).toBe(7);
      expect(readFileSync(t.engine.get(NS, id).logPath, "utf8")).toMatch(/stdout F out\n[^]*stderr F err\n/);
      const inspect = await t.engine.inspect(NS, id, { size: false });
      expect(inspect.State).toMatchObject({ Status: "exited", Running: false, ExitCode: 7, Pid: 0, OOMKilled: false });
      expect(actions(t, id)).toEqual(["container create", "network connect", "container start", "container die", "network disconnect"]);
      expect(t.events.at(-2)?.attributes).toMatchObject({ exitCode: "7", execDuration: "0", image: "busybox" });
    });
  });

  test("a program that cannot be started fails as in Docker and leaves the container created", async () => {
    const broken: [string[], number, string][] = [
      [["nope"], 127, 'exec: "nope": executable file not found in $PATH'],
      [["/bin/nope"], 127, "no such file or directory"],
      [["/etc/passwd"], 126, "permission denied"],
      [["/etc"], 126, "permission denied"],
    ];
    await withEngine(async (t) => {
      for (const [command, exitCode, words] of broken) {
        const id = await t.create({ Cmd: command });
        const error = await rejection(t.engine.start(NS, id));
        expect(isFlotillaError(error, "invalid") && error.message).toContain(words);
        const { State } = await t.engine.inspect(NS, id, { size: false });
        expect(State).toMatchObject({ Status: "created", ExitCode: exitCode });
        expect(State.Error).toContain(words);
      }
    });
  });

  test("an unknown user fails the start with Docker's words", async () => {
    await withEngine(async (t) => {
      const error = await rejection(t.run({ Cmd: ["true"], User: "ghost" }));
      expect(String(error)).toContain("unable to find user ghost: no matching entries in passwd file");
    });
  });

  test("with AutoRemove the end removes it, and a failed start too", async () => {
    await withEngine(async (t) => {
      const id = await t.create({ Cmd: ["sh", "-c", "exit 3"], HostConfig: { AutoRemove: true } });
      const removed = t.engine.wait(NS, id, "removed", new AbortController().signal).done;
      await t.engine.start(NS, id);
      expect(await removed).toEqual({ StatusCode: 3, Error: null });
      expect(() => t.engine.get(NS, id)).toThrow("No such container");
      expect(actions(t, id).at(-1)).toBe("container destroy");

      const broken = await t.create({ Cmd: ["nope"], HostConfig: { AutoRemove: true } });
      const gone = t.engine.wait(NS, broken, "removed", new AbortController().signal).done;
      await expect(t.engine.start(NS, broken)).rejects.toThrow("executable file not found");
      expect((await gone).StatusCode).toBe(127);
      expect(() => t.engine.get(NS, broken)).toThrow("No such container");
    });
  });

  test("a started container starts no second time, and one can be started again after its end", async () => {
    await withEngine(async (t) => {
      const id = await t.run({ Cmd: ["sleep", "100"], StopTimeout: 0 });
      expect(isFlotillaError(await rejection(t.engine.start(NS, id)), "not_modified")).toBe(true);
      await t.engine.stop(NS, id, {});
      expect(isFlotillaError(await rejection(t.engine.stop(NS, id, {})), "not_modified")).toBe(true);
      const before = t.engine.get(NS, id).startedAtMs;
      await t.engine.start(NS, id);
      expect(t.engine.get(NS, id).startedAtMs).toBeGreaterThan(before);
      await t.engine.remove(NS, id, { force: true, volumes: false, link: false });
    });
  });

  test("fifty containers start beside each other", async () => {
    await withEngine(async (t) => {
      const ids = await Promise.all(Array.from({ length: 50 }, () => t.run({ Cmd: ["sh", "-c", "exit 5"] })));
      expect(await Promise.all(ids.map((id) => t.exitOf(id)))).toEqual(Array.from({ length: 50 }, () => 5));
    });
  });
});

describe("ending", () => {
  test("stop sends the stop signal and tells the true exit code", async () => {
    await withEngine(async (t) => {
      const id = await t.run({ Cmd: trap("USR1", 9), StopSignal: "SIGUSR1" });
      await ready(t, id);
      await t.engine.stop(NS, id, {});
      expect(t.engine.get(NS, id).exitCode).toBe(9);
      expect(actions(t, id).slice(3)).toEqual(["container kill", "container die", "network disconnect", "container stop"]);
    });
  });

  test("stop kills after its time-out, kill ends at once, and both show 137", async () => {
    await withEngine(async (t) => {
      const id = await t.run({ Cmd: trap("TERM", 0).map((word) => word.replace("exit 0", ":")) });
      await ready(t, id);
      await t.engine.stop(NS, id, { timeoutSeconds: 0 });
      expect(t.engine.get(NS, id).exitCode).toBe(137);
      await t.engine.start(NS, id);
      await t.engine.kill(NS, id, parseSignal("KILL"));
      expect(await t.exitOf(id)).toBe(137);
      expect(isFlotillaError(await rejection(t.engine.kill(NS, id, SIGTERM)), "conflict")).toBe(true);
    });
  });

  test("restart ends it and starts it again", async () => {
    await withEngine(async (t) => {
      const id = await t.run({ Cmd: trap("TERM", 0), HostConfig: { AutoRemove: true } });
      await ready(t, id);
      const { pid } = t.engine.get(NS, id);
      await t.engine.restart(NS, id, {});
      expect(t.engine.get(NS, id)).toMatchObject({ status: "running" });
      expect(t.engine.get(NS, id).pid).not.toBe(pid);
      expect(actions(t, id).at(-1)).toBe("container restart");
    });
  });

  test("pause freezes it, unpause lets it go on, and a paused one can be stopped", async () => {
    await withEngine(async (t) => {
      const id = await t.run({ Cmd: trap("TERM", 0) });
      await ready(t, id);
      await t.engine.pause(NS, id);
      expect((await t.engine.inspect(NS, id, { size: false })).State).toMatchObject({ Status: "paused", Running: true, Paused: true });
      expect(isFlotillaError(await rejection(t.engine.pause(NS, id)), "conflict")).toBe(true);
      await t.engine.unpause(NS, id);
      expect(t.engine.get(NS, id).status).toBe("running");
      await t.engine.pause(NS, id);
      await t.engine.stop(NS, id, { timeoutSeconds: 5 });
      expect(t.engine.get(NS, id)).toMatchObject({ status: "exited", exitCode: 0 });
    });
  });

  test("a running container is removed only by force", async () => {
    await withEngine(async (t) => {
      const id = await t.run({ Cmd: ["sleep", "100"] }, "web");
      const error = await rejection(t.engine.remove(NS, id, { force: false, volumes: false, link: false }));
      expect(error).toMatchObject({
        code: "conflict",
        message: 'cannot remove container "/web": container is running: stop the container before removing or force remove',
      });
      await t.engine.remove(NS, "web", { force: true, volumes: false, link: false });
      expect(() => t.engine.get(NS, id)).toThrow(`No such container: ${id}`);
    });
  });
});

describe("restart policies", () => {
  test("on-failure restarts as often as it says and counts", async () => {
    await withEngine(async (t) => {
      const id = await t.run({ Cmd: ["sh", "-c", "exit 4"], HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } } });
      expect(await t.exitOf(id)).toBe(4);
      expect((await t.engine.inspect(NS, id, { size: false })).RestartCount).toBe(2);
      expect(actions(t, id).filter((action) => action === "container start")).toHaveLength(3);
    });
  });

  test("always restarts until somebody stops it", async () => {
    await withEngine(async (t) => {
      const id = await t.run({ Cmd: ["true"], HostConfig: { RestartPolicy: { Name: "always" } } });
      await until("two restarts", async () => (await t.engine.inspect(NS, id, { size: false })).RestartCount >= 2);
      await t.engine.stop(NS, id, {});
      expect(t.engine.get(NS, id).status).toBe("exited");
      const starts = actions(t, id).length;
      await t.reopen();
      await until("started with the agent", () => actions(t, id).length > starts);
      await t.engine.update(NS, id, { body: ContainerUpdateBody.parse({ RestartPolicy: { Name: "no" } }), isExempt: true });
    });
  });
});

describe("names", () => {
  test("a name is unique in its namespace, can be changed, and ids are found by prefix", async () => {
    await withEngine(async (t) => {
      const id = await t.create({}, "one");
      const taken = await rejection(t.create({}, "one"));
      expect(taken).toMatchObject({
        code: "conflict",
        message: `Conflict. The container name "/one" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
      });
      await t.engine.rename(NS, "/one", "two");
      expect(t.engine.get(NS, id.slice(0, 12)).name).toBe("two");
      expect(() => t.engine.get(NS, "one")).toThrow("No such container: one");
      expect(() => t.engine.get("other", id)).toThrow("No such container");
      await t.create({}, "one");
      expect(() => t.engine.get(NS, "")).toThrow("No such container");
    });
  });

  test("an unknown image is not found, and nothing is left of the attempt", async () => {
    await withEngine(async (t) => {
      expect(await rejection(t.create({ Image: "nowhere:1" }))).toMatchObject({ code: "not_found", message: "No such image: nowhere:1" });
      expect(t.engine.views()).toEqual([]);
      expect(t.images.listRootfs()).toEqual([]);
    });
  });
});
