import { Project } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { ContainerCreateBody, ContainerInspect, HostConfig } from "@flotilla/engine-api";
import { formatReason } from "@flotilla/planner";
import { describe, expect, test } from "vitest";
import { composeReplica } from "../compose-replicas.ts";
import { isOfOneHost } from "../service-policy.ts";
import { hashService } from "../stack-model.ts";
import { loadSource } from "../stack-source.ts";
import { toContainerBody } from "../to-container-body.ts";
import { draftProject } from "./draft-project.ts";
import { groupProjects } from "./list-outside.ts";
import { unlikeHostConfigs } from "./read-host-config.ts";
import { type Found, readDependencies, readEnvironment, readService } from "./read-service.ts";

type Given = {
  service?: string;
  id?: string;
  number?: number;
  config?: object;
  host?: object;
  state?: object;
  mounts?: object[];
  networks?: object;
  image?: Found["image"];
  labels?: object;
  created?: string;
};

const RUNNING = { Status: "running", Running: true };

/** A container as an engine tells of it. */
function found(given: Given = {}): Found {
  const { service = "web", id = "a", number = 1, created = "2026-01-01" } = given;
  const labels = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": service,
    "com.docker.compose.container-number": String(number),
    "com.docker.compose.oneoff": "False",
    ...given.labels,
  };
  const inspect = ContainerInspect.parse({
    Id: id.padEnd(64, "0"),
    Name: `/shop_${service}_${number}`,
    Created: created,
    State: given.state ?? RUNNING,
    HostConfig: { NetworkMode: "shop_default", ...given.host },
    Config: { Image: "web:1", Hostname: id.padEnd(12, "0"), Labels: labels, ...given.config },
    Mounts: given.mounts ?? [],
    NetworkSettings: { Networks: given.networks ?? { shop_default: { Aliases: [service, id.padEnd(12, "0")] } } },
  });
  return { inspect, image: given.image ?? {} };
}

const NAMES = { networkKey: (name: string): string => name, volumeKey: (name: string): string => name };
const read = (given: Given): object => readService(found(given), NAMES);
const draft = (...containers: Found[]): ReturnType<typeof draftProject> =>
  draftProject("shop", { host: { id: "id-h1", name: "h1" }, containers });
const whyOf = (made: ReturnType<typeof draftProject>): string[] =>
  made.services.flatMap(({ containers }) => containers.map(({ why }) => formatReason(why)));

