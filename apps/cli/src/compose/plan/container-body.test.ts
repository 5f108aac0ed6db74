import { Project, Service } from "@flotilla/compose";
import { ContainerCreateBody } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import type { BodyInput } from "./body-input.ts";
import { configHash } from "./config-hash.ts";
import { containerBody } from "./container-body.ts";
import { laterEndpoints } from "./networking.ts";

const PROJECT = {
  name: "p",
  networks: { default: { name: "p_default" }, n: { name: "real" } },
  volumes: { v: { name: "p_v" } },
};

function inputOf(keys: object, more: Partial<BodyInput> = {}): BodyInput {
  const service = Service.parse({ image: "i", networks: { default: {} }, ...keys });
  return {
    project: Project.parse({ ...PROJECT, services: { web: service } }),
    serviceName: "web",
    service,
    containerName: "p-web-1",
    number: 1,
    isOneOff: false,
    configHash: "h",
    imageId: "sha256:1",
    peers: new Map([["db", { id: "dbid", name: "p-db-1" }]]),
    workingDir: "/app",
    files: ["/app/a.yaml", "/app/b.yaml"],
    version: "1",
    inherited: new Map(),
    boundFiles: new Map(),
    takesNetworks: true,
    ...more,
  };
}

const bodyOf = (keys: object, more: Partial<BodyInput> = {}): Record<string, unknown> => containerBody(inputOf(keys, more));

describe("a container's body", () => {
  test("is what the engine's own schema takes", () => {
    const body = bodyOf({
      ports: [{ target: 80, published: 8080 }],
      volumes: [{ type: "tmpfs", target: "/t" }],
      healthcheck: { test: ["CMD", "x"], intervalMs: 1500 },
    });
    expect(ContainerCreateBody.safeParse(body).error).toBeUndefined();
  });

  test("carries Docker Compose's labels above the file's", () => {
    expect(
      bodyOf({ labels: { a: "b", "com.docker.compose.project": "forged" }, dependsOn: { db: { condition: "service_healthy" } } })["Labels"],
    ).toEqual({
      a: "b",
      "com.docker.compose.project": "p",
      "com.docker.compose.service": "web",
      "com.docker.compose.container-number": "1",
      "com.docker.compose.oneoff": "False",
      "com.docker.compose.config-hash": "h",
      "com.docker.compose.version": "1",
      "com.docker.compose.project.working_dir": "/app",
      "com.docker.compose.project.config_files": "/app/a.yaml,/app/b.yaml",
      "com.docker.compose.depends_on": "db:service_healthy:false",
      "com.docker.compose.image": "sha256:1",
    });
  });

  test.each<[string, object, object]>([
    ["leaves to the image what the file does not say", {}, { Image: "i", Env: [], Tty: false }],
    ["has anonymous volumes", { volumes: [{ type: "volume", target: "/x" }] }, { Volumes: { "/x": {} } }],
    [
      "restarts by its policy",
      { restart: { name: "on-failure", maximumRetryCount: 3 } },
      { HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } } },
    ],
    [
      "restarts by deploy's policy before its own",
      { restart: { name: "always" }, deploy: { restartPolicy: { condition: "none" } } },
      { HostConfig: { RestartPolicy: { Name: "no" } } },
    ],
    [
      "restarts always for `any`",
      { deploy: { restartPolicy: { condition: "any" } } },
      { HostConfig: { RestartPolicy: { Name: "always" } } },
    ],
    [
      "shares another service's network",
      { networks: {}, networkMode: "service:db" },
      { HostConfig: { NetworkMode: "container:dbid" }, NetworkingConfig: { EndpointsConfig: {} } },
    ],
    [
      "is in its networks, the first one first",
      { networks: { n: { aliases: ["x"], ipv4Address: "10.0.0.2" }, default: {} } },
      {
        HostConfig: { NetworkMode: "real" },
        NetworkingConfig: {
          EndpointsConfig: { real: { Aliases: ["web", "x"], IPAMConfig: { IPv4Address: "10.0.0.2" } }, p_default: { Aliases: ["web"] } },
        },
      },
    ],
    [
      "links by the names of containers",
      { links: ["db:database"], externalLinks: ["other"] },
      { NetworkingConfig: { EndpointsConfig: { p_default: { Links: ["p-db-1:database", "other:other"] } } } },
    ],
  ])("%s", (_name, keys, expected) => {
    expect(bodyOf(keys)).toMatchObject(expected);
  });

  test("a one-off container has the aliases of its networks only where it is asked for", () => {
    const keys = { networks: { default: { aliases: ["x"] } } };
    const aliasesOf = (more: Partial<BodyInput>): unknown =>
      ContainerCreateBody.parse(bodyOf(keys, more)).NetworkingConfig?.EndpointsConfig?.["p_default"]?.Aliases;
    expect(aliasesOf({ isOneOff: true })).toEqual([]);
    expect(aliasesOf({ isOneOff: true, usesAliases: true })).toEqual(["web", "x"]);
    expect(aliasesOf({})).toEqual(["web", "x"]);
  });

  test("a one-off container has neither the service's name nor its restarts", () => {
    const body = bodyOf({ restart: { name: "always" } }, { isOneOff: true });
    expect(body).toMatchObject({
      HostConfig: { RestartPolicy: { Name: "no" } },
      NetworkingConfig: { EndpointsConfig: { p_default: { Aliases: [] } } },
    });
  });

  test("takes over the anonymous volumes of the container that it replaces", () => {
    const body = bodyOf(
      {
        volumes: [
          { type: "volume", target: "/x" },
          { type: "volume", target: "/y" },
        ],
      },
      { inherited: new Map([["/x", "abc"]]), replaces: "old" },
    );
    expect(body).toMatchObject({
      Volumes: { "/y": {} },
      HostConfig: { Binds: ["abc:/x"] },
      Labels: { "com.docker.compose.replace": "old" },
    });
    expect(body["Volumes"]).not.toHaveProperty("/x");
  });

  test("an older engine gets its first network at once and the others later", () => {
    const input = inputOf({ networks: { n: {}, default: {} } }, { takesNetworks: false });
    expect(containerBody(input)).toMatchObject({ NetworkingConfig: { EndpointsConfig: { real: {} } } });
    expect(laterEndpoints(input).map(([name]) => name)).toEqual(["p_default"]);
    expect(laterEndpoints(inputOf({ networks: { n: {}, default: {} } }))).toEqual([]);
  });
});

