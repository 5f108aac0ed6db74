import { formatIssue, Project } from "@flotilla/compose";
import { formatReason, type Reason, schedule, type ScheduleHost } from "@flotilla/planner";
import { describe, expect, test } from "vitest";
import { servedPorts } from "./compose-services.ts";
import { blockedBy } from "./dependencies.ts";
import { outcomeOf } from "./end-deployments.ts";
import { firstFree, nextBlock } from "./lease-addresses.ts";
import { sumStats } from "./follow-service-stats.ts";
import { newPhase, whatIsNew } from "./note-replicas.ts";
import { compareBasis, differences, planStack, type PlanInput, type PresentService } from "./plan-stack.ts";
import { formatReasons } from "./reasons.ts";
import { describeFailure } from "./replica-failure.ts";
import { hostLossPolicy, notesOfProject, refusalsOf, restartPolicy, serviceDemand, updatePolicy } from "./service-policy.ts";
import { hashService } from "./stack-model.ts";
import { toContainerBody } from "./to-container-body.ts";

const project = (service: object, more: object = {}): Project =>
  Project.parse({ name: "shop", services: { web: { image: "web:1", ...service } }, ...more });
const model = (service: object): Project["services"][string] => {
  const found = project(service).services["web"];
  if (found === undefined) throw new Error("no service");
  return found;
};
const own = (keys: object, deploy: object = {}): object => ({ deploy: { ...deploy, extensions: { "x-flotilla": keys } } });

describe("the body of a container", () => {
  test("has what the service says, in Docker's units", () => {
    const body = toContainerBody(
      project(
        {
          command: ["serve"],
          environment: { A: "1", GONE: null },
          healthcheck: { test: ["CMD", "true"], intervalMs: 1_500, retries: 2 },
          stopGracePeriodMs: 2_500,
          deploy: { resources: { limits: { cpus: 0.5, memoryBytes: 1_024, pids: 7 } } },
          volumes: [
            { type: "volume", source: "data", target: "/data" },
            { type: "bind", source: "/srv", target: "/srv", isReadOnly: true },
            { type: "tmpfs", target: "/t", sizeBytes: 5 },
          ],
          ports: [
            { target: 53, protocol: "udp", published: 5353, mode: "host" },
            { target: 80, published: 80 },
          ],
          ulimits: { nofile: { soft: 1, hard: 2 } },
        },
        { volumes: { data: { name: "shop_data" } } },
      ),
      "web",
    );
    expect(body).toMatchObject({
      Cmd: ["serve"],
      Env: ["A=1", "GONE"],
      Healthcheck: { Test: ["CMD", "true"], Interval: 1_500_000_000, Retries: 2 },
      StopTimeout: 3,
      ExposedPorts: { "53/udp": {} },
      HostConfig: {
        NanoCpus: 500_000_000,
        Memory: 1_024,
        PidsLimit: 7,
        PortBindings: { "53/udp": [{ HostIp: "", HostPort: "5353" }] },
        Ulimits: [{ Name: "nofile", Soft: 1, Hard: 2 }],
        Binds: ["/srv:/srv:ro"],
        Mounts: [
          { Type: "volume", Source: "shop_data", Target: "/data", VolumeOptions: { Labels: { "com.docker.compose.volume": "data" } } },
          { Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 5 } },
        ],
      },
    });
    expect(Object.keys(body)).not.toContain("Entrypoint");
  });

  test("its hash is of the container alone, and of the versions of its files", () => {
    const secrets = { secrets: { key: { name: "key" } } };
    const hash = (service: object, versions = {}): string => hashService(project(service, secrets), "web", versions);
    expect(hash({ deploy: { replicas: 3 } })).toBe(hash({ deploy: { replicas: 5, placement: { constraints: ["node.id==x"] } } }));
    expect(hash({ command: ["a"] })).not.toBe(hash({ command: ["b"] }));
    const mounted = { secrets: [{ source: "key", target: "/run/secrets/key" }] };
    expect(hash(mounted, { "secret/key": "v1" })).not.toBe(hash(mounted, { "secret/key": "v2" }));
    expect(hash({}, { "secret/key": "v1" })).toBe(hash({}, { "secret/key": "v2" }));
  });
});

