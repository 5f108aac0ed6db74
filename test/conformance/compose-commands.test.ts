// The Compose section of the manual, line by line, with `flotilla compose` against a real agent.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { compose, composeProcess, writeFiles } from "../support/compose.ts";
import { type CommandResult, runCommand } from "../support/docker.ts";

let agent: TestAgent;
beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(() => agent?.close());

/** Ends at once when it is told to. */
const LOOP = `sh -c "trap 'exit 0' TERM; while :; do sleep 0.1; done"`;

type Project = {
  dir: string;
  run: (...args: string[]) => Promise<CommandResult>;
  ids: (service: string) => Promise<string[]>;
  write: (files: Record<string, string>) => void;
};

/** A project of its own, taken down after the test. */
async function withProject(name: string, files: string | Record<string, string>, work: (project: Project) => Promise<void>): Promise<void> {
  const dir = writeFiles(join(agent.dir, name), typeof files === "string" ? { "compose.yaml": files } : files);
  const run = (...args: string[]): Promise<CommandResult> => compose({ dir, host: agent.host }, ...args);
  const ids = async (service: string): Promise<string[]> => (await run("ps", "-aq", service)).stdout.split("\n").filter((id) => id !== "");
  try {
    await work({ dir, run, ids, write: (more) => void writeFiles(dir, more) });
  } finally {
    await run("down", "-v", "-t", "1", "--remove-orphans");
  }
}

const ok = async (result: Promise<CommandResult>): Promise<CommandResult> => {
  const done = await result;
  expect(done, done.stderr).toMatchObject({ exitCode: 0 });
  return done;
};

test("up, ps, logs, top, port, images, ls, stop, start, restart, pause, kill, rm, down", async () => {
  const file = `
services:
  web:
    image: busybox
    command: sh -c "echo hello from web; trap 'exit 0' TERM; while :; do sleep 0.1; done"
    ports: ["127.0.0.1::80"]
    depends_on: {db: {condition: service_healthy}}
    volumes: ["data:/data"]
    labels: {mine: "yes"}
  db:
    image: busybox
    command: ${LOOP}
    healthcheck: {test: "true", interval: 100ms}
volumes: {data: }
`;
  await withProject("first", file, async ({ run }) => {
    const { stderr } = await ok(run("up", "-d"));
    // In order: the network, the dependency until it is healthy, then what depends on it.
    const order = [
      "Network first_default  Created",
      "Container first-db-1  Started",
      "Container first-db-1  Healthy",
      "Container first-web-1  Started",
    ];
    const places = order.map((line) => stderr.indexOf(line));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThanOrEqual(0);

    const rows = JSON.parse((await ok(run("ps", "--json"))).stdout) as Record<string, unknown>[];
    expect(rows.map(({ Name, State, Health }) => [Name, State, Health])).toEqual([
      ["first-db-1", "running", "healthy"],
      ["first-web-1", "running", ""],
    ]);
    expect((await run("ps", "--services")).stdout).toBe("db\nweb\n");
    expect((await run("logs", "web")).stdout).toBe("web-1  | hello from web\n");
    expect((await run("logs", "--no-log-prefix", "--tail", "1", "web")).stdout).toBe("hello from web\n");
    expect((await run("top", "db")).stdout).toMatch(/first-db-1\nUID .*\n.*trap/);
    expect((await run("port", "web", "80")).stdout).toMatch(/^127\.0\.0\.1:\d+\n$/);
    expect((await run("images")).stdout).toContain("first-web-1   busybox");
    expect((await run("ls")).stdout).toMatch(/first\s+running\(2\)/);
    expect(JSON.parse(await agent.inspect("first-web-1", "{{json .Config.Labels}}"))).toMatchObject({
      mine: "yes",
      "com.docker.compose.project": "first",
      "com.docker.compose.service": "web",
      "com.docker.compose.container-number": "1",
      "com.docker.compose.oneoff": "False",
    });
    expect((await agent.docker(["volume", "inspect", "-f", "{{json .Labels}}", "first_data"])).stdout).toContain(
      '"com.docker.compose.volume":"data"',
    );

    const states = async (): Promise<string[]> =>
      (JSON.parse((await run("ps", "-a", "--json")).stdout) as { State: string }[]).map(({ State }) => State);
    await ok(run("pause"));
    expect(await states()).toEqual(["paused", "paused"]);
    await ok(run("unpause"));
    await ok(run("restart", "-t", "2", "web"));
    expect(await states()).toEqual(["running", "running"]);
    await ok(run("stop", "web"));
    expect(await states()).toEqual(["running", "exited"]);
    await ok(run("start", "web"));
    await ok(run("kill", "-s", "KILL"));
    await expect.poll(states).toEqual(["exited", "exited"]);
    await ok(run("rm", "-f", "web"));
    expect(await states()).toEqual(["exited"]);
    await ok(run("down"));
    expect((await agent.docker(["volume", "ls", "-q"])).stdout).toContain("first_data");
    await ok(run("down", "-v"));
    expect((await agent.docker(["volume", "ls", "-q"])).stdout).not.toContain("first_data");
    expect((await agent.docker(["network", "ls"])).stdout).not.toContain("first_default");
  });
});

