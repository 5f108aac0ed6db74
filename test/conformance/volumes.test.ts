// Volumes as the manual has them, by the unmodified docker command.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { dockerMajor } from "../support/docker.ts";

let agent: TestAgent;

beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(async () => agent.close());

async function ok(...args: string[]): Promise<string> {
  const result = await agent.docker(args);
  expect(result, `docker ${args.join(" ")}: ${result.stderr}`).toMatchObject({ exitCode: 0 });
  return result.stdout.trim();
}

describe("volumes", () => {
  test("create, ls, inspect, rm", async () => {
    expect(await ok("volume", "create", "--label", "a=b", "data")).toBe("data");
    expect(await ok("volume", "ls", "--format", "{{.Driver}} {{.Name}}")).toContain("local data");
    expect(await ok("volume", "inspect", "--format", '{{.Name}} {{index .Labels "a"}} {{.Scope}}', "data")).toBe("data b local");
    expect(await ok("volume", "rm", "data")).toBe("data");
    expect((await agent.docker(["volume", "inspect", "data"])).stderr).toMatch(/no such volume/i);
  });

  test("a volume outlives its container and is shared between containers at once", async () => {
    await ok("run", "--rm", "-v", "shared:/d", "busybox", "sh", "-c", "echo kept > /d/file");
    expect(await ok("run", "--rm", "-v", "shared:/other", "busybox", "cat", "/other/file")).toBe("kept");
    await ok("run", "-d", "--name", "reader", "-v", "shared:/d", "busybox", "sleep", "600");
    await ok("run", "--rm", "-v", "shared:/d", "busybox", "sh", "-c", "echo live > /d/file");
    expect(await ok("exec", "reader", "cat", "/d/file")).toBe("live");
    const inUse = await agent.docker(["volume", "rm", "shared"]);
    expect(inUse.stderr).toMatch(/volume is in use/);
    await ok("rm", "-f", "reader");
    await ok("volume", "rm", "shared");
  });

  test("the first mount of an empty volume copies the image's content; a later one does not", async () => {
    expect(await ok("run", "--rm", "-v", "copied:/etc", "busybox", "cat", "/etc/remove-me")).toBe("remove me");
    await ok("run", "--rm", "-v", "copied:/etc", "busybox", "rm", "/etc/remove-me");
    expect(await ok("run", "--rm", "-v", "copied:/x", "busybox", "ls", "/x")).not.toContain("remove-me");
    await ok("volume", "rm", "copied");
  });

  test(":ro is read-only, --mount and --volumes-from work", async () => {
    await ok("run", "--name", "owner", "-v", "named:/data", "busybox", "touch", "/data/x");
    expect((await agent.docker(["run", "--rm", "-v", "named:/data:ro", "busybox", "touch", "/data/y"])).stderr).toContain("Read-only");
    expect(await ok("run", "--rm", "--mount", "type=volume,source=named,target=/m", "busybox", "ls", "/m")).toBe("x");
    expect(await ok("run", "--rm", "--volumes-from", "owner", "busybox", "ls", "/data")).toBe("x");
    expect((await agent.docker(["run", "--rm", "--volumes-from", "owner:ro", "busybox", "touch", "/data/z"])).stderr).toContain(
      "Read-only",
    );
    await ok("rm", "owner");
    await ok("volume", "rm", "named");
  });

  test("volumes are mounted and unmounted with each run, as events tell", async () => {
    const since = String(Math.floor(Date.now() / 1000));
    const id = await ok("create", "--name", "told", "-v", "told-data:/data:ro", "busybox", "true");
    await ok("start", "-a", "told");
    await ok("rm", "told");
    await ok("volume", "rm", "told-data");
    const format =
      '{{.Action}} {{.Actor.Attributes.container}} {{.Actor.Attributes.destination}} {{index .Actor.Attributes "read/write"}}|';
    const filters = ["--filter", "type=volume", "--filter", "volume=told-data"];
    const until = String(Math.ceil(Date.now() / 1000));
    expect((await ok("events", "--since", since, "--until", until, ...filters, "--format", format)).split("\n")).toEqual([
      "create <no value> <no value> |",
      `mount ${id} /data false|`,
      `unmount ${id} <no value> |`,
      "destroy <no value> <no value> |",
    ]);
  });

  test("docker cp writes to no volume, bind or file that a stopped container has read-only", async () => {
    const file = join(agent.dir, "read-only-file");
    writeFileSync(file, "of the host\n");
    await ok("create", "--name", "guarded", "-v", "guarded-data:/data:ro", "-v", `${file}:/file:ro`, "-v", "guarded-other:/rw", "busybox");
    const into = async (target: string): Promise<string> => (await agent.docker(["cp", file, `guarded:${target}`])).stderr;
    expect(await into("/data/x")).toContain("mounted volume is marked read-only");
    expect(await into("/file")).not.toBe("");
    expect(await ok("cp", "guarded:/file", "-")).toContain("of the host");
    await ok("cp", file, "guarded:/rw/x");
    expect(await ok("run", "--rm", "-v", "guarded-data:/data", "busybox", "ls", "/data")).toBe("");
    expect(await ok("run", "--rm", "-v", "guarded-other:/rw", "busybox", "ls", "/rw")).toBe("x");
    await ok("rm", "guarded");
    await ok("volume", "rm", "guarded-data", "guarded-other");
  });

  test("a file of the host is mounted read-only as well as a directory", async () => {
    const file = join(agent.dir, "one-file");
    writeFileSync(file, "of the host\n");
    expect(await ok("run", "--rm", "-v", `${file}:/etc/one:ro`, "busybox", "sh", "-c", "cat /etc/one; echo x > /etc/one || echo no")).toBe(
      "of the host\nno",
    );
  });

  test("--rm takes anonymous volumes along, prune removes the unused ones", async () => {
    await ok("run", "--rm", "-v", "/anonymous", "busybox", "true");
    expect(await ok("volume", "ls", "-q")).toBe("");
    await ok("volume", "create", "named-unused");
    await ok("volume", "create");
    const text = await ok("volume", "prune", "-f");
    // Since API 1.42, of Docker 23, only with -a.
    if ((await dockerMajor()) < 23) expect(text).toContain("named-unused");
    else {
      expect(text).not.toContain("named-unused");
      expect(await ok("volume", "prune", "-a", "-f")).toContain("named-unused");
    }
    expect(await ok("volume", "ls", "-q")).toBe("");
  });

  test.each([
    [["volume", "create", "a/b"], /includes invalid characters/],
    [["run", "--rm", "-v", "named:relative", "busybox"], /invalid (volume specification|mount path)|must be absolute/],
    [["volume", "rm", "never-there"], /no such volume/i],
    [["volume", "create", "-d", "no-such-driver", "driven"], /plugin|driver/],
  ])("%j is refused with its reason", async (args, words) => {
    const result = await agent.docker(args);
    expect(result.exitCode).not.toBe(0);
    expect(result.stderr).toMatch(words);
  });
});
