// kill -9 of the agent while it pulls, builds and pushes: what has a name is whole, and nothing else stays.
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { DockerRegistry } from "../support/docker-registry.ts";
import type { CommandResult } from "../support/docker.ts";
import { crashRounds, seeded } from "../support/seeded.ts";

/** Stands in for an image without layers, and always is there. */
const EMPTY_LAYER = "0";
const ROUNDS = crashRounds(4);
let agent: TestAgent;
let registry: DockerRegistry;
let source: string;
let sourceId: string;

beforeAll(async () => {
  agent = await startTestAgent();
  registry = await DockerRegistry.start({ directory: join(agent.dir, "registry") });
  source = `127.0.0.1:${registry.port}/team/source:1`;
  const context = join(agent.dir, "source");
  mkdirSync(context);
  // Random bytes do not compress: the pull takes as long as its size.
  for (const name of ["a", "b", "c"]) writeFileSync(join(context, name), randomBytes(4_000_000));
  writeFileSync(join(context, "Dockerfile"), "FROM busybox\nCOPY a /a\nCOPY b /b\nCOPY c /c\n");
  await must(["build", "-t", source, context]);
  await must(["push", source]);
  sourceId = await agent.inspect(source, "{{.Id}}");
});
afterAll(async () => {
  await agent.close();
  await registry[Symbol.asyncDispose]();
});

const build = { env: { DOCKER_BUILDKIT: "0" }, timeoutMs: 60_000 };
const run = (args: readonly string[]): Promise<CommandResult> => agent.docker(args, build);

async function must(args: readonly string[]): Promise<CommandResult> {
  const result = await run(args);
  expect(result.exitCode, `docker ${args.join(" ")}: ${result.stderr}`).toBe(0);
  return result;
}

/** Every blob has the content that its name says. */
async function expectVerified(): Promise<void> {
  const root = join(agent.dir, "data", "agent", "blobs", "sha256");
  for (const name of readdirSync(root)) {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(join(root, name))) hash.update(chunk as Buffer);
    expect(hash.digest("hex")).toBe(name);
  }
}

/** Every image that has a name can be given away whole, and started. */
async function expectWhole(): Promise<void> {
  const names = (await must(["images", "--format", "{{.Repository}}:{{.Tag}}"])).stdout
    .split("\n")
    .filter((name) => name !== "" && !name.includes("<none>"));
  expect(names).toContain("busybox:latest");
  const tar = join(agent.dir, "saved.tar");
  await must(["save", "-o", tar, ...names]);
  for (const name of names.filter((each) => each !== "busybox:latest").slice(-2)) await must(["run", "--rm", name, "true"]);
}

test(`${ROUNDS} kills at random moments of pull, build and push`, { timeout: 60_000 + ROUNDS * 20_000 }, async () => {
  const random = seeded(20_261_126);
  const context = join(agent.dir, "context");
  mkdirSync(context);
  for (let round = 0; round < ROUNDS; round++) {
    writeFileSync(join(context, "file"), randomBytes(2_000_000));
    writeFileSync(join(context, "Dockerfile"), `FROM busybox\nRUN echo ${round} > /round\nCOPY file /file\nRUN cat /file > /copy\n`);
    const out = `127.0.0.1:${registry.port}/team/out:${round}`;
    await run(["rmi", "-f", source]);
    const built = run(["build", "-t", out, context]);
    const load = Promise.allSettled([
      run(["pull", source]),
      built.then(() => run(["push", out])),
      run(["push", `127.0.0.1:${registry.port}/team/out:${round - 1}`]),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.floor(random() * 1_200)));
    await agent.kill();
    await load;
    await agent.start();
    await expectVerified();
    await expectWhole();
  }
  await finishEverything(context);
  await expectNothingLeft();
});

/** What was cut off so often can be done in the end, with the same result as if it never had been. */
async function finishEverything(context: string): Promise<void> {
  await must(["pull", source]);
  expect(await agent.inspect(source, "{{.Id}}")).toBe(sourceId);
  const out = `127.0.0.1:${registry.port}/team/out:last`;
  await must(["build", "-t", out, context]);
  await must(["push", out]);
  const id = await agent.inspect(out, "{{.Id}}");
  await must(["rmi", "-f", out]);
  await must(["pull", out]);
  expect(await agent.inspect(out, "{{.Id}}")).toBe(id);
  await expectVerified();
}

/** With the last name gone all is collected. */
async function expectNothingLeft(): Promise<void> {
  await must(["builder", "prune", "-af"]);
  const ids = (await must(["images", "-aq"])).stdout.split("\n").filter((id) => id !== "");
  await must(["rmi", "-f", ...new Set(ids)]);
  for (const kept of ["blobs/sha256", "layers", "rootfs", "storage-tmp", "storage-trash"]) {
    const path = join(agent.dir, "data", "agent", kept);
    await expect
      .poll(() => (existsSync(path) ? readdirSync(path).filter((name) => name !== EMPTY_LAYER) : []), { message: kept })
      .toEqual([]);
  }
}