test("a second up changes nothing; only a changed service is replaced, with its anonymous volumes", async () => {
  const file = (value: string): string => `
services:
  a: {image: busybox, command: ${LOOP.replaceAll('"', '\\"').replace(/^/, '"').replace(/$/, '"')}, environment: {V: "${value}"}, volumes: [/anon]}
  b: {image: busybox, command: [sleep, "1000"], stop_signal: KILL}
`;
  await withProject("second", file("1"), async ({ run, ids, write }) => {
    await ok(run("up", "-d"));
    const [a, b] = [await ids("a"), await ids("b")];
    await ok(run("exec", "-d", "a", "sh", "-c", "echo kept > /anon/file"));
    await expect.poll(async () => (await agent.docker(["exec", "second-a-1", "cat", "/anon/file"])).stdout).toBe("kept\n");
    await ok(run("up", "-d"));
    expect([await ids("a"), await ids("b")]).toEqual([a, b]);

    write({ "compose.yaml": file("2") });
    expect((await ok(run("--dry-run", "up"))).stdout).toBe("replace second-a-1: its configuration has changed\nkeep second-b-1\n");
    await ok(run("up", "-d", "--no-recreate"));
    expect(await ids("a")).toEqual(a);
    await ok(run("up", "-d"));
    expect(await ids("a")).not.toEqual(a);
    expect(await ids("b")).toEqual(b);
    expect((await agent.docker(["exec", "second-a-1", "cat", "/anon/file"])).stdout).toBe("kept\n");

    await ok(run("up", "-d", "--force-recreate", "-V", "a"));
    expect((await agent.docker(["exec", "second-a-1", "ls", "/anon"])).stdout).toBe("");
    expect(await ids("b")).toEqual(b);
  });
});