describe("policies", () => {
  test("defaults are Compose's", () => {
    expect(updatePolicy("web", model({}), false)).toEqual({ order: "stop-first", parallelism: 1, delayMs: 0, monitorMs: 5_000, maxFailureRatio: 0, progressDeadlineMs: 600_000, onFailure: "pause", canary: null }); // prettier-ignore
    expect(hostLossPolicy("web", model({}))).toEqual({ action: "replace", afterMs: 60_000 });
  });

  test("a rollback has a policy of its own, no canary, and does not roll back again", () => {
    const deploy = {
      updateConfig: { failureAction: "rollback", parallelism: 2 },
      rollbackConfig: { parallelism: 0, failureAction: "rollback" },
    };
    const service = model(own({ canary: { replicas: 1 } }, deploy));
    expect(updatePolicy("web", service, false)).toMatchObject({
      parallelism: 2,
      onFailure: "rollback",
      canary: { count: 1, gate: "manual" },
    });
    expect(updatePolicy("web", service, true)).toMatchObject({ parallelism: 0, onFailure: "pause", canary: null });
  });

  test("a rollout may be given another time to get on in", () =>
    expect(updatePolicy("web", model(own({ "progress-deadline": "90s" })), false).progressDeadlineMs).toBe(90_000));

  test("a canary may be a part of the replicas", () => {
    const service = model(own({ canary: { replicas: "20%", gate: "health" } }, { replicas: 12 }));
    expect(updatePolicy("web", service, false).canary).toEqual({ count: 3, gate: "health" });
  });

  test.each<[object, object]>([
    [{ "on-host-loss": "keep" }, { action: "keep", afterMs: 60_000 }],
    [
      { "on-host-loss": "stop", grace: "5m" },
      { action: "stop", afterMs: 300_000 },
    ],
    [{ grace: 1.5 }, { action: "replace", afterMs: 1_500 }],
  ])("x-flotilla %j", (keys, policy) => expect(hostLossPolicy("web", model(own(keys)))).toEqual(policy));

  test("global services keep what is on a host", () =>
    expect(hostLossPolicy("web", model(own({}, { mode: "global" }))).action).toBe("keep"));

  test.each<[object, object]>([
    [{}, { condition: "any", maxAttempts: null }],
    [{ restart: { name: "no" } }, { condition: "none" }],
    [{ restart: { name: "on-failure", maximumRetryCount: 3 } }, { condition: "on-failure", maxAttempts: 3 }],
    [
      { restart: { name: "no" }, deploy: { restartPolicy: { condition: "any", delayMs: 5 } } },
      { condition: "any", delayMs: 5 },
    ],
    [{ deploy: { mode: "replicated-job" } }, { condition: "on-failure" }],
    [{ deploy: { mode: "global-job", restartPolicy: { condition: "any", maxAttempts: 2 } } }, { condition: "on-failure", maxAttempts: 2 }],
  ])("restarts of %j", (service, policy) => expect(restartPolicy(model(service))).toMatchObject(policy));

  test("demands are reservations, host ports, volumes and labels", () => {
    const service = {
      volumes: [
        { type: "volume", source: "data", target: "/d" },
        { type: "volume", target: "/anonymous" },
      ],
      ports: [
        { target: 80, published: 8_080, mode: "host" },
        { target: 81, published: 81 },
      ],
      deploy: {
        resources: { reservations: { cpus: 1.5, memoryBytes: 9 } },
        placement: { spread: ["node.labels.zone"], maxReplicasPerHost: 2 },
      },
    };
    expect(serviceDemand(project(service, { volumes: { data: { name: "shop_data" } } }), "web", "id")).toMatchObject({
      id: "id", image: "docker.io/library/web:1", cpuMillis: 1_500, memoryBytes: 9, hostPorts: ["8080/tcp"], volumes: ["shop_data"], preferences: ["zone"], maxPerHost: 2,
    }); // prettier-ignore
  });

  test.each<[object, string]>([
    [{ networkMode: "service:db" }, "services.web.network_mode: service:db works on one host only"],
    [{ volumesFrom: ["db"] }, "services.web.volumes_from: works on one host only"],
    [{ pid: "service:db" }, "services.web.pid: works on one host only"],
    [{ networkMode: "host", ports: [{ target: 80, published: 80 }] }, "cannot be published with network_mode host"],
    [{ ports: [{ target: 80, published: 80, protocol: "sctp" }] }, "sctp is published with mode: host only"],
    [own({ gracee: 1 }), "services.web.deploy.x-flotilla"],
    [own({ grace: "soon" }), "services.web.deploy.x-flotilla.grace"],
    [{ deploy: { placement: { constraints: ["disk"] } } }, 'services.web.deploy.placement.constraints: invalid constraint "disk": write'],
    [
      { deploy: { placement: { constraints: ["node.x==1"] } } },
      'invalid constraint "node.x==1": node.x is unknown; known are node.labels.',
    ],
    [{ deploy: { placement: { spread: ["zone"] } } }, 'services.web.deploy.placement.preferences: invalid preference "zone": spread over'],
  ])("%j is refused", (service, message) => {
    const told = refusalsOf("web", model(service)).map(({ path, message: sentence }) => `${path}: ${sentence}`);
    expect(told.join("\n")).toContain(message);
  });

  test("every mistake of a service is told at once, as data", () => {
    const said = refusalsOf("web", model({ volumesFrom: ["db"], pid: "service:db", ...own({ gracee: 1 }) })).map(
      (issue) => issue.said.code,
    );
    expect(said).toEqual(["stack_volumes_from", "stack_namespace", "text"]);
  });

  test("what is ignored is said", () => {
    const web = model({ containerName: "x", deploy: { placement: { constraints: ["node.role==worker"] } } });
    expect(notesOfProject({ services: { web } }).map(formatIssue)).toEqual([
      'services.web.deploy.placement.constraints: constraint "node.role==worker" is ignored: hosts have no role',
      "services.web.container_name: ignored, as replicas have names of their own",
    ]);
  });
});

