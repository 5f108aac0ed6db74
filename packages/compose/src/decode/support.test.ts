import { describe, expect, test } from "vitest";
import { load } from "../load-for-tests.ts";
import { listSupport, supportTable } from "./support.ts";

/** Uses every key that is known, each with a value that is right. */
const EVERYTHING = `
name: all
version: "3.9"
include: [other.yaml]
models: {m: {model: x}}
configs:
  c: {content: hello, labels: {a: b}, template_driver: t}
  c2: {file: ./c, name: cc}
  c3: {environment: V, driver: d, driver_opts: {a: b}}
  c4: {external: true}
secrets:
  s: {file: ./s, labels: {a: b}, template_driver: t}
  s2: {environment: V, name: ss, driver: d, driver_opts: {a: b}}
  s3: {external: true}
volumes:
  v: {driver: local, driver_opts: {type: tmpfs}, labels: {a: b}, name: vv}
  v2: {external: true}
networks:
  n: {driver: bridge, driver_opts: {a: 1}, attachable: true, internal: true, enable_ipv4: true, enable_ipv6: false, labels: {a: b}, name: nn,
    ipam: {driver: default, options: {a: b}, config: [{subnet: 10.0.0.0/16, ip_range: 10.0.1.0/24, gateway: 10.0.0.1, aux_addresses: {a: 10.0.0.9}}]}}
  n2: {external: true}
services:
  base: {image: i}
  once: {image: i, network_mode: host}
  web:
    extends: {service: base, file: ext.yaml}
    image: i
    container_name: cn
    annotations: {a: b}
    attach: false
    blkio_config:
      weight: 300
      weight_device: [{path: /dev/a, weight: 1}]
      device_read_bps: [{path: /dev/a, rate: 1m}]
      device_write_bps: [{path: /dev/a, rate: 1m}]
      device_read_iops: [{path: /dev/a, rate: 1}]
      device_write_iops: [{path: /dev/a, rate: 1}]
    build:
      context: .
      dockerfile: D
      args: {A: 1}
      additional_contexts: {a: ./b}
      cache_from: [x]
      cache_to: [y]
      entitlements: [z]
      extra_hosts: [a=1.1.1.1]
      isolation: default
      labels: {a: b}
      network: host
      no_cache: true
      platforms: [linux/amd64]
      privileged: true
      provenance: true
      pull: true
      sbom: true
      secrets: [s]
      shm_size: 1m
      ssh: [default]
      tags: [t]
      target: t
      ulimits: {nofile: {soft: 1, hard: 2}, nproc: 1}
    cap_add: [A]
    cap_drop: [A]
    cgroup: private
    cgroup_parent: p
    command: c
    configs: [{source: c, target: /t, uid: 1, gid: 1, mode: 0444}]
    cpu_count: 1
    cpu_percent: 1
    cpu_period: 1
    cpu_quota: 1
    cpu_rt_period: 1
    cpu_rt_runtime: 1
    cpu_shares: 1
    cpus: 1
    cpuset: 0-1
    credential_spec: {file: f}
    depends_on: {base: {condition: service_healthy, required: true, restart: true}}
    deploy:
      mode: replicated
      replicas: 1
      endpoint_mode: vip
      labels: {a: b}
      placement: {constraints: [a], preferences: [{spread: x}], max_replicas_per_node: 2}
      resources:
        limits: {cpus: 1, memory: 64m, pids: 5}
        reservations: {cpus: 0.5, memory: 32m, generic_resources: [{discrete_resource_spec: {kind: k, value: 1}}], devices: [{capabilities: [gpu]}]}
      restart_policy: {condition: any, delay: 1s, max_attempts: 2, window: 1m}
      update_config: {parallelism: 1, delay: 1s, failure_action: rollback, monitor: 1s, max_failure_ratio: 0.1, order: start-first}
      rollback_config: {parallelism: 1, delay: 1s, failure_action: pause, monitor: 1s, max_failure_ratio: 0.1, order: start-first}
    develop: {watch: []}
    device_cgroup_rules: ['c 1:1 r']
    devices: [{source: /dev/a, target: /dev/b, permissions: r}]
    dns: 1.1.1.1
    dns_opt: [a]
    dns_search: b
    domainname: d
    entrypoint: e
    env_file: [{path: raw.env, required: true, format: raw}]
    environment: {A: 1}
    expose: [1]
    external_links: [a:b]
    extra_hosts: [a=1.1.1.1]
    gpus: all
    group_add: [1]
    healthcheck: {disable: false, test: t, interval: 1s, timeout: 1s, start_period: 1s, start_interval: 1s, retries: 1}
    hostname: h
    init: true
    ipc: private
    isolation: default
    label_file: l
    labels: {a: b}
    links: [base:b]
    logging: {driver: json-file, options: {a: b}}
    mac_address: 02:00:00:00:00:01
    mem_limit: 64m
    mem_reservation: 32m
    mem_swappiness: 1
    memswap_limit: 128m
    models: [m]
    networks: {n: {aliases: [a], ipv4_address: 10.0.0.5, ipv6_address: 'fd00::1', link_local_ips: [a], mac_address: 02:00:00:00:00:02, driver_opts: {a: b}, gw_priority: 1, interface_name: eth9, priority: 1}}
    oom_kill_disable: true
    oom_score_adj: 1
    pid: host
    pids_limit: 5
    platform: linux/amd64
    ports: [{target: 80, published: 80, host_ip: 127.0.0.1, protocol: tcp, mode: host, name: n, app_protocol: http}]
    post_start: [{command: a, user: u, privileged: true, working_dir: /, environment: [A=1]}]
    pre_stop: [{command: a, user: u, privileged: true, working_dir: /, environment: [A=1]}]
    privileged: true
    profiles: [p]
    provider: {type: x}
    pull_policy: missing
    pull_refresh_after: x
    read_only: true
    restart: always
    runtime: runc
    scale: 1
    secrets: [{source: s, target: /t, uid: 1, gid: 1, mode: 0444}]
    security_opt: [a]
    shm_size: 1m
    stdin_open: true
    stop_grace_period: 1s
    stop_signal: SIGINT
    storage_opt: {size: 1g}
    sysctls: {a: 1}
    tmpfs: /t
    tty: true
    ulimits: {nofile: {soft: 1, hard: 2}, nproc: 1}
    use_api_socket: true
    user: u
    userns_mode: host
    uts: host
    volumes:
      - {type: bind, source: ., target: /a, read_only: true, consistency: cached, bind: {create_host_path: true, propagation: shared, recursive: enabled, selinux: z}}
      - {type: volume, source: v, target: /b, volume: {nocopy: true, subpath: s, labels: {a: b}}}
      - {type: tmpfs, target: /c, tmpfs: {size: 1m, mode: 0700}}
    volumes_from: [base]
    working_dir: /
  inline: {build: {dockerfile_inline: FROM scratch}}
`;

