import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@flotilla/core";
import { type ControlDatabase, openDatabase } from "@flotilla/db";
import type { RolloutAction } from "@flotilla/planner";
import { HOST_USE } from "@flotilla/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfig } from "../../agent/src/config.ts";
import { joinControlPlane } from "../../agent/src/link/join.ts";
import { type EmbeddedPostgres, startPostgres } from "../../apps/control/src/server/postgres/start-postgres.ts";
import { ensureSecrets } from "../../apps/control/src/server/secrets-file.ts";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { COMPILE_CACHE } from "../support/compile-cache.ts";
import { prepareControlData } from "../support/control-data.ts";
import { ADMIN, ADMIN_TOKEN } from "../support/control.ts";
import { freePort } from "../support/product.ts";

// Two control planes on one Postgres, a real host at each: rollouts go on and make nothing twice, whichever is killed and whenever.
const SLOTS = 3;
const dir = mkdtempSync(join(tmpdir(), "fl2-"));
let postgres: EmbeddedPostgres;
let database: ControlDatabase;
let agents: TestAgent[] = [];

class ControlPlane {
  readonly url: string;
  readonly #env: Record<string, string>;
  #child: ChildProcess | undefined;

  constructor(name: string, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    const data = join(dir, name);
    mkdirSync(join(data, "control"), { recursive: true });
    copyFileSync(join(dir, "shared", "secrets.json"), join(data, "control", "secrets.json"));
    const { postgresPassword } = ensureSecrets(join(dir, "shared"));
    const socket = new URLSearchParams({ host: join(dir, "shared", "postgres") });
    this.#env = {
      ...COMPILE_CACHE,
      PATH: process.env["PATH"] ?? "",
      FLOTILLA_DATA: data,
      FLOTILLA_LISTEN: `127.0.0.1:${port}`,
      DATABASE_URL: `postgresql://flotilla:${encodeURIComponent(postgresPassword)}@localhost/postgres?${socket.toString()}`,
      FLOTILLA_ADMIN_EMAIL: ADMIN.email,
      FLOTILLA_ADMIN_PASSWORD: ADMIN.password,
      FLOTILLA_ADMIN_TOKEN: ADMIN_TOKEN,
    };
  }

  async start(): Promise<void> {
    if (this.#isRunning()) return;
    const argv = [
      "--disable-warning=ExperimentalWarning",
      join(import.meta.dirname, "..", "support", "control-child.ts"),
      "--without-clean-up",
    ];
    const child = spawn(process.execPath, argv, { env: this.#env, stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    await Promise.race([
      once(child.stdout, "data"),
      once(child, "exit").then(([code]) => Promise.reject(new Error(`the control plane ended with ${String(code)}`))),
    ]);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.#isRunning()) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  #isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async mutate(path: string, input: unknown): Promise<unknown> {
    const headers = { "content-type": "application/json", authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await fetch(`${this.url}/api/trpc/${path}`, { method: "POST", headers, body: JSON.stringify(input) });
    const answer = (await response.json()) as { result?: { data: unknown }; error?: { message: string } };
    if (answer.result === undefined) throw new Error(`${path}: ${answer.error?.message ?? response.status}`);
    return answer.result.data;
  }
}

let controls: [ControlPlane, ControlPlane];

beforeAll(async () => {
  await prepareControlData(join(dir, "shared"));
  const { postgresPassword } = ensureSecrets(join(dir, "shared"));
  const directory = join(dir, "shared", "postgres");
  postgres = await startPostgres({ directory, password: postgresPassword, logger: silentLogger });
  database = openDatabase(postgres.connection);
  controls = [new ControlPlane("a", await freePort()), new ControlPlane("b", await freePort())];
  // One after the other: the first makes the administrator.
  for (const control of controls) await control.start();
  agents = await Promise.all(controls.map(() => startTestAgent()));
  await Promise.all(agents.map((agent, index) => joinHost(agent, { control: controls[index] as ControlPlane, name: `h${index + 1}` })));
});
afterAll(async () => {
  // What could not be removed is what the agents then say they leave behind.
  await removeStack().catch(() => undefined);
  const closed = await Promise.allSettled(agents.map((agent) => agent.close()));
  await Promise.all(controls.map((control) => control.kill()));
  await database.close();
  await postgres.stop();
  rmSync(dir, { recursive: true, force: true });
  for (const result of closed) if (result.status === "rejected") throw result.reason;
});

/** An agent that is to run replicas makes them anew while others remove them. */
async function removeStack(): Promise<void> {
  for (const control of controls) await control.start();
  if ((await readReplicas()).length > 0) await controls[0].mutate("stacks.remove", { stack: "shop" });
  await until(async () => {
    const listed = await Promise.all(agents.map((agent) => agent.docker(["ps", "-aq"])));
    return listed.every(({ stdout }) => stdout === "");
  });
}

/** Joins an agent to one of them, and waits until the database knows the host with what it says of itself. */
async function joinHost(agent: TestAgent, { control, name }: { control: ControlPlane; name: string }): Promise<void> {
  const { token } = (await control.mutate("hosts.joinTokens.create", { name, expiresInMinutes: 5, uses: 1 })) as { token: string };
  await agent.kill();
  const { dataDir } = readConfig({ FLOTILLA_DATA: join(agent.dir, "data"), FLOTILLA_RUN: join(agent.dir, "run") });
  await joinControlPlane({ dataDir, controlUrl: control.url, token, agentVersion: "0.0.0-test" });
  await agent.start();
  await until(async () => (await database.prisma.hostObserved.count({ where: { host: { name }, key: HOST_USE } })) === 1);
}

/** Waits for what is in the database; says what is there when that does not come. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`the condition did not come true within a minute:\n${await describeRows()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function describeRows(): Promise<string> {
  const { prisma } = database;
  const steps = await prisma.stackDeploymentStep.findMany({ orderBy: { id: "desc" }, take: 12, select: { text: true, level: true } });
  const said = await prisma.hostObserved.findMany({ where: { key: { startsWith: "replica/" } }, select: { body: true } });
  const services = await prisma.stackService.findMany({ select: { state: true, message: true } });
  return JSON.stringify({ services, said: said.map(({ body }) => body), steps: steps.map(({ text }) => text) }, null, 1);
}

type Replica = Awaited<ReturnType<typeof readReplicas>>[number];

function readReplicas() {
  return database.prisma.stackReplica.findMany({ include: { service: true }, orderBy: { id: "asc" } });
}

const isNew = ({ hash, service }: Replica): boolean => hash === (service.target as { hash: string }).hash;

/** How each of the planner's steps is seen in the rows, and what lies between them. */
const PHASES: Readonly<Record<RolloutAction["kind"] | "ready", (replica: Replica) => boolean>> = {
  create: (replica) => isNew(replica) && replica.readyAt === null,
  ready: (replica) => isNew(replica) && replica.readyAt !== null,
  drain: ({ state }) => state === "drain",
  stop: ({ state }) => state === "stop",
};

const text = (version: number): string => `
services:
  web:
    image: busybox
    command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done # ${version}"]
    network_mode: none
    deploy:
      replicas: ${SLOTS}
      update_config: { order: start-first, parallelism: 1, monitor: 200ms }
      x-flotilla: { on-host-loss: keep, drain: 300ms }
`;

/** Begins a rollout, and kills when some replica is in a phase. @returns the deployment's id. */
async function rollUntil(
  version: number,
  { through, phase }: { through: ControlPlane; phase: (replica: Replica) => boolean },
): Promise<string> {
  const input = { name: "shop", files: { "compose.yaml": text(version) } };
  const { deploymentId } = (await through.mutate("stacks.deploy", input)) as { deploymentId: string };
  await until(async () => (await readReplicas()).some(phase));
  return deploymentId;
}

/** The rollout has ended well: each slot has one replica of its version, which was made once; and no host has a container more. */
async function expectDone(deploymentId: string): Promise<void> {
  const { prisma } = database;
  await until(async () => (await prisma.stackDeployment.findUniqueOrThrow({ where: { id: deploymentId } })).outcome === "done");
  await until(async () => (await readReplicas()).length === SLOTS);
  const replicas = await readReplicas();
  expect(replicas.map(({ slot }) => slot).toSorted()).toEqual(["1", "2", "3"]);
  expect(replicas.every(isNew)).toBe(true);
  const made = await prisma.stackDeploymentStep.findMany({ where: { deploymentId, text: { contains: "is made on" } } });
  expect(made.map(({ replicaId }) => replicaId).toSorted()).toEqual(replicas.map(({ id }) => id).toSorted());
  await until(async () => {
    const listed = await Promise.all(agents.map((agent) => agent.docker(["ps", "-a", "--format", '{{.Label "io.flotilla.replica"}}'])));
    const there = listed.flatMap(({ stdout }) => stdout.split("\n").filter((id) => id !== ""));
    return (
      there.toSorted().join() ===
      replicas
        .map(({ id }) => id)
        .toSorted()
        .join()
    );
  });
}

test("a stack is spread over hosts of both", async () => {
  await expectDone(await rollUntil(0, { through: controls[0], phase: () => true }));
  expect(new Set((await readReplicas()).map(({ hostId }) => hostId)).size).toBe(2);
});

test.each(Object.entries(PHASES).map(([name, phase], index) => ({ name, phase, index, who: index % 2 === 0 ? "one" : "both" })))(
  "a rollout goes on when $who of them is killed in its phase $name",
  async ({ phase, index, who }) => {
    const [killed, other] = index < 2 ? controls : [controls[1], controls[0]];
    const id = await rollUntil(index + 1, { through: killed, phase });
    await Promise.all((who === "one" ? [killed] : controls).map((control) => control.kill()));
    // Without its own a host is told nothing; the other one brings on what is of its host.
    await other.start();
    await killed.start();
    await expectDone(id);
  },
);