test("--scale, --remove-orphans, --no-deps, --wait and run", async () => {
  const service = `{image: busybox, command: [sleep, "1000"], stop_signal: KILL`;
  const file = `services:\n  web: ${service}, depends_on: [db]}\n  db: ${service}}\n  tool: {image: busybox, profiles: [tools], entrypoint: [echo], command: [default], depends_on: [db]}\n`;
  await withProject("third", file, async ({ run, write }) => {
    const names = async (): Promise<string[]> =>
      (JSON.parse((await run("ps", "--json")).stdout) as { Name: string }[]).map(({ Name }) => Name);
    await ok(run("up", "-d", "--no-deps", "web"));
    expect(await names()).toEqual(["third-web-1"]);
    await ok(run("up", "--wait", "--scale", "web=3"));
    expect(await names()).toEqual(["third-db-1", "third-web-1", "third-web-2", "third-web-3"]);
    await ok(run("up", "-d", "--scale", "web=1"));
    expect(await names()).toEqual(["third-db-1", "third-web-1"]);
    expect(await run("up", "-d", "--scale", "nope=2")).toMatchObject({ exitCode: 1, stderr: "no such service: nope\n" });
    write({ "wrong.yaml": `services:\n  w: {image: busybox, logging: {driver: syslog}}\n  n: {image: "no name", profiles: [n]}\n` });
    expect((await run("-f", "wrong.yaml", "up", "-d", "w")).stderr.split("\n").at(-2)).toBe(
      `${join(agent.dir, "third", "wrong.yaml")}:2:3: services.w: logger: no log driver named 'syslog' is registered`,
    );
    expect((await run("-f", "wrong.yaml", "up", "-d", "n")).stderr).toBe(`image "no name": invalid reference format\n`);
    for (const option of ["--exit-code-from", "--attach", "--no-attach"])
      expect(await run("up", option, "nope")).toMatchObject({ exitCode: 1, stdout: "", stderr: "no such service: nope\n" });
    expect(await run("version", "--short")).toMatchObject({ exitCode: 0, stdout: "0.1.0\n" });

    const oneOff = composeProcess({ dir: join(agent.dir, "third"), host: agent.host }, "run", "--rm", "-T", "tool", "said", "so");
    oneOff.child.stdin.end();
    expect(await oneOff.done).toMatchObject({ exitCode: 0, stdout: "said so\n" });
    const failing = ["run", "--rm", "-T", "--no-deps", "--entrypoint", "sh", "tool", "-c", "exit 9"];
    const failed = composeProcess({ dir: join(agent.dir, "third"), host: agent.host }, ...failing);
    failed.child.stdin.end();
    expect(await failed.done).toMatchObject({ exitCode: 9, stdout: "" });
    expect((await agent.docker(["ps", "-aq", "--filter", "label=com.docker.compose.oneoff=True"])).stdout).toBe("");
    // What cannot be started has no end to wait for.
    const absent = await run("run", "-T", "--no-deps", "--name", "third-absent", "--entrypoint", "nosuchprogram", "tool");
    expect(absent).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("executable file not found") as string });
    expect((await agent.docker(["rm", "third-absent"])).exitCode).toBe(0);

    write({ "compose.yaml": `services:\n  db: ${service}}\n` });
    expect((await ok(run("up", "-d"))).stderr).toContain("Found orphan containers (third-web-1)");
    await ok(run("up", "-d", "--remove-orphans"));
    expect(await names()).toEqual(["third-db-1"]);
  });
});

test("exec has the command's input, output and exit code", async () => {
  await withProject("inside", `services: {a: {image: busybox, command: [sleep, "1000"], stop_signal: KILL}}`, async ({ run, dir }) => {
    await ok(run("up", "-d"));
    const child = composeProcess(
      { dir, host: agent.host },
      "exec",
      "-T",
      "-e",
      "X=1",
      "-w",
      "/tmp",
      "a",
      "sh",
      "-c",
      "cat; pwd; echo $X; echo wrong >&2; exit 3",
    );
    child.child.stdin.end("typed\n");
    expect(await child.done).toMatchObject({ exitCode: 3, stdout: "typed\n/tmp\n1\n", stderr: "wrong\n" });
    expect(await run("exec", "-T", "b", "true")).toMatchObject({ exitCode: 1, stderr: "no such service: b\n" });

    writeFiles(dir, { "tree/sub/file": "copied\n" });
    await ok(run("cp", "tree", "a:/tmp/there"));
    expect((await agent.docker(["exec", "inside-a-1", "cat", "/tmp/there/sub/file"])).stdout).toBe("copied\n");
    await ok(run("cp", "a:/tmp/there/sub/file", join(dir, "back")));
    expect(readFileSync(join(dir, "back"), "utf8")).toBe("copied\n");
  });
});