describe("a container as a service", () => {
  test.each<[string, Given, object]>([
    [
      "says of its command what the image does not say",
      { config: { Cmd: ["serve"], Entrypoint: ["/run"] }, image: { Entrypoint: ["/run"], Cmd: ["other"] } },
      { command: ["serve"] },
    ],
    [
      "says command and entry point where the entry point is its own",
      { config: { Cmd: null, Entrypoint: ["/own"] }, image: { Entrypoint: ["/run"], Cmd: ["other"] } },
      { entrypoint: ["/own"], command: [] },
    ],
    [
      "publishes its ports on its own host",
      { host: { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }], "53/udp": [{ HostPort: "" }] } } },
      {
        ports: [
          { target: 80, protocol: "tcp", published: 8080, hostIp: "127.0.0.1", mode: "host" },
          { target: 53, protocol: "udp", mode: "host" },
        ],
      },
    ],
    [
      "mounts what the engine found",
      {
        mounts: [
          { Type: "volume", Name: "shop_data", Source: "/var/x", Destination: "/data", RW: true },
          { Type: "bind", Source: "/srv", Destination: "/srv", RW: false, Propagation: "rprivate" },
        ],
        host: { Mounts: [{ Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 5 } }], Tmpfs: { "/run": "size=1m" } },
      },
      {
        volumes: [
          { type: "volume", source: "shop_data", target: "/data", isReadOnly: false, noCopy: false },
          { type: "bind", source: "/srv", target: "/srv", isReadOnly: true, createHostPath: true },
          { type: "tmpfs", target: "/t", isReadOnly: false, sizeBytes: 5 },
        ],
        tmpfs: { "/run": "size=1m" },
      },
    ],
    [
      "has limits, in the model's units",
      { host: { NanoCpus: 500_000_000, Memory: 64, MemorySwap: 128, PidsLimit: 7, ShmSize: 67_108_864, IpcMode: "private" } },
      { deploy: { resources: { limits: { cpus: 0.5, memoryBytes: 64, pids: 7 } } } },
    ],
    [
      "is isolated as it was",
      {
        host: { CapAdd: ["NET_ADMIN"], ReadonlyRootfs: true, Init: true, Ulimits: [{ Name: "nofile", Soft: 1, Hard: 2 }], PidMode: "host" },
      },
      { capAdd: ["NET_ADMIN"], isReadOnly: true, init: true, ulimits: { nofile: { soft: 1, hard: 2 } }, pid: "host" },
    ],
    [
      "keeps its health check and its times",
      { config: { Healthcheck: { Test: ["CMD", "true"], Interval: 1_500_000_000, Retries: 2 }, StopTimeout: 3, StopSignal: "SIGINT" } },
      { healthcheck: { test: ["CMD", "true"], intervalMs: 1_500, retries: 2 }, stopGracePeriodMs: 3_000, stopSignal: "SIGINT" },
    ],
    [
      "keeps labels that neither Compose nor the image wrote",
      { labels: { own: "1", maker: "x" }, image: { Labels: { maker: "x" } } },
      { labels: { own: "1" } },
    ],
    ["is in the host's own network", { host: { NetworkMode: "host" } }, { networkMode: "host", networks: {} }],
    [
      "keeps aliases that people gave",
      { networks: { shop_default: { Aliases: ["web", "shop_web_1", "a00000000000", "www"] } } },
      { networks: { shop_default: { aliases: ["www"] } } },
    ],
    [
      "is restarted as it was",
      { host: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } } },
      { restart: { name: "on-failure", maximumRetryCount: 3 } },
    ],
    [
      "knows what it depends on",
      { labels: { "com.docker.compose.depends_on": "db:service_healthy:true" } },
      { dependsOn: { db: { condition: "service_healthy", restart: true } } },
    ],
  ])("%s", (_name, given, expected) => expect(read(given)).toMatchObject(expected));

  test("repeats nothing of its image", () => {
    const image = {
      Env: ["PATH=/bin"],
      Cmd: ["serve"],
      User: "web",
      WorkingDir: "/srv",
      ExposedPorts: { "80/tcp": {} },
      StopSignal: "SIGQUIT",
    };
    const service = readService(found({ config: { ...image }, image }), NAMES);
    expect(service).toMatchObject({ environment: {}, expose: [], ports: [] });
    for (const key of ["command", "entrypoint", "user", "workingDir", "stopSignal", "healthcheck", "hostname"] as const)
      expect(service[key]).toBeUndefined();
  });

  test("its environment is what the image does not set, and what it takes away", () =>
    expect(readEnvironment(["A=1", "PATH=/bin", "B=x=y", "C"], ["PATH=/bin", "GONE=1", "A=0"])).toEqual({
      A: "1",
      B: "x=y",
      C: null,
      GONE: null,
    }));

  test("a label of dependencies that is none is passed over", () => expect(readDependencies("db:ready,:x,")).toEqual({}));
});

