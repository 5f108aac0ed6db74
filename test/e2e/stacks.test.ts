import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { Lab } from "../lab/lab.ts";
import { makeBusyboxTar } from "../support/busybox-image.ts";
import { IS_LONG } from "../support/is-long.ts";
import { testAdoption } from "./adoption.ts";
import { testAgentKilled } from "./agent-killed.ts";
import { DATA_HOST, makeTierTars, TIER_PORT, tierText } from "./three-tier.ts";

// Three hosts and a real control plane: a stack deployed, rolled, rolled back, healed. One lab for all of it. In the long run an
// application of three tiers of real programs lives through all of it beside that.
const directory = mkdtempSync(join(tmpdir(), "flotilla-stacks-"));
const HOSTS = ["h1", "h2", "h3"] as const;
const SHOP_WEB = ["label=com.docker.compose.project=shop", "label=com.docker.compose.service=web"] as const;
let lab: Lab;

const replica = z.looseObject({
  id: z.string(),
  slot: z.string(),
  state: z.string(),
  phase: z.string(),
  containerId: z.string().nullable(),
  isCurrent: z.boolean(),
  restarts: z.number(),
  host: z.object({ name: z.string() }),
  reason: z.string(),
});
const service = z.looseObject({
  name: z.string(),
  state: z.string(),
  message: z.string(),
  running: z.number(),
  wanted: z.number(),
  replicas: z.array(replica),
});
const stackDetail = z.looseObject({ state: z.string(), revision: z.number(), detail: z.array(service) });
type StackDetail = z.output<typeof stackDetail>;
const plannedReplica = z.looseObject({ act: z.string() });
const plannedService = z.looseObject({
  name: z.string(),
  change: z.string(),
  reasons: z.array(z.string()),
  replicas: z.array(plannedReplica),
});
const planned = z.looseObject({ services: z.array(plannedService), basis: z.looseObject({ generation: z.number() }) });
const deployed = z.looseObject({ deploymentId: z.string(), revision: z.number() });
const deployments = z.looseObject({ items: z.array(z.looseObject({ id: z.string(), kind: z.string() })) });
const deployment = z.looseObject({ outcome: z.string(), message: z.string(), steps: z.array(z.looseObject({ text: z.string() })) });