describe("up in the foreground", () => {
  test("shows logs until all have ended; --abort-on-container-exit and --exit-code-from", async () => {
    // Ended by KILL: the other signals may come before a shell has said what it does with them.
    const file = `services:\n  once: {image: busybox, command: sh -c "echo one; exit 4"}\n  loop: {image: busybox, command: sleep 1000, stop_signal: SIGKILL}\n`;
    await withProject("front", file, async ({ run }) => {
      const once = await run("up", "once");
      expect(once).toMatchObject({ exitCode: 0, stdout: "Attaching to once-1\nonce-1  | one\nonce-1 exited with code 4\n" });
      const all = await run("up", "--abort-on-container-exit");
      expect(all).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("Aborting on container exit...") as string });
      expect(all.stdout).toContain("loop-1 exited with code 137\n");
      expect(await run("up", "--exit-code-from", "loop")).toMatchObject({ exitCode: 137 });
      expect((await run("ps", "-q")).stdout).toBe("");
    });
  });

  test("what a container says is shown once, over its restarts and in every up", async () => {
    const file = `services:\n  again: {image: busybox, command: sh -c "echo hi; exit 2", restart: "on-failure:2"}\n`;
    await withProject("restarts", file, async ({ run }) => {
      for (const _ of ["a new container", "the same again"]) {
        const { stdout } = await ok(run("up"));
        expect(stdout.match(/again-1 {2}\| hi\n/g)).toHaveLength(3);
        expect(stdout.endsWith("again-1 exited with code 2\n")).toBe(true);
      }
    });
  });

  test("Ctrl-C stops the containers gracefully, a second one at once", async () => {
    const file = `services:\n  kind:\n    image: busybox\n    command: sh -c "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done"\n  stubborn:\n    image: busybox\n    command: sh -c "trap '' TERM; echo ready too; while :; do sleep 0.1; done"\n    stop_grace_period: 1h\n`;
    await withProject("interrupt", file, async ({ run, dir }) => {
      const first = composeProcess({ dir, host: agent.host }, "up", "kind");
      await first.untilWritten("ready");
      first.child.kill("SIGINT");
      const gentle = await first.done;
      expect(gentle.exitCode).toBe(130);
      expect(gentle.stderr).toContain("Gracefully Stopping... press Ctrl+C again to force");
      expect(gentle.stdout).toContain("kind-1  | bye\n");

      const second = composeProcess({ dir, host: agent.host }, "up", "stubborn");
      await second.untilWritten("ready too");
      second.child.kill("SIGINT");
      await second.untilWritten("Container interrupt-stubborn-1  Stopping");
      // Presses within a moment count as one, so they are repeated until the second one counts.
      const again = setInterval(() => second.child.kill("SIGINT"), 50);
      await second.untilWritten("Container interrupt-stubborn-1  Killing").finally(() => clearInterval(again));
      const forced = await second.done;
      expect(forced.exitCode).toBe(130);
      expect(forced.stdout).toContain("stubborn-1 exited with code 137");
      expect((await run("ps", "-q")).stdout).toBe("");
    });
  });
});

test("secrets and configs are files of their owner and mode, and a changed one replaces the container", async () => {
  const file = `
services:
  a:
    image: busybox
    command: [sleep, "1000"]
    stop_signal: KILL
    secrets: [plain, {source: fromenv, target: /deep/down/s, uid: "65534", gid: "65534", mode: 0400}]
    configs: [{source: inline, target: /etc/app.conf}]
secrets: {plain: {file: ./plain.txt}, fromenv: {environment: TOKEN}}
configs: {inline: {content: "hello $\${NOT} $NAME"}}
`;
  await withProject("files", { "compose.yaml": file, "plain.txt": "secret" }, async ({ dir, ids, write }) => {
    const run = (...args: string[]): Promise<CommandResult> =>
      compose({ dir, host: agent.host, env: { TOKEN: "t0k", NAME: "you" } }, ...args);
    await ok(run("up", "-d"));
    const shown = await agent.docker([
      "exec",
      "files-a-1",
      "sh",
      "-c",
      "cat /run/secrets/plain /deep/down/s /etc/app.conf; stat -c ' %a %u' /run/secrets/plain /deep/down/s",
    ]);
    expect(shown.stdout).toBe("secrett0khello ${NOT} you 444 0\n 400 65534\n");
    expect(await agent.inspect("files-a-1", "{{json .}}")).not.toContain("t0k");
    const before = await ids("a");
    write({ "plain.txt": "changed" });
    await ok(run("up", "-d"));
    expect(await ids("a")).not.toEqual(before);
  });
});

