// A project that Debian's docker-compose started on a host becomes a stack. Part of stacks.test.ts: in the lab that it has.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import type { Lab } from "../lab/lab.ts";
import { runCommand } from "../support/docker.ts";

const FILE = `
version: "3.7"
services:
  web: {image: busybox, command: sleep 1000, stop_signal: KILL, depends_on: [db], environment: [PASSWORD=canary$$1], ports: ["18090:90"]}
  db: {image: busybox, command: sleep 1000, stop_signal: KILL, restart: always, volumes: ["data:/data", /anon]}
volumes: {data: }
`;
const HOST = "h2";
const OF_PROJECT = "label=com.docker.compose.project=old";

const listed = z.looseObject({
  items: z.array(z.looseObject({ project: z.string(), canAdopt: z.boolean() })),
  errors: z.array(z.unknown()),
});
const revision = z.looseObject({ source: z.record(z.string(), z.string()) });
const planned = z.looseObject({ services: z.array(z.looseObject({ name: z.string(), change: z.string() })) });
const replica = z.looseObject({ phase: z.string(), restarts: z.number(), state: z.string() });
const stack = z.looseObject({
  state: z.string(),
  detail: z.array(z.looseObject({ name: z.string(), state: z.string(), replicas: z.array(replica) })),
});
type Stack = z.output<typeof stack>;

type Scene = {
  directory: string;
  lab: () => Lab;
  eventually: <T>(look: () => Promise<T>, isDone: (found: T) => boolean, what?: string) => Promise<T>;
  deploy: (text: string, name: string) => Promise<unknown>;
};

/** Registers the test. */
export function testAdoption({ directory, lab, eventually, deploy }: Scene): void {
  const docker = async (...args: string[]): Promise<string> => (await lab().docker(HOST, args)).stdout.trim();
  const running = async (): Promise<string[]> =>
    (await docker("ps", "-q", "--no-trunc", "--filter", OF_PROJECT)).split("\n").filter(Boolean).toSorted();
  const outside = async (): Promise<z.output<typeof listed>> => listed.parse(await lab().query("stacks.outside", { host: HOST }));
  const get = async (): Promise<Stack> => stack.parse(await lab().query("stacks.get", { stack: "old" }));
  const inService = async (service: string, ...argv: [string, ...string[]]): Promise<string> => {
    const ids = await docker("ps", "-q", "--filter", OF_PROJECT, "--filter", `label=com.docker.compose.service=${service}`);
    return docker("exec", ids, ...argv);
  };

  test("a project that docker-compose runs is taken over without a new container, and is a stack from then on", async () => {
    await takeOver();
    // Bound to its host, whatever that is called.
    await lab().mutate("hosts.rename", { host: HOST, name: "renamed" });
    try {
      await change();
    } finally {
      await lab().mutate("hosts.rename", { host: "renamed", name: HOST });
    }
  });

  async function takeOver(): Promise<void> {
    const file = join(directory, "old.yml");
    writeFileSync(file, FILE);
    const env = lab().environmentOf(HOST);
    const up = await runCommand(["docker-compose", "-p", "old", "-f", file, "up", "-d"], { env, timeoutMs: 60_000 });
    expect(up.exitCode, up.stderr).toBe(0);
    await inService("db", "sh", "-c", "echo kept > /data/x; echo kept > /anon/x");
    const before = await running();
    expect(before).toHaveLength(2);
    expect(await outside()).toMatchObject({ items: [{ project: "old", canAdopt: true }], errors: [] });
    const told = await lab().flotilla(HOST, ["stack", "adopt", "old", "--host", HOST, "--detach"]);
    expect(told.exitCode, `${told.stdout}${told.stderr}`).toBe(0);
    expect(told.stdout).toContain("container old_web_1 is taken over as it runs");
    expect(`${told.stdout}${told.stderr}`).not.toContain("canary");
    // Wherever it is with it: what it has not done is done after its next start, and what it has done is not done again.
    await lab().killAgent(HOST);
    await lab().startAgent(HOST);
    await eventually(
      get,
      ({ detail }) => detail.length === 2 && detail.every(({ replicas }) => replicas.every(({ phase }) => phase === "running")),
      "two replicas that run",
    );
    expect(await running()).toEqual(before);
    expect((await outside()).items).toEqual([]);
    await expect(lab().mutate("stacks.adopt", { host: HOST, project: "old" })).rejects.toThrow("there is a stack old already");
  }

  /** By its file, with its volumes, names and variables kept; and its host restarts what ends. */
  async function change(): Promise<void> {
    const { source } = revision.parse(await lab().query("stacks.revision", { stack: "old", revision: 1 }));
    const text = source["compose.yaml"] ?? "";
    expect(text).not.toContain("canary");
    const same = planned.parse(await lab().mutate("stacks.plan", { name: "old", files: { "compose.yaml": text } }));
    expect(same.services.map(({ name, change }) => [name, change])).toEqual([
      ["db", "none"],
      ["web", "none"],
    ]);
    const changed = text.replaceAll('- "1000"', '- "1001"').replaceAll("deploy:", "deploy:\n      update_config: { monitor: 100ms }");
    await deploy(changed, "old");
    const isAtRest = ({ detail }: Stack): boolean =>
      detail.every(({ state, replicas: [first, ...others] }) => state === "done" && first?.phase === "running" && others.length === 0);
    await eventually(get, isAtRest, "rest");
    expect(await inService("db", "cat", "/data/x", "/anon/x")).toBe("kept\nkept");
    expect(await inService("web", "sh", "-c", "echo $PASSWORD; nslookup db > /dev/null && echo found")).toBe("canary$1\nfound");
    await docker(
      "kill",
      ...(await docker("ps", "-q", "--filter", OF_PROJECT, "--filter", "label=com.docker.compose.service=db")).split("\n"),
    );
    await eventually(get, (found) => isAtRest(found) && found.detail.some(({ replicas }) => replicas[0]?.restarts === 1), "a restart");
    const volumes = await inspectVolumes();
    await lab().mutate("stacks.remove", { stack: "old" });
    await eventually(
      () => docker("ps", "-aq", "--filter", OF_PROJECT),
      (ids) => ids === "",
      "the end of its containers",
    );
    expect(volumes).toContain("old_data");
    await docker("volume", "rm", ...volumes);
    await docker("network", "rm", "old_default");
  }

  async function inspectVolumes(): Promise<string[]> {
    return (await docker("inspect", "-f", "{{range .Mounts}}{{.Name}} {{end}}", ...(await running()))).split(/\s+/).filter(Boolean);
  }
}
