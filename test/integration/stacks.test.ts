import { Prisma } from "@flotilla/db";
import { composeHostState, findActorByToken, followDeployment, sealOldSources, settleStacks } from "@flotilla/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { askAs, findCanaries, plantStackCanaries, readStackPlaces } from "../support/stack-canary.ts";

// Rows and rounds with a real Postgres; hosts are rows without an agent, so nothing ever runs.
let control: TestControl;
let teamId: string;

const call = (path: string, input: unknown): Promise<unknown> =>
  control.call(path, input, { kind: /list|get|variables$|Plan$|revision|History$/.test(path) ? "query" : "mutation", token: ADMIN_TOKEN });
const compose = (service: string): Record<string, string> => ({ "compose.yaml": `services:\n  web:\n    image: busybox\n${service}` });
const deploy = (name: string, service = ""): Promise<unknown> => call("stacks.deploy", { name, files: compose(service) });
const settle = async (): Promise<void> => void (await Promise.all(Array.from({ length: 6 }, () => settleStacks(control.services, teamId))));
const replicasOf = (stack: string): Promise<{ slot: string; hostId: string }[]> =>
  control.services.prisma.stackReplica.findMany({
    where: { service: { stack: { name: stack } } },
    select: { slot: true, hostId: true },
    orderBy: { slot: "asc" },
  });

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  const { prisma } = control.services;
  teamId = (await prisma.team.findFirstOrThrow()).id;
  for (const name of ["a", "b", "c"]) await prisma.host.create({ data: { teamId, name, publicKey: `key-${name}` } });
});
afterAll(() => control.close());

describe("rounds", () => {
  test("at once, as of several control planes, make each replica once and spread them", async () => {
    await deploy("shop", "    deploy: { replicas: 5 }\n");
    await settle();
    const replicas = await replicasOf("shop");
    expect(replicas.map(({ slot }) => slot)).toEqual(["1", "2", "3", "4", "5"]);
    expect(new Set(replicas.map(({ hostId }) => hostId)).size).toBe(3);
  });

  test("do nothing when nothing changed", async () => {
    const before = await replicasOf("shop");
    await settle();
    expect(await replicasOf("shop")).toEqual(before);
  });

  test("give a service one virtual address in its network", async () => {
    const addresses = await control.services.prisma.stackAddress.findMany({ where: { service: { stack: { name: "shop" } } } });
    expect(addresses.map(({ address }) => address)).toEqual(["10.64.0.2"]);
  });

  test("take away a stack that is removed, with its network", async () => {
    await call("stacks.remove", { stack: "shop" });
    await settle();
    await settle();
    expect(await call("stacks.list", undefined)).toEqual([]);
    expect(await control.services.prisma.overlayNetwork.count({ where: { name: "shop_default" } })).toBe(0);
  });
});

describe("what hosts say of themselves", () => {
  const say = async (host: string, use: { images: string[]; ports: string[] }): Promise<void> => {
    const { prisma } = control.services;
    const { id: hostId, team } = await prisma.host.findFirstOrThrow({ where: { name: host }, include: { team: true } });
    const body = { ports: use.ports, images: use.images.map((name) => ({ namespace: team.namespace, name })) };
    await prisma.hostObserved.create({ data: { hostId, key: "use", revision: "1", body, updatedAt: new Date() } });
  };
  const hostsOf = async (stack: string): Promise<string[]> => {
    const placed = await control.services.prisma.stackReplica.findMany({
      where: { service: { stack: { name: stack } } },
      include: { host: true },
    });
    return placed.map(({ host }) => host.name).toSorted();
  };

  test("decides: a host that has the image is preferred, one whose port is taken is not taken", async () => {
    await say("c", { images: ["docker.io/library/busybox:latest"], ports: [] });
    await say("a", { images: [], ports: ["9000/tcp"] });
    await deploy("near");
    await settle();
    expect(await hostsOf("near")).toEqual(["c"]);
    await deploy("ports", "    ports: [{ target: 80, published: 9000, mode: host }]\n    deploy: { replicas: 3 }\n");
    await settle();
    expect(await hostsOf("ports")).toEqual(["b", "c"]);
    const { detail } = (await call("stacks.get", { stack: "ports" })) as { detail: { message: string }[] };
    expect(detail[0]?.message).toBe("1 of 3 replicas have no host: 3 hosts: 3 have port 9000/tcp in use");
    for (const stack of ["near", "ports"]) await call("stacks.remove", { stack });
    await settle();
    await settle();
    await control.services.prisma.hostObserved.deleteMany({ where: { key: "use" } });
  });
});