const host = (name: string): ScheduleHost => ({ id: name, name, labels: {}, os: "linux", architecture: "amd64", availability: "active", isDown: false, cpuMillis: null, memoryBytes: null, ports: [], images: [] }); // prettier-ignore

describe("a plan", () => {
  const plan = (after: Project, present: PresentService[], more: Partial<PlanInput> = {}): ReturnType<typeof planStack> =>
    planStack({
      project: after,
      hashes: new Map(Object.keys(after.services).map((name) => [name, hashService(after, name, {})])),
      demands: new Map(Object.keys(after.services).map((name) => [name, serviceDemand(after, name, name)])),
      present,
      hosts: [host("h1"), host("h2")],
      others: { demands: [], placed: [] },
      volumes: new Map(),
      networks: [],
      basis: { generation: 1, hosts: {}, files: {} },
      ...more,
    });
  const before = (of: Project, slots: string[]): PresentService => {
    const hash = hashService(of, "web", {});
    return { id: "web", name: "web", hash, project: of, replicas: slots.map((slot) => ({ slot, hostId: "h1", hash })) };
  };
  const old = project({ deploy: { replicas: 1 } });

  test("leaves a global service on hosts that are away or cordoned, and takes it off those that are drained", () => {
    const everywhere = project({ deploy: { mode: "global" } });
    const hash = hashService(everywhere, "web", {});
    const replicas = ["h1", "h2", "h3"].map((hostId) => ({ slot: hostId, hostId, hash }));
    const present = { id: "web", name: "web", hash, project: everywhere, replicas };
    const hosts: ScheduleHost[] = [
      { ...host("h1"), isDown: true },
      { ...host("h2"), availability: "cordon" },
      { ...host("h3"), availability: "drain" },
      { ...host("h4"), isDown: true },
      host("h5"),
    ];
    const [service] = plan(everywhere, [present], { hosts }).services;
    const acts = service?.replicas.map(({ act, host: to, fromHost }) => [act, to ?? fromHost]);
    expect(acts).toEqual([["keep", "h1"], ["keep", "h2"], ["make", "h5"], ["remove", "h3"]]); // prettier-ignore
  });

  test("of something new makes replicas, spread", () => {
    const [service] = plan(project({ deploy: { replicas: 2 } }), []).services;
    expect(service).toMatchObject({
      change: "create",
      replicas: [
        { act: "make", host: "h1" },
        { act: "make", host: "h2" },
      ],
    });
  });

  test("of a new version replaces, and says what changed without its value", () => {
    const [service] = plan(project({ image: "web:2", environment: { PASSWORD: "hush" } }), [before(old, ["1"])]).services;
    expect(service).toMatchObject({
      change: "update",
      reasons: ["image web:1 → web:2", "environment changed"],
      replicas: [{ act: "replace", fromHost: "h1" }],
    });
    expect(JSON.stringify(service)).not.toContain("hush");
  });

  test("of more replicas makes the missing ones only", () => {
    const [service] = plan(project({ deploy: { replicas: 2 } }), [before(old, ["1"])]).services;
    expect(service).toMatchObject({
      change: "scale",
      reasons: ["1 → 2 replicas"],
      replicas: [{ act: "keep" }, { act: "make", host: "h2" }],
    });
  });

  test("of fewer, or of none, removes", () => {
    expect(plan(old, [before(old, ["1", "2"])]).services[0]?.replicas.map(({ act }) => act)).toEqual(["keep", "remove"]);
    const other = Project.parse({ name: "shop", services: { db: { image: "db" } } });
    expect(plan(other, [before(old, ["1"])]).services).toMatchObject([
      { name: "db", change: "create" },
      { name: "web", change: "remove" },
    ]);
  });

  test("of what fits nowhere says why", () => {
    const [service] = plan(project({ deploy: { placement: { constraints: ["node.hostname==h9"] } } }), []).services;
    expect(service?.replicas[0]).toMatchObject({ host: null, because: "has no host: 2 hosts: 2 are not host h9" });
  });

  test("of the same is nothing", () => expect(plan(old, [before(old, ["1"])]).services[0]).toMatchObject({ change: "none", reasons: [] }));

  test("is stale when generation, hosts or files are others", () => {
    const basis = { generation: 1, hosts: { h1: "active", h2: "active" }, files: { "secret/a": "1" } };
    expect(compareBasis(basis, basis)).toEqual([]);
    expect(compareBasis(basis, { generation: 2, hosts: { h1: "down", h3: "active" }, files: { "secret/a": "2" } })).toEqual([
      "the stack was changed (generation 1 → 2)",
      "host h1: active → down",
      "host h2: active → not there",
      "host h3: not there → active",
      "secret a has another version",
    ]);
  });

  test("equal models differ by a file alone", () =>
    expect(differences({ image: "a" }, { image: "a" })).toEqual([{ code: "differs_file", values: {} }]));
});

