// Debian's docker-compose 1.29 and `flotilla compose` on the same project, against a real agent: each sees, changes and takes down what
// the other has made.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { compose, writeFiles } from "../support/compose.ts";
import { type CommandResult, runCommand } from "../support/docker.ts";

let agent: TestAgent;
beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(() => agent?.close());

const FILE = `
version: "3.7"
services:
  web: {image: busybox, command: sleep 1000, stop_signal: KILL, depends_on: [db], volumes: ["data:/data", /anon]}
  db: {image: busybox, command: sleep 1000, stop_signal: KILL}
volumes: {data: }
`;

function project(name: string): {
  ours: (...args: string[]) => Promise<CommandResult>;
  theirs: (...args: string[]) => Promise<CommandResult>;
} {
  const dir = writeFiles(join(agent.dir, name), { "docker-compose.yml": FILE });
  return {
    ours: (...args) => compose({ dir, host: agent.host }, ...args),
    theirs: (...args) =>
      runCommand(["docker-compose", "--project-directory", dir, "-f", join(dir, "docker-compose.yml"), ...args], {
        env: { DOCKER_HOST: agent.host },
      }),
  };
}

const names = async (): Promise<string[]> =>
  (await agent.docker(["ps", "-a", "--format", "{{.Names}} {{.State}}"])).stdout
    .split("\n")
    .filter((line) => line !== "")
    .sort();
const left = async (): Promise<string> =>
  `${(await agent.docker(["volume", "ls", "-q"])).stdout}${(await agent.docker(["network", "ls", "--filter", "type=custom", "-q"])).stdout}`;

async function ok(result: Promise<CommandResult>): Promise<CommandResult> {
  const done = await result;
  expect(done, done.stderr).toMatchObject({ exitCode: 0 });
  return done;
}

test("what docker-compose has started, ours lists, stops, starts, takes over and takes down", async () => {
  const { ours, theirs } = project("theirs");
  await ok(theirs("up", "-d"));
  expect((await ok(ours("ps", "--services"))).stdout).toBe("db\nweb\n");
  await ok(ours("stop", "web"));
  expect(await names()).toEqual(["theirs_db_1 running", "theirs_web_1 exited"]);
  await ok(ours("start", "web"));
  // Another program's digest is no digest of ours: the containers are made anew, under the names that they have, with their volumes.
  const volume = '{{range .Mounts}}{{if eq .Destination "/anon"}}{{.Name}}{{end}}{{end}}';
  const anonymous = await agent.inspect("theirs_web_1", volume);
  expect(anonymous).toMatch(/^[0-9a-f]{64}$/);
  await ok(ours("up", "-d"));
  expect(await names()).toEqual(["theirs_db_1 running", "theirs_web_1 running"]);
  expect(await agent.inspect("theirs_web_1", volume)).toBe(anonymous);
  await ok(ours("down", "-v"));
  expect([await names(), await left()]).toEqual([[], ""]);
});

test("what ours has started, docker-compose lists, runs commands in, takes over and takes down", async () => {
  const { ours, theirs } = project("ours");
  await ok(ours("up", "-d"));
  const listed = await ok(theirs("ps"));
  expect(listed.stdout).toMatch(/ours-db-1 .*Up/);
  expect(listed.stdout).toMatch(/ours-web-1 .*Up/);
  expect((await ok(theirs("exec", "-T", "web", "echo", "reached"))).stdout).toBe("reached\n");
  await ok(theirs("stop"));
  expect(await names()).toEqual(["ours-db-1 exited", "ours-web-1 exited"]);
  await ok(theirs("up", "-d"));
  expect(await names()).toEqual(["ours_db_1 running", "ours_web_1 running"]);
  expect((await ok(ours("ps", "-q"))).stdout.trim().split("\n")).toHaveLength(2);
  await ok(theirs("down", "-v"));
  expect([await names(), await left()]).toEqual([[], ""]);
});