describe("the stack of a project", () => {
  test("is a compose file that makes the same containers", async () => {
    const web = found({
      config: { Cmd: ["sh", "-c", "echo $HOME"], Env: ["PASSWORD=s3$cret", "MODE=a"] },
      host: {
        PortBindings: { "80/tcp": [{ HostPort: "8080" }] },
        Memory: 64 * 1_024 * 1_024,
        Ulimits: [{ Name: "nofile", Soft: 1, Hard: 2 }],
      },
      mounts: [{ Type: "volume", Name: "shop_data", Source: "/var/x", Destination: "/data", RW: true }],
    });
    const { source, variables, networks, volumes } = draft(web, found({ service: "db", id: "b" }));
    expect(variables).toEqual({ WEB_PASSWORD: "s3$cret", WEB_MODE: "a" });
    expect(source).not.toContain("s3$cret");
    expect(source).toMatch(/^# On host h1, by its id/);
    expect([networks, volumes]).toEqual([["shop_default"], ["shop_data"]]);
    const { project } = await loadSource({ name: "shop", files: { "compose.yaml": source }, variables });
    expect(project.services["web"]).toMatchObject({
      environment: { PASSWORD: "s3$cret", MODE: "a" },
      command: ["sh", "-c", "echo $HOME"],
      deploy: { replicas: 1, placement: { constraints: ["node.id==id-h1"] } },
    });
    const body = ContainerCreateBody.parse(toContainerBody(project, "web"));
    expect(unlikeHostConfigs(web.inspect.HostConfig, body.HostConfig ?? HostConfig.parse({}))).toEqual([]);
    expect(body.HostConfig?.PortBindings).toEqual({ "80/tcp": [{ HostIp: "", HostPort: "8080" }] });
    expect(isOfOneHost(project, "default")).toBe(true);
    // Read once more it is the same version: nothing is replaced by the next deployment.
    const again = await loadSource({ name: "shop", files: { "compose.yaml": source }, variables });
    expect(hashService(again.project, "web", {})).toBe(hashService(project, "web", {}));
  });

  test("takes over every container that is like the newest of its service, and says what is not", () => {
    const made = draft(
      found({ id: "a", number: 1, config: { Env: ["A=1"] } }),
      found({ id: "b", number: 2, config: { Env: ["A=2"] }, created: "2026-01-02" }),
      found({ id: "c", number: 4, config: { Env: ["A=2"] } }),
    );
    expect(whyOf(made)).toEqual([
      "container shop_web_1 is replaced, as it is not like the newest one of its service, environment changed",
      "container shop_web_2 is taken over as it runs",
      "container shop_web_4 is taken over as it runs",
    ]);
    expect(made.services[0]?.containers.map(({ slot }) => slot)).toEqual(["1", "2", "3"]);
  });

  test("leaves what does not run, and takes a job that is done for one", async () => {
    const exited = (ExitCode: number): object => ({ Status: "exited", Running: false, ExitCode });
    const made = draft(
      found({ id: "a" }),
      found({ id: "b", number: 2, state: exited(0) }),
      found({ id: "c", service: "migrate", state: exited(0) }),
      found({ id: "d", service: "broken", state: exited(1), labels: { "com.docker.compose.depends_on": "migrate:service_started:false" } }),
      found({ id: "e", service: "kept", state: exited(0), host: { RestartPolicy: { Name: "always" } } }),
      found({ id: "f", number: 3, labels: { "com.docker.compose.oneoff": "True" } }),
    );
    expect(made.left.map(({ container, why }) => [container, why.code])).toEqual([
      ["shop_broken_1", "not_running"],
      ["shop_kept_1", "not_running"],
      ["shop_web_2", "not_running"],
      ["shop_web_3", "one_off"],
    ]);
    const { project } = await loadSource({ name: "shop", files: { "compose.yaml": made.source }, variables: made.variables });
    expect(Object.entries(project.services).map(([name, { deploy }]) => [name, deploy.mode, deploy.replicas])).toEqual([
      ["migrate", "replicated-job", 1],
      ["web", "replicated", 1],
    ]);
  });

  test("keeps a volume without a name where one container has it, and shares none between several", () => {
    const unnamed = (letter: string): object[] => [
      { Type: "volume", Name: letter.repeat(64), Source: "/x", Destination: "/data", RW: true },
    ];
    expect(draft(found({ mounts: unnamed("a") })).volumes).toEqual(["a".repeat(64)]);
    const several = draft(found({ id: "a", mounts: unnamed("a") }), found({ id: "b", number: 2, mounts: unnamed("b") }));
    expect(several.volumes).toEqual([]);
    expect(several.services[0]?.containers.every(({ isTaken }) => isTaken)).toBe(true);
  });

  test("names variables apart that would be one", () => {
    const { variables } = draft(
      found({ service: "a-b", config: { Env: ["C=1"] } }),
      found({ service: "a_b", id: "b", config: { Env: ["C=2"] } }),
    );
    expect(variables).toEqual({ A_B_C: "1", A_B_C_2: "2" });
  });

  test("a project of which nothing runs is refused", () =>
    expect(() => draft(found({ state: { Status: "exited", ExitCode: 1 } }))).toThrow(
      new FlotillaError("invalid", "no container of project shop runs on host h1"),
    ));
});

describe("what a stack cannot keep", () => {
  const host = (more: object): HostConfig => HostConfig.parse(more);

  test("is named", () =>
    expect(unlikeHostConfigs(host({ DeviceRequests: [{ Count: -1 }], PublishAllPorts: true }), host({}))).toEqual([
      "PublishAllPorts",
      "DeviceRequests",
    ]));

  test("is not what an engine fills in by itself", () =>
    expect(
      unlikeHostConfigs(
        host({
          IpcMode: "private",
          ShmSize: 67_108_864,
          Runtime: "runc",
          LogConfig: { Type: "json-file", Config: {} },
          Memory: 5,
          MemorySwap: 10,
        }),
        host({ Memory: 5, CapAdd: [], OomKillDisable: false }),
      ),
    ).toEqual([]));
});

describe("projects that run outside of stacks", () => {
  const row = (
    project: string,
    service: string,
    more: { State?: string; Labels?: object } = {},
  ): { Labels: Record<string, string>; State: string } => ({
    State: more.State ?? "running",
    Labels: { "com.docker.compose.project": project, "com.docker.compose.service": service, ...more.Labels },
  });

  test("are those of which something runs", () =>
    expect(
      groupProjects([
        row("shop", "web"),
        row("shop", "web", { State: "exited" }),
        row("shop", "db", { State: "paused" }),
        row("old", "web", { State: "exited" }),
        row("shop", "web", { Labels: { "com.docker.compose.oneoff": "True" } }),
        row("stack", "web", { Labels: { "io.flotilla.replica": "r1" } }),
      ]),
    ).toEqual([
      {
        project: "shop",
        running: 2,
        containers: 3,
        services: [
          { name: "db", running: 1, containers: 1 },
          { name: "web", running: 1, containers: 2 },
        ],
      },
    ]));
});

describe("a replica that takes over a container", () => {
  const project = Project.parse({
    name: "shop",
    services: { web: { image: "web:1", networks: { own: { aliases: ["www"] }, far: { aliases: ["x"] }, bridge: {} } } },
    networks: {
      own: { name: "shop_own", isExternal: true },
      far: { name: "far", isExternal: true },
      bridge: { name: "bridge", isExternal: true },
    },
  });
  const row = {
    id: "01900000-0000-7000-8000-000000000000",
    hostId: "h",
    slot: "1",
    hash: "h",
    target: { revision: 1, hash: "h", files: {} },
    adopts: "a".repeat(64),
    service: "web",
    stackId: "s",
    stack: "shop",
    teamId: "t",
    namespace: "default",
  };
  const composed = composeReplica(row, { project, shared: new Set(["far"]) });

  test("says which", () => {
    expect(composed.adopts).toBe(row.adopts);
    expect(composeReplica({ ...row, adopts: null }, { project, shared: new Set() }).adopts).toBeNull();
  });

  test("has its service's names in its host's own networks, where no address of the service is", () =>
    expect(composed.networks).toEqual([
      { name: "shop_own", aliases: ["web", "www"] },
      { name: "far", aliases: [] },
      { name: "bridge", aliases: [] },
    ]));
});

test("a network of one host needs services that are bound to that host", () => {
  const bound = (host: string): object => ({
    deploy: { placement: { constraints: [`node.hostname==${host}`], spread: [], maxReplicasPerHost: 0 } },
  });
  const of = (services: Record<string, object>): Project =>
    Project.parse({
      name: "p",
      networks: { n: { name: "n", isExternal: true } },
      services: Object.fromEntries(Object.entries(services).map(([name, more]) => [name, { image: "i", networks: { n: {} }, ...more }])),
    });
  expect(isOfOneHost(of({ a: bound("h1"), b: bound("h1") }), "n")).toBe(true);
  expect(isOfOneHost(of({ a: bound("h1"), b: bound("h2") }), "n")).toBe(false);
  expect(isOfOneHost(of({ a: bound("h1"), b: {} }), "n")).toBe(false);
  expect(isOfOneHost(of({}), "n")).toBe(false);
});