test("ports of a service's address are those that it publishes, exposes or names, each once", () => {
  const served = (service: object): object[] => servedPorts(model(service));
  expect(served({})).toEqual([]);
  expect(served({ expose: ["3000", "53/udp", "80/tcp", "8000-8001"], ports: [{ target: 80, published: 8080 }, { target: 81 }] })).toEqual([
    { protocol: "tcp", target: 80, published: 8080 },
    { protocol: "tcp", target: 3000, published: null },
    { protocol: "udp", target: 53, published: null },
    { protocol: "tcp", target: 81, published: null },
  ]);
  expect(
    served({
      ports: [
        { target: 80, published: 80, mode: "host" },
        { target: 9, protocol: "sctp" },
      ],
    }),
  ).toEqual([{ protocol: "tcp", target: 80, published: null }]);
});

test("what replicas use is summed over those that spoke lately", () => {
  const sample = (cpuPercent: number, memoryBytes: number): never => ({ cpuPercent, memoryBytes }) as never;
  const seen = [
    { sample: sample(1.255, 10), atMs: 9_000 },
    { sample: sample(2, 20), atMs: 8_000 },
    { sample: sample(50, 500), atMs: 1_000 },
  ];
  expect(sumStats(seen, 10_000)).toMatchObject({ replicas: 2, cpuPercent: 3.26, memoryBytes: 30 });
  expect(sumStats([], 0)).toMatchObject({ replicas: 0, cpuPercent: 0, memoryBytes: 0 });
});