test("the command that a person calls runs from its bundle", async () => {
  const dir = writeFiles(join(agent.dir, "bundled"), { "compose.yaml": "services: {a: {image: busybox}}" });
  const argv = [
    process.execPath,
    join(import.meta.dirname, "..", "..", "scripts", "flotilla.mjs"),
    "--json",
    "compose",
    "--project-directory",
    dir,
    "-H",
    agent.host,
  ] as const;
  // What it compiled is kept where only its caller writes, and never below /tmp, where somebody else may have made the directory.
  const env = { XDG_CACHE_HOME: join(dir, "cache"), TMPDIR: join(dir, "tmp") };
  mkdirSync(env.TMPDIR);
  expect(JSON.parse((await ok(runCommand([...argv, "ps", "-a"], { env }))).stdout)).toEqual([]);
  expect(readdirSync(join(env.XDG_CACHE_HOME, "flotilla", "compiled"))).not.toEqual([]);
  expect(readdirSync(env.TMPDIR)).toEqual([]);
  expect(await runCommand([...argv, "port", "nope", "80"])).toMatchObject({
    exitCode: 1,
    stdout: '{"error":{"code":"not_found","message":"no such service: nope"}}\n',
  });
});

test("the command that a person calls begins from a snapshot, which knows nothing of where it was made", async () => {
  const dir = writeFiles(join(agent.dir, "snapshot"), {
    "compose.yaml": "services: {a: {image: busybox, command: [sleep, '600'], environment: {WORD: '${WORD}'}}}",
    "in.txt": "copied",
    // What would be called if the snapshot were not there.
    "bin/node": "#!/bin/sh\nexit 99\n",
  });
  chmodSync(join(dir, "bin", "node"), 0o755);
  const launcher = join(import.meta.dirname, "..", "..", "scripts", "flotilla");
  await ok(runCommand([process.execPath, `${launcher}.mjs`, "compose", "--version"]));
  const env = { PATH: `${join(dir, "bin")}:/usr/bin:/bin`, DOCKER_HOST: agent.host, WORD: "of now" };
  const run = (...args: string[]) => runCommand(["/usr/bin/env", "-C", dir, launcher, "compose", ...args], { env });
  try {
    await ok(run("up", "-d"));
    expect((await ok(run("exec", "-T", "a", "sh", "-c", 'echo "$WORD"'))).stdout).toBe("of now\n");
    await ok(run("cp", "in.txt", "a:/tmp/in.txt"));
    expect((await ok(run("exec", "-T", "a", "cat", "/tmp/in.txt"))).stdout).toBe("copied");
    expect((await ok(run("up", "-d"))).stderr).toContain("Container snapshot-a-1  Running");
    expect(await run("exec", "-T", "a", "sh", "-c", "exit 7")).toMatchObject({ exitCode: 7 });
    expect(await run("port", "nope", "80")).toMatchObject({ exitCode: 1, stderr: "no such service: nope\n" });
    expect(await run("-f", "absent.yaml", "config")).toMatchObject({ exitCode: 15 });
  } finally {
    await run("down", "-t", "0");
  }
});