describe("the config hash", () => {
  const hash = (keys: object, { contents = {}, project = {} }: { contents?: Record<string, string>; project?: object } = {}): string => {
    const service = Service.parse({ image: "i", networks: { default: {} }, ...keys });
    return configHash(service, Project.parse({ ...PROJECT, ...project, services: { web: service } }), new Map(Object.entries(contents)));
  };

  test.each([
    [{ deploy: { replicas: 5 } }],
    [{ dependsOn: { db: {} } }],
    [{ build: { context: "/x" } }],
    [{ profiles: ["p"] }],
    [{ pullPolicy: "always" }],
  ])("is the same with %j", (keys) => {
    expect(hash(keys)).toBe(hash({}));
  });

  test.each([
    [{ image: "other" }],
    [{ environment: { A: "1" } }],
    [{ labels: { a: "b" } }],
    [{ networks: { default: {}, n: {} } }],
    [{ deploy: { resources: { limits: { pids: 1 } } } }],
    [{ command: [] }],
  ])("is another with %j", (keys) => {
    expect(hash(keys)).not.toBe(hash({}));
  });

  test("changes with the content of a secret and with the name of a volume", () => {
    const keys = { secrets: [{ source: "s", target: "/s" }], volumes: [{ type: "volume", source: "v", target: "/v" }] };
    expect(hash(keys, { contents: { "secret/s": "1" } })).not.toBe(hash(keys, { contents: { "secret/s": "2" } }));
    expect(hash(keys, { project: { volumes: { v: { name: "other" } } } })).not.toBe(hash(keys));
  });

  test("does not depend on the order of keys", () => {
    expect(hash({ environment: { A: "1", B: "2" } })).toBe(hash({ environment: { B: "2", A: "1" } }));
  });
});