describe("what is observed", () => {
  test.each<[string | undefined, string, boolean, string | undefined]>([
    ["running", "starting", false, "running"],
    ["running", "running", false, undefined],
    ["running", "running", true, "lost"],
    [undefined, "lost", true, undefined],
    [undefined, "", false, undefined],
    ["running", "lost", false, "running"],
  ])("said %s, before %s, host down %s: new is %s", (phase, lastPhase, isDown, expected) =>
    expect(newPhase({ observed: phase === undefined ? undefined : { phase }, lastPhase } as never, isDown)).toBe(expected),
  );

  const observed = (phase: string, more: object = {}): never =>
    ({
      observed: { phase, restarts: 0, reason: "", exitCode: null, healthOutput: "", log: [], ...more },
      readyAt: null,
      failedAt: null,
    }) as never;
  const now = new Date(5);
  test.each<[string, object, object | undefined]>([
    ["running", {}, { readyAt: now }],
    ["complete", {}, { readyAt: now }],
    ["preparing", {}, undefined],
    ["waiting", {}, { failedAt: now }],
    ["unhealthy", {}, { failedAt: now }],
    ["running", { restarts: 1 }, { readyAt: now, failedAt: now }],
  ])("%s %j", (phase, more, change) => expect(whatIsNew(observed(phase, more), now)).toEqual(change));

  test("a failure has everything that the host said", () => {
    const said = {
      phase: "waiting",
      restarts: 1,
      lastFailure: "",
      reason: "it ended with exit code 3",
      exitCode: 3,
      healthOutput: "",
      log: ["a", "boom"],
    };
    const replica = { hash: "new", failedAt: now, observed: said };
    const describe = (more: object = {}): string => formatReasons(describeFailure({ target: { hash: "new" }, replicas: [{ ...replica, observed: { ...said, ...more } }] } as never)); // prettier-ignore
    expect(describe()).toBe("it ended with exit code 3; last lines:\na\nboom");
    expect(describe({ reason: "its health check fails", healthOutput: "no answer\n", log: [], exitCode: null })).toBe(
      "its health check fails; health check said: no answer",
    );
    expect(describe({ reason: "", lastFailure: "its health check fails", log: [], exitCode: null })).toBe("its health check fails");
    expect(describeFailure({ target: { hash: "x" }, replicas: [] } as never)).toEqual([]);
  });

  test.each([
    ["starting", "", "a replica is starting, and its health check has not passed yet"],
    ["preparing", "pulling web:2: 40%", "a replica is preparing, pulling web:2: 40%"],
  ])("a replica that is %s for too long is named", (phase, progress, words) => {
    const replica = { hash: "new", failedAt: null, readyAt: null, observed: { phase, progress } };
    expect(formatReasons(describeFailure({ target: { hash: "new" }, replicas: [replica] } as never))).toBe(words);
  });

  const sayBlocked = (why: Reason | null): string | null => (why === null ? null : formatReason(why));
  const stackOf = (phases: string[]): never => ({ services: [{ name: "db", isRemoved: false, replicas: phases.map((phase) => ({ state: "run", observed: { phase } })) }] }) as never; // prettier-ignore
  test.each<[string, string[], string | null]>([
    ["service_started", ["preparing"], "waits for db to start"],
    ["service_started", ["starting"], null],
    ["service_healthy", ["starting"], "waits for db to be healthy"],
    ["service_healthy", ["starting", "running"], null],
    ["service_completed_successfully", ["running"], "waits for db to end well"],
    ["service_completed_successfully", ["complete"], null],
  ])("a dependency %s on %j", (condition, phases, waits) =>
    expect(sayBlocked(blockedBy(model({ dependsOn: { db: { condition } } }), stackOf(phases)))).toBe(waits),
  );
  test("a dependency that is not there", () => {
    expect(sayBlocked(blockedBy(model({ dependsOn: { cache: {} } }), stackOf([])))).toBe("waits for cache, which is not there");
    expect(blockedBy(model({ dependsOn: { cache: { isRequired: false } } }), stackOf([]))).toBeNull();
  });
});