/** These cannot stand in one service beside their opposites, or are gone after loading, and have tests of their own. */
const ELSEWHERE = new Set(["services.healthcheck.disable"]);

const others = { "other.yaml": "services: {inc: {image: i}}", "ext.yaml": "services: {base: {tty: true}}", "raw.env": "R=1", l: "x=y" };

describe.each(["host", "stack"] as const)("every known key, for a %s", (target) => {
  test("is read, and told of when it is not honoured", async () => {
    const { warnings } = await load(EVERYTHING, { others, target, profiles: ["p"] });
    const told = new Set(
      warnings.map(({ path }) =>
        path.replace(/^(services|networks|volumes|secrets|configs)\.[^.]+/, "$1").replace(/\.(\d+|n|nofile)(?=\.|$)/g, ""),
      ),
    );
    const rows = listSupport().filter(({ path }) => !ELSEWHERE.has(path));
    const expected = rows.filter(({ onHost, onHosts }) => (target === "host" ? onHost : onHosts) !== "yes").map(({ path }) => path);
    expect([...told].sort()).toEqual(expected.sort());
  });

  test("stands in the sample, so that the table says nothing that no test has seen", async () => {
    const words = new Set(EVERYTHING.match(/[a-z_0-9]+(?=:)/g));
    const missing = listSupport().filter(({ path }) => !words.has(path.split(".").at(-1) ?? ""));
    expect(missing.map(({ path }) => path)).toEqual([]);
    expect((await load(EVERYTHING, { others, target })).disabledServices["web"]?.tty).toBe(true);
  });
});

const PAGE = `# Compose files

Every key of the [Compose Specification](https://github.com/compose-spec/compose-spec) that Flotilla knows, and whether it is honoured. A key that is not honoured is
never passed over in silence: \`flotilla compose\` and the stacks' plan say so, with its line. A key that is not in this table is an error that names the line and
the key that was probably meant. Keys that begin with \`x-\` are kept.

How a file is read, beyond single keys:

| feature | |
|---|---|
| several files (\`-f a -f b\`, \`compose.override.yaml\`, COMPOSE_FILE, several documents in one file) | merged by the specification's rules, with \`!reset\` and \`!override\` |
| variables | \`$V\`, \`\${V}\`, \`\${V:-d}\`, \`\${V-d}\`, \`\${V:?e}\`, \`\${V?e}\`, \`\${V:+r}\`, \`\${V+r}\`, nested, \`$$\`; from the shell, \`--env-file\` (COMPOSE_ENV_FILES) or \`.env\` |
| \`include\`, \`extends\` | with their own directories; circles are errors |
| anchors, aliases, merge keys | bounded: 1 MiB a file, 64 levels, 400,000 values with aliases expanded, 1,000 services |
| profiles | \`--profile\`, COMPOSE_PROFILES, services named on the command line |
| short and long forms | all |
| limits | \`mem_limit\`, \`cpus\`, \`pids_limit\` and \`deploy.resources\` are one thing; contradictions are errors |

This page is written by \`packages/compose/src/decode/support.test.ts\` (\`npm test -- packages/compose -u\` renews it) from the tables that the loader itself uses.

`;

test("docs/compose.md is what the loader does", async () => {
  await expect(`${PAGE}${supportTable()}\n`).toMatchFileSnapshot("../../../../docs/compose.md");
});