test("the phases of a replica are kept, the newest ones", async () => {
  const { prisma } = control.services;
  await deploy("story");
  await settle();
  const replica = await prisma.stackReplica.findFirstOrThrow({ where: { service: { stack: { name: "story" } } } });
  const say = async (phase: string, restarts: number): Promise<void> => {
    const body = {
      revision: "r",
      phase,
      containerId: null,
      imageId: null,
      restarts,
      exitCode: null,
      reason: `it is ${phase}`,
      progress: "",
      log: [],
      healthOutput: "",
    };
    const at = { hostId: replica.hostId, key: `replica/${replica.id}` };
    const data = { revision: `${phase}${restarts}`, body, updatedAt: new Date() };
    await prisma.hostObserved.upsert({ where: { hostId_key: at }, create: { ...at, ...data }, update: data });
    await settleStacks(control.services, teamId);
  };
  await say("preparing", 0);
  await say("running", 0);
  await say("running", 0);
  const { readyAt, failedAt, lastPhase } = await prisma.stackReplica.findUniqueOrThrow({ where: { id: replica.id } });
  expect({ isReady: readyAt !== null, failedAt, lastPhase }).toEqual({ isReady: true, failedAt: null, lastPhase: "running" });
  const told = (await call("stacks.replicaHistory", { stack: "story", replica: replica.id })) as { phase: string; reason: string }[];
  expect(told.map(({ phase, reason }) => [phase, reason])).toEqual([
    ["running", "it is running"],
    ["preparing", "it is preparing"],
  ]);
  const old = Array.from({ length: 80 }, (_, index) => ({
    replicaId: replica.id,
    time: new Date(),
    phase: index % 2 === 0 ? "waiting" : "running",
  }));
  await prisma.stackReplicaEvent.createMany({ data: old });
  await say("waiting", 40);
  // What was noted first stays.
  const failed = await prisma.stackReplica.findUniqueOrThrow({ where: { id: replica.id } });
  expect(failed).toMatchObject({ readyAt, failedAt: expect.any(Date) as Date, lastPhase: "waiting" });
  const kept = (await call("stacks.replicaHistory", { stack: "story", replica: replica.id })) as { phase: string }[];
  expect(kept).toHaveLength(50);
  expect(kept[0]?.phase).toBe("waiting");
  await expect(call("stacks.replicaHistory", { stack: "story", replica: "none" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  await call("stacks.remove", { stack: "story" });
  await prisma.hostObserved.deleteMany({ where: { key: `replica/${replica.id}` } });
  await settle();
  await settle();
});

describe("a network of a stack", () => {
  const count = (): Promise<number> => control.services.prisma.overlayNetwork.count({ where: { name: "net_default" } });
  const pass = (ms: number): void => void (control.services.nowMs = () => Date.now() + ms);

  test("stays while something is in it, keeps the stack for a while only, and goes when it is free", async () => {
    const { prisma } = control.services;
    await deploy("net", "    deploy: { replicas: 0 }\n");
    await settle();
    const { id } = await prisma.overlayNetwork.findFirstOrThrow({ where: { name: "net_default" } });
    const host = await prisma.host.findFirstOrThrow({ where: { teamId } });
    const body = { endpoints: [{ containerId: "c1" }] };
    await prisma.hostObserved.create({ data: { hostId: host.id, key: `network/${id}`, revision: "1", body, updatedAt: new Date() } });
    const { nowMs } = control.services;
    try {
      await call("stacks.remove", { stack: "net" });
      await settle();
      expect(await prisma.stack.count({ where: { name: "net" } })).toBe(1);
      pass(20_000);
      await settle();
      expect([await prisma.stack.count({ where: { name: "net" } }), await count()]).toEqual([0, 1]);
      await prisma.hostObserved.deleteMany({ where: { hostId: host.id } });
      await settle();
      expect(await count()).toBe(0);
    } finally {
      control.services.nowMs = nowMs;
    }
  });
});

describe("a host that another team shares", () => {
  const RIGHTS = ["image.pull", "container.run", "container.control", "container.remove"];
  const own = "    network_mode: none\n    deploy: { placement: { constraints: [node.hostname==lent] }, replicas: 2 }\n";
  const why = async (): Promise<string> =>
    ((await call("stacks.get", { stack: "guest" })) as { detail: { message: string }[] }).detail[0]?.message ?? "";
  const grant = async (rights: string[], limits: object = {}): Promise<void> => {
    const { prisma } = control.services;
    const host = await prisma.host.findFirstOrThrow({ where: { name: "lent" } });
    await prisma.hostGrant.deleteMany({ where: { hostId: host.id } });
    await prisma.hostGrant.create({ data: { hostId: host.id, teamId, rights, createdBy: "test", ...limits } });
    await settle();
  };

  test("takes replicas within its grant, of the team's own namespace, and gives them back with it", async () => {
    const { prisma } = control.services;
    const owner = await prisma.team.create({ data: { name: "Owners", slug: "owners", namespace: "owners" } });
    const { id: hostId } = await prisma.host.create({ data: { teamId: owner.id, name: "lent", publicKey: "key-lent" } });
    await deploy("guest", own);
    await settle();
    expect(await why()).toBe("2 of 2 replicas have no host: 3 hosts: 3 are not host lent");
    await grant(["container.read"]);
    expect(await why()).toContain("1 is shared without the right to run containers");
    await grant(RIGHTS, { maxContainers: 1 });
    expect(await why()).toContain("1 has 1 container, the most that its grant allows");
    await grant(RIGHTS);
    expect((await replicasOf("guest")).map((replica) => replica.hostId)).toEqual([hostId, hostId]);
    const { resources } = await composeHostState(control.services, hostId);
    const told = resources.filter(({ key }) => key.startsWith("replica/"));
    expect(told.map(({ body }) => body["namespace"])).toEqual(["default", "default"]);
    await deploy("guest", own.replace("replicas: 2", "replicas: 1"));
    await settle();
    await settle();
    expect((await replicasOf("guest")).map((replica) => replica.hostId)).toEqual([hostId]);
    await prisma.hostGrant.deleteMany({ where: { hostId } });
    await settle();
    await settle();
    expect(await replicasOf("guest")).toEqual([]);
    expect(await why()).toBe("1 of 1 replicas have no host: 3 hosts: 3 are not host lent");
    await grant(RIGHTS);
    await deploy("guest", own.replace("network_mode: none", "networks: [default]"));
    await settle();
    expect(await why()).toContain("1 is shared by another team, where networks of this one do not reach");
    await call("stacks.remove", { stack: "guest" });
    await settle();
    await settle();
    await prisma.host.delete({ where: { id: hostId } });
  });
});

describe("a revision that cannot be read", () => {
  test("marks its stack, and stops neither the others nor what hosts are told", async () => {
    const { prisma } = control.services;
    for (const name of ["broken", "well"]) await deploy(name);
    await settle();
    const { id: stackId } = await prisma.stack.findFirstOrThrow({ where: { name: "broken" } });
    await prisma.stackRevision.create({
      data: { stackId, number: 2, source: {}, sealed: Buffer.from("not ours".repeat(8)), createdBy: "x" },
    });
    const target = { revision: 2, hash: "h", files: {} };
    await prisma.stack.update({ where: { id: stackId }, data: { current: 2 } });
    await prisma.stackService.updateMany({ where: { stackId }, data: { target } });
    await prisma.stackReplica.updateMany({ where: { service: { stackId } }, data: { target } });
    await deploy("well", "    deploy: { replicas: 4 }\n");
    await settle();
    expect(await replicasOf("well")).toHaveLength(4);
    const why = "revision 2 cannot be read: a stored secret cannot be opened: it was written with another secrets file";
    expect(await call("stacks.get", { stack: "broken" })).toMatchObject({
      state: "failed",
      detail: [{ name: "web", state: "failed", message: why }],
    });
    const [replica] = await prisma.stackReplica.findMany({ where: { service: { stackId } } });
    const { resources } = await composeHostState(control.services, replica?.hostId ?? "");
    expect(resources.find(({ key }) => key === `replica/${replica?.id}`)?.body).toEqual({ kept: why });
  });

  test("because it was deleted while it was rolled out stops nobody else either", async () => {
    const { prisma } = control.services;
    await deploy("gone");
    await settle();
    await prisma.$executeRaw`DELETE FROM stack_revisions WHERE stack_id = (SELECT id FROM stacks WHERE name = 'gone')`;
    await settle();
    expect(await call("stacks.get", { stack: "gone" })).toMatchObject({ state: "failed", detail: [{ message: "no such revision: 1" }] });
    const [replica] = await prisma.stackReplica.findMany({ where: { service: { stack: { name: "gone" } } } });
    const { resources } = await composeHostState(control.services, replica?.hostId ?? "");
    expect(resources.find(({ key }) => key === `replica/${replica?.id}`)?.body).toEqual({ kept: "no such revision: 1" });
    await call("stacks.remove", { stack: "gone" });
  });

  test("is one thing, a replica whose secret is gone another: its host is told of all others", async () => {
    const { prisma } = control.services;
    await call("secrets.set", { name: "lost", base64: "eA==" });
    await deploy("bare", "    secrets: [lost]\nsecrets: { lost: { external: true } }\n");
    await settle();
    const replica = await prisma.stackReplica.findFirstOrThrow({ where: { service: { stack: { name: "bare" } } } });
    const target = { ...(replica.target as object), files: {} };
    await prisma.stackReplica.update({ where: { id: replica.id }, data: { target } });
    const { resources } = await composeHostState(control.services, replica.hostId);
    expect(resources.find(({ key }) => key === `replica/${replica.id}`)?.body).toEqual({ kept: "no such secret: lost" });
    await call("stacks.remove", { stack: "bare" });
  });

  test("is cured by another one", async () => {
    await deploy("broken");
    await settle();
    expect(await call("stacks.get", { stack: "broken" })).toMatchObject({ revision: 3, state: "rolling" });
  });

  test("does not keep its stack from being removed", async () => {
    const { prisma } = control.services;
    await prisma.stackService.updateMany({
      where: { stack: { name: "broken" } },
      data: { target: { revision: 2, hash: "h", files: {} } },
    });
    for (const stack of ["broken", "well"]) await call("stacks.remove", { stack });
    await settle();
    await settle();
    expect(await call("stacks.list", undefined)).toEqual([]);
  });
});

describe("what is kept", () => {
  test("a revision is never changed", async () => {
    await deploy("kept");
    const { prisma } = control.services;
    const revision = await prisma.stackRevision.findFirstOrThrow({ where: { stack: { name: "kept" } } });
    await expect(prisma.stackRevision.update({ where: { id: revision.id }, data: { number: 9 } })).rejects.toThrow(
      "a revision of a stack is never changed",
    );
    const forged = { number: 9, source: Prisma.DbNull, sealedSource: Buffer.from("forged") };
    await expect(prisma.stackRevision.update({ where: { id: revision.id }, data: forged })).rejects.toThrow("never changed");
  });

  test("what was written before files were encrypted is encrypted at the next start, and reads the same", async () => {
    const { prisma } = control.services;
    const { id: stackId } = await prisma.stack.findFirstOrThrow({ where: { name: "kept" } });
    const sealed = Buffer.from("a project of then");
    const files = { "compose.yaml": "services: { web: { environment: { PASSWORD: written-long-ago } } }" };
    const { id } = await prisma.stackRevision.create({ data: { stackId, number: 90, source: files, sealed, createdBy: "x" } });
    await Promise.all([sealOldSources(control.services), sealOldSources(control.services)]);
    const row = await prisma.stackRevision.findUniqueOrThrow({ where: { id } });
    expect(row).toMatchObject({ number: 90, source: null, createdBy: "x" });
    expect(Buffer.from(row.sealed).equals(sealed)).toBe(true);
    expect(Buffer.from(row.sealedSource ?? []).toString("latin1")).not.toContain("written-long-ago");
    expect(await call("stacks.revision", { stack: "kept", revision: 90 })).toMatchObject({ source: files });
    await expect(prisma.stackRevision.update({ where: { id }, data: { sealedSource: sealed, source: Prisma.DbNull } })).rejects.toThrow(
      "never changed",
    );
    await prisma.stackRevision.delete({ where: { id } });
  });

  test("no table has the value of a secret, a variable or the environment", async () => {
    await call("secrets.set", { name: "token", base64: Buffer.from("s3cret-value").toString("base64") });
    await call("stacks.setVariables", { stack: "kept", variables: { PASSWORD: "v4riable-value" } });
    await call("stacks.deploy", { name: "kept", files: compose("    environment: { P: $PASSWORD }\n") });
    const rows = await control.services.prisma.$queryRaw`
      SELECT (SELECT json_agg(t) FROM stack_revisions t)::text || (SELECT json_agg(t) FROM stack_file_versions t)::text || (SELECT json_agg(t) FROM stack_variables t)::text
        || (SELECT json_agg(t) FROM stack_deployments t)::text || (SELECT json_agg(t) FROM audit_rows t)::text AS all`;
    const text = JSON.stringify(rows);
    expect(text).toContain("PASSWORD");
    for (const value of ["s3cret-value", Buffer.from("s3cret-value").toString("base64"), "v4riable-value"])
      expect(text).not.toContain(value);
    expect(await call("stacks.variables", { stack: "kept" })).toEqual(["PASSWORD"]);
    expect(JSON.stringify(await call("secrets.list", undefined))).not.toContain("s3cret");
  });

  test("somebody who may see a stack but not look into it is shown nothing that it holds", async () => {
    await plantStackCanaries(askAs(control, { token: ADMIN_TOKEN }, "mutation"));
    await settle();
    const viewer = { name: "V", email: "v@example.test", role: "viewer", password: "v's long password" };
    await call("members.create", viewer);
    const seen = await readStackPlaces(askAs(control, { cookie: await control.signIn(viewer.email, viewer.password) }, "query"));
    expect(Object.keys(seen).length).toBeGreaterThan(12);
    expect(seen['stacks.get {"stack":"canaries"}']).toContain('"image":"one:1"');
    expect(findCanaries(seen)).toEqual([]);
    await call("stacks.remove", { stack: "canaries" });
  });

  test("a secret in use is not removed, and the same content is no new version", async () => {
    const files = { "compose.yaml": "services: { web: { image: busybox, secrets: [token] } }\nsecrets: { token: { external: true } }\n" };
    await call("stacks.deploy", { name: "kept", files });
    await expect(call("secrets.remove", { name: "token" })).rejects.toMatchObject({
      code: "CONFLICT",
      message: "secret token is in use by kept/web",
    });
    const same = { name: "token", base64: Buffer.from("s3cret-value").toString("base64") };
    expect(await call("secrets.set", same)).toEqual({ version: 1 });
    expect(await call("secrets.set", { ...same, base64: "eA==" })).toEqual({ version: 2 });
    expect(await call("deployments.list", { stack: "kept", limit: 1 })).toMatchObject({ items: [{ kind: "file", outcome: "running" }] });
  });

  test("a secret that a rollout may go back to is not removed, and nothing is rolled back to what is gone", async () => {
    const { stackService, stackReplica } = control.services.prisma;
    const where = { stack: { name: "kept" } };
    const { id, target } = await stackService.findFirstOrThrow({ where });
    const { revision } = (await deploy("kept")) as { revision: number };
    await stackReplica.deleteMany({ where: { service: where } });
    await stackService.update({ where: { id }, data: { stable: target ?? {} } });
    const inUse = { code: "CONFLICT", message: "secret token is in use by kept/web" };
    await expect(call("secrets.remove", { name: "token" })).rejects.toMatchObject(inUse);
    await stackService.update({ where: { id }, data: { state: "done" } });
    await call("secrets.remove", { name: "token" });
    const gone = "there is no secret token: make it first";
    await expect(call("stacks.rollback", { stack: "kept" })).rejects.toMatchObject({ code: "BAD_REQUEST", message: gone });
    expect(await call("stacks.get", { stack: "kept" })).toMatchObject({ revision });
  });
});

describe("what is refused", () => {
  test.each<[string, string, string | RegExp]>([
    ["an unknown key, with its place", "    imgae: x\n", /compose\.yaml:4:\d+: services\.web: .*did you mean 'image'/s],
    ["a constraint that is none", "    deploy: { placement: { constraints: [disk] } }\n", 'invalid constraint "disk"'],
    ["a key of ours that is none", "    deploy: { x-flotilla: { colour: red } }\n", "services.web.deploy.x-flotilla"],
    [
      "a secret that is not there",
      "    secrets: [none]\nsecrets: { none: { external: true } }\n",
      "there is no secret none: make it first",
    ],
    [
      "a network of others that is not there",
      "    networks: [none]\nnetworks: { none: { external: true } }\n",
      "there is no network none over several hosts",
    ],
  ])("%s", async (_what, service, message) => {
    // A plan that can be seen can be applied.
    await expect(call("stacks.plan", { name: "bad", files: compose(service) })).rejects.toThrow(message);
    await expect(deploy("bad", service)).rejects.toThrow(message);
    expect(await control.services.prisma.stack.count({ where: { name: "bad" } })).toBe(0);
  });

  test.each<[string, string, string | RegExp]>([
    [
      "a YAML bomb",
      `a: &a [${"x,".repeat(9)}x]\n${["b", "c", "d", "e", "f", "g"].map((key, at) => `${key}: &${key} [${`*${"abcdef"[at]},`.repeat(9)}*${"abcdef"[at]}]`).join("\n")}\nservices: {web: {image: i, labels: *g}}`,
      /with its aliases expanded the file has more than 400000 values/,
    ],
    ["a file nested too deep", `services: ${"[".repeat(300)}${"]".repeat(300)}`, /nested more than \d+ deep/],
    [
      "10,000 services",
      `services:\n${Array.from({ length: 10_000 }, (_, at) => `  s${at}: {image: i}`).join("\n")}`,
      /^compose\.yaml:2:3: services: 10000 services are more than the 1000 of one project$/,
    ],
    ["a cycle", "services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}", /cycle|depends on itself/],
    ["two services on one port", 'services: {a: {image: i, ports: ["80:80"]}, b: {image: i, ports: ["80:81"]}}', /port 80/],
    ["a variable that must be there", "services: {a: {image: '${NAME:?give it a name}'}}", /give it a name/],
    ["a path outside of the project", "services: {a: {image: i, env_file: ../../etc/passwd}}", /env_file|no such file|not found/],
  ])("%s, and nothing is made", async (_what, text, message) => {
    const refused = call("stacks.deploy", { name: "bad", files: { "compose.yaml": text } });
    await expect(refused).rejects.toMatchObject({ code: "BAD_REQUEST", message: expect.stringMatching(message) as string });
    expect(await control.services.prisma.stack.count({ where: { name: "bad" } })).toBe(0);
  });

  test("what no stack does is told where it is written, as data, while somebody writes and with the plan that is kept", async () => {
    const request = { name: "told", files: compose("    container_name: x\n    gpus: all\n") };
    const issues = [
      { severity: "warning", file: "compose.yaml", line: 5, path: "services.web.gpus", said: { code: "gpus", values: {} } },
      { file: "compose.yaml", line: 4, path: "services.web.container_name", said: { code: "stack_container_name" } },
    ];
    // As they are read, where a plan has them by kind.
    expect(await call("stacks.check", request)).toMatchObject(issues.toReversed());
    const notes = ["compose.yaml:5:11: services.web.gpus: devices by capability (GPUs) are not supported by the engine"];
    expect(await call("stacks.plan", request)).toMatchObject({ issues, notes: [notes[0], expect.any(String)] });
    const { deploymentId } = (await call("stacks.deploy", request)) as { deploymentId: string };
    expect(await call("deployments.get", { id: deploymentId })).toMatchObject({ plan: { issues } });
    expect(await call("stacks.get", { stack: "told" })).toMatchObject({ issues: [{ said: { code: "stack_container_name" }, file: null }] });
    const refused = { name: "told", files: compose("    network_mode: bridge\n    pid: 'container:x'\n") };
    expect(await call("stacks.check", refused)).toMatchObject([
      { severity: "error", line: 4, said: { code: "stack_network_mode", values: { mode: "bridge" } } },
      { severity: "error", line: 5, path: "services.web.pid" },
    ]);
  });

  test("a plan that is stale, with what changed; and of two at once the second", async () => {
    const plan = (await call("stacks.plan", { name: "stale", files: compose("") })) as { basis: object };
    const apply = (): Promise<unknown> => call("stacks.deploy", { name: "stale", files: compose(""), basis: plan.basis });
    const ends = await Promise.allSettled([apply(), apply()]);
    expect(ends.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    await expect(apply()).rejects.toMatchObject({ code: "CONFLICT", message: expect.stringContaining("(generation 0 → 1)") as string });
    await call("stacks.remove", { stack: "stale" });
  });

  test("a port that another stack publishes", async () => {
    await deploy("first", '    ports: ["8080:80"]\n');
    await expect(deploy("second", '    ports: ["8080:81"]\n')).rejects.toMatchObject({
      code: "CONFLICT",
      message: "services.web.ports: port 8080/tcp is published by first/web already",
    });
    await deploy("moved", '    ports: ["8180:80"]\n');
    await deploy("moved");
    await deploy("taker", '    ports: ["8180:81"]\n');
    await expect(call("stacks.rollback", { stack: "moved" })).rejects.toThrow("port 8180/tcp is published by taker/web already");
    for (const stack of ["moved", "taker"]) await call("stacks.remove", { stack });
  });

  test("a control without anything to control, a revision that is not there", async () => {
    await expect(call("services.control", { stack: "first", act: "continue" })).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(call("services.control", { stack: "first", act: "abort" })).rejects.toThrow(
      "there is nothing to go back to: web was never rolled out well; remove the stack instead",
    );
    await expect(call("stacks.rollback", { stack: "first" })).rejects.toThrow("stack first has no revision before 1");
    await expect(call("stacks.rollback", { stack: "first", revision: 7 })).rejects.toThrow("no such revision: 7");
  });
});

test("rollouts are held, go on and go back", async () => {
  await call("services.control", { stack: "first", act: "pause" });
  expect(await call("stacks.get", { stack: "first" })).toMatchObject({ state: "held" });
  await call("services.control", { stack: "first", act: "continue" });
  await deploy("first", '    ports: ["8081:80"]\n');
  expect(await call("stacks.rollback", { stack: "first" })).toMatchObject({ revision: 1 });
  expect(await call("stacks.get", { stack: "first" })).toMatchObject({ revision: 1, revisions: [{ number: 2 }, { number: 1 }] });
});

test("who follows a deployment is told each step once, when there is news, and of its end", async () => {
  const { services } = control;
  const actor = await findActorByToken(services, ADMIN_TOKEN, null);
  if (actor === undefined) throw new Error("there is no administrator");
  await deploy("first", '    ports: ["8082:80"]\n');
  const [row] = await services.prisma.stackDeployment.findMany({ orderBy: { id: "desc" }, take: 1 });
  let ring = (): void => undefined;
  let isListening = false;
  const stop = new AbortController();
  const onNews = (listener: () => void): (() => void) => {
    ring = listener;
    isListening = true;
    return () => void (isListening = false);
  };
  const following = followDeployment(services, actor, { id: row?.id ?? "", signal: stop.signal, onNews });
  const texts: string[] = [];
  const take = async (): Promise<string | undefined> => {
    const next = await following.next();
    if (next.done === true) return undefined;
    texts.push(...next.value.steps.map(({ text }) => text));
    return next.value.deployment.outcome;
  };
  expect(await take()).toBe("running");
  const next = take();
  await call("services.control", { stack: "first", act: "pause" });
  ring();
  expect(await next).toBe("running");
  await settle();
  ring();
  expect(await take()).toBe("paused");
  await call("stacks.rollback", { stack: "first" });
  ring();
  expect(await take()).toBe("superseded");
  expect(await take()).toBeUndefined();
  expect(texts.filter((text) => text.startsWith("pause by"))).toHaveLength(1);
  expect(isListening).toBe(false);
});

describe("attack 27: files that are made to exhaust", () => {
  const check = (text: string): Promise<unknown> => call("stacks.check", { name: "bomb", files: { "compose.yaml": text } });
  const others = async (): Promise<number> => (await fetch(`${control.url}/readyz`)).status;

  test("aliases of aliases are refused before they are expanded, and others are served meanwhile", async () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const item = level === 0 ? "lol" : `*l${level - 1}`;
      return `x-l${level}: &l${level} [${Array.from({ length: 10 }, () => item).join(", ")}]`;
    });
    const [issues, status] = await Promise.all([check(`${levels.join("\n")}\nservices: { web: { image: busybox } }\n`), others()]);
    expect(JSON.stringify(issues)).toContain("values");
    expect(status).toBe(200);
  });

  test("a file nested without end is refused with its place", async () => {
    const issues = await check(`services: ${"{a: ".repeat(5_000)}1${"}".repeat(5_000)}\n`);
    expect(JSON.stringify(issues)).toMatch(/nested|deep/);
  });

  test("ten thousand services are an answer, not an end; more than a megabyte is not read", async () => {
    const services = Array.from({ length: 10_000 }, (_, index) => `  s${index}: { image: busybox }`).join("\n");
    const [issues, status] = await Promise.all([check(`services:\n${services}\n`), others()]);
    expect(Array.isArray(issues)).toBe(true);
    expect(status).toBe(200);
    await expect(check(`services: { web: { image: busybox } }\n# ${"x".repeat(2_000_000)}\n`)).rejects.toMatchObject({ status: 413 });
    expect(await others()).toBe(200);
  });
});