describe("the end of a deployment", () => {
  const service = (state: string, more: object = {}): never =>
    ({ state, rollsBack: false, isRemoved: false, replicas: [{}], ...more }) as never;
  test.each<[string, never[], string]>([
    ["nothing is left", [], "done"],
    ["all are done", [service("done"), service("done")], "done"],
    ["one rolls", [service("done"), service("rolling")], "running"],
    ["one is held", [service("done"), service("held")], "paused"],
    ["one failed", [service("failed")], "paused"],
    ["one went back", [service("done", { rollsBack: true })], "rolled_back"],
    ["one still goes", [service("done"), service("done", { isRemoved: true })], "running"],
  ])("%s", (_what, services, outcome) => expect(outcomeOf(services, "deploy")).toBe(outcome));
  test("going back is what a rollback is for", () => expect(outcomeOf([service("done", { rollsBack: true })], "rollback")).toBe("done"));
});

describe("virtual addresses", () => {
  const subnet = { first: 0x0a400000, prefixLength: 20 };
  test("are the first free ones of the reserved blocks, never the network's first or last", () => {
    const block = { first: 0x0a400000, prefixLength: 30 };
    expect(firstFree(subnet, [block], new Set(["10.64.0.1"]))).toBe("10.64.0.2");
    expect(firstFree(subnet, [block], new Set(["10.64.0.1", "10.64.0.2", "10.64.0.3"]))).toBeUndefined();
    expect(firstFree({ first: 0x0a400000, prefixLength: 30 }, [block], new Set(["10.64.0.1", "10.64.0.2"]))).toBeUndefined();
  });
  test("get another block from the end of the range when theirs are full", () => {
    const network = { subnet: "10.64.0.0/26", addressRange: null, blockLength: 28, leases: [{ cidr: "10.64.0.0/28" }, { cidr: "10.64.0.48/28" }, { cidr: "10.64.0.33" }] }; // prettier-ignore
    expect(nextBlock(network as never)).toEqual({ first: 0x0a400010, prefixLength: 28 });
    expect(nextBlock({ ...network, leases: [{ cidr: "10.64.0.0/26" }] } as never)).toBeUndefined();
  });
});

test("what the scheduler is told of a service is what it places", () => {
  const demand = serviceDemand(project({ deploy: { replicas: 1 } }), "web", "id");
  expect(
    schedule({ hosts: [host("h1")], services: [demand], placed: [], volumes: new Map(), wanted: [{ serviceId: "id", slot: "1" }] })
      .placements,
  ).toHaveLength(1);
});
