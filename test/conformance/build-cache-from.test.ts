// `docker build --cache-from`: what another host built is used again by one that has nothing but the image.
import { join } from "node:path";
import { utimesSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { build, imageField, makeContext, shell } from "../support/build.ts";

// Two runs of it never make the same: what is the same was not run again.
const RANDOM = "head -c 16 /dev/urandom | md5sum";
const DOCKERFILE = `FROM busybox
ENV A=1
WORKDIR /app
RUN ${RANDOM} > first
COPY lock src ./
RUN ${RANDOM} > second
CMD ["cat","second"]
`;

let agent: TestAgent;
let id: string;
let directory: string;

async function ok(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await agent.docker(args);
  expect(exitCode, stderr).toBe(0);
  return stdout.trim();
}

/** As if the image came from elsewhere: nothing of its build is known here any more. */
async function forgetBuild(): Promise<void> {
  const archive = join(agent.dir, "built.tar");
  await ok("save", "-o", archive, "app:old");
  await ok("rmi", "-f", "app:old");
  await ok("builder", "prune", "-af");
  await ok("load", "-i", archive);
}

const random = (image: string): Promise<string> => shell(agent, image, "cat /app/first /app/second");

beforeAll(async () => {
  agent = await startTestAgent();
  directory = makeContext(agent, { Dockerfile: DOCKERFILE, lock: "1", "src/a": "a" });
  const built = await build(agent, directory, ["-t", "app:old"]);
  expect(built.exitCode, built.stderr).toBe(0);
  id = await ok("image", "inspect", "--format", "{{.Id}}", "app:old");
  await forgetBuild();
});
afterAll(async () => agent.close());

test("steps of the named image are used again, files by their content; without it they are done anew", async () => {
  // A checkout has times of its own.
  for (const name of ["lock", "src/a"]) utimesSync(join(directory, name), 1_000_000_000, 1_000_000_000);
  const cached = await build(agent, directory, ["--cache-from", "missing:tag", "--cache-from", "app:old", "-t", "app:new"]);
  expect(cached.exitCode, cached.stderr).toBe(0);
  expect(cached.stdout.match(/ ---> Using cache/g)).toHaveLength(6);
  expect(cached.stdout).not.toContain("Running in");
  expect(await ok("image", "inspect", "--format", "{{.Id}}", "app:new")).toBe(id);
  await ok("rmi", "app:new");
  await ok("builder", "prune", "-af");
  const anew = await build(agent, directory, ["-t", "app:new"]);
  expect(anew.stdout.match(/Running in/g)).toHaveLength(2);
  expect(await random("app:new")).not.toBe(await random("app:old"));
});

test("after the first file with other content nothing of it is used any more, and nothing at all with --no-cache", async () => {
  await ok("builder", "prune", "-af");
  writeFileSync(join(directory, "lock"), "2");
  const part = await build(agent, directory, ["--cache-from", "app:old", "-t", "app:part"]);
  expect(part.exitCode, part.stderr).toBe(0);
  expect(part.stdout.match(/Running in/g)).toHaveLength(1);
  const [old, now] = [await random("app:old"), await random("app:part")];
  expect(now.split("\n")[0]).toBe(old.split("\n")[0]);
  expect(now.split("\n")[1]).not.toBe(old.split("\n")[1]);
  expect(await imageField(agent, "app:part", ".Config.Cmd")).toEqual(["cat", "second"]);
  const none = await build(agent, directory, ["--cache-from", "app:old", "--no-cache"]);
  expect(none.stdout.match(/Running in/g)).toHaveLength(2);
});