async function eventually<T>(look: () => Promise<T>, isDone: (found: T) => boolean, what = "the condition"): Promise<T> {
  const deadline = Date.now() + 100_000;
  for (;;) {
    const found = await look();
    if (isDone(found)) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not come true in time: ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

const get = async (stack = "shop"): Promise<StackDetail> => stackDetail.parse(await lab.query("stacks.get", { stack }));
const deploy = async (text: string, name = "shop"): Promise<z.output<typeof deployed>> =>
  deployed.parse(await lab.mutate("stacks.deploy", { name, files: { "compose.yaml": text } }));
const readDeployment = async (id: string): Promise<z.output<typeof deployment>> =>
  deployment.parse(await lab.query("deployments.get", { id }));
const ended = (id: string): Promise<z.output<typeof deployment>> =>
  eventually(
    () => readDeployment(id),
    ({ outcome }) => outcome !== "running",
    `the end of deployment ${id}`,
  );
const atRest = (look: StackDetail): boolean =>
  look.state === "running" && look.detail.every(({ state, replicas, wanted }) => state === "done" && replicas.length === wanted);

/** A replica that runs: its host and its container. */
async function oneReplica(): Promise<{ host: string; container: string }> {
  const found = (await get()).detail[0]?.replicas.find(({ state, phase }) => state === "run" && phase === "running");
  if (found?.containerId == null) throw new Error("no replica runs");
  return { host: found.host.name, container: found.containerId };
}

/** A web server that answers its version, and is healthy when it does. */
const webText = (version: string, more = ""): string => `
services:
  web:
    image: busybox
    command: ["sh", "-c", "mkdir -p /www && echo ${version} > /www/index.html && exec httpd -f -p 80 -h /www"]
    init: true
    ports: ["18080:80"]
    healthcheck:
      test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1/"]
      interval: 300ms
      retries: 3
    stop_grace_period: 3s
    secrets: [password]
${more}    deploy:
      replicas: 3
      update_config: { order: start-first, parallelism: 1, monitor: 500ms, failure_action: rollback }
      x-flotilla: { on-host-loss: replace, grace: 2s, drain: 1s }
secrets:
  password: { external: true }
`;
const WEB_PORT = 18_080;
const ask = (host: string, port: number): Promise<{ exitCode: number; stdout: string; stderr: string }> =>
  lab.exec(host, ["timeout", "5", "/bin/busybox", "wget", "-q", "-O", "-", `http://127.0.0.1:${port}/`]);
const fetchFrom = async (host: string, port = WEB_PORT): Promise<string> => (await ask(host, port)).stdout.trim();

/** Asks for the page over and over, on each host one request after the other. */
class Load {
  readonly #failures: string[] = [];
  readonly #answers = new Set<string>();
  readonly #runs: Promise<void>[];
  #isStopped = false;

  constructor(hosts: readonly string[], port = WEB_PORT) {
    this.#runs = hosts.map((host) => this.#run(host, port));
  }

  async #run(host: string, port: number): Promise<void> {
    while (!this.#isStopped) {
      const { exitCode, stdout, stderr } = await ask(host, port);
      if (exitCode === 0) this.#answers.add(stdout.trim());
      else this.#failures.push(`${host} at ${new Date().toISOString()}: ${exitCode} ${stderr}`);
    }
  }

  async stop(): Promise<{ failures: string[]; answers: Set<string> }> {
    this.#isStopped = true;
    await Promise.all(this.#runs);
    return { failures: this.#failures, answers: this.#answers };
  }
}

beforeAll(async () => {
  const tars: Promise<ReadonlyMap<string, string>> = IS_LONG ? makeTierTars(directory) : Promise.resolve(new Map());
  const [made] = await Promise.all([Lab.up(`s${process.pid}`, { hostCount: HOSTS.length }), tars]);
  lab = made;
  const bringIn = async (host: string, image: string, tar: string): Promise<void> => {
    const { exitCode, stderr } = await lab.docker(host, ["import", tar, `${image}:latest`], { timeoutMs: 120_000 });
    expect(exitCode, stderr).toBe(0);
  };
  const busybox = await makeBusyboxTar(directory);
  for (const host of HOSTS) {
    await bringIn(host, "busybox", busybox);
    for (const [image, tar] of await tars) if (image !== "tier-postgres" || host === DATA_HOST) await bringIn(host, image, tar);
  }
  await setSecret("password", "first");
  if (IS_LONG) await setSecret("tier_password", "between the tiers");
});
afterAll(async () => {
  await Lab.remove(`s${process.pid}`);
  rmSync(directory, { recursive: true, force: true });
});

const setSecret = (name: string, text: string): Promise<unknown> =>
  lab.mutate("secrets.set", { name, base64: Buffer.from(text).toString("base64") });

/** What the application answers: its version, and how often it was asked. */
async function visit(host = "h1"): Promise<{ version: string; count: number }> {
  const [version = "", count = "0"] = (await fetchFrom(host, TIER_PORT)).split(" ");
  return { version, count: Number(count) };
}

function testThreeTiers(): void {
  test("is deployed by the command, each tier after the one that it needs, and keeps what it is told", async () => {
    const file = join(directory, "tier.yaml");
    writeFileSync(file, tierText("v1"));
    const told = await lab.flotilla("h1", ["stack", "deploy", "tier", "-c", file]);
    expect(told.exitCode, `${told.stdout}${told.stderr}`).toBe(0);
    await eventually(() => get("tier"), atRest, "rest");
    const { count } = await eventually(visit, ({ version }) => version === "v1", "an answer");
    expect(await visit("h3")).toEqual({ version: "v1", count: count + 1 });
  });

  test("is rolled to a new version while people use it, without one failed request", async () => {
    const load = new Load(["h1", "h3"], TIER_PORT);
    const { outcome, steps } = await ended((await deploy(tierText("v2"), "tier")).deploymentId);
    const { failures, answers } = await load.stop();
    expect(outcome, JSON.stringify(steps, null, 1)).toBe("done");
    expect(failures).toEqual([]);
    expect(new Set([...answers].map((answer) => answer.split(" ")[0]))).toEqual(new Set(["v1", "v2"]));
  });

  test("goes back by itself when the new version is not well, and nobody notices", async () => {
    const load = new Load(["h1"], TIER_PORT);
    const { outcome, message } = await ended((await deploy(tierText("v3", "/nowhere"), "tier")).deploymentId);
    const { failures, answers } = await load.stop();
    expect(outcome).toBe("rolled_back");
    expect(message).toContain("its health check fails");
    expect(failures).toEqual([]);
    expect(new Set([...answers].map((answer) => answer.split(" ")[0]))).toEqual(new Set(["v2"]));
    await eventually(() => get("tier"), atRest, "rest");
  });
}
if (IS_LONG) describe("an application of three tiers", testThreeTiers);

/** How often the three tiers were asked; 0 where there are none. */
async function countVisits(): Promise<number> {
  if (!IS_LONG) return 0;
  return (await eventually(visit, ({ version }) => version === "v2", "an answer of the three tiers")).count;
}

/** After whatever happened to its hosts. */
async function expectTierWell(before: number): Promise<void> {
  if (!IS_LONG) return;
  await eventually(() => get("tier"), atRest, "rest of the three tiers");
  expect(await countVisits()).toBeGreaterThan(before);
}

describe("a stack", () => {
  test("is spread over the hosts, answers on each, and has its secret", async () => {
    const { deploymentId } = await deploy(webText("one"));
    const { outcome, steps } = await ended(deploymentId);
    expect(outcome, JSON.stringify(steps, null, 1)).toBe("done");
    const stack = await get();
    expect(new Set(stack.detail[0]?.replicas.map(({ host }) => host.name))).toEqual(new Set(HOSTS));
    for (const host of HOSTS)
      await eventually(
        () => fetchFrom(host),
        (answer) => answer === "one",
        `an answer on ${host}`,
      );
    const { host, container } = await oneReplica();
    const read = await lab.docker(host, [
      "exec",
      container ?? "",
      "sh",
      "-c",
      "cat /run/secrets/password; stat -c %a /run/secrets/password",
    ]);
    expect(read.stdout).toBe("first400\n");
    expect((await lab.docker(host, ["inspect", container])).stdout).not.toContain("first");
  });

  test("has a plan that is refused when it is stale", async () => {
    const input = { name: "shop", files: { "compose.yaml": webText("two") } };
    const plan = planned.parse(await lab.mutate("stacks.plan", input));
    expect(plan.services[0]).toMatchObject({ name: "web", change: "update", reasons: ["command changed"] });
    expect(plan.services[0]?.replicas.map(({ act }) => act)).toEqual(["replace", "replace", "replace"]);
    const stale = { ...plan.basis, generation: plan.basis.generation - 1 };
    await expect(lab.mutate("stacks.deploy", { ...input, basis: stale })).rejects.toThrow(
      "plan again: the stack was changed (generation 0 → 1)",
    );
  });

  test("of two deployments at once one wins and the other is told", async () => {
    const input = { name: "shop", files: { "compose.yaml": webText("one") } };
    const { basis } = planned.parse(await lab.mutate("stacks.plan", input));
    const results = await Promise.allSettled([1, 2].map(() => lab.mutate("stacks.deploy", { ...input, basis })));
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    await eventually(() => get(), atRest, "rest");
  });
});

describe("a rollout", () => {
  test("start-first loses no request, from any host", async () => {
    const load = new Load(["h1", "h2"]);
    const { deploymentId } = await deploy(webText("two"));
    const { outcome, steps } = await ended(deploymentId);
    const { failures, answers } = await load.stop();
    expect(outcome, JSON.stringify(steps, null, 1)).toBe("done");
    expect(failures).toEqual([]);
    expect(answers).toEqual(new Set(["one", "two"]));
    await eventually(() => get(), atRest, "rest");
  });

  test("whose health check fails goes back by itself, and says why", async () => {
    const { deploymentId } = await deploy(webText("three").replace("exec httpd", "echo out of cheese >&2; exec sleep 600; httpd"));
    const { outcome, message } = await ended(deploymentId);
    expect(outcome).toBe("rolled_back");
    expect(message).toMatch(/1 of 3 replicas failed: its health check fails; health check said: .*last lines:\nout of cheese/s);
    await eventually(() => get(), atRest, "rest");
    for (const host of HOSTS) expect(await fetchFrom(host)).toBe("two");
  });

  test("is begun by a changed secret, and carried on by a control plane that was killed in the middle of it", async () => {
    await setSecret("password", "second");
    const [begun] = deployments.parse(await lab.query("deployments.list", { stack: "shop" })).items;
    expect(begun?.kind).toBe("file");
    const id = begun?.id ?? "";
    await eventually(
      () => readDeployment(id),
      ({ steps }) => steps.some(({ text }) => text.includes("is made on")),
      "a first step",
    );
    await lab.powerOff("control");
    await lab.powerOn("control");
    await eventually(
      () => readDeployment(id).catch(() => undefined),
      (found) => found?.outcome === "done",
      "the end",
    );
    await eventually(() => get(), atRest, "rest");
    const { host, container } = await oneReplica();
    expect((await lab.docker(host, ["exec", container, "cat", "/run/secrets/password"])).stdout).toBe("second");
  });

  testAgentKilled({ lab: () => lab, get, eventually, deploy, ended });
});

describe("healing", () => {
  const hostsOf = ({ detail }: StackDetail): string[] =>
    detail.flatMap(({ replicas }) => replicas.filter(({ state }) => state === "run").map(({ host }) => host.name)).toSorted();

  test("a replica that is killed is started again on its host", async () => {
    const { host, container } = await oneReplica();
    await lab.docker(host, ["kill", container]);
    await eventually(
      () => get(),
      (stack) => stack.detail[0]?.replicas.some(({ phase, restarts }) => phase === "running" && restarts === 1) === true,
      "a restart",
    );
    await eventually(() => get(), atRest, "rest");
  });

  test("a drained host's replicas move away", async () => {
    const [host] = hostsOf(await get());
    await lab.mutate("hosts.place", { host, availability: "drain" });
    await eventually(
      () => get(),
      (stack) => atRest(stack) && !hostsOf(stack).includes(host ?? ""),
      `${host} to be empty`,
    );
    await lab.mutate("hosts.place", { host, availability: "active" });
  });

  test("a host that is gone is replaced, and has no copy when it is back; data on it is kept", async () => {
    const lost = DATA_HOST;
    await eventually(
      () => get(),
      (stack) => hostsOf(stack).includes(lost),
      `a replica on ${lost}`,
    );
    const count = await countVisits();
    await lab.powerOff(lost);
    const isElsewhere = ({ phase, state, host }: z.output<typeof replica>): boolean =>
      state === "run" && phase === "running" && host.name !== lost;
    await eventually(
      () => get(),
      ({ detail }) => detail[0]?.replicas.filter(isElsewhere).length === 3,
      "three replicas elsewhere",
    );
    await eventually(
      () => fetchFrom("h1"),
      (answer) => answer === "two",
      "an answer",
    );
    await lab.powerOn(lost);
    await eventually(
      () => get(),
      (stack) => atRest(stack) && !hostsOf(stack).includes(lost),
      `${lost} to be empty`,
    );
    await eventually(
      async () => (await lab.docker(lost, ["ps", "-aq", "--filter", SHOP_WEB[0], "--filter", SHOP_WEB[1]])).stdout.trim(),
      (ids) => ids === "",
      "no copy",
    );
    await expectTierWell(count);
  });

  test("rebalancing fills it again", async () => {
    await lab.mutate("stacks.rebalance", { stack: "shop" });
    await eventually(
      () => get(),
      (stack) => atRest(stack) && new Set(hostsOf(stack)).size === 3,
      "one replica on each host",
    );
  });
});

// Each waits most of its time, for another host: beside each other they take no longer than the first alone.
describe.concurrent("beside each other", () => {
  test("a host that is cut off is replaced while its copy runs on, and has none when it is back", async () => {
    const lost = "h3";
    const others = ["control", ...HOSTS.filter((name) => name !== lost)];
    const copies = async (): Promise<string> =>
      (await lab.docker(lost, ["ps", "-q", "--filter", SHOP_WEB[0], "--filter", SHOP_WEB[1]])).stdout.trim();
    const count = await countVisits();
    expect(await copies()).not.toBe("");
    await Promise.all(others.map((node) => lab.cut(lost, node)));
    await eventually(
      () => get(),
      ({ detail }) =>
        detail[0]?.replicas.filter(({ phase, state, host }) => state === "run" && phase === "running" && host.name !== lost).length === 3,
      "three replicas elsewhere",
    );
    expect(await copies()).not.toBe("");
    await Promise.all(others.map((node) => lab.heal(lost, node)));
    await eventually(copies, (ids) => ids === "", "no copy");
    await eventually(() => get(), atRest, "rest");
    await expectTierWell(count);
  });

  testAdoption({ directory, lab: () => lab, eventually, deploy });

  test("a replica that its host refuses says which rule refuses it, and runs where the rule is met", async () => {
    const text = (more: string): string =>
      `services:\n  web:\n    image: busybox\n    command: sleep 600\n    stop_signal: KILL\n    deploy: {update_config: {monitor: 100ms}, placement: {constraints: [node.hostname==h1]}}\n${more}`;
    await deploy(text("    privileged: true\n"), "refused");
    const refused = await eventually(
      () => get("refused"),
      ({ detail }) => detail[0]?.replicas[0]?.phase === "waiting",
      "a refusal",
    );
    expect(refused.detail[0]?.replicas[0]?.reason).toMatch(/privileged/i);
    await deploy(text(""), "refused");
    await eventually(() => get("refused"), atRest, "rest");
    await lab.mutate("stacks.remove", { stack: "refused" });
  });
});

describe("the end", () => {
  test("what does not fit says why", async () => {
    const text = webText("five").replace("replicas: 3", "replicas: 3\n      placement: { constraints: [node.labels.disk==ssd] }");
    await deploy(text);
    await eventually(
      () => get(),
      ({ detail }) => detail[0]?.message === "1 of 3 replicas have no host: 3 hosts: 3 lack label disk=ssd",
      "the reason",
    );
  });

  test("removes everything but volumes", async () => {
    for (const stack of IS_LONG ? ["tier", "shop"] : ["shop"]) await lab.mutate("stacks.remove", { stack });
    await eventually(
      () => lab.query("stacks.list"),
      (stacks) => Array.isArray(stacks) && stacks.length === 0,
      "the stack to be gone",
    );
    for (const host of HOSTS) expect((await lab.docker(host, ["ps", "-aq"])).stdout.trim()).toBe("");
    expect(await lab.query("networks.list", {})).toMatchObject({ overlays: [] });
    for (const name of IS_LONG ? ["password", "tier_password"] : ["password"]) await lab.mutate("secrets.remove", { name });
    expect((await lab.docker(DATA_HOST, ["volume", "ls", "-q"])).stdout.trim()).toBe(IS_LONG ? "tier_data" : "");
  });
});