describe("build and pull", () => {
  test("build, up --build and --no-build", async () => {
    const file = "services: {app: {build: {context: ., args: {WORD: one}}, command: [cat, /word]}}";
    const Dockerfile = 'FROM busybox\nARG WORD\nCOPY . /ctx/\nRUN echo "$WORD" > /word\n';
    await withProject(
      "built",
      { "compose.yaml": file, Dockerfile, ".dockerignore": "hidden\n", hidden: "x", seen: "y" },
      async ({ run, write }) => {
        expect(await run("up", "-d", "--no-build")).toMatchObject({
          exitCode: 1,
          stderr: expect.stringContaining("--no-build forbids to build it") as string,
        });
        expect((await ok(run("up"))).stdout).toContain("app-1  | one\n");
        expect((await agent.docker(["run", "--rm", "built-app", "ls", "-a", "/ctx"])).stdout).not.toContain("hidden");
        write({ "compose.yaml": file.replace("one", "two") });
        expect((await ok(run("up"))).stdout).toContain("app-1  | one\n");
        expect((await ok(run("up", "--build"))).stdout).toContain("app-1  | two\n");
        await ok(run("build", "--build-arg", "WORD=three", "-q"));
        expect((await ok(run("up"))).stdout).toContain("app-1  | three\n");
        await ok(run("down", "--rmi", "local"));
        expect((await agent.docker(["image", "ls", "-q", "built-app"])).stdout).toBe("");
      },
    );
  });

  test("an image whose id begins like the name of a service's image is another", async () => {
    const id = await agent.inspect("busybox", "{{.Id}}");
    const name = id.replace("sha256:", "").slice(0, 3);
    const file = (rest: string): string => `services: {app: {image: "${name}", ${rest}}}`;
    await withProject(
      "prefix",
      { "compose.yaml": file("pull_policy: never"), Dockerfile: "FROM busybox\nCMD echo mine\n" },
      async (project) => {
        expect(await project.run("up")).toMatchObject({
          exitCode: 1,
          stderr: expect.stringContaining(`image ${name} is missing, and pull_policy never forbids to pull it`) as string,
        });
        const removed = await ok(project.run("down", "--rmi", "all"));
        expect(removed.stderr).toContain(`image ${name}: No such image: ${name}`);
        expect(await agent.inspect("busybox", "{{.Id}}")).toBe(id);
        project.write({ "compose.yaml": file("build: .") });
        expect((await ok(project.run("up"))).stdout).toContain("app-1  | mine\n");
        await ok(project.run("down", "--rmi", "all"));
        expect(await agent.inspect("busybox", "{{.Id}}")).toBe(id);
      },
    );
  });

  test("what cannot be pulled is told with the engine's words", async () => {
    await withProject("pulled", "services: {a: {image: '127.0.0.1:1/none:1'}}", async ({ run }) => {
      for (const args of [["up", "-d"]]) {
        const result = await run(...args);
        expect(result.exitCode).toBe(1);
        expect(result.stderr).toContain("127.0.0.1:1");
      }
      expect((await run("ps", "-aq")).stdout).toBe("");
    });
  });
});

test("config prints what the files mean, and mistakes with their places", async () => {
  const files = {
    "compose.yaml": "services: {web: {image: 'a:${TAG:-1}'}}",
    "over.yaml": "services: {web: {ports: ['80:80']}}",
    ".env": "TAG=2\n",
  };
  await withProject("conf", files, async ({ run, write, dir }) => {
    expect((await ok(run("-f", "compose.yaml", "-f", "over.yaml", "config"))).stdout).toContain("image: a:2\n");
    expect(JSON.parse((await ok(run("config", "--format", "json"))).stdout)).toMatchObject({
      name: "conf",
      services: { web: { image: "a:2" } },
    });
    expect((await ok(run("config", "--images"))).stdout).toBe("a:2\n");
    write({ "compose.yaml": "services:\n  web:\n    imgae: x\n" });
    expect(await run("up", "-d")).toMatchObject({
      exitCode: 15,
      stderr: `${dir}/compose.yaml:3:5: services.web: additional properties 'imgae' not allowed; did you mean 'image'?\n`,
    });
    expect(JSON.parse((await run("--json", "up")).stdout)).toMatchObject({
      error: { code: "invalid", issues: [{ path: "services.web", suggestion: "image", position: { line: 3, column: 5 } }] },
    });
  });
});

test("what the engine refuses is told with the service and its line, and an up that failed can be repeated", async () => {
  const file = (path: string): string =>
    `services:\n  ok: {image: busybox, command: [sleep, "1000"], stop_signal: KILL}\n  web:\n    image: busybox\n    command: [sleep, "1000"]\n    stop_signal: KILL\n    volumes:\n      - type: bind\n        source: ${path}\n        target: /x\n        bind: {create_host_path: false}\n`;
  await withProject("refused", file("/no/such/dir"), async ({ run, write, dir }) => {
    const result = await run("up", "-d");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(
      `${dir}/compose.yaml:8:9: services.web.volumes.0: invalid mount config for type "bind": bind source path does not exist: /no/such/dir\n`,
    );
    write({ "compose.yaml": file(dir) });
    await ok(run("up", "-d"));
    expect((await run("ps", "--services")).stdout).toBe("ok\nweb\n");
  });
});

