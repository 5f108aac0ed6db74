import { describe, expect, test } from "vitest";
import { formatProject } from "./format-project.ts";
import { formatDuration } from "./format-values.ts";
import { load } from "./load-for-tests.ts";
import { toYaml } from "./to-yaml.ts";

const RICH = `
name: rich
x-top: {a: [1, $$x]}
services:
  web:
    image: i
    build: {context: ., args: {A: , B: 1}, ulimits: {nproc: 3}, secrets: [s]}
    command: []
    entrypoint: ["sh", "-c", "echo $$HOME"]
    environment: {A: , B: "$$1", C: ""}
    ports: ["127.0.0.1:80:80", "8000-8010:81/udp", {target: 82, mode: host}]
    expose: [1]
    networks: {n: {aliases: [x], ipv4_address: 10.0.0.2, priority: 3}, default: }
    depends_on: {db: {condition: service_healthy, required: false, restart: true}}
    volumes: ["./a:/a:ro", "v:/v:nocopy", "/anon", {type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0700}}, {type: bind, source: /b, target: /b, bind: {create_host_path: false}}]
    tmpfs: ["/run:size=1m", /tmp]
    secrets: [{source: s, mode: 0400, uid: 5}]
    configs: [c]
    healthcheck: {test: [CMD, x], interval: 90s, timeout: 1500ms, retries: 2}
    restart: on-failure:3
    stop_grace_period: 1h2m3s
    pull_policy: every_12h
    deploy:
      replicas: 3
      resources: {limits: {cpus: 0.5, memory: 64m, pids: 9}, reservations: {memory: 32m, generic_resources: [{discrete_resource_spec: {kind: k, value: 2}}], devices: [{capabilities: [gpu], count: all}]}}
      placement: {constraints: [a == b], preferences: [{spread: z}], max_replicas_per_node: 2}
      update_config: {parallelism: 2, order: start-first}
      rollback_config: {parallelism: 0}
      restart_policy: {condition: on-failure, delay: 5s, max_attempts: 3}
      x-canary: {replicas: 1}
    ulimits: {nofile: {soft: 1, hard: 2}}
    blkio_config: {weight: 300, device_read_bps: [{path: /dev/a, rate: 1m}]}
    logging: {driver: json-file, options: {max-size: 1m}}
    attach: false
    post_start: [{command: [a], user: root}]
    devices: [/dev/a]
    memswap_limit: -1
    shm_size: 64m
  db: {image: i, healthcheck: {disable: true}, network_mode: none}
networks: {n: {driver: bridge, internal: true, ipam: {config: [{subnet: 10.0.0.0/16, aux_addresses: {r: 10.0.0.9}}]}}}
volumes: {v: {driver_opts: {type: tmpfs}, labels: {a: b}}}
secrets: {s: {file: ./s}}
configs: {c: {content: "hello $$x"}}
`;

describe("a project as a compose file", () => {
  test("loads as the same project again", async () => {
    const { project } = await load(RICH);
    const again = await load(toYaml(formatProject(project)));
    expect(again.project).toEqual(project);
  });

  test("has long forms only, and nothing that says nothing", async () => {
    const { project } = await load("services: {web: {image: i, ports: ['80:81'], environment: [A=1]}}");
    expect(formatProject(project)).toEqual({
      name: "app",
      services: {
        web: {
          image: "i",
          environment: { A: "1" },
          networks: { default: null },
          ports: [{ mode: "ingress", target: 81, published: "80", protocol: "tcp" }],
        },
      },
      networks: { default: { name: "app_default" } },
    });
  });

  test.each(["yes", "off", "n", "0755", "1:30", "1_000", "2026-01-02", "0x1f", "~", "true"])(
    "keeps the text %s a text for readers of YAML 1.1",
    (text) => {
      expect(toYaml({ key: text })).toBe(`key: "${text}"\n`);
    },
  );

  test.each([
    [0, "0s"],
    [1500, "1500ms"],
    [90_000, "1m30s"],
    [3_600_000, "1h0m0s"],
    [43_200_000, "12h0m0s"],
    [undefined, undefined],
  ])("%s ms are %s", (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected);
  });
});