test("an up that was killed while it replaced is finished by the next one", async () => {
  const file = (value: string): string =>
    `services: {a: {image: busybox, command: [sleep, "1000"], stop_signal: KILL, environment: {V: "${value}"}}}`;
  await withProject("killed", file("1"), async ({ run, ids, write }) => {
    await ok(run("up", "-d"));
    const [old = ""] = await ids("a");
    write({ "compose.yaml": file("2") });
    const hash = (await ok(run("config", "--hash", "a"))).stdout.trim().split(" ")[1] ?? "";
    const labels = ["project=killed", "service=a", "container-number=1", "oneoff=False", `config-hash=${hash}`, `replace=${old}`];
    const made = await agent.docker([
      "create",
      "--name",
      `${old.slice(0, 12)}_killed-a-1`,
      ...labels.flatMap((label) => ["--label", `com.docker.compose.${label}`]),
      "busybox",
      "sleep",
      "1000",
    ]);
    expect(made.exitCode).toBe(0);
    // Killed after the old one was removed: what is there takes the name.
    await agent.docker(["rm", "-f", old]);
    await ok(run("up", "-d"));
    expect(await ids("a")).toEqual([made.stdout.trim()]);
    expect(await agent.inspect(made.stdout.trim(), "{{.Name}} {{.State.Status}}")).toBe("/killed-a-1 running");
  });
});

describe("the manual's own example", () => {
  const example = readFileSync(join(import.meta.dirname, "compose-example.yaml"), "utf8");
  const dockerfile = 'FROM busybox\nCOPY . /\nCMD ["sleep", "1000"]\n';
  const files = {
    "docker-compose.yml": example,
    "gateway/Dockerfile": dockerfile,
    "gateway/run.sh": "exec sleep 1000\n",
    "login/Dockerfile": dockerfile,
    "db/Dockerfile": dockerfile,
  };

  test("has a misspelling, a network that cannot be, and runs when they are corrected", async () => {
    const hadDirectory = existsSync("/var/etc");
    await agent.docker(["build", "-q", "-t", "nats:latest", "-"], { input: 'FROM busybox\nCMD ["sleep", "1000"]\n' });
    await withProject("manual", files, async ({ run, write, dir }) => {
      expect(await run("up", "-d")).toMatchObject({
        exitCode: 15,
        stderr: `${dir}/docker-compose.yml:2:1: additional properties 'service' not allowed; did you mean 'services'?\n`,
      });
      const spelled = example.replace("\nservice:", "\nservices:");
      write({ "docker-compose.yml": spelled });
      const refused = await run("up", "-d");
      expect(refused.stderr).toContain("networks.net2.driver: a network of driver host cannot be made");
      expect(refused.stderr).toContain("services.gate.networks.net1.ipv4_address: a fixed address needs a subnet");
      const corrected = spelled
        .replace(/driver: bridge.*/, "driver: bridge\n    ipam: {config: [{subnet: 172.29.84.0/24}]}")
        .replace("driver: host", "driver: bridge")
        .replace("172.18.0.31", "172.29.84.31")
        .replace("- /var/etc/:/var/etc/", `- ${dir}/etc:/var/etc/`)
        .replace('- "4222:4222"', '- "127.0.0.1:0:4222"')
        .replace('- "6222:6222"', '- "127.0.0.1:0:6222"')
        .replace('- "8222:8222"', '- "127.0.0.1:0:8222"')
        .replace('- "5433:5433"', '- "127.0.0.1:0:5433"')
        .replace('- "5434:5434"', '- "127.0.0.1:0:5434"');
      write({ "docker-compose.yml": corrected });
      const up = await ok(run("up", "-d"));
      expect(up.stderr).toContain("version: the attribute `version` is obsolete, it is ignored");
      const rows = JSON.parse((await run("ps", "--json")).stdout) as { Name: string; Service: string; State: string }[];
      expect(rows.map(({ Name, Service, State }) => [Name, Service, State])).toEqual([
        ["db", "db", "running"],
        ["gateway", "gate", "running"],
        ["login", "login", "running"],
        ["nats0", "nats", "running"],
      ]);
      expect(await agent.inspect("gateway", "{{.NetworkSettings.Networks.xNet.IPAddress}}")).toBe("172.29.84.31");
      // Found by the service's name, from another service.
      expect((await agent.docker(["exec", "login", "nslookup", "gate"])).stdout).toContain("172.29.84.31");
      await ok(run("down", "-t", "0"));
    });
    expect(existsSync("/var/etc")).toBe(hadDirectory);
  });
});
